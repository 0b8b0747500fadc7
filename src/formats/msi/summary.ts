/**
 * The summary information of an installer package: a property set of its own, outside of the database.
 *
 * Specifications: [MS-OLEPS] https://learn.microsoft.com/openspecs/windows_protocols/ms-oleps/,
 * "Summary Information Stream Property Set" https://learn.microsoft.com/windows/win32/msi/summary-information-stream-property-set
 *
 * Read: VT_I2, VT_I4, VT_UI4, VT_LPSTR, VT_LPWSTR, VT_FILETIME of the first property set.
 * Not supported: vectors, dictionaries, other property sets; an installer package has none.
 */
import { type ByteSource, sliceSource } from '../../bytes/byte-source.ts';
import { Cursor, cutAtZero, toUtf16 } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Finding } from '../model.ts';
import { decodeText } from './code-page.ts';

/** The property set of a package has under 2 KiB; its values may overlap, so all of them together are bounded too. */
export const summaryBytesMax = 64 * 1024;
const propertiesMax = 256;
const unknownSummary = 'title, author and code of the package, or some of them, are not known';

/** Names of the properties, as the documentation of Windows Installer calls them. */
const propertyNames: Readonly<Record<number, string>> = {
  2: 'Title',
  3: 'Subject',
  4: 'Author',
  5: 'Keywords',
  6: 'Comments',
  7: 'Template',
  8: 'LastSavedBy',
  9: 'RevisionNumber',
  11: 'LastPrinted',
  12: 'CreateTime',
  13: 'LastSaveTime',
  14: 'PageCount',
  15: 'WordCount',
  16: 'CharacterCount',
  18: 'CreatingApplication',
  19: 'Security',
};

const types = { i2: 2, i4: 3, ui4: 19, text: 30, utf16: 31, fileTime: 64 } as const;

export interface SummaryProperty {
  readonly name: string;
  readonly value: string | number;
}

export interface SummaryInformation {
  readonly codePage: number | undefined;
  /** In stored order; the code page is not one of them. */
  readonly properties: readonly SummaryProperty[];
}

/** 100-nanosecond steps from 1601 to the end of the year 9999; later times have no usual spelling. */
const lastFileTime = 2_650_467_743_999_999_999n;

/** 100-nanosecond steps since 1601 as ISO 8601; undefined when not set or behind the year 9999. */
export function tryIsoTime(fileTime: bigint): string | undefined {
  if (fileTime === 0n || fileTime > lastFileTime) return undefined;
  return new Date(Number(fileTime / 10_000n) - 11_644_473_600_000).toISOString();
}

/** Reads the stream `\x05SummaryInformation`. Damage is reported; what could be read is returned. */
export function readSummary(stream: ByteSource, report: (finding: Finding) => void): SummaryInformation {
  const properties: SummaryProperty[] = [];
  let codePage: number | undefined;
  if (stream.size > summaryBytesMax) {
    report({
      code: 'limit/memory',
      message: `has summary information of ${stream.size} bytes; the first ${summaryBytesMax} are read`,
      consequence: unknownSummary,
      incomplete: true,
    });
  }
  try {
    const cursor = new Cursor(sliceSource(stream, 0, Math.min(stream.size, summaryBytesMax)));
    if (cursor.u16() !== 0xfffe) {
      throw new TelltaleError('malformed/header', 'is no property set', { offset: 0 });
    }
    cursor.skip(22);
    const sets = cursor.u32();
    if (sets === 0) return { codePage, properties };
    cursor.skip(16);
    const start = cursor.u32();
    cursor.seek(start);
    cursor.skip(4);
    const stated = cursor.u32();
    if (stated > propertiesMax) {
      throw new TelltaleError('limit/count', `has ${stated} properties`, { offset: start + 4 });
    }
    const places: { id: number; offset: number }[] = [];
    for (let index = 0; index < stated; index += 1)
      places.push({ id: cursor.u32(), offset: start + cursor.u32() });
    const place = places.find(({ id }) => id === 1);
    if (place !== undefined) {
      cursor.seek(place.offset);
      if (cursor.u32() === types.i2) codePage = cursor.u16();
    }
    for (const { id, offset } of places) {
      const name = propertyNames[id];
      if (name === undefined) continue;
      const value = readValue(cursor.seek(offset), codePage ?? 0);
      if (value !== undefined) properties.push({ name, value });
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    report({
      code: error.code,
      message: `has summary information that could not be read: ${error.message}`,
      consequence: unknownSummary,
      incomplete: true,
    });
  }
  return { codePage, properties };
}

function readValue(cursor: Cursor, codePage: number): string | number | undefined {
  const type = cursor.u32();
  switch (type) {
    case types.i2: {
      const value = cursor.u16();
      return value >= 0x8000 ? value - 0x10000 : value;
    }
    case types.i4:
      return cursor.i32();
    case types.ui4:
      return cursor.u32();
    case types.text:
      return decodeText(cutAtZero(cursor.bytes(cursor.u32())), codePage);
    case types.utf16: {
      const text = toUtf16(cursor.bytes(cursor.u32() * 2));
      const end = text.indexOf('\0');
      return end < 0 ? text : text.slice(0, end);
    }
    case types.fileTime:
      return tryIsoTime(cursor.u64big());
    default:
      return undefined;
  }
}
