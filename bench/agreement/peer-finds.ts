import type { FoundPair } from './agreement.ts';

/** Digests by path, from the lines of sha256sum. */
export function readDigests(text: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const line of text.split('\n')) {
    // A backslash in front says that the name is escaped.
    const match = /^\\?([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) digests.set(match[2], match[1]);
  }
  return digests;
}

/**
 * What yara found, from lines of a rule and a path.
 *
 * @param indicators - by the name of their rule; other rules are left out
 */
export function readYaraFinds(
  text: string,
  digests: ReadonlyMap<string, string>,
  indicators: ReadonlyMap<string, string>,
): readonly FoundPair[] {
  const pairs: FoundPair[] = [];
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (!line.startsWith('telltale_') || space < 0) continue;
    const indicator = indicators.get(line.slice(0, space));
    const path = line.slice(space + 1);
    const digest = digests.get(path);
    if (digest === undefined) throw new Error(`yara names ${path}, of which there is no digest`);
    if (indicator !== undefined) pairs.push({ digest, indicator });
  }
  return pairs;
}

/** Ids of the indicators that clamscan found in anything. */
export function readClamscanFinds(text: string): readonly string[] {
  const names = [...text.matchAll(/: Telltale\.[^.\s]+\.(\S+)\.UNOFFICIAL FOUND$/gm)].map(
    (match) => match[1] ?? '',
  );
  return [...new Set(names)].sort();
}

/** What osslsigncode says of one file. */
export interface VerifiedFile {
  readonly path: string;
  /** The digest in the signature, and that of the file, in lower case. */
  readonly signed: string;
  readonly actual: string;
}

const beginning = 'telltale-bench-file: ';
/** The line that stands in front of the output for each file. */
export const fileLine = `printf '${beginning}%s\\n' "$file"`;

/** Reads the output of several runs of osslsigncode; of a file with several signatures the first. */
export function readVerifiedFiles(text: string): readonly VerifiedFile[] {
  return text
    .split(beginning)
    .slice(1)
    .map((part) => {
      const take = (label: string): string =>
        new RegExp(`^${label} message digest\\s*: ([0-9A-F]+)`, 'm').exec(part)?.[1]?.toLowerCase() ?? '';
      return {
        path: part.slice(0, part.indexOf('\n')),
        signed: take('Current'),
        actual: take('Calculated'),
      };
    });
}
