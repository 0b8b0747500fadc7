/**
 * The digest of an executable that Authenticode signs, also called authentihash.
 *
 * Specification: "Calculating the PE Image Hash" in
 * https://download.microsoft.com/download/9/c/5/9c5b2167-8017-4bae-9fde-d599bac8184a/Authenticode_PE.docx
 *
 * All of the file in stored order but CheckSum, the directory entry of the certificate table, and that table. The
 * specification orders sections by their place in the file, which is the same for every file that can be loaded;
 * gaps between sections are digested as well, as Windows does. Signers fill a file up to a multiple of 8 before they
 * sign, so nothing is added here.
 */
import type { Budget } from '../bytes/budget.ts';
import { readPassing, sliceSource } from '../bytes/byte-source.ts';
import { directoryIndex, type PeImage } from '../formats/pe/image.ts';
import { type DigestAlgorithm, Digester } from '../platform/digests.ts';
import { type Range, tablePadding } from './certificate-table.ts';

/**
 * Digests of everything that a signature covers, streamed in one pass.
 *
 * @param table - left out, beside CheckSum and the directory entry
 */
export function digestImage(
  image: PeImage,
  table: Range,
  algorithms: readonly DigestAlgorithm[],
  budget: Budget,
): Partial<Record<DigestAlgorithm, string>> {
  if (algorithms.length === 0) return {};
  const { source } = image;
  const directory = image.directories[directoryIndex.certificate];
  const leftOut: Range[] = [
    { offset: image.checksumOffset, size: 4 },
    ...(directory === undefined ? [] : [{ offset: directory.entryOffset, size: 8 }]),
    { offset: table.offset, size: table.size + tablePadding(source, table) },
  ].sort((a, b) => a.offset - b.offset);
  const digester = new Digester(algorithms);
  let at = 0;
  const digestUntil = (end: number): void => {
    if (at >= end) return;
    for (const chunk of readPassing(sliceSource(source, at, end - at))) {
      budget.checkTime();
      digester.update(chunk);
    }
    at = end;
  };
  for (const { offset, size } of leftOut) {
    digestUntil(Math.min(offset, source.size));
    at = Math.max(at, Math.min(offset + size, source.size));
  }
  digestUntil(source.size);
  return digester.finish();
}
