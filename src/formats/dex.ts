/**
 * DEX, the programs of Android.
 *
 * Specification: https://source.android.com/docs/core/runtime/dex-format
 *
 * Read: header with both checksums, the tables of strings, types and classes as far as the names of the classes need it.
 * Not supported: several programs in one file (version 041) beyond the first, programs in reversed byte order, Compact
 * DEX (a form in which Android stores programs on a device).
 */
import { type ByteSource, readChunks, readUpTo, sliceSource } from '../bytes/byte-source.ts';
import { Cursor, cutAtZero, toHex, toLatin1 } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { adler32 } from '../platform/inflate.ts';
import { Digester } from '../platform/digests.ts';
import type { Fact, Finding, Format, ReadContext, Reading, Region } from './model.ts';

const headerBytes = 0x70;
const checksumOffset = 8;
/** The checksum covers everything behind it, the signature everything behind that. */
const checksummedFrom = 12;
const signedFrom = 32;
const littleEndian = 0x12345678;
const bigEndian = 0x78563412;
const stringIdBytes = 4;
const typeIdBytes = 4;
const classDefinitionBytes = 32;
/** Classes are numbered with 16 bits in instructions; no program has more. */
const classesLimit = 65_536;
/** Characters of a class name that are looked at. */
const classNameBytes = 512;
/** Parts of a package that make a prefix: `com.example.app`. */
const prefixParts = 3;
const prefixesShown = 40;
/** Different prefixes that are counted. */
const prefixesLimit = 16_384;

/** `dex\n035\0` */
export function isDex(head: Uint8Array): boolean {
  return /^dex\n\d{3}\0/.test(toLatin1(head.subarray(0, 8)));
}

function isCompactDex(head: Uint8Array): boolean {
  return /^cdex\d{3}\0/.test(toLatin1(head.subarray(0, 8)));
}

/** The fields of the header that are used; counts are unverified. */
interface DexHeader {
  readonly version: string;
  readonly checksum: number;
  readonly signature: Uint8Array;
  readonly fileSize: number;
  readonly headerSize: number;
  readonly endianTag: number;
  readonly strings: Table;
  readonly types: Table;
  readonly methods: Table;
  readonly classes: Table;
  readonly data: Table;
}

interface Table {
  readonly count: number;
  /** From the start of the file, in bytes. */
  readonly offset: number;
}

/** @throws TelltaleError `malformed/out-of-range` when there is no whole header */
function readHeader(source: ByteSource): DexHeader {
  const cursor = new Cursor(source.read(0, headerBytes));
  const version = toLatin1(cutAtZero(cursor.skip(4).bytes(4)));
  const checksum = cursor.u32();
  const signature = cursor.bytes(20);
  const fileSize = cursor.u32();
  const headerSize = cursor.u32();
  const endianTag = cursor.u32();
  cursor.skip(12);
  const table = (): Table => ({ count: cursor.u32(), offset: cursor.u32() });
  const strings = table();
  const types = table();
  cursor.skip(16);
  const methods = table();
  const classes = table();
  return {
    version,
    checksum,
    signature,
    fileSize,
    headerSize,
    endianTag,
    strings,
    types,
    methods,
    classes,
    data: table(),
  };
}

export const dexFormat: Format = {
  id: 'dex',
  title: 'Android program (DEX)',
  nature: 'acting',
  extensions: ['dex'],
  references: ['https://source.android.com/docs/core/runtime/dex-format'],
  limitations: [
    'Instructions are not read; texts in them are searched.',
    'Compact DEX and programs in reversed byte order are recognised, not read.',
    'Of several programs in one file (version 041) the first is read.',
  ],
  probe: (head) => isDex(head) || isCompactDex(head),
  read,
};

function toField(name: string, value: string | number): Fact {
  return { kind: 'packageField', name, value };
}

/** @throws TelltaleError `malformed/out-of-range` when there is no whole header, `unsupported/format`, `limit/time` */
function read(source: ByteSource, context: ReadContext): Reading {
  const head = readUpTo(source, 0, 8);
  if (isCompactDex(head)) {
    throw new TelltaleError('unsupported/format', 'is a Compact DEX program, which is not read', {
      offset: 0,
    });
  }
  const header = readHeader(source);
  const facts: Fact[] = [toField('dexVersion', header.version)];
  checkSeal(source, header, context);
  const regions: Region[] = [{ name: 'header', offset: 0, size: headerBytes }];
  if (header.fileSize < source.size && header.version !== '041') {
    const behind = { offset: header.fileSize, size: source.size - header.fileSize };
    facts.push({ kind: 'overlay', value: behind.size, offset: behind.offset });
    regions.push({ name: 'behind the program', ...behind });
  }
  if (header.endianTag !== littleEndian) {
    const isReversed = header.endianTag === bigEndian;
    context.report({
      code: isReversed ? 'unsupported/feature' : 'malformed/header',
      message: isReversed
        ? 'has its numbers in reversed byte order, which no Android runs'
        : `has the byte order mark 0x${header.endianTag.toString(16)}, which is none`,
      offset: 40,
      consequence: 'the names of its classes are not known; its bytes were searched',
      incomplete: true,
    });
    return { facts, regions };
  }
  facts.push(
    toField('strings', header.strings.count),
    toField('classes', header.classes.count),
    toField('methods', header.methods.count),
  );
  if (header.data.count > 0 && header.data.offset + header.data.count <= source.size) {
    regions.push({ name: 'data', offset: header.data.offset, size: header.data.count });
  }
  facts.push(...summariseClasses(source, header, context));
  return { facts, regions };
}

/** Size, Adler-32 and SHA-1 as the header states them. */
function checkSeal(source: ByteSource, header: DexHeader, context: ReadContext): void {
  const report = (code: Finding['code'], message: string, offset: number, consequence: string): void =>
    context.report({ code, message, offset, consequence, incomplete: false });
  const { fileSize } = header;
  if (fileSize > source.size || fileSize < headerBytes) {
    context.report({
      code: fileSize > source.size ? 'malformed/truncated' : 'malformed/header',
      message: `states a size of ${fileSize} bytes, ${source.size} are there`,
      offset: 32,
      consequence: 'its checksum and signature cannot be checked, and what is missing was not looked at',
      incomplete: true,
    });
    return;
  }
  if (fileSize < source.size && header.version !== '041') {
    report(
      'malformed/size-mismatch',
      `is followed by ${source.size - fileSize} bytes that do not belong to it`,
      fileSize,
      'neither its checksum nor its signature covers them; they were searched',
    );
  }
  const digester = new Digester(['sha1']);
  let checksum = adler32(source.read(checksummedFrom, signedFrom - checksummedFrom));
  for (const chunk of readChunks(sliceSource(source, signedFrom, fileSize - signedFrom))) {
    context.budget.checkTime();
    checksum = adler32(chunk, checksum);
    digester.update(chunk);
  }
  if (checksum !== header.checksum) {
    report(
      'malformed/checksum',
      'does not have the checksum that its header states',
      checksumOffset,
      'it was changed after it was made, or damaged; Android refuses it',
    );
  }
  const digest = digester.finish().sha1 ?? '';
  if (digest !== toHex(header.signature)) {
    report(
      'malformed/checksum',
      'does not have the SHA-1 that its header states',
      checksummedFrom,
      'it was changed after it was made; Android runs it all the same',
    );
  }
}

/** Packages of the classes that the program defines, by their first parts, the most frequent ones. */
function summariseClasses(source: ByteSource, header: DexHeader, context: ReadContext): readonly Fact[] {
  const counts = new Map<string, number>();
  let unread = 0;
  const stated = header.classes.count;
  const room = Math.max(0, Math.floor((source.size - header.classes.offset) / classDefinitionBytes));
  const count = Math.min(stated, room, classesLimit);
  for (let index = 0; index < count; index += 1) {
    if (index % 1024 === 0) context.budget.checkTime();
    const type = new Cursor(source, header.classes.offset + index * classDefinitionBytes).u32();
    const name = tryReadTypeName(source, header, type);
    if (name === undefined) {
      unread += 1;
      continue;
    }
    const prefix = toPrefix(name);
    if (counts.has(prefix) || counts.size < prefixesLimit) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  if (count < stated || unread > 0) {
    context.report({
      code: stated > classesLimit && room >= stated ? 'limit/count' : 'malformed/structure',
      message: `defines ${stated} classes, of which ${stated - count + unread} could not be named`,
      offset: 96,
      consequence: 'which packages these classes belong to is not known',
      incomplete: true,
    });
  }
  return [...counts]
    .sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
    .slice(0, prefixesShown)
    .map(([prefix, classes]) => ({
      kind: 'packageField',
      name: 'classPrefix',
      value: prefix,
      detail: { classes },
    }));
}

/** `Lcom/example/app/Main;` as it stands in the table of strings. */
function tryReadTypeName(
  source: ByteSource,
  { types, strings }: DexHeader,
  type: number,
): string | undefined {
  if (type >= types.count) return undefined;
  const typeAt = types.offset + type * typeIdBytes;
  if (typeAt + typeIdBytes > source.size) return undefined;
  const string = new Cursor(source, typeAt).u32();
  if (string >= strings.count) return undefined;
  const stringAt = strings.offset + string * stringIdBytes;
  if (stringAt + stringIdBytes > source.size) return undefined;
  const bytes = readUpTo(source, new Cursor(source, stringAt).u32(), classNameBytes);
  // Its length in UTF-16 units comes first, in up to five bytes; the text ends with a zero anyway.
  let start = 0;
  while (start < 5 && ((bytes[start] ?? 0) & 0x80) !== 0) start += 1;
  const name = new TextDecoder('utf-8', { ignoreBOM: true }).decode(cutAtZero(bytes.subarray(start + 1)));
  return name.startsWith('L') ? name.slice(1) : undefined;
}

/** `com.example.app` of `com/example/app/ui/Main;`; a class without a package has an empty one. */
function toPrefix(name: string): string {
  return name.replace(/;$/, '').split('/').slice(0, -1).slice(0, prefixParts).join('.');
}
