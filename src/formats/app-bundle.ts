/**
 * Bundles of Apple's systems, `Skype.app` and `Skype.framework`: folders that are one program. Found by the names of
 * files alone, so that bundles on disk, in archives and in disk images are the same thing.
 *
 * Reference: https://developer.apple.com/library/archive/documentation/CoreFoundation/Conceptual/CFBundles/
 *
 * Layouts: `deep` (macOS: everything in `Contents`), `versioned` (frameworks of macOS: `Versions/A`), `flat` (iOS).
 */

/** Bundles that are looked for in one list of files. */
export const bundlesLimit = 10_000;
/** Bundles inside each other; real ones go four deep. */
const nestingLimit = 32;

const extensions = ['app', 'framework', 'appex', 'xpc', 'bundle', 'plugin', 'kext', 'prefPane'] as const;

export type BundleKind = (typeof extensions)[number];

export interface Bundle {
  /** The folder, without a slash at its end: `Payload/Skype.app`. */
  readonly path: string;
  readonly kind: BundleKind;
  readonly layout: 'deep' | 'versioned' | 'flat';
  /** The folder that the seal is about: `Skype.app/Contents`, `Skype.framework/Versions/A`, or the bundle itself. */
  readonly contents: string;
  readonly infoPlist: string;
  /** `_CodeSignature/CodeResources` in the contents; undefined when it is not there. */
  readonly codeResources: string | undefined;
  /** The bundle around it. */
  readonly parent: string | undefined;
}

const folderPattern = new RegExp(`^(.*?[^/]\\.(${extensions.join('|')}))/`);

/** Whether a folder of that name may be a bundle. */
export function isBundleName(name: string): boolean {
  return extensions.some((extension) => name.endsWith(`.${extension}`));
}

/**
 * The bundles that a list of files holds, each before those inside it. A folder counts when its Info.plist is there.
 *
 * @param paths - full names of files, with slashes
 */
export function findBundles(paths: readonly string[]): readonly Bundle[] {
  const present = new Set(paths);
  const found: Bundle[] = [];
  const folders = new Set<string>();
  for (const path of paths) {
    if (!/\.plist$/i.test(path)) continue;
    for (const folder of toBundleFolders(path)) {
      const layout = toLayout(folder, path);
      if (layout === undefined || folders.has(layout.contents)) continue;
      folders.add(layout.contents);
      const seal = `${layout.contents}/_CodeSignature/CodeResources`;
      found.push({
        path: folder,
        kind: toKind(folder),
        ...layout,
        infoPlist: path,
        codeResources: present.has(seal) ? seal : undefined,
        parent: undefined,
      });
      if (found.length >= bundlesLimit) return withParents(found);
    }
  }
  return withParents(found);
}

/** Every folder around a file that is named like a bundle, outermost first. */
function toBundleFolders(path: string): string[] {
  const folders: string[] = [];
  let from = 0;
  for (;;) {
    const match = folderPattern.exec(path.slice(from));
    const name = match?.[1];
    if (name === undefined || folders.length >= nestingLimit) return folders;
    folders.push(path.slice(0, from + name.length));
    from += name.length + 1;
  }
}

function toKind(folder: string): BundleKind {
  return extensions.find((extension) => folder.endsWith(`.${extension}`)) ?? 'bundle';
}

function toLayout(folder: string, path: string): Pick<Bundle, 'layout' | 'contents'> | undefined {
  const rest = path.slice(folder.length + 1);
  if (rest === 'Contents/Info.plist') return { layout: 'deep', contents: `${folder}/Contents` };
  if (rest === 'Info.plist') return { layout: 'flat', contents: folder };
  // `Current` is a link to one of the others; unpackers that follow links make it a copy.
  const version = /^Versions\/([^/]+)\/Resources\/Info\.plist$/.exec(rest)?.[1];
  if (version !== undefined && version !== 'Current') {
    return { layout: 'versioned', contents: `${folder}/Versions/${version}` };
  }
  return undefined;
}

function withParents(bundles: readonly Bundle[]): readonly Bundle[] {
  const paths = new Set(bundles.map(({ path }) => path));
  return bundles
    .map((bundle) => {
      const around = toBundleFolders(bundle.path).filter((folder) => paths.has(folder));
      return { ...bundle, parent: around.at(-1) };
    })
    .toSorted((a, b) => (a.contents < b.contents ? -1 : a.contents > b.contents ? 1 : 0));
}

/**
 * The file that a bundle starts, by the name that its Info.plist gives.
 *
 * @param executable - `CFBundleExecutable`; a name that leads out of the bundle gives undefined
 */
export function toExecutablePath({ contents, layout }: Bundle, executable: string): string | undefined {
  if (executable === '' || executable.includes('/') || executable === '.' || executable === '..')
    return undefined;
  return layout === 'deep' ? `${contents}/MacOS/${executable}` : `${contents}/${executable}`;
}
