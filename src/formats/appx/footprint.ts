/**
 * The files by which a Windows package describes and seals itself.
 *
 * Specification: https://learn.microsoft.com/windows/win32/appxpkg/package-manifest-and-footprint-files
 */
import { readChunks } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';
import type { ReadContext } from '../model.ts';
import { openZipEntry, type ZipArchive, type ZipEntry } from '../zip.ts';
import type { FootprintFile } from './package.ts';

export const footprintNames = {
  signature: 'AppxSignature.p7x',
  contentTypes: '[Content_Types].xml',
  blockMap: 'AppxBlockMap.xml',
  codeIntegrity: 'AppxMetadata/CodeIntegrity.cat',
  packageManifest: 'AppxManifest.xml',
  bundleManifest: 'AppxMetadata/AppxBundleManifest.xml',
} as const;

/** The name of a member as Windows sees it: escapes of the package format resolved, upper and lower case alike. */
export function toPartName(name: string): string {
  return decodeEscapes(name).replaceAll('\\', '/').toLowerCase();
}

function decodeEscapes(name: string): string {
  if (!name.includes('%')) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A member by its name; the central directory comes first, as Windows believes it. */
export function findPart(archive: ZipArchive, name: string): ZipEntry | undefined {
  const wanted = toPartName(name);
  const named = archive.entries.filter((entry) => toPartName(entry.name) === wanted);
  return named.find(({ view }) => view === 'directory') ?? named[0];
}

/**
 * A member, unpacked into memory; its bytes are charged.
 *
 * @param limit - bytes that may be kept
 * @throws TelltaleError `limit/*` of the budget
 */
export async function readPart(
  source: ByteSource,
  entry: ZipEntry,
  limit: number,
  context: ReadContext,
): Promise<FootprintFile> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of decodePart(source, entry, context)) {
      context.budget.chargeBytes(chunk.length);
      size += chunk.length;
      if (size > limit) {
        throw new TelltaleError('limit/memory', `unpacks to more than ${limit} bytes`);
      }
      // A decoder may use its memory again.
      chunks.push(chunk.slice());
    }
  } catch (error) {
    if (!(error instanceof TelltaleError) || isBudgetLimit(error)) throw error;
    return { entry, bytes: undefined, fault: { code: error.code, message: error.message } };
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { entry, bytes, fault: undefined };
}

/** Limits of the whole file, as opposed to those of one member. */
export function isBudgetLimit({ code }: TelltaleError): boolean {
  return code.startsWith('limit/') && code !== 'limit/memory' && code !== 'limit/count';
}

/**
 * The bytes of a member. What is wrong with the archive was told when it was read.
 *
 * @throws TelltaleError behind the last byte that could be decoded
 */
export async function* decodePart(
  source: ByteSource,
  entry: ZipEntry,
  context: ReadContext,
): AsyncGenerator<Uint8Array, void, void> {
  const content = openZipEntry(source, entry, { ...context, report: () => {} });
  switch (content.kind) {
    case 'unreadable':
      throw new TelltaleError(content.finding.code, content.finding.message, { offset: entry.headerOffset });
    case 'stream':
      yield* content.open();
      return;
    case 'source':
      yield* readChunks(content.source);
      if (entry.compressedSize !== undefined && entry.available < entry.compressedSize) {
        throw new TelltaleError('malformed/truncated', 'ends too early', { offset: source.size });
      }
  }
}
