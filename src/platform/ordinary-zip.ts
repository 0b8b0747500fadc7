/**
 * What ordinary software sees in a ZIP file: the listing of node-stream-zip, a widely used reader that believes
 * the last end record and the central directory. https://github.com/antelle/node-stream-zip
 */
import StreamZip from 'node-stream-zip';
import { TelltaleError } from '../bytes/errors.ts';

/** One line of the listing; later entries of the same name hide earlier ones. */
export interface OrdinaryZipEntry {
  /** Decoded as UTF-8, whatever the archive says. */
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly crc32: number;
}

/** The reader answers in milliseconds or, on damaged input, sometimes never. */
const answerMilliseconds = 20_000;

/**
 * Lists a ZIP file on disk. Only for archives whose end record was found sane: the reader may throw outside of its
 * promise on records that point out of the file.
 *
 * @param maximumEntries - the listing stops there
 * @throws TelltaleError `malformed/structure` with the reader's own words when it refuses the archive
 */
export async function listAsOrdinarySoftware(
  path: string,
  maximumEntries: number,
): Promise<readonly OrdinaryZipEntry[]> {
  const entries: OrdinaryZipEntry[] = [];
  const zip = new StreamZip({ file: path, storeEntries: false, skipEntryNameValidation: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('gives no answer')), answerMilliseconds);
      zip.on('error', reject);
      zip.on('ready', resolve);
      zip.on('entry', (entry) => {
        entries.push({
          name: entry.name,
          size: entry.size,
          compressedSize: entry.compressedSize,
          crc32: entry.crc >>> 0,
        });
        if (entries.length >= maximumEntries) resolve();
      });
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TelltaleError('malformed/structure', `ordinary software refuses the archive (${reason})`);
  } finally {
    clearTimeout(timer);
    // The descriptor is open by now, or the file could not be opened and there is nothing to close.
    zip.close();
  }
  return entries;
}
