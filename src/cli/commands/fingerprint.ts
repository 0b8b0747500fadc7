import { TelltaleError, toErrorFamily } from '../../bytes/errors.ts';
import { fingerprintFile } from '../../jobs/fingerprint-file.ts';
import { toVisible } from '../../report/escape.ts';
import { toKnowledge } from '../../scan/knowledge.ts';
import { walkArtifacts } from '../../scan/model.ts';
import { toBaseName } from '../../scan/names.ts';
import { similarBuildColumns } from '../../signatures/vocabulary.ts';
import { leastComparedBytes, toSimilarLine } from '../../signatures/similarity/similar-builds.ts';
import { toFileResult } from '../../verdict/result.ts';
import { type SharedOptions, toLimits } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { loadGivenDatabase } from '../given-database.ts';
import type { Terminal } from '../terminal.ts';

export interface FingerprintOptions extends SharedOptions {
  readonly header?: boolean;
  readonly source?: readonly string[];
}

/** Columns that a line must have, and that only a person may know. */
const neededColumns = ['platform', 'variant', 'product', 'version', 'sources'] as const;

function toEmptyText(columns: readonly string[]): string {
  return `has nothing under ${columns.join(', ')}: fill that in before the line is used`;
}

/**
 * `telltale db fingerprint`: lines for `similar/<platform>.tsv`. What the scan of the file says goes into them; what it
 * does not say is left empty, and the loader refuses the line until a person has filled it in.
 */
export async function runFingerprint(
  paths: readonly string[],
  options: FingerprintOptions,
  terminal: Terminal,
): Promise<ExitName> {
  const knowledge = toKnowledge(loadGivenDatabase(options, terminal), options.knownBuilds);
  if (options.header ?? false) terminal.out(`${similarBuildColumns.join('\t')}\n`);
  let isComplete = true;
  const complain = (path: string, message: string): void => {
    isComplete = false;
    terminal.err(`telltale: ${toVisible(path)} ${toVisible(message)}\n`);
  };
  for (const path of paths) {
    try {
      const { root, fingerprints } = await fingerprintFile(path, knowledge, toLimits(options));
      const result = toFileResult(path, root, knowledge.database);
      for (const { part, sha256, size, tlsh, ssdeep } of fingerprints) {
        const cells = {
          sha256,
          tlsh: tlsh ?? '',
          ssdeep,
          platform: result.platform ?? '',
          variant: result.variant ?? '',
          product: result.title ?? '',
          version: result.version ?? '',
          fileName: toBaseName(path),
          part,
          size: String(size),
          sources: (options.source ?? []).join(' '),
          note: '',
        };
        terminal.out(`${toSimilarLine(cells).split('\t').map(toVisible).join('\t')}\n`);
        const empty = neededColumns.filter((column) => cells[column] === '');
        if (part === '' && empty.length > 0)
          terminal.err(`telltale: ${toVisible(path)} ${toEmptyText(empty)}\n`);
      }
      if (fingerprints.every(({ part }) => part !== '')) {
        complain(
          path,
          `has no line of its own: it has fewer than ${leastComparedBytes} bytes, or could not be read`,
        );
      }
      for (const { problems } of walkArtifacts(root)) {
        for (const { incomplete, message, consequence } of problems)
          if (incomplete) complain(path, `${message}; ${consequence}`);
      }
    } catch (error) {
      if (!(error instanceof TelltaleError) || toErrorFamily(error.code) !== 'unreadable') throw error;
      complain(path, error.message);
    }
  }
  return isComplete ? 'ok' : 'incomplete';
}
