/**
 * A bare zlib stream, as installers keep texts in their resources (`LANGZIP` in the Skype 4.0 web stub).
 *
 * Specification: https://www.rfc-editor.org/rfc/rfc1950
 */
import { type ByteSource, sliceSource, toByteSource } from '../bytes/byte-source.ts';
import { decodeDeflate } from '../bytes/deflate.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { type DeflateWrapper, type InflateEnd, inflate, isZlibHeader } from '../platform/inflate.ts';
import type { Format, Member, ReadContext, Reading, Region } from './model.ts';

/** Decoded bytes that prove a stream: two header bytes alone fit one file in a thousand. */
const provingBytes = 256;

/** Whether a raw DEFLATE stream begins at `offset`: it decodes for a while, or to its end. */
export function decodesAsDeflate(head: Uint8Array, offset: number): boolean {
  let decoded = 0;
  try {
    for (const chunk of decodeDeflate(toByteSource(head), offset)) {
      decoded += chunk.length;
      if (decoded >= provingBytes) return true;
    }
    return true;
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    // The head is cut off at 4,096 bytes, so that running out of it is no fault.
    return error.code === 'malformed/truncated' && decoded >= provingBytes;
  }
}

/**
 * The one member of a compressed stream, and what follows the stream. Where the stream ends is known only once it
 * was decoded, so the region and the part for trailing bytes come after the member was read to its end.
 */
export function readCompressedStream(
  source: ByteSource,
  context: ReadContext,
  wrapper: DeflateWrapper,
  member: Pick<Member, 'name' | 'relation'>,
): Reading {
  const regions: Region[] = [];
  let trailing: Region | undefined;
  const noteEnd = ({ consumedBytes }: InflateEnd): void => {
    if (trailing !== undefined || consumedBytes >= source.size) return;
    trailing = { name: 'trailing data', offset: consumedBytes, size: source.size - consumedBytes };
    regions.push(trailing);
    context.report({
      code: 'malformed/structure',
      message: `is followed by ${trailing.size} bytes that do not belong to its compressed data`,
      offset: trailing.offset,
      consequence: 'they are looked at as a part of their own',
      incomplete: false,
    });
  };
  function* toMembers(): Generator<Member, void, void> {
    yield { ...member, content: { kind: 'stream', open: () => inflate(source, wrapper, noteEnd) } };
    if (trailing !== undefined) {
      yield {
        name: '[trailing]',
        relation: 'part',
        content: {
          kind: 'source',
          source: sliceSource(source, trailing.offset, trailing.size),
          containerOffset: trailing.offset,
        },
      };
    }
  }
  return { facts: [], regions, members: toMembers };
}

export const zlibFormat: Format = {
  id: 'zlib',
  title: 'zlib stream',
  nature: 'transport',
  extensions: ['zlib', 'zz'],
  references: ['https://www.rfc-editor.org/rfc/rfc1950', 'https://www.rfc-editor.org/rfc/rfc1951'],
  limitations: ['Streams with a preset dictionary are not recognised.'],
  probe(head) {
    return isZlibHeader(head) && decodesAsDeflate(head, 2);
  },
  read(source, context) {
    return readCompressedStream(source, context, 'zlib', { name: '[inflated]', relation: 'part' });
  },
};
