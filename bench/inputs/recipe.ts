import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * How one input, or a folder of them, is made. The same recipe makes the same files with the same tools, but for what
 * xorriso, wixl and osslsigncode write of the moment and of chance.
 */
export interface Recipe {
  /** Name of its folder in the cache. */
  readonly id: string;
  /** What it is, for people. */
  readonly title: string;
  /** Whatever decides what comes out, with a revision to be raised when the code of the recipe changes. */
  readonly parameters: unknown;
  /** Recipes whose results this one reads; they are built before it. */
  readonly needs?: readonly Recipe[];
  /** Programs that it runs, with the Debian package that has each. */
  readonly tools?: readonly Tool[];
  build(folder: string, builder: BuildContext): void;
}

export interface Tool {
  readonly program: string;
  readonly debianPackage: string;
}

export interface BuildContext {
  /** Folder of another recipe's result. */
  folderOf(recipe: Recipe): string;
  /** Where the packages of the goodware are. */
  readonly goodware: string;
}

export type BuildOutcome =
  | { readonly kind: 'there' | 'built'; readonly recipe: Recipe; readonly folder: string }
  | { readonly kind: 'skipped' | 'failed'; readonly recipe: Recipe; readonly reason: string };

/** Programs that are not on the path, each with its package: `gcab (Debian package gcab)`. */
export function findMissingTools(tools: readonly Tool[]): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return tools
    .filter(({ program }) => !folders.some((folder) => existsSync(join(folder, program))))
    .map(({ program, debianPackage }) => `${program} (Debian package ${debianPackage})`);
}

/** The digest that a result is stamped with: that of the recipe, and of those it needs. */
export function toRecipeDigest(recipe: Recipe): string {
  const needs = (recipe.needs ?? []).map(toRecipeDigest);
  return createHash('sha256')
    .update(JSON.stringify({ id: recipe.id, parameters: recipe.parameters, needs }))
    .digest('hex');
}

/**
 * Builds what is not there yet, or was built by another recipe. A result is only stamped when it is whole, so that an
 * interrupted one is built again. What cannot be built is told, and the others are built all the same.
 */
export function buildInputs(
  recipes: readonly Recipe[],
  cache: string,
  goodware: string,
  tell: (line: string) => void,
): readonly BuildOutcome[] {
  const outcomes = new Map<string, BuildOutcome>();
  const context: BuildContext = { goodware, folderOf: ({ id }) => join(cache, id) };
  const provide = (recipe: Recipe): BuildOutcome => {
    const known = outcomes.get(recipe.id);
    if (known !== undefined) return known;
    const failed = (recipe.needs ?? []).map(provide).find((need) => 'reason' in need);
    const outcome: BuildOutcome =
      failed === undefined
        ? provideOne(recipe, context, tell)
        : { kind: 'skipped', recipe, reason: `it needs ${failed.recipe.id}, which is not there` };
    if ('reason' in outcome) tell(`bench: input ${recipe.id} ${outcome.kind}: ${outcome.reason}`);
    outcomes.set(recipe.id, outcome);
    return outcome;
  };
  return recipes.map(provide);
}

function provideOne(recipe: Recipe, context: BuildContext, tell: (line: string) => void): BuildOutcome {
  const folder = context.folderOf(recipe);
  const digest = toRecipeDigest(recipe);
  // Beside the folder, because folders are scanned as they are.
  const stamp = `${folder}.recipe`;
  if (existsSync(folder) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest)
    return { kind: 'there', recipe, folder };
  const missing = findMissingTools(recipe.tools ?? []);
  if (missing.length > 0) {
    return { kind: 'skipped', recipe, reason: `not installed: ${missing.join(', ')}` };
  }
  rmSync(stamp, { force: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const start = performance.now();
  try {
    recipe.build(folder, context);
  } catch (error) {
    return { kind: 'failed', recipe, reason: error instanceof Error ? error.message : String(error) };
  }
  writeFileSync(stamp, digest);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  tell(`bench: built ${recipe.id} in ${seconds} s, ${(measureBytes(folder) / 1e6).toFixed(1)} MB`);
  return { kind: 'built', recipe, folder };
}

/** Bytes of all files under a path. */
export function measureBytes(path: string): number {
  const status = lstatSync(path);
  if (!status.isDirectory()) return status.size;
  return readdirSync(path).reduce((sum, name) => sum + measureBytes(join(path, name)), 0);
}

/** Files under a folder by their paths in it, sorted. */
export function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** How many files a path stands for. */
export function countFiles(path: string): number {
  return lstatSync(path).isDirectory() ? listFiles(path).length : 1;
}
