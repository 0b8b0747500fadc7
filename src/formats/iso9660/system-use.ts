/**
 * The system use field of a directory record: SUSP, and what of Rock Ridge matters for names and links.
 *
 * Specifications: IEEE P1281 (SUSP) and P1282 (Rock Ridge), https://wiki.osdev.org/Rock_Ridge.
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { decodeZipText } from '../zip/records.ts';

/** Places where a field may go on elsewhere; real ones go on once or twice. */
const continuationsMax = 8;
const nameBytesMax = 4096;
const typeMask = 0o170000;
const linkType = 0o120000;

/** What a record says in Rock Ridge. */
export interface SystemUse {
  /** The name with its case and length; undefined: the one of the record counts. */
  readonly name: string | undefined;
  readonly isLink: boolean;
  /** Where a link points. */
  readonly target: string | undefined;
  /** The directory lies at another place, for ISO 9660 allows eight levels only: its block. */
  readonly childLocation: number | undefined;
  /** The directory belongs to another place, which points here. */
  readonly isRelocated: boolean;
}

/**
 * The bytes to skip in each system use field, when the first record of the root directory says that SUSP is used;
 * undefined when it does not. CD-ROM XA writes 14 bytes in front of it.
 */
export function tryFindSuspSkip(field: Uint8Array): number | undefined {
  for (const start of [0, 14]) {
    const entry = field.subarray(start, start + 7);
    const magic = [0x53, 0x50, 7, 1, 0xbe, 0xef];
    if (entry.length === 7 && magic.every((byte, index) => entry[index] === byte)) return entry[6];
  }
  return undefined;
}

const u32 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] ?? 0) |
    ((bytes[offset + 1] ?? 0) << 8) |
    ((bytes[offset + 2] ?? 0) << 16) |
    ((bytes[offset + 3] ?? 0) << 24)) >>>
  0;

/** The entries of a field, those that go on elsewhere included. */
function* listEntries(
  field: Uint8Array,
  source: ByteSource,
  blockBytes: number,
): Generator<{ readonly kind: string; readonly data: Uint8Array }, void, void> {
  let rest = field;
  for (let areas = 0; areas <= continuationsMax; areas += 1) {
    let next: Uint8Array | undefined;
    while (rest.length >= 4) {
      const length = rest[2] ?? 0;
      if (length < 4 || length > rest.length) break;
      const kind = String.fromCharCode(rest[0] ?? 0, rest[1] ?? 0);
      const data = rest.subarray(4, length);
      if (kind === 'ST') break;
      if (kind === 'CE' && data.length >= 24) {
        next = readUpTo(
          source,
          u32(data, 0) * blockBytes + u32(data, 8),
          Math.min(u32(data, 16), blockBytes),
        );
      } else {
        yield { kind, data };
      }
      rest = rest.subarray(length);
    }
    if (next === undefined) return;
    rest = next;
  }
}

/** Puts a link together from its components (Rock Ridge, SL). */
class LinkTarget {
  readonly #parts: string[] = [];
  #isOpen = false;
  #characters = 0;

  add(data: Uint8Array): void {
    for (let at = 1; at + 2 <= data.length; at += 2 + (data[at + 1] ?? 0)) {
      const flags = data[at] ?? 0;
      const text = decodeZipText(data.subarray(at + 2, at + 2 + (data[at + 1] ?? 0)));
      this.#characters += text.length + 1;
      if (this.#characters > nameBytesMax) return;
      const part = (flags & 2) !== 0 ? '.' : (flags & 4) !== 0 ? '..' : (flags & 8) !== 0 ? '' : text;
      if (this.#isOpen) this.#parts.push((this.#parts.pop() ?? '') + part);
      else this.#parts.push(part);
      this.#isOpen = (flags & 1) !== 0;
    }
  }

  finish(): string | undefined {
    if (this.#parts.length === 0) return undefined;
    return this.#parts.length === 1 && this.#parts[0] === '' ? '/' : this.#parts.join('/');
  }
}

/** @param field - without the bytes that are to be skipped */
export function readSystemUse(field: Uint8Array, source: ByteSource, blockBytes: number): SystemUse {
  const name: number[] = [];
  const target = new LinkTarget();
  let isLink = false;
  let childLocation: number | undefined;
  let isRelocated = false;
  for (const { kind, data } of listEntries(field, source, blockBytes)) {
    // Flags 2 and 4 stand for the directory itself and the one above, which have no name.
    if (kind === 'NM' && ((data[0] ?? 0) & 6) === 0 && name.length + data.length <= nameBytesMax) {
      name.push(...data.subarray(1));
    } else if (kind === 'PX' && data.length >= 8) isLink = (u32(data, 0) & typeMask) === linkType;
    else if (kind === 'SL') target.add(data);
    else if (kind === 'CL' && data.length >= 8) childLocation = u32(data, 0);
    else if (kind === 'RE') isRelocated = true;
  }
  const end = name.indexOf(0);
  const text = decodeZipText(Uint8Array.from(end < 0 ? name : name.slice(0, end)));
  return {
    name: text === '' ? undefined : text,
    isLink,
    target: target.finish(),
    childLocation,
    isRelocated,
  };
}
