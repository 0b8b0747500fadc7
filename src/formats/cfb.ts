/**
 * OLE compound files that are no Windows Installer package: documents, messages, thumbnails.
 *
 * Specification: [MS-CFB] https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb/
 *
 * Read: versions 3 and 4, both allocation tables, the directory tree with its orphans, streams by random access; bytes
 * that belong to no stream are regions, bytes behind the last sector are a member.
 * Not supported: what the streams mean (macros of documents are not decompressed).
 */
import { type ByteSource, sliceSource } from '../bytes/byte-source.ts';
import { hasBytes, parseCfb } from './cfb/compound-file.ts';
import type { CompoundFile } from './cfb/model.ts';
import { compoundMagic } from './cfb/sectors.ts';
import { listRegions, listStreams, type PlacedStream, tryContainerOffset } from './cfb/streams.ts';
import type { Fact, Format, Member, ReadContext } from './model.ts';

/** `Storage/Stream`, as stored. */
function toPath({ entry, storages, isOrphan }: PlacedStream): string {
  const path = [...storages.map(({ name }) => name), entry.name].join('/');
  return isOrphan ? `[orphan] ${path}` : path;
}

/** A stream as a member. */
export function toStreamMember(file: CompoundFile, { entry }: PlacedStream, name: string): Member {
  const containerOffset = tryContainerOffset(file, entry);
  return {
    name,
    relation: 'file',
    content: {
      kind: 'source',
      source: file.openStream(entry),
      ...(containerOffset === undefined ? {} : { containerOffset }),
    },
  };
}

/** Bytes behind the last sector: an archive appended there is opened by other software. Reports them. */
export function toTrailingMember(file: CompoundFile, context: ReadContext): Member | undefined {
  const { trailing } = file;
  if (trailing === undefined || !hasBytes(file.source, trailing, context.budget)) return undefined;
  context.report({
    code: 'malformed/structure',
    message: `has ${trailing.size} bytes behind its last sector`,
    offset: trailing.offset,
    consequence: 'they belong to no stream; they were looked at as a part of their own',
    incomplete: false,
  });
  return {
    name: '[trailing]',
    relation: 'part',
    content: {
      kind: 'source',
      source: sliceSource(file.source, trailing.offset, trailing.size),
      containerOffset: trailing.offset,
    },
  };
}

/** Whether bytes begin as a compound file. */
export function isCompoundFile(head: Uint8Array): boolean {
  return head.length >= compoundMagic.length && compoundMagic.every((byte, index) => head[index] === byte);
}

export const cfbFormat: Format = {
  id: 'ole',
  title: 'OLE compound file',
  nature: 'passive',
  extensions: ['doc', 'xls', 'ppt', 'msg', 'mst'],
  references: [
    'https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb/',
    'https://en.wikipedia.org/wiki/Compound_File_Binary_Format',
  ],
  limitations: [
    'Streams are members; what they mean is not read, macros in documents are not decompressed.',
    'Sectors of 512 and 4,096 bytes only, the two that were ever written.',
  ],
  probe: isCompoundFile,
  read(source: ByteSource, context: ReadContext) {
    const file = parseCfb(source, (finding) => context.report(finding), context.budget);
    const facts: Fact[] = [];
    const streams = [...listStreams(file)];
    for (const stream of streams)
      facts.push({ kind: 'memberName', value: toPath(stream), offset: stream.entry.offset });
    const trailing = toTrailingMember(file, context);
    return {
      facts,
      regions: listRegions(file, (stream) => `"${toPath(stream)}"`, context.budget),
      *members(): Generator<Member> {
        for (const stream of streams) yield toStreamMember(file, stream, toPath(stream));
        if (trailing !== undefined) yield trailing;
      },
    };
  },
};
