/**
 * `AppxBlockMap.xml`: digests of every 64 KiB of every file in a Windows package.
 *
 * Specification: https://learn.microsoft.com/uwp/schemas/blockmapschema/app-package-block-map
 *
 * Read: files, sizes, sizes of local headers, block digests by SHA-256, SHA-384 and SHA-512.
 * Not compared: packed sizes of blocks, digests of whole files (2021 schema), which say nothing more.
 */
import type { Budget } from '../../bytes/budget.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { Digester } from '../../platform/digests.ts';
import type { ReadContext } from '../model.ts';
import { parseXml, type XmlElement } from '../xml.ts';
import { isFolder, type ZipArchive, type ZipEntry } from '../zip.ts';
import { decodePart, footprintNames, isBudgetLimit, toPartName } from './footprint.ts';
import type { BlockMapCheck, BlockMapDifference } from './package.ts';

export const blockBytes = 65_536;
/** Differences that are kept one by one. */
const differencesMax = 64;

/** One file of the map. */
export interface BlockMapFile {
  /** As the map writes it, with backslashes. */
  readonly name: string;
  /** Unpacked, in bytes. */
  readonly size: number;
  /** Local header with name and extra field, in bytes; undefined when the map does not say. */
  readonly localHeaderBytes: number | undefined;
  /** Digests in lower-case hexadecimal, in order; empty text where one is no digest. */
  readonly blocks: readonly string[];
}

export interface BlockMap {
  readonly algorithm: 'sha256' | 'sha384' | 'sha512';
  readonly files: readonly BlockMapFile[];
}

const algorithms: ReadonlyMap<string, BlockMap['algorithm']> = new Map([
  ['http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#sha384', 'sha384'],
  ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
]);

/**
 * Reads a block map.
 *
 * @throws TelltaleError `malformed/structure`, `malformed/encoding`, `unsupported/method`, `limit/*`
 */
export function parseBlockMap(bytes: Uint8Array, budget: Budget): BlockMap {
  const { root, fault } = parseXml(bytes, budget);
  if (fault !== undefined) throw fault;
  if (root?.name !== 'BlockMap') throw toMalformed('is no block map', root);
  const method = root.attributes.get('HashMethod') ?? '';
  const algorithm = algorithms.get(method);
  if (algorithm === undefined) {
    throw new TelltaleError('unsupported/method', 'has digests of a kind that is not read', {
      offset: root.offset,
    });
  }
  const files = root.children.filter(({ name }) => name === 'File').map((file) => toFile(file, budget));
  return { algorithm, files };
}

function toFile(element: XmlElement, budget: Budget): BlockMapFile {
  budget.checkTime();
  const name = element.attributes.get('Name') ?? '';
  const size = tryNumber(element.attributes.get('Size'));
  if (name === '' || size === undefined) throw toMalformed('lists a file without name or size', element);
  return {
    name,
    size,
    localHeaderBytes: tryNumber(element.attributes.get('LfhSize')),
    blocks: element.children
      .filter((child) => child.name === 'Block')
      .map((block) => toHexDigest(block.attributes.get('Hash') ?? '')),
  };
}

function tryNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text.trim())) return undefined;
  return Number(text.trim());
}

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Empty text for what is no base64. */
function toHexDigest(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length > 128 || !/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed)) return '';
  const bytes: number[] = [];
  let bits = 0;
  let count = 0;
  for (const character of trimmed.replace(/=+$/, '')) {
    bits = ((bits << 6) | base64Alphabet.indexOf(character)) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push((bits >> count) & 0xff);
    }
  }
  return toHex(Uint8Array.from(bytes));
}

function toMalformed(message: string, element: XmlElement | undefined): TelltaleError {
  return new TelltaleError('malformed/structure', message, { offset: element?.offset ?? 0 });
}

/** What the map does not list by design. */
const unlistedByDesign: ReadonlySet<string> = new Set(
  [
    footprintNames.signature,
    footprintNames.contentTypes,
    footprintNames.blockMap,
    footprintNames.codeIntegrity,
  ].map(toPartName),
);

/**
 * Compares a package with its block map. Every file is unpacked once; its bytes are charged.
 *
 * @param nested - packages of a bundle, by part name: each has a map of its own
 * @throws TelltaleError `limit/*` of the budget
 */
export async function checkBlockMap(
  source: ByteSource,
  archive: ZipArchive,
  map: BlockMap,
  nested: ReadonlySet<string>,
  context: ReadContext,
): Promise<BlockMapCheck> {
  const differences: BlockMapDifference[] = [];
  let differenceCount = 0;
  let blocks = 0;
  let files = 0;
  const differ = (difference: BlockMapDifference): void => {
    differenceCount += 1;
    if (differences.length < differencesMax) differences.push(difference);
  };

  const listed = new Map<string, BlockMapFile>();
  for (const file of map.files) {
    const part = file.name.replaceAll('\\', '/').toLowerCase();
    if (listed.has(part)) differ({ kind: 'repeated', name: file.name });
    else listed.set(part, file);
  }
  const seen = new Set<string>();
  for (const entry of archive.entries) {
    context.budget.checkTime();
    if (isFolder(entry)) continue;
    const part = toPartName(entry.name);
    const file = listed.get(part);
    const place = { name: entry.name, offset: entry.headerOffset };
    const isHidden = entry.view === 'local' && archive.end !== undefined;
    if (isHidden || (file === undefined && !unlistedByDesign.has(part) && !nested.has(part))) {
      differ({ kind: 'unlisted', ...place });
      continue;
    }
    if (file === undefined) continue;
    seen.add(part);
    const headerBytes = entry.dataOffset === undefined ? undefined : entry.dataOffset - entry.headerOffset;
    if (file.localHeaderBytes !== undefined && headerBytes !== file.localHeaderBytes) {
      differ({ kind: 'header', ...place });
    }
    const compared = await compareFile(source, entry, file, map.algorithm, context);
    files += 1;
    blocks += compared.blocks;
    if (compared.difference !== undefined) differ({ ...compared.difference, ...place });
  }
  for (const [part, { name }] of listed) if (!seen.has(part)) differ({ kind: 'missing', name });
  return { algorithm: map.algorithm, files, blocks, differences, differenceCount };
}

async function compareFile(
  source: ByteSource,
  entry: ZipEntry,
  file: BlockMapFile,
  algorithm: BlockMap['algorithm'],
  context: ReadContext,
): Promise<{ blocks: number; difference: Omit<BlockMapDifference, 'name'> | undefined }> {
  let blocks = 0;
  let size = 0;
  let inBlock = 0;
  let digester = new Digester([algorithm]);
  let difference: Omit<BlockMapDifference, 'name'> | undefined;
  const endBlock = (): void => {
    const actual = digester.finish()[algorithm] ?? '';
    const expected = file.blocks[blocks];
    if (actual !== expected) {
      difference ??= { kind: 'changed', block: blocks, actual, ...(expected ? { expected } : {}) };
    }
    blocks += 1;
    inBlock = 0;
    digester = new Digester([algorithm]);
  };
  try {
    for await (const chunk of decodePart(source, entry, context)) {
      context.budget.chargeBytes(chunk.length);
      size += chunk.length;
      for (let at = 0; at < chunk.length; ) {
        const taken = chunk.subarray(at, at + blockBytes - inBlock);
        digester.update(taken);
        inBlock += taken.length;
        at += taken.length;
        if (inBlock === blockBytes) endBlock();
      }
    }
  } catch (error) {
    if (!(error instanceof TelltaleError) || isBudgetLimit(error)) throw error;
    return { blocks, difference: difference ?? { kind: 'unreadable' } };
  }
  if (inBlock > 0) endBlock();
  if (size !== file.size || blocks !== file.blocks.length) difference ??= { kind: 'changed' };
  return { blocks, difference };
}
