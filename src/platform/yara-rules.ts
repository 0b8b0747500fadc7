import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { toDigest } from './digests.ts';
import { toUnreadable } from './files.ts';

/*
 * YARA rules of the person's own, run by YARA-X where its package is installed. The package is native code and exists
 * for Linux on x64 (glibc) and for macOS: telltale does not bring it along.
 *
 * It knows no time limit: a scan that does not come back can only be ended with its process.
 *
 * https://github.com/cawalch/node-yara-x
 * https://virustotal.github.io/yara-x/docs/
 */

/** Held in a variable, so that no compiler and no bundler wants it to be there. */
const packageName: string = '@litko/yara-x';

const ruleFileBytesMost = 64 * 1024 * 1024;
/** A pattern may match a million times; that many places are told of each. */
const matchesPerPattern = 100;

/** Variables that public rules use beside what YARA knows itself. */
const fileVariables = ['filename', 'filepath', 'extension'] as const;
export type FileVariables = Readonly<Record<(typeof fileVariables)[number], string>>;

/** A file of rules that was compiled. Plain data: it crosses between processes. */
export interface RuleFile {
  /** As the person gave it. */
  readonly path: string;
  readonly sha256: string;
  /** What the compiler says against it, one line each. */
  readonly warnings: readonly string[];
}

/** A rule that matched. */
export interface RuleHit {
  readonly rule: string;
  /** The file that it stands in. */
  readonly file: string;
  /** Sorted. */
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string | number | boolean>>;
  /** The first 100 of each pattern, by offset. */
  readonly matches: readonly {
    readonly identifier: string;
    readonly offset: number;
    readonly length: number;
  }[];
}

/** The part of the package that is used. */
interface Engine {
  compile(
    source: string,
    options: {
      readonly defineVariables: Readonly<Record<string, string>>;
      readonly includeDirectories: readonly string[];
    },
  ): Compiled;
}

interface Compiled {
  getWarnings(): readonly { readonly message: string }[];
  setMaxMatchesPerPattern(count: number): void;
  scan(bytes: Buffer, variables: FileVariables): readonly EngineHit[];
}

interface EngineHit {
  readonly ruleIdentifier: string;
  readonly tags: readonly string[];
  readonly meta: object;
  readonly matches: readonly {
    readonly identifier: string;
    readonly offset: number;
    readonly length: number;
  }[];
}

/** Compiled rules. Names need only differ within a file. */
export class RuleSet {
  readonly files: readonly RuleFile[];
  readonly #compiled: readonly Compiled[];

  private constructor(files: readonly RuleFile[], compiled: readonly Compiled[]) {
    this.files = files;
    this.#compiled = compiled;
  }

  /**
   * Reads and compiles files of rules.
   *
   * @throws TelltaleError `usage/arguments` when the package is not there, or a file cannot be read or compiled
   */
  static async load(paths: readonly string[]): Promise<RuleSet> {
    const engine = await loadEngine();
    const files: RuleFile[] = [];
    const compiled: Compiled[] = [];
    for (const path of new Set(paths)) {
      const bytes = readRules(path);
      const rules = compileRules(engine, path, bytes);
      rules.setMaxMatchesPerPattern(matchesPerPattern);
      compiled.push(rules);
      files.push({
        path,
        sha256: toHex(toDigest('sha256', bytes)),
        warnings: rules.getWarnings().map(({ message }) => toFirstLines(message)),
      });
    }
    return new RuleSet(files, compiled);
  }

  /**
   * The rules that match, sorted by name and file. Does not come back before it is done.
   *
   * @throws TelltaleError `unsupported/feature` when the engine gives up
   */
  scan(bytes: Uint8Array, variables: FileVariables): readonly RuleHit[] {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const hits = this.files.flatMap(({ path }, index): readonly RuleHit[] => {
      try {
        return (this.#compiled[index]?.scan(buffer, variables) ?? []).map((hit) => toRuleHit(hit, path));
      } catch (error) {
        throw new TelltaleError(
          'unsupported/feature',
          `the rules of ${path} could not be run: ${toReason(error)}`,
        );
      }
    });
    return hits.sort((a, b) => compare(a.rule, b.rule) || compare(a.file, b.file));
  }
}

async function loadEngine(): Promise<Engine> {
  let module: unknown;
  try {
    module = await import(packageName);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    throw new TelltaleError(
      'usage/arguments',
      isMissing
        ? `--rules needs the package ${packageName} (Linux on x64, or macOS), which is not installed beside telltale: npm install ${packageName}; docs/interchange.md says more`
        : `--rules needs the package ${packageName}, which cannot be loaded on this system: ${toReason(error)}`,
    );
  }
  if (isEngine(module)) return module;
  if (typeof module === 'object' && module !== null && 'default' in module && isEngine(module.default)) {
    return module.default;
  }
  throw new TelltaleError('usage/arguments', `the package ${packageName} is not of a version that is known`);
}

function isEngine(value: unknown): value is Engine {
  return (
    typeof value === 'object' && value !== null && 'compile' in value && typeof value.compile === 'function'
  );
}

function readRules(path: string): Uint8Array {
  try {
    if (statSync(path).size > ruleFileBytesMost) {
      throw new TelltaleError('usage/arguments', `${path}: is larger than ${ruleFileBytesMost} bytes`);
    }
    return readFileSync(path);
  } catch (error) {
    if (error instanceof TelltaleError) throw error;
    throw new TelltaleError('usage/arguments', `${path}: ${toUnreadable(error).message}`);
  }
}

function compileRules(engine: Engine, path: string, bytes: Uint8Array): Compiled {
  let source: string;
  try {
    source = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TelltaleError('usage/arguments', `${path}: is not UTF-8 text, as rules have to be`);
  }
  try {
    return engine.compile(source, {
      defineVariables: Object.fromEntries(fileVariables.map((name) => [name, ''])),
      includeDirectories: [dirname(resolve(path))],
    });
  } catch (error) {
    throw new TelltaleError('usage/arguments', `${path}: ${toReason(error)}`);
  }
}

function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `warning[slow_pattern]: slow pattern, line:3:10`: the rest of a message draws the place. */
function toFirstLines(message: string): string {
  const [first = '', second = ''] = message.split('\n');
  const place = /line:\d+:\d+/.exec(second)?.[0];
  return place === undefined ? first : `${first}, ${place}`;
}

function toRuleHit({ ruleIdentifier, tags, meta, matches }: EngineHit, file: string): RuleHit {
  return {
    rule: ruleIdentifier,
    file,
    tags: tags.toSorted(),
    meta: toMeta(meta),
    matches: matches
      .map(({ identifier, offset, length }) => ({ identifier, offset, length }))
      .sort((a, b) => a.offset - b.offset || compare(a.identifier, b.identifier) || a.length - b.length),
  };
}

function toMeta(meta: object): RuleHit['meta'] {
  const values: Record<string, string | number | boolean> = {};
  const entries: [string, unknown][] = Object.entries(meta);
  for (const [key, value] of entries.sort(([a], [b]) => compare(a, b))) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      values[key] = value;
    }
  }
  return values;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
