import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import type { ReadContext } from '../model.ts';
import { tryDecodeText } from '../text.ts';

/** Metadata files have a few kilobytes. */
const metadataBytesLimit = 1024 * 1024;

/** The text of a metadata file. What is too long or no text is reported; as much as possible is read all the same. */
export function readMetadataText(source: ByteSource, context: ReadContext): string {
  const bytes = readUpTo(source, 0, metadataBytesLimit);
  if (source.size > metadataBytesLimit) {
    context.report({
      code: 'limit/memory',
      message: `has ${source.size} bytes, of which ${metadataBytesLimit} are read`,
      offset: metadataBytesLimit,
      consequence: 'fields behind that place were searched as text, not read',
      incomplete: true,
    });
  }
  const text = tryDecodeText(bytes);
  if (text !== undefined) return text.replace(/^\ufeff/, '');
  context.report({
    code: 'malformed/encoding',
    message: 'begins like text and is none',
    offset: 0,
    consequence: 'some of its fields may have been read wrongly or not at all',
    incomplete: true,
  });
  return new TextDecoder('utf-8').decode(bytes);
}
