/**
 * Runs 7-Zip (7z-wasm) on a source: the operating system that it sees is this file.
 *
 * There is one file to read, which is the source itself, with random access and without a copy; files that it writes
 * go chunk by chunk to whoever asked for them; nothing else exists. The program lives in memory of its own that is
 * thrown away after each run, so that what a hostile file does to it ends there.
 *
 * System calls are those of Emscripten (musl with WASI error numbers):
 * https://github.com/emscripten-core/emscripten/tree/main/system/lib/libc, https://github.com/WebAssembly/WASI.
 */
import { type ByteSource, readUpTo } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import {
  type CompiledProgram,
  instantiateSevenZip,
  type SevenZipExports,
  type SystemCalls,
} from '../../platform/sevenzip-module.ts';

/** The most memory that the program may take. Dictionaries of up to 512 MiB fit. */
export const heapBytesMax = 768 * 1024 * 1024;
/** A line about a fault is not longer than a name. */
const faultLineCharacters = 64 * 1024;
const wasmPageBytes = 65_536;
const openFilesMax = 64;

/** Where the program finds the archive, and where it is told to write. */
const archiveFolder = '/archive/';
const outputFolder = '/out';

/** A file that the program writes. */
export interface OutputFile {
  /** Bytes in order; only valid during the call. May throw to end the run. */
  write(chunk: Uint8Array): void;
  close(): void;
}

/** What a run is about, and who listens. Whatever a listener throws ends the run and comes out of it. */
export interface SevenZipRun {
  readonly args: readonly string[];
  readonly source: ByteSource;
  /** The name that the program sees; some formats take names of members from it. */
  readonly archiveName: string;
  /** Called on every system call: the place to look at the clock. */
  tick(): void;
  /** What it prints. */
  print(chunk: Uint8Array): void;
  /** One line about a fault, without its line end. */
  complain(line: string): void;
  /** A file to be written; undefined: it is told that this cannot be, and goes on with the next. */
  create?(path: string): OutputFile | undefined;
  /** A symbolic link to be made. */
  link?(path: string, target: string): void;
  /** A part of the source cannot be decoded: it is told that the archive ends there. Without this, the run ends. */
  damage?(fault: TelltaleError): void;
  /** Looked for a file beside the archive that is not there: another volume. */
  miss?(name: string): void;
}

/** How a run ended. */
export interface SevenZipOutcome {
  /**
   * 0 good, 1 with warnings, 2 with faults, 7 wrong arguments, 8 out of memory; undefined when the program broke off
   * by itself: a C++ exception, a trap, an abort.
   */
  readonly exitCode: number | undefined;
  /** It asked for more memory than it may have. */
  readonly wantedMemory: boolean;
  /** The reason that it gave when it broke off. */
  readonly fault: string | undefined;
}

/** WASI error numbers. */
const errno = {
  badDescriptor: 8,
  exists: 20,
  invalid: 28,
  io: 29,
  tooManyFiles: 33,
  noEntry: 44,
  notADirectory: 54,
  notATerminal: 59,
  readOnly: 69,
  cannotSeek: 70,
} as const;

const openFlags = { writing: 1, readingAndWriting: 2, create: 64 } as const;
const fileMode = 0o100444;
const folderMode = 0o040755;

/** The program called `exit`. */
class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super('exit');
    this.code = code;
  }
}

/** The program broke off by itself. */
class BrokenOff extends Error {}

type OpenFile =
  | { readonly kind: 'input'; position: number }
  | { readonly kind: 'output'; readonly file: OutputFile; position: number; written: number };

const nothing = (): number => 0;
const notThere = (): number => -errno.noEntry;

const zeros = new Uint8Array(wasmPageBytes);

/**
 * Runs the program once, in a fresh instance.
 *
 * @throws whatever a listener of the run threw, and TelltaleErrors of reading the source
 */
export function runSevenZip(program: CompiledProgram, run: SevenZipRun): SevenZipOutcome {
  const machine = new Machine(run);
  const exports = instantiateSevenZip(program, machine.calls());
  return machine.start(exports);
}

class Machine {
  readonly #run: SevenZipRun;
  readonly #files = new Map<number, OpenFile>();
  readonly #decoder = new TextDecoder();
  #exports: SevenZipExports | undefined;
  #complaint = '';
  #wantedMemory = false;
  /** What was made last: the program looks at it again to set its attributes. */
  #lastMade: { readonly path: string; readonly mode: number } | undefined;
  /** Thrown by a listener; it must come out even when the program goes on. */
  #thrown: { readonly error: unknown } | undefined;

  constructor(run: SevenZipRun) {
    this.#run = run;
  }

  start(exports: SevenZipExports): SevenZipOutcome {
    this.#exports = exports;
    let exitCode: number | undefined;
    let fault: string | undefined;
    try {
      exports.__wasm_call_ctors();
      const [argc, argv] = this.#pushArguments(['7zz', ...this.#run.args]);
      exitCode = exports.__main_argc_argv(argc, argv);
    } catch (error) {
      if (this.#thrown !== undefined) throw this.#thrown.error;
      if (error instanceof Exit) exitCode = error.code;
      // A trap is an Error of WebAssembly, a stack that ran over is a RangeError.
      else fault = error instanceof Error ? error.message : String(error);
    }
    if (this.#thrown !== undefined) throw this.#thrown.error;
    if (this.#complaint !== '') this.#run.complain(this.#complaint);
    return { exitCode, wantedMemory: this.#wantedMemory, fault };
  }

  get #memory(): SevenZipExports['memory'] {
    if (this.#exports === undefined) throw new BrokenOff('called before its start');
    return this.#exports.memory;
  }

  get #view(): DataView {
    return new DataView(this.#memory.buffer);
  }

  /** Pointers are unsigned; WebAssembly hands them over as signed. */
  #bytesAt(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, pointer >>> 0, length >>> 0);
  }

  #textAt(pointer: number): string {
    const memory = new Uint8Array(this.#memory.buffer);
    const start = pointer >>> 0;
    const end = memory.indexOf(0, start);
    return this.#decoder.decode(memory.subarray(start, end < 0 ? memory.length : end));
  }

  #pushArguments(args: readonly string[]): readonly [number, number] {
    const encoder = new TextEncoder();
    const allocate = (bytes: number): number => this.#exports?._emscripten_stack_alloc(bytes) ?? 0;
    const pointers = args.map((argument) => {
      const text = encoder.encode(`${argument}\0`);
      const pointer = allocate(text.length);
      this.#bytesAt(pointer, text.length).set(text);
      return pointer;
    });
    const table = allocate((pointers.length + 1) * 4);
    pointers.forEach((pointer, index) => this.#view.setUint32(table + index * 4, pointer, true));
    this.#view.setUint32(table + pointers.length * 4, 0, true);
    return [pointers.length, table];
  }

  /** Runs a listener; what it throws ends the program, which cannot catch anything. */
  #call<T>(listener: () => T): T {
    try {
      this.#run.tick();
      return listener();
    } catch (error) {
      this.#thrown ??= { error };
      throw error;
    }
  }

  /** Lines of the fault output. */
  #complain(chunk: Uint8Array): void {
    this.#complaint += this.#decoder.decode(chunk);
    const lines = this.#complaint.split('\n');
    this.#complaint = (lines.pop() ?? '').slice(-faultLineCharacters);
    for (const line of lines) this.#run.complain(line);
  }

  #open(path: string, flags: number): number {
    if (this.#files.size >= openFilesMax) return -errno.tooManyFiles;
    let file: OpenFile;
    if ((flags & (openFlags.writing | openFlags.readingAndWriting)) !== 0) {
      if (!path.startsWith(`${outputFolder}/`) || (flags & openFlags.create) === 0) return -errno.readOnly;
      const created = this.#call(() => this.#run.create?.(path.slice(outputFolder.length + 1)));
      if (created === undefined) return -errno.readOnly;
      file = { kind: 'output', file: created, position: 0, written: 0 };
      this.#lastMade = { path, mode: fileMode };
    } else if (path === archiveFolder + this.#run.archiveName) {
      file = { kind: 'input', position: 0 };
    } else {
      if (path.startsWith(archiveFolder))
        this.#call(() => this.#run.miss?.(path.slice(archiveFolder.length)));
      return -errno.noEntry;
    }
    // 0 to 2 are the standard streams.
    let descriptor = 3;
    while (this.#files.has(descriptor)) descriptor += 1;
    this.#files.set(descriptor, file);
    return descriptor;
  }

  #read(descriptor: number, vectors: number, count: number, result: number): number {
    const file = this.#files.get(descriptor);
    let total = 0;
    if (file?.kind === 'input') {
      for (let index = 0; index < count; index += 1) {
        const pointer = this.#view.getUint32(vectors + index * 8, true);
        const length = this.#view.getUint32(vectors + index * 8 + 4, true);
        const bytes = this.#call(() => this.#readArchive(file.position, length));
        this.#bytesAt(pointer, bytes.length).set(bytes);
        file.position += bytes.length;
        total += bytes.length;
        if (bytes.length < length) break;
      }
    } else if (descriptor !== 0) {
      return errno.badDescriptor;
    }
    this.#view.setUint32(result, total, true);
    return 0;
  }

  #readArchive(position: number, length: number): Uint8Array {
    try {
      return readUpTo(this.#run.source, position, length);
    } catch (error) {
      const isDamage = error instanceof TelltaleError && error.code.startsWith('malformed/');
      if (!isDamage || this.#run.damage === undefined) throw error;
      this.#run.damage(error);
      return new Uint8Array(0);
    }
  }

  #write(descriptor: number, vectors: number, count: number, result: number): number {
    let total = 0;
    for (let index = 0; index < count; index += 1) {
      const pointer = this.#view.getUint32(vectors + index * 8, true);
      const length = this.#view.getUint32(vectors + index * 8 + 4, true);
      if (length === 0) continue;
      const bytes = this.#bytesAt(pointer, length);
      const file = this.#files.get(descriptor);
      if (descriptor === 1) this.#call(() => this.#run.print(bytes));
      else if (descriptor === 2) this.#call(() => this.#complain(bytes));
      else if (file?.kind === 'output') this.#call(() => this.#pour(file, bytes));
      else return errno.badDescriptor;
      total += length;
    }
    this.#view.setUint32(result, total, true);
    return 0;
  }

  /** Hands bytes on in order; a hole is what it would be in a file. */
  #pour(file: Extract<OpenFile, { kind: 'output' }>, bytes: Uint8Array): void {
    if (file.position < file.written) {
      throw new TelltaleError('unsupported/feature', 'is unpacked in an order that goes back');
    }
    while (file.written < file.position) {
      const length = Math.min(zeros.length, file.position - file.written);
      file.file.write(zeros.subarray(0, length));
      file.written += length;
    }
    file.file.write(bytes);
    file.position += bytes.length;
    file.written = file.position;
  }

  #seek(descriptor: number, offset: bigint, whence: number, result: number): number {
    const file = this.#files.get(descriptor);
    if (file === undefined) return descriptor < 3 ? errno.cannotSeek : errno.badDescriptor;
    const end = file.kind === 'input' ? this.#run.source.size : file.written;
    const base = whence === 0 ? 0 : whence === 1 ? file.position : end;
    const position = base + Number(offset);
    if (!Number.isSafeInteger(position) || position < 0) return errno.invalid;
    file.position = position;
    this.#view.setBigInt64(result, BigInt(position), true);
    return 0;
  }

  #close(descriptor: number): number {
    const file = this.#files.get(descriptor);
    if (file === undefined) return errno.badDescriptor;
    this.#files.delete(descriptor);
    if (file.kind === 'output') this.#call(() => file.file.close());
    return 0;
  }

  /** `struct stat` of musl for 32-bit WebAssembly. */
  #writeStatus(pointer: number, mode: number, size: number): number {
    this.#bytesAt(pointer, 96).fill(0);
    const view = this.#view;
    view.setUint32(pointer, 1, true);
    view.setUint32(pointer + 4, mode, true);
    view.setUint32(pointer + 8, 1, true);
    view.setBigInt64(pointer + 24, BigInt(size), true);
    view.setInt32(pointer + 32, 4096, true);
    view.setInt32(pointer + 36, Math.ceil(size / 512) % 2 ** 31, true);
    view.setBigInt64(pointer + 88, BigInt(mode), true);
    return 0;
  }

  /** The archive and its folder exist. Nothing that was written exists, but for the last: it was taken away already. */
  #statusOf(path: string, pointer: number): number {
    this.#call(() => {});
    if (path === this.#lastMade?.path) return this.#writeStatus(pointer, this.#lastMade.mode, 0);
    if (path === archiveFolder + this.#run.archiveName) {
      return this.#writeStatus(pointer, fileMode, this.#run.source.size);
    }
    const folders: readonly string[] = [
      '/',
      '.',
      archiveFolder,
      archiveFolder.slice(0, -1),
      outputFolder,
      `${outputFolder}/`,
    ];
    if (folders.includes(path)) return this.#writeStatus(pointer, folderMode, 4096);
    if (path.startsWith(archiveFolder)) this.#call(() => this.#run.miss?.(path.slice(archiveFolder.length)));
    return -errno.noEntry;
  }

  #grow(requestedBytes: number): number {
    const wanted = requestedBytes >>> 0;
    const memory = this.#memory;
    if (wanted > heapBytesMax) {
      this.#wantedMemory = true;
      return 0;
    }
    const generous = Math.min(heapBytesMax, Math.max(wanted, Math.floor(memory.buffer.byteLength * 1.2)));
    for (const bytes of [generous, wanted]) {
      try {
        memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / wasmPageBytes));
        return 1;
      } catch {
        // The system has less than that; the program is told when there is none.
      }
    }
    this.#wantedMemory = true;
    return 0;
  }

  /** `struct tm`; always UTC, so that the same file gives the same output everywhere. */
  #writeTime(seconds: bigint, pointer: number): void {
    const date = new Date(Math.max(-8.64e15, Math.min(8.64e15, Number(seconds) * 1000)));
    const fields = [
      date.getUTCSeconds(),
      date.getUTCMinutes(),
      date.getUTCHours(),
      date.getUTCDate(),
      date.getUTCMonth(),
      date.getUTCFullYear() - 1900,
      date.getUTCDay(),
      Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000),
    ];
    fields.forEach((field, index) => this.#view.setInt32(pointer + index * 4, field, true));
  }

  /** Everything that the program can ask for. Times do not matter: no file is written. */
  calls(): SystemCalls {
    const environment = 'LANG=C.UTF-8\0';
    return {
      __cxa_throw: (pointer: number): never => {
        // Most of the exceptions of 7-Zip are numbers.
        throw new BrokenOff(`exception ${this.#view.getInt32(pointer >>> 0, true)}`);
      },
      exit: (code: number): never => {
        throw new Exit(code);
      },
      _abort_js: (): never => {
        throw new BrokenOff('abort');
      },
      emscripten_resize_heap: (bytes: number): number => this.#grow(bytes),
      emscripten_get_heap_max: (): number => heapBytesMax,
      emscripten_date_now: (): number => 0,
      clock_time_get: (_clock: number, _precision: bigint, pointer: number): number => {
        this.#call(() => {});
        this.#view.setBigInt64(pointer, 0n, true);
        return 0;
      },
      _gmtime_js: (seconds: bigint, pointer: number): void => this.#writeTime(seconds, pointer),
      _localtime_js: (seconds: bigint, pointer: number): void => {
        this.#writeTime(seconds, pointer);
        this.#view.setInt32(pointer + 32, 0, true);
        this.#view.setInt32(pointer + 36, 0, true);
      },
      _mktime_js: (): bigint => 0n,
      _tzset_js: (zone: number, daylight: number, standardName: number, daylightName: number): void => {
        this.#view.setUint32(zone, 0, true);
        this.#view.setUint32(daylight, 0, true);
        for (const pointer of [standardName, daylightName])
          this.#bytesAt(pointer, 4).set([0x55, 0x54, 0x43, 0]);
      },
      environ_sizes_get: (count: number, bytes: number): number => {
        this.#view.setUint32(count, 1, true);
        this.#view.setUint32(bytes, environment.length, true);
        return 0;
      },
      environ_get: (table: number, text: number): number => {
        this.#view.setUint32(table, text, true);
        this.#bytesAt(text, environment.length).set(new TextEncoder().encode(environment));
        return 0;
      },
      fd_close: (descriptor: number): number => this.#close(descriptor),
      fd_read: (descriptor: number, vectors: number, count: number, result: number): number =>
        this.#read(descriptor, vectors, count, result),
      fd_write: (descriptor: number, vectors: number, count: number, result: number): number =>
        this.#write(descriptor, vectors, count, result),
      fd_seek: (descriptor: number, offset: bigint, whence: number, result: number): number =>
        this.#seek(descriptor, offset, whence, result),
      fd_fdstat_get: (descriptor: number, pointer: number): number => {
        this.#bytesAt(pointer, 24).fill(0);
        this.#view.setUint8(pointer, descriptor < 3 ? 2 : 4);
        return 0;
      },
      __syscall_openat: (_folder: number, path: number, flags: number): number =>
        this.#open(this.#textAt(path), flags),
      __syscall_stat64: (path: number, pointer: number): number =>
        this.#statusOf(this.#textAt(path), pointer),
      __syscall_lstat64: (path: number, pointer: number): number =>
        this.#statusOf(this.#textAt(path), pointer),
      __syscall_newfstatat: (_folder: number, path: number, pointer: number): number =>
        this.#statusOf(this.#textAt(path), pointer),
      __syscall_fstat64: (descriptor: number, pointer: number): number => {
        const file = this.#files.get(descriptor);
        if (file === undefined) return -errno.badDescriptor;
        const size = file.kind === 'input' ? this.#run.source.size : file.written;
        return this.#writeStatus(pointer, file.kind === 'input' ? fileMode : fileMode | 0o200, size);
      },
      __syscall_symlinkat: (target: number, _folder: number, path: number): number => {
        const name = this.#textAt(path);
        this.#lastMade = { path: name, mode: fileMode };
        const prefix = name.startsWith(`${outputFolder}/`) ? outputFolder.length + 1 : 0;
        this.#call(() => this.#run.link?.(name.slice(prefix), this.#textAt(target)));
        return 0;
      },
      __syscall_mkdirat: (_folder: number, path: number): number => {
        this.#lastMade = { path: this.#textAt(path), mode: folderMode };
        return this.#call(nothing);
      },
      __syscall_getcwd: (pointer: number, length: number): number => {
        if (length < 2) return -errno.invalid;
        this.#bytesAt(pointer, 2).set([0x2f, 0]);
        return 2;
      },
      __syscall_ioctl: (): number => -errno.notATerminal,
      __syscall_getdents64: (): number => -errno.notADirectory,
      __syscall_readlinkat: notThere,
      __syscall_unlinkat: (): number => {
        this.#lastMade = undefined;
        return 0;
      },
      __syscall_rmdir: nothing,
      __syscall_renameat: notThere,
      __syscall_chmod: nothing,
      __syscall_fchownat: nothing,
      __syscall_ftruncate64: nothing,
      __syscall_utimensat: nothing,
    };
  }
}
