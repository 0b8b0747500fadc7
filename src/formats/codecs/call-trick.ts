/**
 * The call-trick filters of UPX for Intel code, undone.
 *
 * Before compressing, UPX replaces the relative target of each `call` (E8), `jmp` (E9) and, in some filters,
 * `jcc` (0F 80 to 0F 8F) by an absolute one, so that calls of the same function look alike. The newer filters mark
 * what they changed with a first byte (`cto`) that occurs in no unchanged target.
 *
 * Specification: UPX's own filter table, https://github.com/upx/upx/blob/devel/src/filter/filter_impl.cpp (`ct.h`,
 * `sw.h`, `ctsw.h`, `cto.h`, `ctoj.h`, `ctok.h`); the code here is ours.
 *
 * Not supported: 16-bit filters (0x01 to 0x0e, DOS programs), ARM (0x50 to 0x52), the renumbering filters of Linux
 * programs (0x80 to 0x87), delta filters (0x90 to 0xb3) and PowerPC (0xd0). UPX uses none of them for Windows on
 * Intel.
 */

/** Which instructions a filter changed, and how. */
interface CallTrick {
  /** First bytes whose operand was made absolute. */
  readonly opcodes: readonly number[];
  /** First bytes whose operand was only turned around. */
  readonly swapped?: readonly number[];
  /** Byte order of the stored operand. */
  readonly stored: 'little' | 'big';
  /** Byte order of the original operand. */
  readonly original: 'little' | 'big';
  /** Only operands whose first byte is the marker were changed. */
  readonly hasMarker: boolean;
  /** Conditional jumps were changed too. */
  readonly hasConditionalJumps?: boolean;
}

const call = 0xe8;
const jump = 0xe9;
const bigStored = { stored: 'big', original: 'little', hasMarker: false } as const;
const littleStored = { stored: 'little', original: 'little', hasMarker: false } as const;
const bigOriginal = { stored: 'little', original: 'big', hasMarker: false } as const;
const marked = { stored: 'big', original: 'little', hasMarker: true } as const;

const callTricks: ReadonlyMap<number, CallTrick> = new Map<number, CallTrick>([
  [0x11, { ...littleStored, opcodes: [call] }],
  [0x12, { ...littleStored, opcodes: [jump] }],
  [0x13, { ...littleStored, opcodes: [call, jump] }],
  [0x14, { ...bigStored, opcodes: [call] }],
  [0x15, { ...bigStored, opcodes: [jump] }],
  [0x16, { ...bigStored, opcodes: [call, jump] }],
  [0x17, { ...bigOriginal, opcodes: [call] }],
  [0x18, { ...bigOriginal, opcodes: [jump] }],
  [0x19, { ...bigOriginal, opcodes: [call, jump] }],
  [0x1a, { ...bigStored, opcodes: [], swapped: [call] }],
  [0x1b, { ...bigStored, opcodes: [], swapped: [jump] }],
  [0x1c, { ...bigStored, opcodes: [], swapped: [call, jump] }],
  [0x1d, { ...bigStored, opcodes: [call], swapped: [jump] }],
  [0x1e, { ...bigStored, opcodes: [jump], swapped: [call] }],
  [0x24, { ...marked, opcodes: [call] }],
  [0x25, { ...marked, opcodes: [jump] }],
  [0x26, { ...marked, opcodes: [call, jump] }],
  [0x36, { ...marked, opcodes: [call, jump] }],
  [0x46, { ...marked, opcodes: [call, jump] }],
  [0x49, { ...marked, opcodes: [call, jump], hasConditionalJumps: true }],
]);

/** An instruction with its operand: nothing shorter was ever filtered. */
const instructionBytes = 5;

/** Whether {@link undoCallTrick} knows this filter of UPX; 0 is no filter. */
export function isKnownFilter(filter: number): boolean {
  return filter === 0 || callTricks.has(filter);
}

/** What a filter was applied to. */
export interface FilteredRange {
  /** Filter number of the pack header. */
  readonly filter: number;
  /** First byte of changed operands, for the filters that mark them. */
  readonly marker: number;
  /** The range inside the bytes. */
  readonly offset: number;
  readonly length: number;
  /** Added to each target: the offset of the code in what UPX compressed. */
  readonly addend: number;
}

/**
 * Undoes a filter in place.
 *
 * @param bytes - the decoded program
 * @param range - inside `bytes`; a range that reaches outside is cut
 * @returns how many instructions were changed, or undefined for an unknown filter (nothing is changed then)
 */
export function undoCallTrick(bytes: Uint8Array, range: FilteredRange): number | undefined {
  if (range.filter === 0) return 0;
  const trick = callTricks.get(range.filter);
  if (trick === undefined) return undefined;
  const start = Math.max(0, range.offset);
  const end = Math.min(bytes.length, range.offset + range.length) - instructionBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittleStored = trick.stored === 'little';
  const isLittleOriginal = trick.original === 'little';
  const isMoved = toTable(trick.opcodes);
  const isSwapped = toTable(trick.swapped ?? []);
  const { hasMarker, hasConditionalJumps = false } = trick;
  const markerWord = (range.marker << 24) >>> 0;

  let changed = 0;
  let lastEnd = start;
  for (let at = start; at < end; at += 1) {
    const opcode = bytes[at] ?? 0;
    let isCandidate = isMoved[opcode] === 1;
    if (!isCandidate && hasConditionalJumps) {
      isCandidate = opcode >= 0x80 && opcode <= 0x8f && lastEnd !== at && at > 0 && bytes[at - 1] === 0x0f;
    }
    if (isCandidate) {
      if (hasMarker && bytes[at + 1] !== range.marker) continue;
      const position = at + 1 - start;
      let target = view.getUint32(at + 1, isLittleStored) - position - range.addend;
      if (hasMarker) target -= markerWord;
      view.setUint32(at + 1, target >>> 0, isLittleOriginal);
    } else if (isSwapped[opcode] === 1) {
      view.setUint32(at + 1, view.getUint32(at + 1, false), true);
    } else {
      continue;
    }
    changed += 1;
    at += instructionBytes - 1;
    lastEnd = at + 1;
  }
  return changed;
}

function toTable(opcodes: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const opcode of opcodes) table[opcode] = 1;
  return table;
}
