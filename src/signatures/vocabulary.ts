/*
 * Names that a database uses and that a scan needs; the schemas, which take long to load, are for whoever checks it.
 */

/** decisive: names the variant by itself. strong: needs a second, independent kind. suggestive: shown, never decides. */
export const strengths = ['decisive', 'strong', 'suggestive'] as const;

/** Columns of `known-builds/<platform>.tsv`, in their order; the first line of the file holds these names. */
export const knownBuildColumns = [
  'algorithm', // sha512, sha256, sha1 or md5
  'digest', // lower-case hexadecimal
  'platform',
  'variant', // id of the variant (official, official-insider, gmf, …)
  'product', // name as people know it: 'Skype for Linux'
  'version', // empty when the source gives none
  'fileName',
  'size', // bytes, empty when no source records it
  'grade', // high, medium or low: how far the record can be trusted
  'sources', // owner/name@commit:path, several separated by a blank
  'note',
] as const;

/** Columns of `similar/<platform>.tsv`, in their order; the first line of the file holds these names. */
export const similarBuildColumns = [
  'sha256', // of the bytes that the digests are of, lower-case hexadecimal
  'tlsh', // T1 and 70 hexadecimal digits; empty for bytes too uniform to have one
  'ssdeep',
  'platform',
  'variant', // id of the variant
  'product', // name as people know it
  'version',
  'fileName', // of the file as it was offered
  'part', // path of the member of that file whose bytes these are: [upx]; empty for the file itself
  'size', // bytes
  'sources', // owner/name@commit:path, several separated by a blank
  'note',
] as const;
