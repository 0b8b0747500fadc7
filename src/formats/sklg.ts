/**
 * SKLG tables of texts: the user interface of a program in one language, kept as a resource.
 *
 * `SKLG`, version (1 byte, 2), language (7 bytes, filled up with zeros), size of the file, number of texts, offset of a
 * table of offsets, offset of the texts (4 bytes each, little-endian); the texts are UTF-8 and end with a zero.
 * There is no specification; the layout is that of files found in public.
 */
import type { ByteSource } from '../bytes/byte-source.ts';
import { Cursor, cutAtZero, toLatin1 } from '../bytes/cursor.ts';
import type { Fact, Format, ReadContext, Reading, Region } from './model.ts';

const headerBytes = 28;
const languageBytes = 7;
const knownVersion = 2;

export const sklgFormat: Format = {
  id: 'sklg',
  title: 'SKLG table of texts',
  nature: 'passive',
  extensions: [],
  references: [],
  limitations: [
    'The layout is known from a few files, not from a specification; fields that do not fit it are told, not guessed.',
    'Texts are searched as bytes, not told one by one.',
  ],
  probe(head) {
    return head.length >= headerBytes && toLatin1(head.subarray(0, 4)) === 'SKLG';
  },
  read,
};

/** @throws TelltaleError `malformed/out-of-range` when the header is cut off */
function read(source: ByteSource, context: ReadContext): Reading {
  const cursor = new Cursor(source, 4);
  const version = cursor.u8();
  const facts: Fact[] = [{ kind: 'packageField', name: 'FormatVersion', value: version, offset: 4 }];
  if (version !== knownVersion) {
    context.report({
      code: 'unsupported/version',
      message: `is an SKLG table of version ${version}, of which only ${knownVersion} is known`,
      offset: 4,
      consequence: 'its language and number of texts were not read; its bytes were searched',
      incomplete: false,
    });
    return { facts, regions: [] };
  }
  const language = toLatin1(cutAtZero(cursor.bytes(languageBytes)));
  const size = cursor.u32();
  const count = cursor.u32();
  const tableOffset = cursor.u32();
  const textOffset = cursor.u32();
  facts.push({ kind: 'stringTable', name: language, value: count, offset: 5 });
  const isCut = size > source.size;
  if (size !== source.size) {
    context.report({
      code: isCut ? 'malformed/truncated' : 'malformed/size-mismatch',
      message: `states a size of ${size} bytes and has ${source.size}`,
      offset: 12,
      consequence: isCut
        ? 'texts at its end are missing'
        : 'bytes behind its end were searched like the others',
      incomplete: isCut,
    });
  }
  if (tableOffset + count * 4 > textOffset || textOffset > size || tableOffset < headerBytes) {
    context.report({
      code: 'malformed/structure',
      message: `states ${count} texts, for which there is no room in its table`,
      offset: 16,
      consequence: 'the number of texts cannot be trusted; its bytes were searched',
      incomplete: false,
    });
    return { facts, regions: [] };
  }
  const regions: Region[] = [{ name: 'header', offset: 0, size: headerBytes }];
  const add = (name: string, offset: number, end: number): void => {
    const stored = Math.min(end, source.size) - offset;
    if (stored > 0) regions.push({ name, offset, size: stored });
  };
  add('offset table', tableOffset, textOffset);
  add('texts', textOffset, source.size);
  return { facts, regions };
}
