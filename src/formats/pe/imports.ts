/**
 * The import directory, the delay-load directory, and the import hash.
 *
 * @see https://learn.microsoft.com/windows/win32/debug/pe-format#the-idata-section
 * @see https://cloud.google.com/blog/topics/threat-intelligence/tracking-malware-import-hashing
 */
import type { Budget } from '../../bytes/budget.ts';
import { readUpTo } from '../../bytes/byte-source.ts';
import { Cursor, cutAtZero, toHex, toLatin1 } from '../../bytes/cursor.ts';
import { toDigest } from '../../platform/digests.ts';
import { tryMap, tryReadText } from './address.ts';
import { type PeImage, directoryIndex } from './image.ts';
import { toOrdinalName } from './ordinals.ts';
import type { Report } from './parse.ts';

const librariesLimit = 1024;
const symbolsLimit = 65_536;
/** As in pefile: longer names are cut. */
const nameLimitBytes = 512;
const descriptorBytes = 20;
const delayDescriptorBytes = 32;
/** A multiple of both sizes of thunks. */
const thunksAtOnceBytes = 512;

export interface ImportedLibrary {
  /** As written in the file. */
  readonly name: string;
  /** File offset of its descriptor. */
  readonly offset: number;
  readonly delayed: boolean;
}

export interface Imports {
  /** In the order of the file, delay-loaded ones last. */
  readonly libraries: readonly ImportedLibrary[];
  /** MD5 as pefile's `get_imphash()` gives it; absent without imports or when they could not all be read. */
  readonly hash: string | undefined;
}

/** Which names enter the import hash is part of its definition: pefile leaves out symbols with other characters. */
const isHashedSymbol = /^[a-zA-Z0-9._?@$()<>]+$/;
const isHashedLibrary = /^[a-zA-Z0-9!#$%&'()\-@^_`{}~+,.;=[\]\\/]*$/;

/** Reads both directories. Faults are reported. */
export function readImports(image: PeImage, budget: Budget, report: Report): Imports {
  const libraries: ImportedLibrary[] = [];
  const hashed: string[] = [];
  const complete = readOrdinaryImports(image, budget, report, libraries, hashed);
  readDelayedImports(image, report, libraries);
  const hash =
    complete && hashed.length > 0
      ? toHex(toDigest('md5', new TextEncoder().encode(hashed.join(','))))
      : undefined;
  return { libraries, hash };
}

/** Whether everything was read. */
function readOrdinaryImports(
  image: PeImage,
  budget: Budget,
  report: Report,
  libraries: ImportedLibrary[],
  hashed: string[],
): boolean {
  const directory = image.directories[directoryIndex.import];
  if (directory === undefined || directory.rva === 0) return true;
  const table = tryMap(image, directory.rva);
  if (table === undefined) {
    report({
      code: 'malformed/out-of-range',
      message: `keeps its import directory at address 0x${directory.rva.toString(16)}, which is not in the file`,
      offset: directory.entryOffset,
      consequence: 'imported libraries were not read',
      incomplete: true,
    });
    return false;
  }
  const cursor = new Cursor(table.bytes);
  let symbols = 0;
  for (let index = 0; ; index += 1) {
    if (cursor.remaining < descriptorBytes) {
      report({
        code: 'malformed/structure',
        message: 'has an import directory without an end',
        offset: table.offset + cursor.offset,
        consequence: 'the list of imported libraries may be wrong or short',
        incomplete: true,
      });
      return false;
    }
    const offset = table.offset + cursor.offset;
    const fields = toView(cursor.bytes(descriptorBytes));
    if (isZero(fields)) return true;
    if (index >= librariesLimit || symbols >= symbolsLimit) {
      report({
        code: 'limit/count',
        message: `imports from more than ${librariesLimit} libraries or more than ${symbolsLimit} symbols`,
        offset,
        consequence: 'the other imports were not read and there is no import hash',
        incomplete: true,
      });
      return false;
    }
    const lookupRva = fields.getUint32(0, true);
    const nameRva = fields.getUint32(12, true);
    const addressRva = fields.getUint32(16, true);
    if (nameRva === 0 || addressRva === 0) return true; // here the loader stops, too
    const name = tryReadText(image, nameRva, nameLimitBytes);
    if (name === undefined) {
      report({
        code: 'malformed/out-of-range',
        message: `keeps the name of an imported library at address 0x${nameRva.toString(16)}, which is not in the file`,
        offset,
        consequence: 'this library is unknown, and there is no import hash',
        incomplete: true,
      });
      return false;
    }
    if (name.length === 0) continue;
    libraries.push({ name, offset, delayed: false });
    const thunkRva = image.toOffset(lookupRva) !== undefined && lookupRva !== 0 ? lookupRva : addressRva;
    symbols += readSymbols(image, budget, thunkRva, name, symbolsLimit - symbols, hashed);
  }
}

function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isZero(fields: DataView): boolean {
  for (let at = 0; at < fields.byteLength; at += 4) if (fields.getUint32(at) !== 0) return false;
  return true;
}

/** Appends `library.symbol` for every import of a library; gives how many thunks there were. */
function readSymbols(
  image: PeImage,
  budget: Budget,
  thunkRva: number,
  libraryName: string,
  limit: number,
  hashed: string[],
): number {
  const thunks = thunkRva === 0 ? undefined : tryMap(image, thunkRva);
  if (thunks === undefined) return 0;
  const library = isHashedLibrary.test(libraryName) ? libraryName.toLowerCase() : '*invalid*';
  const stem = /^(.*)\.(?:ocx|sys|dll)$/s.exec(library)?.[1] ?? library;
  const thunkBytes = image.isPe32Plus ? 8 : 4;
  let count = 0;
  let view = toView(new Uint8Array(0));
  // Several at once: a library gives dozens, and to read each alone takes longer than all else.
  for (let at = 0; count < limit; at += thunkBytes) {
    if (at >= view.byteLength) {
      view = toView(readUpTo(thunks.bytes, count * thunkBytes, thunksAtOnceBytes));
      at = 0;
    }
    if (at + thunkBytes > view.byteLength) break;
    const low = view.getUint32(at, true);
    const high = image.isPe32Plus ? view.getUint32(at + 4, true) : 0;
    if (low === 0 && high === 0) break;
    count += 1;
    if (count % 1024 === 0) budget.checkTime();
    const isOrdinal = ((image.isPe32Plus ? high : low) & 0x8000_0000) !== 0;
    if (isOrdinal) {
      const ordinal = low & 0xffff;
      if (ordinal !== 0) hashed.push(`${stem}.${toOrdinalName(library, ordinal).toLowerCase()}`);
      continue;
    }
    if (high !== 0) continue; // no address of an image has more than 32 bits
    const offset = image.toOffset(low + 2);
    if (offset === undefined) continue;
    const symbol = toLatin1(cutAtZero(readUpTo(image.source, offset, nameLimitBytes)));
    if (isHashedSymbol.test(symbol)) hashed.push(`${stem}.${symbol.toLowerCase()}`);
  }
  return count;
}

function readDelayedImports(image: PeImage, report: Report, libraries: ImportedLibrary[]): void {
  const directory = image.directories[directoryIndex.delayImport];
  if (directory === undefined || directory.rva === 0 || directory.size === 0) return;
  const table = tryMap(image, directory.rva);
  if (table === undefined) {
    report({
      code: 'malformed/out-of-range',
      message: `keeps its delay-load directory at address 0x${directory.rva.toString(16)}, which is not in the file`,
      offset: directory.entryOffset,
      consequence: 'libraries that are loaded late were not read',
      incomplete: true,
    });
    return;
  }
  const cursor = new Cursor(table.bytes);
  for (let index = 0; index < librariesLimit && cursor.remaining >= delayDescriptorBytes; index += 1) {
    const offset = table.offset + cursor.offset;
    const attributes = cursor.u32();
    const address = cursor.u32();
    cursor.skip(delayDescriptorBytes - 8);
    if (address === 0) return;
    // Visual C++ 6 wrote virtual addresses; bit 0 says that they are relative.
    const rva = (attributes & 1) === 1 ? address : address - Number(BigInt.asUintN(32, image.imageBase));
    const name = tryReadText(image, rva, nameLimitBytes);
    if (name !== undefined && name.length > 0) libraries.push({ name, offset, delayed: true });
  }
}
