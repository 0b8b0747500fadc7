import { TelltaleError, toErrorFamily } from '../../bytes/errors.ts';
import { isBundleName } from '../../formats/app-bundle.ts';
import { readArtifacts } from '../../jobs/scan-file.ts';
import { listFiles } from '../../platform/folders.ts';
import { toInspectJson, toInspectText } from '../../report/inspect.ts';
import { toVisible } from '../../report/escape.ts';
import { toKnowledge } from '../../scan/knowledge.ts';
import { type Artifact, walkArtifacts } from '../../scan/model.ts';
import { type SharedOptions, toLimits } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { readVersion } from '../../platform/shipped.ts';
import type { Terminal } from '../terminal.ts';
import { loadGivenDatabase } from '../given-database.ts';

export interface InspectOptions extends SharedOptions {
  readonly format: 'text' | 'json';
  readonly verbose?: boolean;
}

/** `telltale inspect`: the tree and the facts, without judgement. */
export async function runInspect(
  path: string,
  options: InspectOptions,
  terminal: Terminal,
): Promise<ExitName> {
  const knowledge = toKnowledge(loadGivenDatabase(options, terminal), options.knownBuilds);
  let root: Artifact;
  try {
    const [entry] = listFiles(path, isBundleName);
    root = await readArtifacts({ path, isBundle: entry?.kind === 'bundle' }, knowledge, toLimits(options), {
      wantsAllDigests: true,
    });
  } catch (error) {
    if (!(error instanceof TelltaleError) || toErrorFamily(error.code) !== 'unreadable') throw error;
    terminal.err(`telltale: ${toVisible(path)} ${error.message}\n`);
    return 'incomplete';
  }
  terminal.out(
    options.format === 'json'
      ? toInspectJson(root, readVersion())
      : toInspectText(root, {
          colour: terminal.colour,
          columns: terminal.columns,
          isVerbose: options.verbose ?? false,
        }),
  );
  const problems = [...walkArtifacts(root)].flatMap((artifact) => artifact.problems);
  if (problems.some(({ code }) => code.startsWith('internal/'))) return 'bug';
  return problems.some(({ incomplete }) => incomplete) ? 'incomplete' : 'ok';
}
