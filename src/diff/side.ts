import type { Limits } from '../bytes/budget.ts';
import { TelltaleError, toErrorFamily } from '../bytes/errors.ts';
import { isBundleName } from '../formats/app-bundle.ts';
import { readArtifacts } from '../jobs/scan-file.ts';
import { type FileJob, toFileJob } from '../jobs/settings.ts';
import { listFiles } from '../platform/folders.ts';
import { toFinding } from '../scan/finding.ts';
import type { Knowledge } from '../scan/knowledge.ts';
import { type Artifact, walkArtifacts } from '../scan/model.ts';
import type { SideResult } from './model.ts';
import { type Sketch, toSketch } from './sketch.ts';

/** A file on disk, or a bundle, that was walked by itself. */
export interface Part {
  readonly job: FileJob;
  readonly artifact: Artifact;
}

/** One of the two that are compared, read to its end. */
export interface SideTree {
  readonly path: string;
  readonly kind: SideResult['kind'];
  /** For a folder, an artifact whose members are its files. */
  readonly root: Artifact;
  readonly parts: readonly Part[];
  readonly sketches: ReadonlyMap<Artifact, Sketch>;
}

/**
 * Reads a file, a folder or a bundle as a scan reads it: each file with a budget of its own.
 *
 * @throws TelltaleError `unreadable/…` when the path itself cannot be read
 */
export async function readSide(path: string, knowledge: Knowledge, limits: Limits): Promise<SideTree> {
  const entries = [...listFiles(path, isBundleName)];
  const [first] = entries;
  if (first?.path === path) {
    if (first.kind === 'problem') throw first.error;
    const job = toFileJob(first);
    const { artifact, sketches } = await readPart(job, knowledge, limits);
    return { path, kind: first.kind, root: artifact, parts: [{ job, artifact }], sketches };
  }

  const parts: Part[] = [];
  const members: Artifact[] = [];
  const sketches = new Map<Artifact, Sketch>();
  for (const entry of entries) {
    const name = entry.path.slice(path.length).replace(/^[/\\]+/, '');
    if (entry.kind === 'problem') {
      members.push(toUnread(entry.path, name, entry.error));
      continue;
    }
    const job = toFileJob(entry);
    try {
      const read = await readPart(job, knowledge, limits);
      const artifact: Artifact = { ...read.artifact, name, relation: 'file' };
      for (const [member, sketch] of read.sketches)
        sketches.set(member === read.artifact ? artifact : member, sketch);
      parts.push({ job, artifact });
      members.push(artifact);
    } catch (error) {
      if (!(error instanceof TelltaleError) || toErrorFamily(error.code) !== 'unreadable') throw error;
      members.push(toUnread(entry.path, name, error));
    }
  }
  return { path, kind: 'folder', root: toFolder(path, members), parts, sketches };
}

async function readPart(
  job: FileJob,
  knowledge: Knowledge,
  limits: Limits,
): Promise<{ readonly artifact: Artifact; readonly sketches: ReadonlyMap<Artifact, Sketch> }> {
  const byPath = new Map<string, Sketch>();
  const artifact = await readArtifacts(job, knowledge, limits, {
    visitor: (path, source) => {
      if (!byPath.has(path)) byPath.set(path, toSketch(source));
    },
  });
  const sketches = new Map<Artifact, Sketch>();
  for (const one of walkArtifacts(artifact)) {
    // Random bytes of an archive resemble nothing.
    const sketch = one.format.nature === 'transport' ? undefined : byPath.get(one.path);
    if (sketch !== undefined) sketches.set(one, sketch);
  }
  return { artifact, sketches };
}

function toFolder(path: string, members: readonly Artifact[]): Artifact {
  return {
    path,
    name: path,
    relation: 'root',
    format: { id: 'folder', title: 'folder', nature: 'transport' },
    size: members.reduce((sum, { size }) => sum + (size ?? 0), 0),
    digests: {},
    facts: [],
    regions: [],
    authenticity: undefined,
    observations: [],
    problems: [],
    members,
  };
}

function toUnread(path: string, name: string, error: TelltaleError): Artifact {
  return {
    path,
    name,
    relation: 'file',
    format: { id: 'unread', title: 'not read', nature: 'passive' },
    size: undefined,
    digests: {},
    facts: [],
    regions: [],
    authenticity: undefined,
    observations: [],
    problems: [{ ...toFinding(error, 'nothing is known about this file'), path }],
    members: [],
  };
}
