/**
 * INI files: sections in brackets, `key=value` lines. What desktop files, Flatpak metadata and portable applications
 * are written in.
 *
 * Specification: https://specifications.freedesktop.org/desktop-entry-spec/latest/basic-format.html; Windows has none.
 * Not supported: values over several lines, comments behind values.
 */
const entriesLimit = 4096;
const valueCharactersLimit = 8192;

/** Sections by name, each with its values by key; both as written. The first of several equal keys counts. */
export type IniSections = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The sections of a file. Lines before the first section, comments and lines of another shape are passed over. */
export function parseIni(text: string): IniSections {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let entries = 0;
  for (const line of text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)) {
    const header = /^\s*\[([^\]]{1,256})\]\s*$/.exec(line);
    if (header !== null) {
      const name = header[1] ?? '';
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      continue;
    }
    const equals = line.indexOf('=');
    if (section === undefined || equals <= 0 || /^\s*[;#]/.test(line)) continue;
    entries += 1;
    if (entries > entriesLimit) break;
    const key = line.slice(0, Math.min(equals, 256)).trim();
    const value = line.slice(equals + 1, equals + 1 + valueCharactersLimit).trim();
    if (!section.has(key)) section.set(key, value);
  }
  return sections;
}
