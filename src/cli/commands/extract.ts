import { type ByteSource, readChunks } from '../../bytes/byte-source.ts';
import { TelltaleError, toErrorFamily } from '../../bytes/errors.ts';
import { readArtifacts } from '../../jobs/scan-file.ts';
import { toVisible } from '../../report/escape.ts';
import { toKnowledge } from '../../scan/knowledge.ts';
import { type Artifact, pathSeparator, walkArtifacts } from '../../scan/model.ts';
import { toBaseName } from '../../scan/names.ts';
import { type SharedOptions, toLimits } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { writeAll, writeFile } from '../output-file.ts';
import type { Terminal } from '../terminal.ts';
import { loadGivenDatabase } from '../given-database.ts';

export interface ExtractOptions extends SharedOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly number?: number;
}

/**
 * `telltale extract`: writes one member of a file, and nothing else. The target is a new file: never over another one
 * unless told, never through a link, and under a name that leads nowhere else.
 */
export async function runExtract(
  path: string,
  wanted: string,
  options: ExtractOptions,
  terminal: Terminal,
): Promise<ExitName> {
  const knowledge = toKnowledge(loadGivenDatabase(options, terminal), false);
  let seen = 0;
  let written: string | undefined;
  let failure: unknown;
  const visit = (memberPath: string, source: ByteSource): void => {
    if (!isWanted(memberPath, wanted, path)) return;
    seen += 1;
    if (seen !== (options.number ?? 1)) return;
    try {
      written = writeMember(source, options.output ?? toSafeName(memberPath), options.force ?? false);
    } catch (error) {
      // The walk goes on whatever happens in it; what went wrong here is told when it has ended.
      failure ??= error;
    }
  };
  let root: Artifact;
  try {
    root = await readArtifacts({ path }, knowledge, toLimits(options), { visitor: visit });
  } catch (error) {
    if (!(error instanceof TelltaleError) || toErrorFamily(error.code) !== 'unreadable') throw error;
    terminal.err(`telltale: ${toVisible(path)} ${error.message}\n`);
    return 'incomplete';
  }

  if (failure !== undefined) throw failure;
  if (written === undefined) return explainAbsence(root, path, wanted, terminal);
  if (seen > 1 && options.number === undefined) {
    terminal.err(
      `telltale: ${seen} members have that path; the first was written (--number chooses another)\n`,
    );
  }
  if (written !== '-') terminal.err(`telltale: wrote ${toVisible(written)}\n`);
  const damage = [...walkArtifacts(root)]
    .filter((artifact) => isWanted(artifact.path, wanted, path))
    .flatMap(({ problems }) => problems.filter(({ incomplete }) => incomplete));
  for (const { message, consequence } of damage)
    terminal.err(`telltale: ${toVisible(`${message}; ${consequence}`)}\n`);
  return damage.length > 0 ? 'incomplete' : 'ok';
}

/** A member's path as `inspect` shows it: whole, or without the name of the file. */
function isWanted(memberPath: string, wanted: string, file: string): boolean {
  if (memberPath === wanted) return true;
  const inner = memberPath.slice(file.length + pathSeparator.length);
  return (
    memberPath.startsWith(file + pathSeparator) &&
    (inner === wanted || `${toBaseName(file)}${pathSeparator}${inner}` === wanted)
  );
}

function explainAbsence(root: Artifact, path: string, wanted: string, terminal: Terminal): ExitName {
  const unread = [...walkArtifacts(root)].find((artifact) => isWanted(artifact.path, wanted, path));
  if (unread === undefined) {
    throw new TelltaleError(
      'usage/arguments',
      `there is no member "${wanted}" in ${path}; telltale inspect lists them`,
    );
  }
  for (const { message, consequence } of unread.problems) {
    terminal.err(`telltale: ${toVisible(unread.path)}: ${toVisible(`${message}; ${consequence}`)}\n`);
  }
  return 'incomplete';
}

/** Names that Windows gives to devices, with any extension. */
const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** A plain file name for the working folder, made of the last part of the member's path. */
export function toSafeName(memberPath: string): string {
  const last = memberPath.slice(
    memberPath.lastIndexOf(pathSeparator) + (memberPath.includes(pathSeparator) ? pathSeparator.length : 0),
  );
  const name = toBaseName(last)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}<>:"|?*\\/]/gu, '_')
    .replace(/^\.+/, '_')
    .replace(/[. ]+$/, '_')
    .slice(0, 120);
  return name === '' || deviceName.test(name) ? `_${name}` : name;
}

function writeMember(source: ByteSource, target: string, force: boolean): string {
  if (target === '-') {
    for (const chunk of readChunks(source)) writeAll(1, chunk);
    return target;
  }
  writeFile(target, readChunks(source), { force });
  return target;
}
