/** Reading asar archives; asar.ts says what of them, and by which specification. */
import { type ByteSource, sliceSource } from '../../bytes/byte-source.ts';
import { Cursor, toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { Digester, toDigest } from '../../platform/digests.ts';
import { toBoundedReport } from '../bounded-report.ts';
import { toQuotedName, tryDescribeUnsafeName } from '../member-name.ts';
import {
  braceOpen,
  headerBytesLimit,
  headerNestingLimit,
  headerValuesLimit,
  preambleBytes,
} from './limits.ts';
import type { Fact, Finding, Member, MemberContent, ReadContext, Reading } from '../model.ts';

/** A long folder name is stored once and stands before the name of every file in it: what counts is the sum. */
const nameCharactersLimit = 32 * 1024 * 1024;
const findingsLimit = 64;
/** Ranges between members that are shown as parts. */
const unlistedPartsLimit = 32;
const hashChunkBytes = 1 << 20;

/** What the header says about how a file must hash. */
interface Seal {
  /** Lower-case hex SHA-256 of the whole file. */
  readonly hash: string;
  readonly blockBytes: number;
  readonly blocks: readonly string[];
}

interface AsarEntry {
  readonly name: string;
  /** From the start of the archive. */
  readonly offset: number;
  readonly size: number;
  /** Bytes of it that are there. */
  readonly available: number;
  readonly seal: Seal | undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names that are properties of every JavaScript object: assigning to them changes the program that unpacks them. */
const objectNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Facts and members of one archive.
 *
 * @throws TelltaleError `malformed/header`, `malformed/truncated`, `malformed/structure` or a limit, when the list of
 *   members cannot be read
 */
export function readAsar(source: ByteSource, context: ReadContext): Reading {
  const { budget } = context;
  const report = toBoundedReport(context.report.bind(context), findingsLimit);
  const header = readHeader(source, report);
  const facts: Fact[] = [{ kind: 'headerDigest', value: toHex(toDigest('sha256', header.text)), offset: 16 }];
  const files = parseHeader(header.text, report);
  const entries = [...toEntries(files, header.contentOffset, source, { ...context, report }, facts)];
  const gaps = findGaps(entries, header.contentOffset, source.size, report);
  for (const { offset, size } of gaps) facts.push({ kind: 'unlistedBytes', value: size, offset });
  // Members may overlap without end; hashing them costs no more than the archive is long.
  let hashableBytes = source.size;
  let unchecked = 0;
  for (const entry of entries) {
    if (entry.seal === undefined || entry.available < entry.size) continue;
    if (entry.size > hashableBytes) {
      unchecked += 1;
      continue;
    }
    hashableBytes -= entry.size;
    const fact = checkSeal(source, entry, entry.seal, budget, report);
    if (fact !== undefined) facts.push(fact);
  }
  if (unchecked > 0) {
    report({
      code: 'malformed/overlap',
      message: `has members that take more bytes together than the archive has; the seals of ${unchecked} were not checked`,
      consequence: 'whether these members are those that were packed is not known',
      incomplete: true,
    });
  }
  return {
    facts,
    regions: [
      { name: 'header', offset: 0, size: Math.min(header.contentOffset, source.size) },
      ...gaps.map((gap) => ({ name: 'unlisted', ...gap })),
    ],
    members: () => toMembers(source, entries, gaps),
  };
}

/** The JSON text, and where the first file begins. */
function readHeader(
  source: ByteSource,
  report: (finding: Finding) => void,
): { readonly text: Uint8Array; readonly contentOffset: number } {
  const cursor = new Cursor(source);
  const sizeOfSize = cursor.u32();
  const headerBytes = cursor.u32();
  const payloadBytes = cursor.u32();
  const textBytes = cursor.u32();
  if (sizeOfSize !== 4 || payloadBytes + 4 > headerBytes || textBytes + 4 > payloadBytes) {
    throw new TelltaleError('malformed/header', 'has a header whose sizes contradict each other', {
      offset: 0,
    });
  }
  if (textBytes > headerBytesLimit) {
    throw new TelltaleError('limit/memory', `has a header of ${textBytes} bytes, more than are read`, {
      offset: 12,
    });
  }
  if (preambleBytes + textBytes > source.size) {
    throw new TelltaleError('malformed/truncated', 'ends inside its header', {
      offset: source.size,
      wanted: preambleBytes + textBytes - source.size,
    });
  }
  if (payloadBytes + 4 !== headerBytes) {
    report({
      code: 'malformed/header',
      message: 'states two sizes for its header that differ',
      offset: 4,
      consequence: 'software may look for the members at different places',
      incomplete: false,
    });
  }
  return { text: source.read(preambleBytes, textBytes), contentOffset: 8 + headerBytes };
}

/** The tree of members in the header. The text is measured before it is parsed. */
function parseHeader(text: Uint8Array, report: (finding: Finding) => void): JsonObject {
  measureHeader(text);
  let json: unknown;
  try {
    json = JSON.parse(decodeHeader(text, report));
  } catch (error) {
    const reason = error instanceof RangeError ? 'too deeply nested' : 'not JSON';
    throw new TelltaleError('malformed/structure', `has a header that is ${reason}`, {
      offset: preambleBytes,
    });
  }
  const files = isObject(json) ? json['files'] : undefined;
  if (!isObject(files)) {
    throw new TelltaleError('malformed/structure', 'has a header without a list of files', {
      offset: preambleBytes,
    });
  }
  return files;
}

function decodeHeader(text: Uint8Array, report: (finding: Finding) => void): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    report({
      code: 'malformed/encoding',
      message: 'has a header that is not valid UTF-8',
      offset: preambleBytes,
      consequence: 'some names may be shown wrongly',
      incomplete: false,
    });
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(text);
  }
}

/** @throws TelltaleError `limit/count` when parsing would take much more memory than the text has bytes */
function measureHeader(text: Uint8Array): void {
  let depth = 0;
  let values = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i += 1) {
    const byte = text[i];
    if (isInString) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) isInString = false;
    } else if (byte === 0x22) {
      isInString = true;
    } else if (byte === 0x2c) {
      values += 1;
    } else if (byte === braceOpen || byte === 0x5b) {
      values += 1;
      depth += 1;
      if (depth > headerNestingLimit) {
        throw new TelltaleError('limit/depth', `has a header nested more than ${headerNestingLimit} deep`, {
          offset: preambleBytes + i,
        });
      }
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
    }
  }
  if (values > headerValuesLimit) {
    throw new TelltaleError('limit/count', `has a header with more than ${headerValuesLimit} values`, {
      offset: preambleBytes,
    });
  }
}

interface PendingNode {
  readonly name: string;
  readonly node: unknown;
}

/** The files of the tree in stored order; links and files kept elsewhere become facts. */
function* toEntries(
  files: JsonObject,
  contentOffset: number,
  source: ByteSource,
  context: ReadContext,
  facts: Fact[],
): Generator<AsarEntry, void, void> {
  const { budget, report } = context;
  const pending: PendingNode[] = toChildren('', files, report);
  let characters = 0;
  for (let count = 0; pending.length > 0; count += 1) {
    if (count % 256 === 0) budget.checkTime();
    characters += pending.at(-1)?.name.length ?? 0;
    if (characters > nameCharactersLimit) {
      report({
        code: 'limit/count',
        message: `lists files whose names have more than ${nameCharactersLimit} characters together`,
        offset: preambleBytes,
        consequence: 'the rest was not looked at',
        incomplete: true,
      });
      return;
    }
    if (count >= budget.limits.members) {
      report({
        code: 'limit/members',
        message: `lists more than ${budget.limits.members} files, folders and links`,
        offset: preambleBytes,
        consequence: 'the rest was not looked at',
        incomplete: true,
      });
      return;
    }
    const next = pending.pop();
    if (next === undefined) return;
    const { name, node } = next;
    if (!isObject(node)) {
      report(toShapeFinding(name, 'is neither a file nor a folder nor a link'));
      continue;
    }
    if (isObject(node['files'])) {
      if (node['offset'] !== undefined || node['link'] !== undefined) {
        report(toShapeFinding(name, 'is listed as a folder and as a file or link at once'));
      }
      // Not spread into the arguments of one call: a folder may have more children than a call may have arguments.
      for (const child of toChildren(`${name}/`, node['files'], report)) pending.push(child);
    } else if (node['link'] !== undefined) {
      facts.push({ kind: 'memberLink', name, value: String(node['link']) });
      const danger = tryDescribeUnsafeName(String(node['link']));
      if (danger !== undefined) report(toNameFinding(name, `points to a place that ${danger}`));
    } else if (node['unpacked'] === true) {
      facts.push({ kind: 'unpackedMember', value: name });
      const seal = readSeal(name, node['integrity'], report);
      if (seal !== undefined) {
        facts.push({
          kind: 'listedDigest',
          name,
          value: seal.hash,
          detail: {
            algorithm: 'sha256',
            ...(typeof node['size'] === 'number' ? { size: node['size'] } : {}),
          },
        });
      }
    } else {
      const entry = tryToEntry(name, node, contentOffset, source, report);
      if (entry !== undefined) yield entry;
    }
  }
}

/** The children of a folder as they are to be taken from the end of a list, so the last one first. */
function toChildren(prefix: string, files: JsonObject, report: (finding: Finding) => void): PendingNode[] {
  const children: PendingNode[] = [];
  // Never an assignment by name: `__proto__` is a key like any other here.
  for (const [key, node] of Object.entries(files)) {
    const name = prefix + key;
    const danger = tryDescribeUnsafeName(key);
    if (danger !== undefined) report(toNameFinding(name, danger));
    else if (key === '' || key === '.' || key.includes('/')) {
      report(toNameFinding(name, 'is not the name of one file or folder'));
    } else if (objectNames.has(key)) {
      report(
        toNameFinding(name, 'is a property of every JavaScript object, which careless software overwrites'),
      );
    }
    children.push({ name, node });
  }
  return children.toReversed();
}

function toNameFinding(name: string, danger: string): Finding {
  return {
    code: 'malformed/name',
    message: `holds a member whose name ${danger}: ${toQuotedName(name)}`,
    offset: preambleBytes,
    consequence: 'nothing is written here, but other software may write outside its folder or fail',
    incomplete: false,
  };
}

function toShapeFinding(name: string, what: string): Finding {
  return {
    code: 'malformed/structure',
    message: `${toQuotedName(name)} ${what}`,
    offset: preambleBytes,
    consequence: 'software may disagree about what it is',
    incomplete: true,
  };
}

/** Offsets are decimal text, because JavaScript numbers end at 2^53; old software wrote numbers. */
function tryToOffset(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function tryToEntry(
  name: string,
  node: JsonObject,
  contentOffset: number,
  source: ByteSource,
  report: (finding: Finding) => void,
): AsarEntry | undefined {
  const relative = tryToOffset(node['offset']);
  const size = typeof node['size'] === 'number' ? tryToOffset(node['size']) : undefined;
  if (
    relative === undefined ||
    size === undefined ||
    !Number.isSafeInteger(contentOffset + relative + size)
  ) {
    report({
      code: 'malformed/structure',
      message: `${toQuotedName(name)} has no usable offset and size`,
      offset: preambleBytes,
      consequence: 'its bytes were not found',
      incomplete: true,
    });
    return undefined;
  }
  const offset = contentOffset + relative;
  const available = Math.max(0, Math.min(size, source.size - offset));
  if (available < size) {
    report({
      code: available > 0 ? 'malformed/truncated' : 'malformed/out-of-range',
      message: `${toQuotedName(name)} should have ${size} bytes at offset ${offset}, ${available} are there`,
      offset: Math.min(offset, source.size),
      consequence: available > 0 ? 'the rest of it is missing' : 'it is missing',
      incomplete: true,
    });
  }
  return { name, offset, size, available, seal: readSeal(name, node['integrity'], report) };
}

const sha256Hex = /^[0-9a-f]{64}$/i;

function readSeal(name: string, value: unknown, report: (finding: Finding) => void): Seal | undefined {
  if (value === undefined) return undefined;
  const fail = (what: string): undefined => {
    report({
      code: 'unsupported/method',
      message: `${toQuotedName(name)} ${what}`,
      offset: preambleBytes,
      consequence: 'whether its bytes are those that were packed is not known',
      incomplete: false,
    });
    return undefined;
  };
  if (!isObject(value)) return fail('has a seal that is none');
  const { algorithm, hash, blockSize, blocks } = value;
  if (algorithm !== 'SHA256') return fail('is sealed with another method than SHA-256');
  if (typeof hash !== 'string' || !sha256Hex.test(hash)) return fail('has a seal without a SHA-256');
  const blockBytes = tryToOffset(blockSize) ?? 0;
  const isListed =
    blockBytes > 0 &&
    Array.isArray(blocks) &&
    blocks.every((block) => typeof block === 'string' && sha256Hex.test(block));
  return {
    hash: hash.toLowerCase(),
    blockBytes: isListed ? blockBytes : 0,
    blocks: isListed ? blocks.map((block) => String(block).toLowerCase()) : [],
  };
}

/** Compares a file with its seal; Electron checks both the digest of the whole and those of the blocks that it reads. */
function checkSeal(
  source: ByteSource,
  entry: AsarEntry,
  seal: Seal,
  budget: ReadContext['budget'],
  report: (finding: Finding) => void,
): Fact | undefined {
  const whole = new Digester(['sha256']);
  for (let at = 0; at < entry.size; at += hashChunkBytes) {
    budget.checkTime();
    whole.update(source.read(entry.offset + at, Math.min(hashChunkBytes, entry.size - at)));
  }
  const digest = whole.finish().sha256 ?? '';
  const isWhole = digest === seal.hash;
  const brokenBlock = isWhole ? findBrokenBlock(source, entry, seal, budget) : undefined;
  if (isWhole && brokenBlock === undefined) return undefined;
  report({
    code: 'malformed/checksum',
    message: isWhole
      ? `${toQuotedName(entry.name)} has the SHA-256 that the archive states, but block ${brokenBlock} has not`
      : `${toQuotedName(entry.name)} does not have the SHA-256 that the archive states`,
    offset: entry.offset,
    consequence: isWhole
      ? 'the header of the archive was changed, or was never right'
      : 'its bytes are not those that were packed',
    incomplete: false,
  });
  return {
    kind: 'sealBroken',
    name: entry.name,
    value: digest,
    offset: entry.offset,
    detail: {
      algorithm: 'sha256',
      expected: isWhole ? (seal.blocks[brokenBlock ?? 0] ?? 'nothing') : seal.hash,
      ...(brokenBlock === undefined ? {} : { block: brokenBlock }),
    },
  };
}

/** Number of the first block that does not hash as stated, or that is not stated. */
function findBrokenBlock(
  source: ByteSource,
  entry: AsarEntry,
  seal: Seal,
  budget: ReadContext['budget'],
): number | undefined {
  if (seal.blockBytes === 0) return undefined;
  // The digest of the whole, when there is but one block, is that of the block.
  const needed = Math.ceil(entry.size / seal.blockBytes);
  if (seal.blocks.length < needed) return seal.blocks.length;
  for (let index = 0; index < needed; index += 1) {
    if (needed === 1) return seal.blocks[0] === seal.hash ? undefined : 0;
    budget.checkTime();
    const digester = new Digester(['sha256']);
    const start = index * seal.blockBytes;
    const end = Math.min(entry.size, start + seal.blockBytes);
    for (let at = start; at < end; at += hashChunkBytes) {
      digester.update(source.read(entry.offset + at, Math.min(hashChunkBytes, end - at)));
    }
    if (digester.finish().sha256 !== seal.blocks[index]) return index;
  }
  return undefined;
}

interface Range {
  readonly offset: number;
  readonly size: number;
}

/** Ranges that no file covers. Files that overlap without being the same range are reported. */
function findGaps(
  entries: readonly AsarEntry[],
  contentOffset: number,
  end: number,
  report: (finding: Finding) => void,
): readonly Range[] {
  const gaps: Range[] = [];
  let reached = Math.min(contentOffset, end);
  let previous: AsarEntry | undefined;
  const sorted = entries
    .filter(({ available }) => available > 0)
    .toSorted((a, b) => a.offset - b.offset || b.available - a.available);
  for (const entry of sorted) {
    if (entry.offset > reached) gaps.push({ offset: reached, size: entry.offset - reached });
    const isSame = previous?.offset === entry.offset && previous.size === entry.size;
    if (entry.offset < reached && !isSame && previous !== undefined) {
      report({
        code: 'malformed/overlap',
        message: `${toQuotedName(entry.name)} shares bytes with ${toQuotedName(previous.name)}`,
        offset: entry.offset,
        consequence: 'one file is a disguised part of another; both were looked at',
        incomplete: false,
      });
    }
    reached = Math.max(reached, entry.offset + entry.available);
    previous = entry;
  }
  if (reached < end) gaps.push({ offset: reached, size: end - reached });
  if (gaps.length > 0) {
    report({
      code: 'malformed/structure',
      message: `holds ${gaps.reduce((sum, { size }) => sum + size, 0)} bytes that belong to no listed file`,
      offset: gaps[0]?.offset ?? contentOffset,
      consequence:
        gaps.length > unlistedPartsLimit
          ? 'ordinary software does not show them; they were searched as bytes, and not all of them opened'
          : 'ordinary software does not show them',
      incomplete: gaps.length > unlistedPartsLimit,
    });
  }
  return gaps.slice(0, unlistedPartsLimit);
}

function* toMembers(
  source: ByteSource,
  entries: readonly AsarEntry[],
  gaps: readonly Range[],
): Generator<Member, void, void> {
  for (const entry of entries) {
    yield {
      name: entry.name === '' ? '[unnamed]' : entry.name,
      relation: 'file',
      content: toContent(source, entry),
    };
  }
  for (const { offset, size } of gaps) {
    yield {
      name: `[unlisted at 0x${offset.toString(16)}]`,
      relation: 'part',
      content: { kind: 'source', source: sliceSource(source, offset, size), containerOffset: offset },
    };
  }
}

function toContent(source: ByteSource, entry: AsarEntry): MemberContent {
  if (entry.size > 0 && entry.available === 0) {
    return {
      kind: 'unreadable',
      finding: {
        code: 'malformed/out-of-range',
        message: `lies at offset ${entry.offset}, behind the end of the archive`,
        consequence: 'it is missing',
        incomplete: true,
      },
      declaredSize: entry.size,
    };
  }
  const offset = Math.min(entry.offset, source.size);
  return {
    kind: 'source',
    source: sliceSource(source, offset, entry.available),
    containerOffset: offset,
  };
}
