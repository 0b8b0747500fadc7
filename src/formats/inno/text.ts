/**
 * Texts of Inno Setup: UTF-16LE from the Unicode compiler, bytes in an unstated code page from the other.
 *
 * The ANSI setup program shows its texts in the code page of the machine that it runs on. Which one its author had
 * in mind is told only by the languages of the installer: by their code page (since 4.2.2) or their Windows language.
 */
import { toUtf16 } from '../../bytes/cursor.ts';
import type { InnoRecord } from './records.ts';
import type { InnoVersion } from './version.ts';

/** Names of code pages as the platform knows them. */
const codePages: ReadonlyMap<number, string> = new Map([
  [874, 'windows-874'],
  [932, 'shift_jis'],
  [936, 'gb18030'],
  [949, 'euc-kr'],
  [950, 'big5'],
  [1250, 'windows-1250'],
  [1251, 'windows-1251'],
  [1252, 'windows-1252'],
  [1253, 'windows-1253'],
  [1254, 'windows-1254'],
  [1255, 'windows-1255'],
  [1256, 'windows-1256'],
  [1257, 'windows-1257'],
  [1258, 'windows-1258'],
]);

/** Code pages in which one character takes up to two bytes: Japanese, Chinese, Korean. */
const wideCodePages: ReadonlySet<number> = new Set([932, 936, 949, 950]);

/**
 * Windows languages whose code page is not 1252, by primary language; Chinese and Serbian depend on the region.
 *
 * @see https://learn.microsoft.com/openspecs/windows_protocols/ms-lcid
 */
const primaryLanguages: ReadonlyMap<number, number> = new Map([
  [0x01, 1256],
  [0x02, 1251],
  [0x05, 1250],
  [0x08, 1253],
  [0x0d, 1255],
  [0x0e, 1250],
  [0x11, 932],
  [0x12, 949],
  [0x15, 1250],
  [0x18, 1250],
  [0x19, 1251],
  [0x1a, 1250],
  [0x1b, 1250],
  [0x1c, 1250],
  [0x1e, 874],
  [0x1f, 1254],
  [0x20, 1256],
  [0x22, 1251],
  [0x23, 1251],
  [0x24, 1250],
  [0x25, 1257],
  [0x26, 1257],
  [0x27, 1257],
  [0x29, 1256],
  [0x2a, 1258],
  [0x2c, 1254],
  [0x2f, 1251],
  [0x3f, 1251],
  [0x40, 1251],
  [0x43, 1254],
  [0x44, 1251],
  [0x50, 1251],
]);
const simplifiedChinese: ReadonlySet<number> = new Set([0x0804, 0x1004]);
const primaryChinese = 0x04;
const cyrillicSerbian: ReadonlySet<number> = new Set([0x0c1a, 0x1c1a]);

function toCodePage(languageId: number): number {
  if (simplifiedChinese.has(languageId)) return 936;
  if (cyrillicSerbian.has(languageId)) return 1251;
  const primary = languageId & 0x3ff;
  return primary === primaryChinese ? 950 : (primaryLanguages.get(primary) ?? 1252);
}

/** Turns bytes of a text field into text; never throws. */
export type TextDecode = (bytes: Uint8Array | undefined) => string;

/**
 * How the texts of an installer are to be read. Among several languages a Chinese, Japanese or Korean code page is
 * tried first, because a text in it is seldom valid by accident; then the code page of the first language; bytes
 * that fit no code page are read as windows-1252.
 */
export function createTextDecode(version: InnoVersion, languages: readonly InnoRecord[]): TextDecode {
  if (version.isUnicode) return (bytes) => (bytes === undefined ? '' : toUtf16(bytes));
  const pages = languages.map((language) => {
    const page = language.numbers.get('LanguageCodePage') ?? 0;
    return page === 0 ? toCodePage(language.numbers.get('LanguageID') ?? 0) : page;
  });
  const ordered = [...pages.filter((page) => wideCodePages.has(page)), ...pages.slice(0, 1)];
  const labels = new Set(ordered.map((page) => codePages.get(page) ?? 'windows-1252'));
  const strict = [...labels].map((label) => new TextDecoder(label, { fatal: true }));
  const last = new TextDecoder('windows-1252');
  return (bytes) => {
    if (bytes === undefined) return '';
    for (const decoder of strict) {
      try {
        return decoder.decode(bytes);
      } catch {
        // not a text of this code page: the next one is tried, and the last resort takes any byte
      }
    }
    return last.decode(bytes);
  };
}

/** A destination as the path of a member: slashes, and `{{`, which stands for one brace, undone. */
export function toMemberName(destination: string): string {
  return destination.replaceAll('\\', '/').replaceAll('{{', '{');
}
