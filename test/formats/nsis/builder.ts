import { spawnSync } from 'node:child_process';
import { deflateRawSync } from 'node:zlib';
import { joinBytes } from '../../../src/bytes/byte-source.ts';

/*
 * Builds the data of installers that makensis does not make any more, or never made: NSIS 2, instructions in any order,
 * items anywhere.
 */

/** A part of a text: plain, or a code with its number. */
export type TextPart =
  | string
  | { readonly variable: number }
  | { readonly language: number }
  | { readonly folder: readonly [number, number] }
  | { readonly literal: string };

export type Kind = 'unicode 3' | 'ansi 3' | 'ansi 2' | 'unicode of a fork';

/** An instruction: its number, then its parameters, which may be texts. */
export type Instruction = readonly [number, ...(number | readonly TextPart[])[]];

export interface Built {
  readonly kind: Kind;
  readonly instructions: readonly Instruction[];
  /** Blocks of data; a position is the sum of the lengths before, each with four bytes for its size. */
  readonly items: readonly Uint8Array[];
  readonly packing: 'stored' | 'deflate' | 'deflate of NSIS 2' | 'lzma' | 'solid lzma';
  readonly flags?: number;
  readonly is64?: boolean;
}

const codes = {
  'unicode 3': { language: 1, folder: 2, variable: 3, literal: 4 },
  'ansi 3': { language: 1, folder: 2, variable: 3, literal: 4 },
  'ansi 2': { language: 255, folder: 254, variable: 253, literal: 252 },
  'unicode of a fork': { language: 0xe003, folder: 0xe002, variable: 0xe001, literal: 0xe000 },
} as const;

function toUnits(parts: readonly TextPart[], kind: Kind): number[] {
  const isUnicode = kind.startsWith('unicode');
  const number = (value: number): number[] => {
    const [low, high] = [(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80];
    return isUnicode ? [low | (high << 8)] : [low, high];
  };
  const pair = ([low, high]: readonly [number, number]): number[] =>
    isUnicode ? [low | (high << 8)] : [low, high];
  return parts.flatMap((part): number[] => {
    if (typeof part === 'string')
      return isUnicode
        ? Array.from({ length: part.length }, (_, index) => part.charCodeAt(index))
        : [...Buffer.from(part, 'latin1')];
    if ('variable' in part) return [codes[kind].variable, ...number(part.variable)];
    if ('language' in part) return [codes[kind].language, ...number(part.language)];
    if ('folder' in part) return [codes[kind].folder, ...pair(part.folder)];
    return [codes[kind].literal, part.literal.charCodeAt(0)];
  });
}

function u32(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value >>> 0, true);
  return bytes;
}

/** As NSIS has it: five bytes of properties, then the stream with its end mark. */
export function packLzma(bytes: Uint8Array): Uint8Array {
  const { status, stdout } = spawnSync('xz', ['--format=lzma', '-c'], { input: bytes, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error('xz does not pack');
  const packed = new Uint8Array(stdout);
  return joinBytes([packed.subarray(0, 5), packed.subarray(13)]);
}

/** Stored blocks, of which NSIS 2 leaves out the second length. */
function storeInBlocks(bytes: Uint8Array): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 60_000) {
    const block = bytes.subarray(at, at + 60_000);
    const isLast = at + 60_000 >= bytes.length ? 1 : 0;
    blocks.push(Uint8Array.of(isLast, block.length & 255, block.length >> 8), block);
  }
  return joinBytes(blocks);
}

function pack(bytes: Uint8Array, packing: Built['packing']): Uint8Array {
  switch (packing) {
    case 'stored':
    case 'solid lzma':
      return bytes;
    case 'deflate':
      return new Uint8Array(deflateRawSync(bytes));
    case 'deflate of NSIS 2':
      return storeInBlocks(bytes);
    case 'lzma':
      return packLzma(bytes);
  }
}

function toItem(bytes: Uint8Array, packing: Built['packing']): Uint8Array {
  const packed = pack(bytes, packing);
  const isPacked = packing !== 'stored' && packing !== 'solid lzma';
  return joinBytes([u32(packed.length + (isPacked ? 0x8000_0000 : 0)), packed]);
}

/** Where each block of data begins, and the end of all. */
export function toPositions({ items, packing }: Pick<Built, 'items' | 'packing'>): readonly number[] {
  const positions = [0];
  for (const item of items) positions.push((positions.at(-1) ?? 0) + toItem(item, packing).length);
  return positions;
}

/** The header before it is packed. */
export function buildHeader({ kind, instructions, is64 = false }: Built): Uint8Array {
  const isUnicode = kind.startsWith('unicode');
  const units: number[] = [0];
  const places = new Map<string, number>();
  const place = (parts: readonly TextPart[]): number => {
    const key = JSON.stringify(parts);
    const known = places.get(key);
    if (known !== undefined) return known;
    const at = units.length;
    places.set(key, at);
    units.push(...toUnits(parts, kind), 0);
    return at;
  };
  // A text that tells NSIS 3 from 2.
  place([{ variable: 21 }]);
  const entries = joinBytes(
    instructions.map(([number, ...parameters]) => {
      const values = parameters.map((value) => (typeof value === 'number' ? value : place(value)));
      return u32(number, ...values, ...Array<number>(6 - values.length).fill(0));
    }),
  );
  // Room behind the last text, as there is in every real table.
  units.push(...Array<number>(8).fill(0));
  const strings = isUnicode ? new Uint8Array(Uint16Array.from(units).buffer) : Uint8Array.from(units);
  const start = 304;
  const stringsAt = start + entries.length;
  const end = stringsAt + strings.length;
  const blocks: readonly (readonly [number, number])[] = [
    [start, 1],
    [start, 1],
    [start, instructions.length],
    [stringsAt, 0],
    [end, 0],
    [end, 0],
    [end, 0],
    [0, 0],
  ];
  const head = new Uint8Array(start);
  head.set(u32(0, ...blocks.flatMap(([offset, count]) => (is64 ? [offset, 0, count] : [offset, count]))));
  return joinBytes([head, entries, strings]);
}

/** The data of an installer, from its first header on. */
export function buildInstaller(built: Built, header: Uint8Array = buildHeader(built)): Uint8Array {
  const { items, packing, flags = 4 } = built;
  const data = joinBytes(items.map((item) => toItem(item, packing)));
  const body =
    packing === 'solid lzma'
      ? packLzma(joinBytes([u32(header.length), header, data]))
      : joinBytes([toItem(header, packing), data]);
  const first = joinBytes([
    u32(flags),
    Uint8Array.of(0xef, 0xbe, 0xad, 0xde),
    new TextEncoder().encode('NullsoftInst'),
    u32(header.length, 28 + body.length),
  ]);
  return joinBytes([first, body]);
}
