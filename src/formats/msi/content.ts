/**
 * What the tables of an installer package say about the product: files with the paths that they are installed to,
 * cabinets, custom actions.
 *
 * References: "File Table" https://learn.microsoft.com/windows/win32/msi/file-table,
 * "Directory Table" https://learn.microsoft.com/windows/win32/msi/directory-table,
 * "Media Table" https://learn.microsoft.com/windows/win32/msi/media-table,
 * "MsiFileHash Table" https://learn.microsoft.com/windows/win32/msi/msifilehash-table,
 * "Custom Action Types" https://learn.microsoft.com/windows/win32/msi/summary-list-of-all-custom-action-types,
 * "System Folder Properties" https://learn.microsoft.com/windows/win32/msi/property-reference
 */
import type { Budget } from '../../bytes/budget.ts';
import { toHex } from '../../bytes/cursor.ts';
import { toQuotedName } from '../member-name.ts';
import type { Finding } from '../model.ts';
import type { MsiDatabase, MsiTable, MsiValue } from './database.ts';

/** Folders inside each other; a path on Windows has at most 32,767 characters. */
export const folderDepthMax = 128;
const pathCharactersMax = 1024;
/** Rows of a table that are kept in memory. */
const rowsKeptMax = 100_000;

/** Properties that stand for folders of the system: a path begins with the innermost of them. */
const systemFolders: ReadonlySet<string> = new Set([
  'AdminToolsFolder',
  'AppDataFolder',
  'CommonAppDataFolder',
  'CommonFiles64Folder',
  'CommonFilesFolder',
  'DesktopFolder',
  'FavoritesFolder',
  'FontsFolder',
  'LocalAppDataFolder',
  'MyPicturesFolder',
  'NetHoodFolder',
  'PersonalFolder',
  'PrintHoodFolder',
  'ProgramFiles64Folder',
  'ProgramFilesFolder',
  'ProgramMenuFolder',
  'RecentFolder',
  'SendToFolder',
  'StartMenuFolder',
  'StartupFolder',
  'System16Folder',
  'System64Folder',
  'SystemFolder',
  'TempFolder',
  'TemplateFolder',
  'WindowsFolder',
  'WindowsVolume',
]);

/** Rows of a table; none when the table is not there. */
export function* listRows(database: MsiDatabase, table: string): Generator<ReadonlyMap<string, MsiValue>> {
  const found: MsiTable | undefined = database.tables.get(table);
  if (found !== undefined) yield* found.rows();
}

/** A value as text; empty when there is none. */
export function toText(value: MsiValue): string {
  return value === undefined ? '' : String(value);
}

function toNumber(value: MsiValue): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The long name of `short|long`. */
export function toLongName(name: string): string {
  const bar = name.indexOf('|');
  return bar < 0 ? name : name.slice(bar + 1);
}

/** A merge module marks its names with its own code: `CommonFilesFolder.6F88B3BF_1A40_4409_9A67_3EC9E8B8AD33`. */
function withoutModuleCode(name: string): string {
  return name.replace(/\.[0-9A-Fa-f]{8}(?:_[0-9A-Fa-f]{4}){3}_[0-9A-Fa-f]{12}$/, '');
}

/** Paths of folders by their key in the table, with `/`, beginning with a system folder or `TARGETDIR`. */
export function resolveFolders(
  database: MsiDatabase,
  report: (finding: Finding) => void,
): (key: string) => string {
  const rows = new Map<string, { readonly parent: string; readonly name: string }>();
  for (const row of listRows(database, 'Directory')) {
    const key = toText(row.get('Directory'));
    if (rows.size >= rowsKeptMax) break;
    // `target:source`, each `short|long`; a dot is the folder of the parent.
    const name = toLongName(toText(row.get('DefaultDir')).split(':')[0] ?? '');
    if (!rows.has(key)) rows.set(key, { parent: toText(row.get('Directory_Parent')), name });
  }
  const paths = new Map<string, string>();
  let isTold = false;
  const tell = (code: Finding['code'], message: string): void => {
    if (isTold) return;
    isTold = true;
    report({
      code,
      message,
      consequence: 'paths of some files are shown from the folder on at which it was found',
      incomplete: false,
    });
  };
  return (key) => {
    const known = paths.get(key);
    if (known !== undefined) return known;
    const parts: string[] = [];
    const passed = new Set<string>();
    let at = key;
    for (;;) {
      const plain = withoutModuleCode(at);
      const row = rows.get(at);
      if (systemFolders.has(plain) || plain === 'TARGETDIR' || row === undefined) {
        parts.push(plain);
        break;
      }
      passed.add(at);
      // A root names itself or nobody as its parent.
      const isRoot = row.parent === '' || row.parent === at;
      if (row.name !== '.' && row.name !== '') parts.push(row.name);
      else if (isRoot) parts.push(plain);
      if (isRoot) break;
      if (passed.has(row.parent)) {
        tell(
          'malformed/cycle',
          `has folders that lie inside each other in a circle, at ${toQuotedName(row.parent)}`,
        );
        break;
      }
      if (passed.size >= folderDepthMax) {
        tell('limit/depth', `has folders more than ${folderDepthMax} deep`);
        break;
      }
      at = row.parent;
    }
    const path = parts.toReversed().join('/').slice(0, pathCharactersMax);
    paths.set(key, path);
    return path;
  };
}

/** A file that the package installs. */
export interface MsiFile {
  /** Its name in the cabinet. */
  readonly key: string;
  /** `ProgramFilesFolder/Skype/Phone/Skype.exe`. */
  readonly path: string;
  readonly component: string;
  /** Bytes, as the table says. */
  readonly size: number | undefined;
  readonly version: string;
  readonly language: string;
  readonly sequence: number | undefined;
  /** Whether it lies in a cabinet; undefined leaves it to the package. */
  readonly isCompressed: boolean | undefined;
  /** MD5 as the package states it, lower-case hexadecimal. */
  readonly md5: string | undefined;
}

const fileAttributes = { noncompressed: 0x2000, compressed: 0x4000 } as const;

/** The files of a package by their key, in stored order. */
export function listFiles(
  database: MsiDatabase,
  budget: Budget,
  report: (finding: Finding) => void,
): ReadonlyMap<string, MsiFile> {
  const files = new Map<string, MsiFile>();
  const toFolder = resolveFolders(database, report);
  const folders = new Map<string, string>();
  for (const row of listRows(database, 'Component')) {
    if (folders.size >= rowsKeptMax) break;
    folders.set(toText(row.get('Component')), toText(row.get('Directory_')));
  }
  const digests = listFileDigests(database);
  for (const row of listRows(database, 'File')) {
    if (files.size >= budget.limits.members) {
      report({
        code: 'limit/members',
        message: `installs more than ${budget.limits.members} files`,
        consequence: 'the names of the further ones were not read',
        incomplete: true,
      });
      break;
    }
    const key = toText(row.get('File'));
    const component = toText(row.get('Component_'));
    const folder = toFolder(folders.get(component) ?? component);
    const attributes = toNumber(row.get('Attributes')) ?? 0;
    files.set(key, {
      key,
      // Some tools drop names that their code page does not have: the key still tells the files apart.
      path: `${folder}/${toLongName(toText(row.get('FileName'))) || key}`.slice(0, pathCharactersMax),
      component,
      size: toNumber(row.get('FileSize')),
      version: toText(row.get('Version')),
      language: toText(row.get('Language')),
      sequence: toNumber(row.get('Sequence')),
      isCompressed:
        (attributes & fileAttributes.noncompressed) !== 0
          ? false
          : (attributes & fileAttributes.compressed) !== 0
            ? true
            : undefined,
      md5: digests.get(key),
    });
  }
  return files;
}

/** Four signed numbers, little-endian, make one MD5. */
function listFileDigests(database: MsiDatabase): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const row of listRows(database, 'MsiFileHash')) {
    if (digests.size >= rowsKeptMax) break;
    const bytes = new DataView(new ArrayBuffer(16));
    for (let part = 0; part < 4; part += 1)
      bytes.setInt32(part * 4, toNumber(row.get(`HashPart${part + 1}`)) ?? 0, true);
    digests.set(toText(row.get('File_')), toHex(new Uint8Array(bytes.buffer)));
  }
  return digests;
}

/** A source of files. */
export interface MsiMedium {
  readonly diskId: number;
  readonly lastSequence: number;
  /** Name of the stream or of the file; empty when the files lie uncompressed beside the package. */
  readonly cabinet: string;
  readonly isEmbedded: boolean;
}

export function listMedia(database: MsiDatabase): readonly MsiMedium[] {
  const media: MsiMedium[] = [];
  for (const row of listRows(database, 'Media')) {
    if (media.length >= 4096) break;
    const cabinet = toText(row.get('Cabinet'));
    const isEmbedded = cabinet.startsWith('#');
    media.push({
      diskId: toNumber(row.get('DiskId')) ?? 0,
      lastSequence: toNumber(row.get('LastSequence')) ?? 0,
      cabinet: isEmbedded ? cabinet.slice(1) : cabinet,
      isEmbedded,
    });
  }
  return media;
}

/** Base types of custom actions: the low six bits. */
const actionKinds: Readonly<Record<number, string>> = {
  1: 'DLL in the package',
  2: 'program in the package',
  5: 'JScript in the package',
  6: 'VBScript in the package',
  7: 'installs another package',
  17: 'DLL that was installed',
  18: 'program that was installed',
  19: 'error message',
  21: 'JScript that was installed',
  22: 'VBScript that was installed',
  23: 'installs another package from the medium',
  34: 'command line in a folder',
  35: 'sets a folder',
  37: 'JScript in the table',
  38: 'VBScript in the table',
  39: 'installs a product that is advertised',
  50: 'program named by a property',
  51: 'sets a property',
  53: 'JScript in a property',
  54: 'VBScript in a property',
};

export interface MsiCustomAction {
  readonly name: string;
  readonly type: number;
  /** What the type means. */
  readonly kind: string;
  readonly source: string;
  readonly target: string;
}

export function* listCustomActions(database: MsiDatabase): Generator<MsiCustomAction> {
  for (const row of listRows(database, 'CustomAction')) {
    const type = toNumber(row.get('Type')) ?? 0;
    yield {
      name: toText(row.get('Action')),
      type,
      kind: actionKinds[type & 0x3f] ?? 'unknown kind',
      source: toText(row.get('Source')),
      target: toText(row.get('Target')),
    };
  }
}
