import type { Tinypool } from 'tinypool';
import { TelltaleError } from '../bytes/errors.ts';
import type { FileResult } from '../verdict/model.ts';
import type { DatabaseDescription } from './description.ts';
import { toFailedMeasure, toFailedResult, toTimeout } from './failed.ts';
import type { FileMeasure } from './goodware.ts';
import type { FileJob, ScanSettings } from './settings.ts';
import type { WorkerAnswer, WorkerTask } from './worker.ts';

/** Scans files, each in a worker that can be stopped. */
export interface ScanPool {
  /** Never rejects: a worker that dies or does not answer becomes a result that says so. */
  scan(job: FileJob): Promise<FileResult>;
  /** Counts what occurs and what fires in a file. Never rejects, as {@link scan}. */
  measure(job: FileJob): Promise<FileMeasure>;
  /** @throws TelltaleError `usage/database` when the database or the rules cannot be used */
  describeDatabase(): Promise<DatabaseDescription>;
  /** Why a worker could not judge by the same database as the others; undefined when all did. */
  databaseFault(): string | undefined;
  close(): Promise<void>;
}

/**
 * What a worker may take beyond the time of its budget before it is stopped: the budget acts between chunks, this
 * acts when a parser does not come back at all.
 */
const graceMilliseconds = 5_000;

/** A pool as the settings ask for it. */
export async function createPool(settings: ScanSettings): Promise<ScanPool> {
  return settings.jobs === 0 ? await createInProcess(settings) : await createWorkers(settings);
}

async function createInProcess(settings: ScanSettings): Promise<ScanPool> {
  const [{ equip }, { toDescription }, { scanFile }, { measureFile }] = await Promise.all([
    import('./worker.ts'),
    import('./description.ts'),
    import('./scan-file.ts'),
    import('./goodware.ts'),
  ]);
  const { knowledge, rules } = await equip(settings);
  return {
    scan: (job) => scanFile(job, knowledge, settings.limits, rules),
    measure: (job) => measureFile(job, knowledge, settings.limits),
    describeDatabase: () => Promise.resolve(toDescription(knowledge.database, rules)),
    // It was loaded once, for all files.
    databaseFault: () => undefined,
    close: () => Promise.resolve(),
  };
}

let early: { readonly count: number; readonly pool: Tinypool } | undefined;

/**
 * Starts a first worker before it is known what it is for: it loads its modules while this thread loads its own.
 *
 * @param count - the most workers that may be wanted
 */
export async function startEarly(count: number): Promise<void> {
  early ??= { count, pool: await startWorkers(count, false) };
}

/** Stops what was started early and found no use. */
export async function stopEarly(): Promise<void> {
  const unused = early;
  early = undefined;
  await unused?.pool.destroy();
}

async function startWorkers(count: number, isProcess: boolean): Promise<Tinypool> {
  const { Tinypool } = await import('tinypool');
  return new Tinypool({
    // From here, and from wherever the build puts this.
    filename: new URL('../jobs/worker.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: count,
    ...(isProcess ? { runtime: 'child_process', serialization: 'advanced' } : {}),
    idleTimeout: 60_000,
  });
}

/** The workers that were started early, where they will do. No more of them are at work than there are turns. */
async function takeWorkers(settings: ScanSettings): Promise<Tinypool> {
  // Rules run in native code, which no thread can be stopped in; a process can.
  const isProcess = (settings.rules ?? []).length > 0;
  if (early !== undefined && early.count >= settings.jobs && !isProcess) {
    const { pool } = early;
    early = undefined;
    return pool;
  }
  await stopEarly();
  return await startWorkers(settings.jobs, isProcess);
}

async function createWorkers(settings: ScanSettings): Promise<ScanPool> {
  const pool = await takeWorkers(settings);
  const deadline = settings.limits.milliseconds + graceMilliseconds;
  const turns = createTurns(settings.jobs);
  let fault: string | undefined;
  // Each worker loads the database from disk, also one that takes the place of another later: all are held to what
  // the first one found.
  let first: Promise<WorkerAnswer> | undefined;
  const askOnce = (): Promise<WorkerAnswer> => {
    const task: WorkerTask = { settings };
    return (first ??= pool.run(task));
  };
  /** Never rejects; what went wrong is handed to the function that makes a result of it. */
  const ask = async <T>(
    task: WorkerTask & { readonly job: FileJob },
    toResult: (answer: WorkerAnswer) => T | undefined,
    toFailed: (error: Error) => T,
  ): Promise<T> => {
    // The deadline is that of the work, not of waiting for it.
    const leave = await turns.enter();
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), deadline);
    const toUnjudged = (reason: string): T => {
      fault ??= reason;
      return toFailed(new TelltaleError('unreadable/changed', reason));
    };
    try {
      const agreed = await askOnce();
      if (agreed.kind === 'unusable') return toUnjudged(agreed.message);
      if (agreed.kind !== 'database') throw new Error('it did not name its database');
      const bound: WorkerTask = { ...task, databaseDigest: agreed.description.digest };
      const answer: WorkerAnswer = await pool.run(bound, { signal: controller.signal });
      if (answer.kind === 'unusable') return toUnjudged(answer.message);
      return toResult(answer) ?? toFailed(toWorkerError(new Error('it judged nothing')));
    } catch (error) {
      return toFailed(controller.signal.aborted ? toTimeout(deadline) : toWorkerError(error));
    } finally {
      clearTimeout(timer);
      leave();
    }
  };
  return {
    scan: (job) =>
      ask(
        { job, settings },
        (answer) => (answer.kind === 'result' ? answer.result : undefined),
        (error) => toFailedResult(job.path, error),
      ),
    measure: (job) =>
      ask(
        { job, settings, measures: true },
        (answer) => (answer.kind === 'measure' ? answer.measure : undefined),
        (error) => toFailedMeasure(job.path, error),
      ),
    async describeDatabase() {
      const answer = await askOnce();
      if (answer.kind === 'database') return answer.description;
      throw new TelltaleError(
        'usage/database',
        answer.kind === 'unusable' ? answer.message : 'the worker answered something else',
      );
    },
    databaseFault: () => fault,
    async close() {
      await pool.destroy();
    },
  };
}

function toWorkerError(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`the worker failed (${reason})`);
}

/** So many at once; the others wait in the order in which they came. */
function createTurns(count: number): { enter(): Promise<() => void> } {
  const waiting: (() => void)[] = [];
  let free = count;
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    async enter() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return leave;
    },
  };
}
