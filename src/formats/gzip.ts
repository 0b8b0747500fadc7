/**
 * gzip files, with one or more streams.
 *
 * Specification: https://www.rfc-editor.org/rfc/rfc1952
 */
import { isGzipHeader, readGzipHeader } from '../platform/inflate.ts';
import type { Fact, Finding, Format } from './model.ts';
import { toQuotedName, tryDescribeUnsafeName } from './member-name.ts';
import { readCompressedStream } from './zlib.ts';
import { decodeZipText } from './zip/records.ts';

export const gzipFormat: Format = {
  id: 'gzip',
  title: 'gzip file',
  nature: 'transport',
  extensions: ['gz', 'tgz'],
  references: ['https://www.rfc-editor.org/rfc/rfc1952'],
  limitations: ['The checksum of the header itself is not checked.'],
  probe(head) {
    return isGzipHeader(head);
  },
  read(source, context) {
    const { rawName, comment } = readGzipHeader(source);
    const name = rawName === undefined || rawName.length === 0 ? '[gunzipped]' : decodeZipText(rawName);
    const danger = tryDescribeUnsafeName(name);
    if (danger !== undefined) context.report(toNameFinding(name, danger));
    const facts: Fact[] = [];
    if (rawName !== undefined) facts.push({ kind: 'memberName', value: name });
    if (comment !== undefined) facts.push({ kind: 'archiveComment', value: decodeZipText(comment) });
    return { ...readCompressedStream(source, context, 'gzip', { name, relation: 'file' }), facts };
  },
};

function toNameFinding(name: string, danger: string): Finding {
  return {
    code: 'malformed/name',
    message: `states an original name that ${danger}: ${toQuotedName(name)}`,
    offset: 10,
    consequence:
      'nothing is written here, but other software may write outside its folder or show another name',
    incomplete: false,
  };
}
