/** The directories of an ISO 9660 image (ECMA-119 section 9), as one list in the order in which they stand. */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { toQuotedName } from '../member-name.ts';
import type { Finding, ReadContext } from '../model.ts';
import { decodeZipText } from '../zip/records.ts';
import { readSystemUse, type SystemUse, tryFindSuspSkip } from './system-use.ts';
import { type DirectoryPlace, type IsoVolume, isoBlockBytes, readBoth32 } from './volume.ts';

/** Directories in directories. */
const levelsMax = 256;
/** A long folder name is stored once and stands before the name of every file in it: what counts is the sum. */
const nameCharactersMax = 32 * 1024 * 1024;
/** Directories may overlap without end; those of a full disc with 100,000 files have about 20 MiB. */
const directoryBytesMax = 256 * 1024 * 1024;

const flagDirectory = 2;
const flagGoesOn = 0x80;

/** A range of the image, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

/** A file, folder or link. */
export interface IsoEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** Offset of the directory record. */
  readonly offset: number;
  /** Where the content lies; several when it is in pieces. Empty for folders. */
  readonly extents: readonly Extent[];
  readonly target: string | undefined;
  /** Pieces of it alternate with gaps. */
  readonly isInterleaved: boolean;
}

export interface IsoTree {
  readonly entries: readonly IsoEntry[];
  /** End of the last directory, in bytes. */
  readonly end: number;
  /** Numbers whose two forms are not the same. */
  readonly disagreements: number;
  /** There were more entries than allowed. */
  readonly isCut: boolean;
}

interface DirectoryRecord {
  readonly offset: number;
  readonly location: number;
  readonly size: number;
  readonly flags: number;
  readonly isInterleaved: boolean;
  readonly id: Uint8Array;
  readonly systemUse: Uint8Array;
  readonly disagreements: number;
}

interface PendingDirectory {
  readonly name: string;
  readonly place: DirectoryPlace;
  readonly level: number;
}

const ucs2 = new TextDecoder('utf-16be', { ignoreBOM: true });

const isSelfOrParent = ({ id }: DirectoryRecord): boolean => id.length === 1 && (id[0] ?? 2) < 2;

/** Without the version, of which there is only one, and the dot of a name without extension. */
function toPlainName(text: string): string {
  return text.replace(/;1$/, '').replace(/\.$/, '');
}

/** Reads the tree of one volume. */
export class TreeReader {
  readonly #source: ByteSource;
  readonly #context: ReadContext;
  readonly #volume: IsoVolume;
  readonly #entries: IsoEntry[] = [];
  /** Directories that were read, by their place. */
  readonly #read = new Set<string>();
  /** Directories that belong elsewhere, by their place. */
  readonly #relocated = new Map<string, PendingDirectory>();
  #susp: number | undefined;
  #characters = 0;
  #directoryBytes = 0;
  #end = 0;
  #disagreements = 0;
  #isCut = false;

  constructor(source: ByteSource, volume: IsoVolume, context: ReadContext) {
    this.#source = source;
    this.#volume = volume;
    this.#context = context;
  }

  /**
   * Damage is reported, and reading goes on.
   *
   * @throws TelltaleError `limit/time`
   */
  read(): IsoTree {
    this.#walk({ name: '', place: this.#volume.root, level: 0 });
    // What says that it belongs elsewhere, and is missed nowhere, is shown where it lies.
    for (const [, directory] of this.#relocated) {
      if (this.#read.has(toKey(directory.place)) || !this.#add(toFolder(directory))) continue;
      this.#walk(directory);
    }
    return {
      entries: this.#entries,
      end: this.#end,
      disagreements: this.#disagreements,
      isCut: this.#isCut,
    };
  }

  #walk(root: PendingDirectory): void {
    const { members } = this.#context.budget.limits;
    const pending: (PendingDirectory | IsoEntry)[] = [root];
    for (let next = pending.pop(); next !== undefined && !this.#isCut; next = pending.pop()) {
      if ('kind' in next) {
        this.#add(next);
        continue;
      }
      // So many are listed already that the limit will be hit; no more need to wait for it.
      if (pending.length > 4 * members + 4) continue;
      // A folder is followed by what is in it, and only then by the next one.
      const children = this.#readDirectory(next);
      for (const child of children.toReversed()) pending.push(child);
    }
  }

  /** False when there were enough. */
  #add(entry: IsoEntry): boolean {
    if (this.#isCut) return false;
    if (this.#entries.length >= this.#context.budget.limits.members) {
      this.#isCut = true;
      this.#context.report({
        code: 'limit/members',
        message: `holds more than ${this.#context.budget.limits.members} members`,
        offset: entry.offset,
        consequence: 'the rest was not looked at',
        incomplete: true,
      });
    } else {
      this.#entries.push(entry);
    }
    return !this.#isCut;
  }

  #report(code: Finding['code'], message: string, offset: number, consequence: string): void {
    this.#context.report({
      code,
      message,
      offset: Math.min(offset, this.#source.size),
      consequence,
      incomplete: true,
    });
  }

  /** What is in a directory: entries, and behind each folder what is to be read for it. */
  #readDirectory({ name, place, level }: PendingDirectory): (PendingDirectory | IsoEntry)[] {
    const offset = place.location * isoBlockBytes;
    const title = name === '' ? 'the root directory' : `the folder ${toQuotedName(name)}`;
    if (this.#read.has(toKey(place))) {
      this.#report(
        'malformed/cycle',
        `lists ${title} where another folder lies already`,
        offset,
        'what is in it is listed once, under the other name',
      );
      return [];
    }
    if (level > levelsMax) {
      this.#report(
        'limit/depth',
        `holds folders more than ${levelsMax} deep`,
        offset,
        'the folders from there on were not looked at',
      );
      return [];
    }
    this.#read.add(toKey(place));
    const listed: (PendingDirectory | IsoEntry)[] = [];
    let open: { readonly record: DirectoryRecord; readonly extents: Extent[] } | undefined;
    const close = (): void => {
      if (open !== undefined) listed.push(...this.#toListed(open.record, open.extents, name, level));
      open = undefined;
    };
    for (const record of this.#readRecords(place, title)) {
      this.#disagreements += record.disagreements;
      if (isSelfOrParent(record)) {
        if (level === 0 && record.id[0] === 0 && this.#susp === undefined) {
          this.#susp = this.#volume.isJoliet ? undefined : tryFindSuspSkip(record.systemUse);
        }
        continue;
      }
      const extent = { offset: record.location * isoBlockBytes, size: record.size };
      if (open !== undefined && isSameFile(open.record, record)) {
        open.extents.push(extent);
      } else {
        if (open !== undefined) this.#reportOpenFile(open.record);
        close();
        open = { record, extents: [extent] };
      }
      if ((record.flags & flagGoesOn) === 0) close();
      // What was listed here and not yet added must not outgrow the limit either.
      if (this.#isCut || listed.length > 2 * this.#context.budget.limits.members + 2) break;
    }
    if (open !== undefined) this.#reportOpenFile(open.record);
    close();
    return listed;
  }

  #reportOpenFile({ offset }: DirectoryRecord): void {
    this.#report(
      'malformed/structure',
      'lists a file that goes on in another record, which is not there',
      offset,
      'the rest of the file is missing',
    );
  }

  #toListed(
    record: DirectoryRecord,
    extents: readonly Extent[],
    folder: string,
    level: number,
  ): (PendingDirectory | IsoEntry)[] {
    const { use, plainName } = this.#readName(record);
    const name = folder === '' ? plainName : `${folder}/${plainName}`;
    this.#characters += name.length;
    if (this.#characters > nameCharactersMax && !this.#isCut) {
      this.#isCut = true;
      this.#report(
        'limit/count',
        `lists files whose names have more than ${nameCharactersMax} characters together`,
        record.offset,
        'the rest was not looked at',
      );
    }
    const entry: IsoEntry = {
      name: toPlainName(name),
      kind: 'file',
      offset: record.offset,
      extents,
      target: use?.target,
      isInterleaved: record.isInterleaved,
    };
    const asFolder = (places: readonly DirectoryPlace[]): (PendingDirectory | IsoEntry)[] => [
      { ...entry, kind: 'folder', extents: [] },
      ...places.map((place) => ({ name, place, level: level + 1 })),
    ];
    const hasContent = extents.some(({ size }) => size > 0);
    if (use?.childLocation !== undefined) {
      const place = this.#tryFindPlace(use.childLocation);
      // What stands for the folder is an empty file; one that is not may not hide behind it.
      if (place !== undefined) return [...asFolder([place]), ...(hasContent ? [entry] : [])];
    }
    if ((record.flags & flagDirectory) !== 0) {
      const places = extents.map(({ offset, size }) => ({ location: offset / isoBlockBytes, size }));
      if (use?.isRelocated === true) {
        for (const place of places) this.#relocated.set(toKey(place), { name, place, level: level + 1 });
        return [];
      }
      return asFolder(places);
    }
    if (use?.isLink !== true) return [entry];
    return [{ ...entry, kind: 'link', extents: [] }, ...(hasContent ? [entry] : [])];
  }

  #readName(record: DirectoryRecord): { readonly use: SystemUse | undefined; readonly plainName: string } {
    if (this.#volume.isJoliet) {
      const text = ucs2.decode(record.id.subarray(0, record.id.length & ~1));
      return { use: undefined, plainName: cutText(text) };
    }
    const use =
      this.#susp === undefined
        ? undefined
        : readSystemUse(record.systemUse.subarray(this.#susp), this.#source, isoBlockBytes);
    return { use, plainName: use?.name ?? cutText(decodeZipText(record.id)) };
  }

  /** The size of a directory that was moved stands in its own first record. */
  #tryFindPlace(location: number): DirectoryPlace | undefined {
    const sector = readUpTo(this.#source, location * isoBlockBytes, isoBlockBytes);
    const record = tryParseRecord(sector, 0, location * isoBlockBytes);
    return record === undefined || record.id.length !== 1 || record.id[0] !== 0
      ? undefined
      : { location, size: record.size };
  }

  /** Records do not go on from one sector to the next; what is left of a sector is zero. */
  *#readRecords(place: DirectoryPlace, title: string): Generator<DirectoryRecord, void, void> {
    const start = place.location * isoBlockBytes;
    for (let done = 0; done < place.size; done += isoBlockBytes) {
      if (done % (16 * isoBlockBytes) === 0) this.#context.budget.checkTime();
      this.#directoryBytes += isoBlockBytes;
      if (this.#directoryBytes > directoryBytesMax) {
        this.#report(
          'limit/count',
          `has directories of more than ${directoryBytesMax} bytes`,
          start + done,
          'the rest was not looked at',
        );
        this.#isCut = true;
        return;
      }
      const sector = readUpTo(this.#source, start + done, Math.min(isoBlockBytes, place.size - done));
      if (sector.length === 0) {
        this.#report(
          'malformed/truncated',
          `lists ${title} behind its end`,
          start,
          'what was in it is missing',
        );
        return;
      }
      this.#end = Math.max(this.#end, start + done + isoBlockBytes);
      for (let at = 0; at < sector.length && sector[at] !== 0; at += sector[at] ?? 1) {
        const record = tryParseRecord(sector, at, start + done + at);
        if (record === undefined) {
          this.#report(
            'malformed/structure',
            `has a record in ${title} that is none`,
            start + done + at,
            'this file and those behind it in the same sector were not looked at',
          );
          break;
        }
        yield record;
      }
    }
  }
}

const toKey = ({ location, size }: DirectoryPlace): string => `${location}:${size}`;

function toFolder({ name, place }: PendingDirectory): IsoEntry {
  const offset = place.location * isoBlockBytes;
  return { name, kind: 'folder', offset, extents: [], target: undefined, isInterleaved: false };
}

function cutText(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function isSameFile(first: DirectoryRecord, next: DirectoryRecord): boolean {
  return (
    ((first.flags ^ next.flags) & ~flagGoesOn) === 0 &&
    first.id.length === next.id.length &&
    first.id.every((byte, index) => next.id[index] === byte)
  );
}

/** @param offset - of the record in the image */
function tryParseRecord(sector: Uint8Array, at: number, offset: number): DirectoryRecord | undefined {
  const record = sector.subarray(at, at + (sector[at] ?? 0));
  const idBytes = record[32] ?? 0;
  const systemUseStart = 33 + idBytes + ((idBytes + 1) & 1);
  if (record.length !== sector[at] || record.length < 33 + idBytes || idBytes === 0) return undefined;
  try {
    const cursor = new Cursor(record, 2);
    const location = readBoth32(cursor);
    const size = readBoth32(cursor);
    return {
      offset,
      // An extended attribute record stands in front of the content.
      location: location.value + (record[1] ?? 0),
      size: size.value,
      flags: record[25] ?? 0,
      isInterleaved: record[26] !== 0 || record[27] !== 0,
      id: record.subarray(33, 33 + idBytes),
      systemUse: record.subarray(Math.min(record.length, systemUseStart)),
      disagreements: Number(!location.agrees) + Number(!size.agrees),
    };
  } catch (error) {
    if (error instanceof TelltaleError) return undefined;
    throw error;
  }
}
