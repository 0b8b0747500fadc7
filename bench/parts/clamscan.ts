import { readFileSync } from 'node:fs';
import { type Agreement, compareNames } from '../agreement/agreement.ts';
import { readClamscanFinds } from '../agreement/peer-finds.ts';
import type { OwnReport } from '../agreement/telltale-finds.ts';
import type { Tool } from '../inputs/recipe.ts';
import { type Command, runMeasured } from '../measure/measured-run.ts';
import type { ExportedRules } from './part.ts';

export const clamscanTool: Tool = { program: 'clamscan', debianPackage: 'clamav' };

/** clamscan reads no file that is larger. */
export const clamscanMaximumBytes = 2_000 * 2 ** 20;

/**
 * clamscan with the exported rules and nothing else, all matches, and no limit that would make it pass over something:
 * left to itself it stops at files of 100 MB.
 */
export function toClamscan(input: string, rules: ExportedRules): Command {
  return {
    name: 'clamscan',
    argv: [
      'clamscan',
      '--no-summary',
      '--infected',
      '--allmatch',
      '--recursive',
      '--max-filesize=2000M',
      '--max-scansize=2000M',
      '--pcre-max-filesize=2000M',
      '--max-files=0',
      '--max-scantime=0',
      '-d',
      rules.clamav,
      input,
    ],
    // 1: something was found.
    goodExits: [0, 1],
  };
}

export function compareWithClamscan(
  command: Command,
  own: OwnReport,
  rules: ExportedRules,
  work: string,
): Agreement {
  const { stdoutPath } = runMeasured(command, work);
  const compared = new Set(rules.indicators.values());
  const isCompared = (name: string): boolean => compared.has(name);
  return compareNames(
    own.finds.map(({ indicator }) => indicator).filter(isCompared),
    readClamscanFinds(readFileSync(stdoutPath, 'utf8')).filter(isCompared),
    'names of literals found anywhere in the file',
  );
}
