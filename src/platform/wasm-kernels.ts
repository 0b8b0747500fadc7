/** Memory and code for kernels in WebAssembly, which import nothing but `host.memory` and export one function. */

const pageBytes = 64 * 1024;

/** Rounded up to whole words of eight bytes. */
export function toWhole(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/**
 * Memory; undefined where there is no room, no WebAssembly, or numbers are stored the other way round than WebAssembly
 * does.
 *
 * @param mayGrow - beyond so many bytes
 */
export function tryAllocate(bytes: number, mayGrow = false): WebAssembly.Memory | undefined {
  if (!isLittleEndian()) return undefined;
  const pages = Math.ceil(bytes / pageBytes);
  try {
    return new WebAssembly.Memory(mayGrow ? { initial: pages } : { initial: pages, maximum: pages });
  } catch {
    return undefined;
  }
}

function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}

const compiled = new Map<string, WebAssembly.Module>();

/**
 * A kernel over a memory; undefined where there is no WebAssembly.
 *
 * @param base64 - the bytes of the module
 * @param name - of the function that it exports
 */
export function tryInstantiate<Run extends (...values: number[]) => number | void>(
  base64: string,
  memory: WebAssembly.Memory,
  name = 'search',
): ((...values: Parameters<Run>) => number) | undefined {
  try {
    const module = compiled.get(base64) ?? new WebAssembly.Module(toBytes(base64));
    compiled.set(base64, module);
    const run = new WebAssembly.Instance(module, { host: { memory } }).exports[name];
    return typeof run === 'function' ? (...values) => Number(run(...values)) : undefined;
  } catch {
    return undefined;
  }
}

function toBytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  // Not with Uint8Array.from: that takes milliseconds where nothing is compiled yet.
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
