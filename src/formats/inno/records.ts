/**
 * Reads records of Inno Setup's setup data by their layout.
 */
import type { Cursor } from '../../bytes/cursor.ts';
import type { Field } from './layouts.ts';
import type { InnoVersion } from './version.ts';

/** One record: numbers and bytes by field name, and the members of its set. */
export interface InnoRecord {
  readonly numbers: ReadonlyMap<string, number>;
  /** Texts and bytes, undecoded; they share memory with the decoded header. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
  readonly members: ReadonlySet<string>;
}

/** The fields that one version has. */
export type RecordReader = (cursor: Cursor) => InnoRecord;

const windowsBytes = { old: 8, withBuildAndServicePack: 20 } as const;
const windowsBuildSince = 0x0103_1300; // 1.3.19

/**
 * Prepares a layout for one version.
 *
 * @returns a function that reads one record; it throws `malformed/out-of-range` when the record is not all there
 */
export function createRecordReader(layout: readonly Field[], version: InnoVersion): RecordReader {
  const steps = layout.filter((field) => field.applies(version)).map((field) => toStep(field, version));
  return (cursor) => {
    const numbers = new Map<string, number>();
    const bytes = new Map<string, Uint8Array>();
    const members = new Set<string>();
    for (const step of steps) step(cursor, numbers, bytes, members);
    return { numbers, bytes, members };
  };
}

type Step = (
  cursor: Cursor,
  numbers: Map<string, number>,
  bytes: Map<string, Uint8Array>,
  members: Set<string>,
) => void;

function toStep(field: Field, version: InnoVersion): Step {
  const { name } = field;
  switch (field.type) {
    case 'text':
    case 'bytes':
      return (cursor, _numbers, bytes) => bytes.set(name, cursor.bytes(cursor.u32()));
    case 'u8':
      return (cursor, numbers) => numbers.set(name, cursor.u8());
    case 'u16':
      return (cursor, numbers) => numbers.set(name, cursor.u16());
    case 'u32':
      return (cursor, numbers) => numbers.set(name, cursor.u32());
    case 'u64':
      // Sizes that are only shown to people may hold anything; those that count are checked where they are used.
      return (cursor, numbers) => numbers.set(name, Number(cursor.u64big()));
    case 'windows': {
      const size =
        version.number >= windowsBuildSince ? windowsBytes.withBuildAndServicePack : windowsBytes.old;
      return (cursor) => cursor.skip(size);
    }
    case 'raw':
      return (cursor, _numbers, bytes) => bytes.set(name, cursor.bytes(field.size));
    case 'set': {
      const names = field.members.filter((member) => member.applies(version)).map((member) => member.name);
      const size = Math.max(toSetBytes(names.length), field.minimumBytes(version));
      return (cursor, _numbers, _bytes, members) => {
        const bits = cursor.bytes(size);
        names.forEach((member, index) => {
          if ((((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1) members.add(member);
        });
      };
    }
  }
}

/** Delphi gives sets of 17 to 24 members four bytes. */
function toSetBytes(members: number): number {
  const size = Math.ceil(members / 8);
  return size === 3 ? 4 : size;
}
