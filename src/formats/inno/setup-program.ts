/**
 * The setup program inside an Inno Setup loader (`setup.e32`): a compressed block, since some version with the call
 * filter over the whole of it, which the file does not say; the checksum tells.
 *
 * @see https://github.com/jrsoftware/issrc `Projects/SetupLdr.dpr`
 */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readUpTo, toByteSource } from '../../bytes/byte-source.ts';
import { decodeDeflate } from '../../bytes/deflate.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { adler32, crc32 } from '../../platform/inflate.ts';
import { blockLimitBytes, readBlock, tryFindBlockEnd } from './block.ts';
import { type CallFilterKind, createCallFilter } from './call-filter.ts';
import type { OffsetTable } from './offset-table.ts';
import type { InnoVersion } from './version.ts';

const filterKinds: readonly (CallFilterKind | undefined)[] = ['5.3.9', '5.2.0', '4.1.8', undefined];

/**
 * Decodes the setup program.
 *
 * @yields one chunk, possibly of a damaged program
 * @throws TelltaleError `malformed/*` behind what could be decoded, `limit/*`
 */
export async function* decodeSetupProgram(
  source: ByteSource,
  table: OffsetTable,
  version: InnoVersion,
  budget: Budget,
): AsyncGenerator<Uint8Array, void, void> {
  const { bytes, fault } = decodeBlock(source, table, version, budget);
  const content = bytes.subarray(0, Math.min(bytes.length, table.programSize));
  for (const kind of filterKinds) {
    const program = kind === undefined ? content : undoFilter(content, kind);
    if (!holds(program, table)) continue;
    yield program;
    return;
  }
  // Without a filter it is at least what is stored.
  yield content;
  throw (
    fault ??
    new TelltaleError('malformed/checksum', 'does not have the checksum that the installer holds for it', {
      offset: table.programOffset,
    })
  );
}

/** Where the compressed program ends in the file, or where it starts when that cannot be told. */
export function findProgramEnd(source: ByteSource, table: OffsetTable, version: InnoVersion): number {
  const { programOffset, programCompressedSize } = table;
  const end =
    programCompressedSize === undefined
      ? tryFindBlockEnd(source, programOffset, version)
      : programOffset + programCompressedSize;
  return Math.min(end ?? programOffset, source.size);
}

function decodeBlock(
  source: ByteSource,
  table: OffsetTable,
  version: InnoVersion,
  budget: Budget,
): { readonly bytes: Uint8Array; readonly fault: TelltaleError | undefined } {
  if (table.programCompressedSize === undefined)
    return readBlock(source, table.programOffset, version, budget);
  const stream = toByteSource(readUpTo(source, table.programOffset, table.programCompressedSize));
  const chunks: Uint8Array[] = [];
  let size = 0;
  let fault: TelltaleError | undefined;
  try {
    for (const chunk of decodeDeflate(stream, 2)) {
      size += chunk.length;
      budget.checkTime();
      if (size > blockLimitBytes)
        throw new TelltaleError('limit/memory', 'unpacks to more than a setup program has');
      chunks.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    fault = error;
  }
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return { bytes, fault };
}

function undoFilter(content: Uint8Array, kind: CallFilterKind): Uint8Array {
  const filter = createCallFilter(kind, Number.MAX_SAFE_INTEGER);
  const done = filter.write(content);
  const rest = filter.end();
  const program = new Uint8Array(done.length + rest.length);
  program.set(done);
  program.set(rest, done.length);
  return program;
}

function holds(program: Uint8Array, { programChecksum, programSize }: OffsetTable): boolean {
  if (program.length !== programSize) return false;
  const value = programChecksum.kind === 'crc32' ? crc32(program) : adler32(program);
  return value === programChecksum.value;
}
