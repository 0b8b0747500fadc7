import { Budget, type Limits } from '../bytes/budget.ts';
import { TelltaleError } from '../bytes/errors.ts';
import type { Fact, MemberContent } from '../formats/model.ts';
import { type FileSource, openBriefly, openFile } from '../platform/files.ts';
import type { RuleSet } from '../platform/yara-rules.ts';
import { listBundle } from '../platform/folders.ts';
import type { Knowledge } from '../scan/knowledge.ts';
import type { Artifact } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import { toFinding } from '../scan/finding.ts';
import type { Onlookers } from '../scan/onlookers.ts';
import { RuleSearch } from '../scan/rule-search.ts';
import { Walk } from '../scan/walk.ts';
import type { FileResult } from '../verdict/model.ts';
import { toFileResult } from '../verdict/result.ts';
import { toFailedResult } from './failed.ts';
import type { AsideThreads } from './aside-threads.ts';
import type { FileJob } from './settings.ts';
import { openSibling } from './sibling.ts';

/**
 * Reads one file and everything inside it, without judging.
 *
 * @param aside - threads that decode beside this one
 * @throws TelltaleError `unreadable/…`
 */
export async function readArtifacts(
  job: FileJob,
  knowledge: Knowledge,
  limits: Limits,
  onlookers: Onlookers = {},
  aside?: AsideThreads,
): Promise<Artifact> {
  if (job.isBundle === true) return await readBundle(job.path, knowledge, limits, onlookers, aside);
  const opened: FileSource[] = [];
  const open = (path: string | Uint8Array): FileSource => {
    const source = openFile(path);
    opened.push(source);
    return source;
  };
  try {
    const source = open(job.rawPath ?? job.path);
    aside?.prepare(source.size);
    const walk = new Walk(knowledge, new Budget(source.size, limits), onlookers, aside?.toDecoder(onlookers));
    return await walk.run(job.path, source, {
      path: job.path,
      openSibling: (name) => {
        onlookers.onSibling?.(name);
        return openSibling(job.path, name, open);
      },
    });
  } finally {
    for (const source of opened) source.close();
  }
}

/** Reads a bundle on disk as if it were the one thing in a container. */
async function readBundle(
  path: string,
  knowledge: Knowledge,
  limits: Limits,
  onlookers: Onlookers,
  aside: AsideThreads | undefined,
): Promise<Artifact> {
  const entries = [...listBundle(path)];
  const name = toBaseName(path.replace(/[/\\]+$/, ''));
  const links = entries.flatMap(({ name: inner, link }): Fact[] =>
    link === undefined ? [] : [{ kind: 'memberLink', name: `${name}/${inner}`, value: link }],
  );
  const files = entries.filter(({ link }) => link === undefined);
  const size = files.reduce((sum, file) => sum + statSize(file.path), 0);
  const walk = new Walk(knowledge, new Budget(size, limits), onlookers, aside?.toDecoder(onlookers));
  return await walk.runFolder(path, links, function* () {
    for (const file of files)
      yield { name: `${name}/${file.name}`, relation: 'file', content: toContent(file.path) };
  });
}

/** A file of a bundle; one that cannot be read is a member that says so. */
function toContent(path: string): MemberContent {
  try {
    return { kind: 'source', source: openBriefly(path) };
  } catch (error) {
    return { kind: 'unreadable', finding: toFinding(error, 'its bytes were not looked at') };
  }
}

function statSize(path: string): number {
  try {
    return openBriefly(path).size;
  } catch (error) {
    if (error instanceof TelltaleError) return 0;
    throw error;
  }
}

/**
 * Scans one file. Never throws: what cannot be read is told in the result.
 *
 * @param rules - of the person's own, run over every artifact as well
 * @param aside - threads that decode beside this one
 */
export async function scanFile(
  job: FileJob,
  knowledge: Knowledge,
  limits: Limits,
  rules?: RuleSet,
  aside?: AsideThreads,
): Promise<FileResult> {
  const beside = new Set<string>();
  try {
    const search = rules && new RuleSearch(rules, limits.memberBytesInMemory);
    const onlookers: Onlookers = {
      onSibling: (name) => beside.add(name),
      ...(search === undefined ? {} : { observer: search }),
    };
    const root = await readArtifacts(job, knowledge, limits, onlookers, aside);
    const found = search && { findings: search.findings, problems: search.listProblems(root) };
    const result = toFileResult(job.path, root, knowledge.database, found);
    return { ...result, readBeside: [...beside].sort() };
  } catch (error) {
    return toFailedResult(job.path, error);
  }
}
