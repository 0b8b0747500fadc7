import {
  type Dirent,
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, join, sep } from 'node:path';
import type { TelltaleError } from '../bytes/errors.ts';
import { TelltaleError as Unreadable } from '../bytes/errors.ts';
import { toUnreadable } from './files.ts';

/** Something found under a path that was given. */
export type FolderEntry =
  | {
      readonly kind: 'file';
      /** For people; names that are not UTF-8 are read as GB18030 or Latin-1. */
      readonly path: string;
      /** The bytes of the name, where `path` would not lead back to the file. */
      readonly rawPath?: Uint8Array;
      readonly size: number;
    }
  /** A folder that is one program; what is in it is not listed separately. */
  | { readonly kind: 'bundle'; readonly path: string }
  | { readonly kind: 'problem'; readonly path: string; readonly error: TelltaleError };

/** A file or link in a bundle. */
export interface BundleEntry {
  /** Path inside the bundle, with slashes. */
  readonly name: string;
  readonly path: string;
  /** What it points to, when it is a link. */
  readonly link?: string;
}

/**
 * Whether a folder is an Apple bundle by its name and its Info.plist.
 *
 * @param isBundleName - which names bundles have
 */
function isBundle(path: string, isBundleName: (name: string) => boolean): boolean {
  if (!isBundleName(basename(path))) return false;
  const places = [
    'Contents/Info.plist',
    'Info.plist',
    'Resources/Info.plist',
    'Versions/Current/Resources/Info.plist',
  ];
  return places.some((place) => existsSync(join(path, place)));
}

/** Everything in a bundle, names in byte order; links are named, not followed. @throws TelltaleError `unreadable/…` */
export function* listBundle(path: string, prefix = ''): Generator<BundleEntry> {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    throw toUnreadable(error);
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const full = join(path, entry.name);
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isSymbolicLink()) yield { name, path: full, link: readlinkSync(full) };
    else if (entry.isDirectory()) yield* listBundle(full, name);
    else if (entry.isFile()) yield { name, path: full };
  }
}

/**
 * Every regular file under a path, depth first, names in byte order, so that the order is the same everywhere.
 * Links to files are followed; links to folders are not, and are reported unless they lead back inside.
 *
 * @param isBundleName - names of folders that may be one program
 */
export function* listFiles(
  path: string,
  isBundleName: (name: string) => boolean = () => false,
): Generator<FolderEntry> {
  let root: string;
  try {
    const status = statSync(path);
    if (status.isFile()) {
      yield { kind: 'file', path, size: status.size };
      return;
    }
    if (!status.isDirectory()) {
      yield {
        kind: 'problem',
        path,
        error: new Unreadable('unreadable/not-a-file', 'is neither a file nor a folder'),
      };
      return;
    }
    root = realpathSync(path);
    if (isBundle(root, isBundleName)) {
      yield { kind: 'bundle', path };
      return;
    }
  } catch (error) {
    yield { kind: 'problem', path, error: toUnreadable(error) };
    return;
  }
  yield* listFolder(Buffer.from(path), root, isBundleName);
}

const separator = Buffer.from(sep);

function* listFolder(
  folder: Buffer,
  root: string,
  isBundleName: (name: string) => boolean,
): Generator<FolderEntry> {
  let entries: Dirent<Buffer>[];
  try {
    entries = readdirSync(folder, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    yield { kind: 'problem', path: toPathText(folder), error: toUnreadable(error) };
    return;
  }
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const entry of entries) {
    const raw = endsWithSeparator(folder)
      ? Buffer.concat([folder, entry.name])
      : Buffer.concat([folder, separator, entry.name]);
    if (entry.isDirectory()) {
      const text = toPathText(raw);
      if (isBundle(text, isBundleName)) yield { kind: 'bundle', path: text };
      else yield* listFolder(raw, root, isBundleName);
      continue;
    }
    yield* listEntry(raw, root);
  }
}

function* listEntry(raw: Buffer, root: string): Generator<FolderEntry> {
  const path = toPathText(raw);
  try {
    const status = statSync(raw);
    if (status.isFile()) {
      yield {
        kind: 'file',
        path,
        size: status.size,
        ...(Buffer.from(path).equals(raw) ? {} : { rawPath: raw }),
      };
    } else if (!status.isDirectory()) {
      yield {
        kind: 'problem',
        path,
        error: new Unreadable('unreadable/not-a-file', 'is neither a file nor a folder'),
      };
    } else if (lstatSync(raw).isSymbolicLink() && !isInside(realpathSync(raw), root)) {
      yield {
        kind: 'problem',
        path,
        error: new Unreadable(
          'unreadable/not-a-file',
          'is a link to a folder elsewhere; such links are not followed',
        ),
      };
    }
  } catch (error) {
    yield { kind: 'problem', path, error: toUnreadable(error) };
  }
}

function endsWithSeparator(folder: Buffer): boolean {
  return folder.length > 0 && folder.subarray(folder.length - separator.length).equals(separator);
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** A file name for people: UTF-8, else GB18030 as on Chinese systems, else one character a byte. */
export function toPathText(raw: Uint8Array): string {
  for (const encoding of ['utf-8', 'gb18030']) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(raw);
    } catch {
      // not this encoding: the next one is tried, and the last resort below never fails
    }
  }
  return Buffer.from(raw).toString('latin1');
}
