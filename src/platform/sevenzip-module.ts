/**
 * The program of 7z-wasm: 7-Zip compiled to WebAssembly. Only its bytes are taken from the package; the loader that
 * comes with it (a file system in memory, a console, an exit code of the process) is not used.
 *
 * https://github.com/use-strict/7z-wasm
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { TelltaleError } from '../bytes/errors.ts';

/** The memory of a running program. */
export interface WasmMemory {
  /** Another buffer after each growth. */
  readonly buffer: ArrayBuffer;
  /** @param pages - of 65,536 bytes. Throws when the system has no more. */
  grow(pages: number): number;
}

/** What the program offers. */
export interface SevenZipExports {
  readonly memory: WasmMemory;
  readonly __wasm_call_ctors: () => void;
  readonly __main_argc_argv: (argc: number, argv: number) => number;
  readonly _emscripten_stack_alloc: (bytes: number) => number;
}

/** The calls that the program makes, by name. */
export type SystemCalls = Readonly<Record<string, (...numbers: never[]) => number | bigint | void>>;

interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
}

/** A compiled program; `WebAssembly.Module`. */
export interface CompiledProgram {
  readonly [Symbol.toStringTag]?: string;
}

/** The part of the WebAssembly interface that is used here; the language's library of types has none. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<CompiledProgram>;
  readonly Instance: new (
    program: CompiledProgram,
    imports: Readonly<Record<string, SystemCalls>>,
  ) => { readonly exports: SevenZipExports };
  readonly Module: { imports(program: CompiledProgram): readonly WasmImport[] };
};

let compiled: Promise<CompiledProgram> | undefined;

/**
 * The compiled program; compiled when it is first wanted and kept.
 *
 * @throws TelltaleError `internal/bug` when the package is not installed as it should be
 */
export function loadSevenZip(): Promise<CompiledProgram> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<CompiledProgram> {
  try {
    const path = createRequire(import.meta.url).resolve('7z-wasm/7zz.wasm');
    return await WebAssembly.compile(readFileSync(path));
  } catch (error) {
    compiled = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TelltaleError('internal/bug', `the 7-Zip decoder could not be loaded (${reason})`);
  }
}

/**
 * A fresh instance, with memory of its own.
 *
 * @param calls - what it may call, by name; nothing else of this process is in its reach
 * @throws TelltaleError `internal/bug` when it wants a call that is not there: another version of the package
 */
export function instantiateSevenZip(program: CompiledProgram, calls: SystemCalls): SevenZipExports {
  const imports: Record<string, Record<string, SystemCalls[string]>> = {};
  for (const { module, name, kind } of WebAssembly.Module.imports(program)) {
    const call = calls[name];
    if (kind !== 'function' || call === undefined) {
      throw new TelltaleError('internal/bug', `the 7-Zip decoder wants "${name}", which it is not given`);
    }
    (imports[module] ??= {})[name] = call;
  }
  return new WebAssembly.Instance(program, imports).exports;
}
