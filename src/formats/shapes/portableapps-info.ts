/**
 * What a portable application in the PortableApps.com format says about itself: `appinfo.ini`, and `installer.ini` with
 * the address that an online installer fetches the program from.
 *
 * Specification: https://portableapps.com/development/portableapps.com_format
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { type IniSections, parseIni } from '../ini.ts';
import type { Fact, Format, ReadContext, Reading } from '../model.ts';
import { tryDecodeText } from '../text.ts';
import { readMetadataText } from './metadata-text.ts';

/** Sections and keys that are told; a key of a download keeps the name it has in the file. */
const told: Readonly<Record<string, readonly string[]>> = {
  Format: ['Type', 'Version'],
  Details: ['Name', 'AppID', 'Publisher', 'Homepage', 'Category', 'Description', 'Language'],
  Version: ['PackageVersion', 'DisplayVersion'],
  Control: ['Start'],
  DownloadFiles: ['DownloadURL', 'DownloadName', 'DownloadFilename', 'DownloadMD5', 'AdditionalDownloadURL'],
};

/** Keys whose name alone would be ambiguous beside others. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['Format/Type', 'FormatType'],
  ['Format/Version', 'FormatVersion'],
]);

export const portableAppsInfoFormat: Format = {
  id: 'portableapps-info',
  title: 'description of a portable application (PortableApps.com)',
  nature: 'passive',
  extensions: ['ini'],
  references: ['https://portableapps.com/development/portableapps.com_format'],
  limitations: ['Only the fields that say what the application is and where it comes from are told.'],
  probe(head) {
    const text = head.includes(0x5b) ? tryDecodeText(head) : undefined;
    return text !== undefined && isPortableApp(parseIni(text));
  },
  read(source: ByteSource, context: ReadContext): Reading {
    const sections = parseIni(readMetadataText(source, context));
    const facts: Fact[] = [];
    for (const [section, keys] of Object.entries(told)) {
      for (const key of keys) {
        const value = tryValue(sections, section, key);
        if (value === undefined || value === '') continue;
        if (key === 'AppID') facts.push({ kind: 'packageId', value });
        facts.push({ kind: 'packageField', name: renamed.get(`${section}/${key}`) ?? key, value });
      }
    }
    const md5 = tryValue(sections, 'DownloadFiles', 'DownloadMD5');
    const file = tryValue(sections, 'DownloadFiles', 'DownloadFilename');
    if (md5 !== undefined && /^[0-9a-f]{32}$/i.test(md5)) {
      facts.push({
        kind: 'listedDigest',
        name: file ?? '',
        value: md5.toLowerCase(),
        detail: { algorithm: 'md5' },
      });
    }
    return { facts, regions: [] };
  },
};

function isPortableApp(sections: IniSections): boolean {
  const type = tryValue(sections, 'Format', 'Type') ?? '';
  if (/^PortableApps\.com(?:Format|Plugin)$/i.test(type)) return true;
  return /^https?:\/\/|^\$/i.test(tryValue(sections, 'DownloadFiles', 'DownloadURL') ?? '');
}

function tryValue(sections: IniSections, section: string, key: string): string | undefined {
  const found = tryFind(sections, section);
  return found === undefined ? undefined : tryFind(found, key);
}

/** Windows does not tell upper from lower case in these files. */
function tryFind<T>(map: ReadonlyMap<string, T>, wanted: string): T | undefined {
  const exact = map.get(wanted);
  if (exact !== undefined) return exact;
  const lower = wanted.toLowerCase();
  for (const [name, value] of map) if (name.toLowerCase() === lower) return value;
  return undefined;
}
