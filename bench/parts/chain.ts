import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Agreement, comparePairs } from '../agreement/agreement.ts';
import { readDigests, readYaraFinds } from '../agreement/peer-finds.ts';
import { type OwnReport, toPeerPairs } from '../agreement/telltale-finds.ts';
import { type Command, runMeasured } from '../measure/measured-run.ts';
import type { Tool } from '../inputs/recipe.ts';
import type { ExportedRules } from './part.ts';

/*
 * What people do without telltale: unpack, take the digests of what came out, look for the rules in it.
 */

export type Unpacking = '7zz' | '7zz-twice' | 'innoextract' | 'each-by-its-kind' | 'nothing';

/** Unpacks "$input" into "$out". */
const unpackLines: Record<Unpacking, string> = {
  '7zz': '7zz x -bd -bso0 -bsp0 -y -o"$out" "$input"',
  // A Debian package gives its archive, which has to be unpacked in turn.
  '7zz-twice':
    '7zz x -bd -bso0 -bsp0 -y -o"$out" "$input" && 7zz x -bd -bso0 -bsp0 -y -o"$out" "$out"/data.tar && rm "$out"/data.tar',
  innoextract: 'innoextract --silent --output-dir "$out" "$input"',
  'each-by-its-kind':
    'find "$input" -type f | sort | while read -r one; do to="$out/$(basename "$one")"; if grep -q "Inno Setup Setup Data" "$one"; then innoextract --silent --output-dir "$to" "$one"; else 7zz x -bd -bso0 -bsp0 -y -o"$to" "$one"; fi || exit 1; done',
  nothing: 'out="$input"',
};

/** The line that a person would type, for the documentation. */
const shownLines: Record<Unpacking, string> = {
  '7zz': '7zz x && sha256sum && yara -r',
  '7zz-twice': '7zz x && 7zz x && sha256sum && yara -r',
  innoextract: 'innoextract && sha256sum && yara -r',
  'each-by-its-kind': '(7zz x or innoextract each) && sha256sum && yara -r',
  nothing: 'sha256sum && yara -r',
};

const toolsOf: Record<Unpacking, readonly Tool[]> = {
  '7zz': [{ program: '7zz', debianPackage: '7zip' }],
  '7zz-twice': [{ program: '7zz', debianPackage: '7zip' }],
  innoextract: [{ program: 'innoextract', debianPackage: 'innoextract' }],
  'each-by-its-kind': [
    { program: '7zz', debianPackage: '7zip' },
    { program: 'innoextract', debianPackage: 'innoextract' },
  ],
  nothing: [],
};

export function toChainTools(unpacking: Unpacking): readonly Tool[] {
  return [...toolsOf[unpacking], { program: 'yara', debianPackage: 'yara' }];
}

export function showChain(unpacking: Unpacking): string {
  return shownLines[unpacking];
}

/** The chain as one command. What the last run unpacked is removed before, outside of the time. */
export function toChain(unpacking: Unpacking, input: string, rules: ExportedRules, work: string): Command {
  const out = join(work, 'unpacked');
  const script = `set -e
input=$1 out=$2 rules=$3
${unpackLines[unpacking]}
find "$out" -type f -exec sha256sum {} +
yara -w -r "$rules" "$out"`;
  return {
    name: 'chain',
    argv: ['sh', '-c', script, 'chain', input, out, rules.yara],
    goodExits: [0],
    prepare: () => {
      rmSync(out, { recursive: true, force: true });
      mkdirSync(out, { recursive: true });
    },
  };
}

/** Runs the chain once and compares what it found with what telltale found. */
export function compareWithChain(
  chain: Command,
  own: OwnReport,
  rules: ExportedRules,
  work: string,
): Agreement {
  const { stdoutPath } = runMeasured(chain, work);
  const text = readFileSync(stdoutPath, 'utf8');
  const digests = readDigests(text);
  const known = new Set(digests.values());
  const peer = readYaraFinds(text, digests, rules.indicators);
  const found = new Set(peer.map(({ digest, indicator }) => `${digest} ${indicator}`));
  const compared = new Set(rules.indicators.values());
  const { pairs, deeper } = toPeerPairs(
    own.finds.filter(({ indicator }) => compared.has(indicator)),
    (digest) => known.has(digest),
    ({ digest, indicator }) => found.has(`${digest} ${indicator}`),
  );
  return comparePairs(
    pairs,
    peer,
    deeper,
    `pairs of file and literal over ${known.size} files, ${compared.size} literals`,
  );
}
