/**
 * Traces of how a program was built: the path of its debug symbols (CodeView records NB10 and RSDS), the .NET
 * runtime version that it asks for, and the identity in its manifest.
 *
 * @see https://learn.microsoft.com/windows/win32/debug/pe-format#debug-directory-image-only
 * @see https://ecma-international.org/publications-and-standards/standards/ecma-335/ (partition II, sections 24.2.1 and 25.3.3)
 * @see https://learn.microsoft.com/windows/win32/sbscs/assembly-manifests
 */
import { readUpTo } from '../../bytes/byte-source.ts';
import { Cursor, cutAtZero, toLatin1, toUtf16 } from '../../bytes/cursor.ts';
import { tryMap } from './address.ts';
import { type PeImage, directoryIndex } from './image.ts';
import type { Report } from './parse.ts';

const debugEntriesLimit = 64;
const debugEntryBytes = 28;
const codeViewType = 2;
const pathLimitBytes = 1024;
const metadataSignature = 0x424a5342; // 'BSJB'
const runtimeVersionLimitBytes = 255;

/** A text and the file offset at which it starts. */
export interface PlacedText {
  readonly text: string;
  readonly offset: number;
}

/** UTF-8 where it is valid, otherwise one character a byte: the linker writes the builder's code page. */
function toPath(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return toLatin1(bytes); // not UTF-8: no fault, only an older linker
  }
}

/** Every PDB path of the debug directory. Faults are reported. */
export function readDebugPaths(image: PeImage, report: Report): PlacedText[] {
  const directory = image.directories[directoryIndex.debug];
  if (directory === undefined || directory.rva === 0 || directory.size === 0) return [];
  const table = tryMap(image, directory.rva);
  if (table === undefined) {
    report({
      code: 'malformed/out-of-range',
      message: `keeps its debug directory at address 0x${directory.rva.toString(16)}, which is not in the file`,
      offset: directory.entryOffset,
      consequence: 'the path of its debug symbols was not read',
      incomplete: true,
    });
    return [];
  }
  const paths: PlacedText[] = [];
  const cursor = new Cursor(table.bytes);
  const count = Math.min(
    Math.floor(Math.min(directory.size, table.bytes.size) / debugEntryBytes),
    debugEntriesLimit,
  );
  for (let index = 0; index < count; index += 1) {
    const type = cursor.skip(12).u32();
    const size = cursor.u32();
    const rva = cursor.u32();
    const rawOffset = cursor.u32();
    if (type !== codeViewType) continue;
    const offset = (rva === 0 ? undefined : image.toOffset(rva)) ?? rawOffset;
    const record = readUpTo(image.source, offset, Math.min(size, pathLimitBytes + 24));
    const start = toRecordHeaderBytes(record);
    if (start === undefined || record.length <= start) continue;
    const text = toPath(cutAtZero(record.subarray(start)));
    if (text.length > 0) paths.push({ text, offset: offset + start });
  }
  return paths;
}

/** Bytes before the path in a CodeView record, or undefined for another kind of record. */
function toRecordHeaderBytes(record: Uint8Array): number | undefined {
  switch (toLatin1(record.subarray(0, 4))) {
    case 'RSDS':
      return 24; // GUID and age
    case 'NB10':
      return 16; // offset, time stamp and age
    default:
      return undefined;
  }
}

/** The version text of the .NET metadata, as `v2.0.50727`; undefined for native programs. Faults are reported. */
export function tryReadRuntimeVersion(image: PeImage, report: Report): PlacedText | undefined {
  const directory = image.directories[directoryIndex.clr];
  if (directory === undefined || directory.rva === 0 || directory.size === 0) return undefined;
  const header = tryMap(image, directory.rva);
  const metadataRva = header !== undefined && header.bytes.size >= 16 ? new Cursor(header.bytes, 8).u32() : 0;
  const metadata = metadataRva === 0 ? undefined : tryMap(image, metadataRva);
  if (metadata !== undefined && metadata.bytes.size >= 16) {
    const cursor = new Cursor(metadata.bytes);
    if (cursor.u32() === metadataSignature) {
      const length = Math.min(cursor.skip(8).u32(), runtimeVersionLimitBytes, cursor.remaining);
      return { offset: metadata.offset + cursor.offset, text: cursor.latin1(length) };
    }
  }
  report({
    code: 'malformed/structure',
    message: 'says that it is a .NET program, but its metadata is not where it says',
    offset: directory.entryOffset,
    consequence: 'the .NET runtime version was not read',
    incomplete: true,
  });
  return undefined;
}

/**
 * The `name` of the manifest's own assemblyIdentity; identities of assemblies that it depends on do not count.
 *
 * @param bytes - an RT_MANIFEST resource: UTF-8, or UTF-16 with a byte order mark
 */
export function tryReadManifestName(bytes: Uint8Array): string | undefined {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  const text = isUtf16 ? toUtf16(bytes.subarray(2)) : new TextDecoder().decode(bytes);
  // One pass over the tags: comments are stepped over, `dependency` elements are counted.
  let dependencies = 0;
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('-->', at + 4);
      if (end < 0) return undefined;
      at = end;
      continue;
    }
    const end = text.indexOf('>', at);
    if (end < 0) return undefined;
    const tag = text.slice(at + 1, end);
    const name = /^\/?(?:[\w.-]+:)?([\w.-]+)/.exec(tag)?.[1];
    if (name === 'dependency') dependencies += tag.startsWith('/') ? -1 : tag.endsWith('/') ? 0 : 1;
    if (name === 'assemblyIdentity' && dependencies <= 0 && !tag.startsWith('/')) {
      const match = /\sname\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(tag);
      return match?.[1] ?? match?.[2];
    }
    at = end;
  }
  return undefined;
}
