/** What is said of a container that lists its members, whoever made the list. */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { tryFindUnsafeName, unsafeNameConsequence } from '../member-name.ts';
import type { Fact, ReadContext } from '../model.ts';
import type { ListedItem } from './listing.ts';

/** More unsafe names than that are counted, not listed. */
const unsafeNamesMax = 32;
/** A link holds a path, and a path has at most 4,096 bytes. */
const linkBytesMax = 4096;
/** Data behind a container is compared with zero up to here. */
const comparedTailBytes = 1024 * 1024;

/** The names of everything that is listed; those that are unsafe are reported. */
export function toListedFacts(items: readonly ListedItem[], context: ReadContext): readonly Fact[] {
  const facts: Fact[] = [];
  const methods = new Set<string>();
  let unsafeNames = 0;
  let hidden = 0;
  for (const { name, kind, size = 0, target, isEncrypted, method } of items) {
    if ((kind === 'folder' && size > 0) || (kind === 'link' && size > linkBytesMax)) hidden += 1;
    const detail = target === undefined ? { kind } : { kind, target };
    facts.push({ kind: 'memberName', value: name, ...(kind === 'link' ? { detail } : {}) });
    if (isEncrypted) methods.add(method);
    const unsafe = tryFindUnsafeName(name);
    if (unsafe === undefined) continue;
    unsafeNames += 1;
    if (unsafeNames <= unsafeNamesMax) context.report(unsafe);
  }
  if (unsafeNames > unsafeNamesMax) {
    context.report({
      code: 'malformed/name',
      message: `holds ${unsafeNames} members with such names; the others are not listed here`,
      consequence: unsafeNameConsequence,
      incomplete: false,
    });
  }
  if (hidden > 0) {
    context.report({
      code: 'malformed/structure',
      message: `holds ${hidden} folders or links that are said to have content`,
      consequence: 'what they hold was not unpacked',
      incomplete: true,
    });
  }
  for (const method of methods) facts.push({ kind: 'encrypted', value: method });
  return facts;
}

/**
 * Reports data behind a container, unless it is padding or a signature.
 *
 * @param source - the container with what follows it
 * @param size - of what follows it, in bytes
 * @param start - of the container in the artifact
 */
export function reportTail(source: ByteSource, size: number, start: number, context: ReadContext): void {
  const offset = source.size - size;
  const tail = readUpTo(source, offset, comparedTailBytes);
  if (tail.length === size && tail.every((byte) => byte === 0)) return;
  if (isSignature(tail, size)) return;
  context.report({
    code: 'malformed/structure',
    message: `is followed by ${size} bytes that do not belong to it`,
    offset: start + offset,
    consequence: 'ordinary software does not show them; they were searched as bytes, not unpacked',
    incomplete: true,
  });
}

/** A DER sequence that fills the tail but for padding to eight bytes: a PKCS #7 signature. */
function isSignature(tail: Uint8Array, size: number): boolean {
  if (tail[0] !== 0x30 || (tail[1] !== 0x82 && tail[1] !== 0x83)) return false;
  const lengthBytes = tail[1] - 0x80;
  let length = 0;
  for (const byte of tail.subarray(2, 2 + lengthBytes)) length = length * 256 + byte;
  const whole = 2 + lengthBytes + length;
  return whole <= size && size - whole < 8;
}
