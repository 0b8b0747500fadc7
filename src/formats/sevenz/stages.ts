/**
 * How a folder of a 7z archive is unpacked, as plain data: a tree whose leaves are ranges of the archive.
 *
 * Methods: `Methods.txt` of the LZMA SDK (https://www.7-zip.org/sdk.html). What is missing here is read by 7-Zip:
 * PPMd, Deflate64, encryption, filters for IA-64 and RISC-V, methods of others.
 */
import { type LzmaProperties, toLzmaProperties, tryToLzma2DictionaryBytes } from '../codecs/lzma-core.ts';
import type { BranchKind } from '../codecs/branch-filter.ts';

/** A range of the archive as it is. */
export interface StoredRange {
  readonly kind: 'stored';
  readonly offset: number;
  readonly bytes: number;
}

/** One step; `bytes` is the size of what it gives. */
export type Stage =
  | StoredRange
  | ({
      readonly kind: 'lzma';
      readonly input: Stage;
      readonly dictionaryBytes: number;
      readonly bytes: number;
    } & LzmaProperties)
  | {
      readonly kind: 'lzma2';
      readonly input: Stage;
      readonly dictionaryBytes: number;
      readonly bytes: number;
    }
  | { readonly kind: 'bzip2'; readonly input: Stage; readonly bytes: number }
  | { readonly kind: 'deflate'; readonly input: StoredRange; readonly bytes: number }
  | {
      readonly kind: 'branch';
      readonly filter: BranchKind;
      readonly input: Stage;
      readonly bytes: number;
    }
  | { readonly kind: 'delta'; readonly distance: number; readonly input: Stage; readonly bytes: number }
  /** Inputs: the program without targets, those of calls, those of jumps, and which are which. */
  | { readonly kind: 'bcj2'; readonly inputs: readonly [Stage, Stage, Stage, Stage]; readonly bytes: number };

/** A folder: what is unpacked in one go, and without any other. Plain data. */
export interface SevenZFolderPiece {
  readonly method: '7z-folder';
  readonly stage: Stage;
  /** Unpacked, in bytes. */
  readonly size: number;
}

/** One coder as the header describes it; it has one output. */
export interface Coder {
  /** Its id as a number, bytes highest first. */
  readonly method: number;
  readonly inputs: number;
  readonly properties: Uint8Array;
}

/** Inputs are counted through all coders, one after the other. */
export interface CoderGraph {
  readonly coders: readonly Coder[];
  /** An input that is the output of a coder. */
  readonly bonds: readonly { readonly input: number; readonly coder: number }[];
  /** Inputs that are packed streams, in the order of these. */
  readonly packed: readonly number[];
}

interface PackedInput {
  readonly input: number;
  readonly offset: number;
  readonly bytes: number;
}

const methods = {
  copy: 0x00,
  delta: 0x03,
  lzma2: 0x21,
  lzma: 0x03_0101,
  deflate: 0x04_0108,
  bzip2: 0x04_0202,
};
const bcj2 = 0x0303_011b;
const branches: ReadonlyMap<number, BranchKind> = new Map<number, BranchKind>([
  [0x0303_0103, 'x86'],
  [0x0303_0205, 'powerpc'],
  [0x0303_0501, 'arm'],
  [0x0303_0701, 'arm-thumb'],
  [0x0303_0805, 'sparc'],
  [0x0a, 'arm64'],
]);

/** Deflate streams above this, packed or not, are left to 7-Zip: ours are unpacked at once. */
const deflatedBytesMax = 64 * 1024 * 1024;
/** bzip2 streams above this are left to 7-Zip: it takes less time for them, and its start is paid for. */
const bzip2BytesMax = 1024 * 1024;

/**
 * The tree of a folder; undefined when a coder is not known or not used as it should be, or when they are no tree.
 *
 * @param packed - ranges of the archive, for the packed inputs
 * @param sizes - of the outputs of the coders, in bytes
 */
export function toStage(
  { coders, bonds }: CoderGraph,
  packed: readonly PackedInput[],
  sizes: readonly number[],
): Stage | undefined {
  const isBound = new Set(bonds.map(({ coder }) => coder));
  const main = coders.findIndex((_, index) => !isBound.has(index));
  // Each input has one origin, and each output goes to one place: then what hangs together is a tree.
  const origins = new Set([...bonds, ...packed].map(({ input }) => input));
  if (origins.size !== bonds.length + packed.length || isBound.size !== bonds.length) return undefined;
  let used = 0;
  const open = (index: number): Stage | undefined => {
    const coder = coders[index];
    const bytes = sizes[index];
    if (coder === undefined || bytes === undefined || used === coders.length) return undefined;
    used += 1;
    const first = coders.slice(0, index).reduce((sum, { inputs }) => sum + inputs, 0);
    const inputs: Stage[] = [];
    for (let input = first; input < first + coder.inputs; input += 1) {
      const range = packed.find((one) => one.input === input);
      const bond = bonds.find((one) => one.input === input);
      const stage =
        range === undefined
          ? open(bond?.coder ?? -1)
          : ({ kind: 'stored', offset: range.offset, bytes: range.bytes } as const);
      if (stage === undefined) return undefined;
      inputs.push(stage);
    }
    return toStep(coder, inputs, bytes);
  };
  const stage = open(main);
  return used === coders.length ? stage : undefined;
}

function toStep({ method, properties }: Coder, inputs: readonly Stage[], bytes: number): Stage | undefined {
  const [input, second, third, fourth] = inputs;
  if (input === undefined) return undefined;
  if (method === bcj2) {
    const isWhole =
      second !== undefined && third !== undefined && fourth !== undefined && inputs.length === 4;
    if (!isWhole || properties.length > 0) return undefined;
    return { kind: 'bcj2', inputs: [input, second, third, fourth], bytes };
  }
  if (inputs.length !== 1) return undefined;
  const filter = branches.get(method);
  if (filter !== undefined) {
    if (properties.length > 0 || input.bytes !== bytes) return undefined;
    return { kind: 'branch', filter, input, bytes };
  }
  switch (method) {
    case methods.copy:
      return properties.length === 0 && input.bytes === bytes ? input : undefined;
    case methods.delta: {
      const [distance = 0] = properties;
      if (properties.length !== 1 || input.bytes !== bytes) return undefined;
      return { kind: 'delta', distance: distance + 1, input, bytes };
    }
    case methods.lzma2: {
      const [size = 0] = properties;
      const dictionaryBytes = tryToLzma2DictionaryBytes(size);
      if (properties.length !== 1 || dictionaryBytes === undefined) return undefined;
      return { kind: 'lzma2', input, dictionaryBytes, bytes };
    }
    case methods.lzma: {
      const [packed = 0, ...size] = properties;
      if (properties.length !== 5 || packed >= 9 * 5 * 5) return undefined;
      const dictionaryBytes = size.reduceRight((sum, byte) => sum * 256 + byte, 0);
      return { kind: 'lzma', input, ...toLzmaProperties(packed), dictionaryBytes, bytes };
    }
    case methods.deflate:
      if (properties.length > 0 || input.kind !== 'stored') return undefined;
      if (Math.max(bytes, input.bytes) > deflatedBytesMax) return undefined;
      return { kind: 'deflate', input, bytes };
    case methods.bzip2:
      if (properties.length > 0 || bytes > bzip2BytesMax) return undefined;
      return { kind: 'bzip2', input, bytes };
    default:
      return undefined;
  }
}
