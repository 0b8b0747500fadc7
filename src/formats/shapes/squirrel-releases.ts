/**
 * The `RELEASES` file of a Squirrel installer: SHA-1, name and size of each package that it may install.
 *
 * Specification: https://github.com/Squirrel/Squirrel.Windows/blob/develop/docs/using/install-process.md and
 * ReleaseEntry.cs in the same repository: `SHA1 name size[ # staging]`, comments behind `#`.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { toQuotedName, tryDescribeUnsafeName } from '../member-name.ts';
import type { Fact, Format, ReadContext, Reading } from '../model.ts';
import { tryDecodeText } from '../text.ts';
import { readMetadataText } from './metadata-text.ts';

const linesLimit = 4096;
/** Longer lines name no package; patterns are not tried on them. */
const lineCharactersLimit = 1024;

const entryPattern = /^([0-9a-f]{40})\s+(\S.*?)\s+(\d{1,15})$/i;

export const squirrelReleasesFormat: Format = {
  id: 'squirrel-releases',
  title: 'list of Squirrel packages (RELEASES)',
  nature: 'passive',
  extensions: [],
  references: ['https://github.com/Squirrel/Squirrel.Windows/blob/develop/docs/using/install-process.md'],
  limitations: [`At most ${linesLimit} lines are read.`],
  probe(head) {
    const text = tryDecodeText(head.subarray(0, 1024));
    const [first = ''] = (text ?? '').replace(/^\ufeff/, '').split(/\r?\n/, 1);
    const name = tryParseEntry(first)?.name;
    return name !== undefined && /\.nupkg$/i.test(name);
  },
  read,
};

function tryParseEntry(
  line: string,
): { readonly digest: string; readonly name: string; readonly size: number } | undefined {
  if (line.length > lineCharactersLimit) return undefined;
  const [, digest, name, size] = entryPattern.exec(line.replace(/#.*$/, '').trim()) ?? [];
  if (digest === undefined || name === undefined) return undefined;
  return { digest: digest.toLowerCase(), name, size: Number(size) };
}

function read(source: ByteSource, context: ReadContext): Reading {
  const lines = readMetadataText(source, context).split(/\r?\n/);
  const facts: Fact[] = [];
  let strange = 0;
  for (const line of lines.slice(0, linesLimit)) {
    const entry = tryParseEntry(line);
    if (entry === undefined) {
      if (!/^\s*(?:#|$)/.test(line)) strange += 1;
      continue;
    }
    const { digest, name, size } = entry;
    facts.push({ kind: 'listedDigest', name, value: digest, detail: { algorithm: 'sha1', size } });
    // An entry may be a whole address: then its package is fetched from there.
    const danger = /^https?:\/\//i.test(name) ? undefined : tryDescribeUnsafeName(name);
    if (danger !== undefined) {
      context.report({
        code: 'malformed/name',
        message: `lists a package whose name ${danger}: ${toQuotedName(name)}`,
        consequence: 'nothing is written here, but an installer may look for it outside of its folder',
        incomplete: false,
      });
    }
  }
  const isLong = lines.length > linesLimit;
  if (strange > 0 || isLong) {
    context.report({
      code: isLong ? 'limit/count' : 'malformed/structure',
      message: isLong ? `has more than ${linesLimit} lines` : `has ${strange} lines that name no package`,
      consequence: 'these lines were searched as text, not read',
      incomplete: isLong,
    });
  }
  return { facts, regions: [] };
}
