import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { toDigest } from './digests.ts';

/*
 * Files of the program with what V8 made of them. To compile a megabyte of JavaScript takes a thread longer than to scan
 * a small file; the engine can write down what it compiled and read it back. The build writes it beside each file. It
 * counts only for the very bytes that it was made of, and only for the same engine with the same options: the engine
 * sees to that. In all other cases the file is compiled as ever.
 *
 * https://nodejs.org/docs/latest-v20.x/api/vm.html#scriptcreatecacheddata
 */

/** Behind the name of a file. */
const ending = '.code';
const digestBytes = 32;
/** What a file may use; the last one is what the build writes in the place of `import`, which such a file has not. */
const parameters = ['exports', 'require', 'module', '__filename', '__dirname', 'importOther'] as const;

const importOther = (name: string): Promise<unknown> => import(name);

interface LoadedModule {
  exports: unknown;
}

/** A CommonJS file of the program, and those that it asks for by relative names. */
export class CompiledCode {
  readonly #modules = new Map<string, LoadedModule>();
  readonly #scripts = new Map<string, { readonly script: Script; readonly bytes: Uint8Array }>();

  /** What the file exports. */
  load(place: URL): unknown {
    return this.#load(fileURLToPath(place));
  }

  /** How many of the files were compiled anew. */
  get compiledCount(): number {
    return [...this.#scripts.values()].filter(({ script }) => script.cachedDataRejected !== false).length;
  }

  /** Writes down what the engine has compiled by now, of all files that were loaded. */
  keep(): void {
    for (const [path, { script, bytes }] of this.#scripts) {
      const compiled = script.createCachedData();
      writeFileSync(path + ending, Buffer.concat([toDigest('sha256', bytes, compiled), compiled]));
    }
  }

  #load(path: string): unknown {
    const known = this.#modules.get(path);
    if (known !== undefined) return known.exports;
    const bytes = readFileSync(path);
    const cachedData = tryReadKept(path, bytes);
    // On one line, so that a stack trace names the lines of the file.
    const source = `(function (${parameters.join()}) {${bytes.toString('utf8')}\n})`;
    const script = new Script(source, {
      filename: pathToFileURL(path).href,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    this.#scripts.set(path, { script, bytes });
    const module: LoadedModule = { exports: {} };
    this.#modules.set(path, module);
    const requireOther = createRequire(path);
    const folder = dirname(path);
    const requireAny = (name: string): unknown =>
      /^\.\.?\//.test(name) ? this.#load(resolve(folder, name)) : requireOther(name);
    const run: unknown = script.runInThisContext();
    if (typeof run !== 'function') throw new TypeError(`${path} is no module`);
    Reflect.apply(run, module.exports, [module.exports, requireAny, module, path, folder, importOther]);
    return module.exports;
  }
}

/** What was written down of these very bytes, if it is whole. */
function tryReadKept(path: string, bytes: Uint8Array): Buffer | undefined {
  try {
    const kept = readFileSync(path + ending);
    const compiled = kept.subarray(digestBytes);
    return kept.subarray(0, digestBytes).equals(toDigest('sha256', bytes, compiled)) ? compiled : undefined;
  } catch {
    // Of a program that was not built on this machine; it is compiled.
    return undefined;
  }
}
