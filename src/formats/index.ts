import { type ByteSource, toByteSource } from '../bytes/byte-source.ts';
import { arFormat, debFormat } from './ar.ts';
import { aabFormat, apkBundleFormat, apkFormat } from './apk/index.ts';
import { appxBundleFormat, appxFormat } from './appx/index.ts';
import { asarFormat } from './asar.ts';
import { cfbFormat } from './cfb.ts';
import { dexFormat } from './dex.ts';
import { elfFormat } from './elf.ts';
import { gzipFormat } from './gzip.ts';
import { ipaFormat } from './ipa.ts';
import { iso9660Format } from './iso9660/index.ts';
import { fatMachoFormat, machoFormat } from './macho/index.ts';
import type { Fact, Format, StoredMembers } from './model.ts';
import { msiFormat, msmFormat, mspFormat } from './msi.ts';
import { peFormat } from './pe/index.ts';
import { plistFormat, provisioningProfileFormat } from './plist.ts';
import { recognisedFormats } from './recognised.ts';
import { rpmFormat } from './rpm.ts';
import { sevenZipArchiveFormats, sevenZipVolumeFormats } from './sevenzip/index.ts';
import { shapeFormats } from './shapes/index.ts';
import { sisFormat } from './sis.ts';
import { sklgFormat } from './sklg.ts';
import { tarFormat } from './tar.ts';
import { dataFormat, textFormats } from './text.ts';
import { udifFormat } from './udif/index.ts';
import { windowsMobileManifestFormat } from './windows-mobile-cab.ts';
import { xapFormat } from './xap.ts';
import { zipFormat } from './zip.ts';
import { zlibFormat } from './zlib.ts';

/**
 * Every format, in probing order. Programs come before archives, because a self-extracting archive is a program;
 * what has a magic number comes before what is only likely; `data` is always true and stands last.
 */
export const formats: readonly Format[] = [
  peFormat,
  machoFormat,
  fatMachoFormat,
  elfFormat,
  // Before archives: an archive behind a package is a part of it, not the other way round.
  msiFormat,
  msmFormat,
  mspFormat,
  cfbFormat,
  // Before plain archives: these are archives with a meaning.
  ipaFormat,
  xapFormat,
  appxFormat,
  appxBundleFormat,
  apkFormat,
  aabFormat,
  apkBundleFormat,
  zipFormat,
  debFormat,
  arFormat,
  gzipFormat,
  rpmFormat,
  asarFormat,
  sisFormat,
  sklgFormat,
  windowsMobileManifestFormat,
  // After packages: a program in front of a package is an attack on it, not the other way round.
  dexFormat,
  ...sevenZipArchiveFormats,
  udifFormat,
  iso9660Format,
  ...sevenZipVolumeFormats,
  ...recognisedFormats,
  tarFormat,
  zlibFormat,
  plistFormat,
  provisioningProfileFormat,
  ...shapeFormats,
  ...textFormats,
];

/** The first format in the table that knows the bytes; `data` when none does. A probe that fails knows nothing. */
export function identify(head: Uint8Array, source: ByteSource): Format {
  return formats.find((format) => isRecognised(format, head, source)) ?? dataFormat;
}

const withStoredMembers = formats.filter(({ storedMembers }) => storedMembers !== undefined);

/** How members are found in a container that begins so, while its bytes pass; undefined for most. */
export function tryToStoredMembers(head: Uint8Array): StoredMembers | undefined {
  const source = toByteSource(head);
  return withStoredMembers.find((format) => isRecognised(format, head, source))?.storedMembers;
}

function isRecognised(format: Format, head: Uint8Array, source: ByteSource): boolean {
  try {
    return format.probe(head, source);
  } catch {
    return false;
  }
}

const formatsByExtension = new Map<string, Format[]>();
for (const format of formats) {
  for (const extension of format.extensions) {
    const sharing = formatsByExtension.get(extension);
    if (sharing === undefined) formatsByExtension.set(extension, [format]);
    else sharing.push(format);
  }
}

/**
 * Whether a name promises another format than the content has: `setup.deb` that is a web page.
 *
 * @param name - base name of the file or member
 */
export function tryFindMismatch(name: string, format: Format): Fact | undefined {
  const extension = /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase();
  if (extension === undefined) return undefined;
  const promised = formatsByExtension.get(extension);
  if (promised === undefined || promised.includes(format)) return undefined;
  return { kind: 'extensionMismatch', name: extension, value: format.title };
}
