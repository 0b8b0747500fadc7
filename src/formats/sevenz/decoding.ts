/** Unpacks folders of 7z archives; each is independent of all others. */
import type { Budget } from '../../bytes/budget.ts';
import { type ByteSource, readPassing, sliceSource, toByteSource } from '../../bytes/byte-source.ts';
import { decodeDeflate } from '../../bytes/deflate.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { tryInflateBlock } from '../../platform/inflate.ts';
import { createBranchFilter, createDeltaFilter, type StreamFilter } from '../codecs/branch-filter.ts';
import { decodeBzip2 } from '../codecs/bzip2.ts';
import { decodeLzma2Chunks, decodeLzmaChunks } from '../codecs/lzma.ts';
import { decodeBcj2 } from './bcj2.ts';
import type { SevenZFolderPiece, Stage } from './stages.ts';

/** Smaller dictionaries are raised to this, as the specification says. */
const dictionaryBytesMin = 4096;

/**
 * Decodes what a stage gives, as a stream.
 *
 * @param source - the archive, from its start
 * @param budget - asked for the time; bytes are charged by whoever takes the chunks
 * @yields chunks, together `stage.bytes`, each good only until the next one is asked for
 * @throws TelltaleError `malformed/…`, `unsupported/feature`, `limit/memory`, `limit/time`, after everything that could
 *   be decoded was yielded
 */
export function* decodeStage(source: ByteSource, stage: Stage, budget?: Budget): Generator<Uint8Array> {
  let left = stage.bytes;
  if (left === 0) return;
  for (const chunk of openStage(source, stage, budget)) {
    const wanted = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= wanted.length;
    yield wanted;
    // What comes behind belongs to nobody.
    if (left === 0) return;
  }
  throw new TelltaleError('malformed/truncated', 'the compressed stream ends too early');
}

function openStage(source: ByteSource, stage: Stage, budget: Budget | undefined): Iterable<Uint8Array> {
  const open = (input: Stage): Iterable<Uint8Array> => decodeStage(source, input, budget);
  const options = { usesChunksAgain: true, ...(budget === undefined ? {} : { budget }) };
  const { bytes } = stage;
  switch (stage.kind) {
    case 'stored':
      return readPassing(sliceSource(source, stage.offset, bytes));
    case 'lzma': {
      const dictionaryBytes = Math.max(stage.dictionaryBytes, dictionaryBytesMin);
      return decodeLzmaChunks(open(stage.input), {
        ...stage,
        dictionaryBytes,
        outputBytes: bytes,
        ...options,
      });
    }
    case 'lzma2': {
      const dictionaryBytes = Math.max(Math.min(stage.dictionaryBytes, bytes), dictionaryBytesMin);
      return decodeLzma2Chunks(open(stage.input), { dictionaryBytes, ...options });
    }
    case 'bzip2':
      return decodeBzip2(open(stage.input), budget);
    case 'deflate': {
      const packed = source.read(stage.input.offset, stage.input.bytes);
      const whole = tryInflateBlock(packed, bytes, new Uint8Array(0));
      return whole === undefined ? decodeDeflate(toByteSource(packed)) : [whole];
    }
    case 'branch':
      return passThrough(createBranchFilter(stage.filter), open(stage.input));
    case 'delta':
      return passThrough(createDeltaFilter(stage.distance), open(stage.input));
    case 'bcj2': {
      const [program, calls, jumps, choices] = stage.inputs;
      return decodeBcj2([open(program), open(calls), open(jumps), open(choices)], bytes);
    }
  }
}

/** What the chunks throw comes after everything that came before it. */
function* passThrough(filter: StreamFilter, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  let fault: unknown;
  try {
    for (const chunk of chunks) yield filter.write(chunk);
  } catch (error) {
    fault = error;
  }
  yield filter.end();
  if (fault !== undefined) throw fault;
}

/**
 * Unpacks a folder whole, in any thread. Checksums of the files in it are not looked at.
 *
 * @param source - the archive, from its start
 * @param output - of the size of the piece; what stands in it is only good when all is in order
 * @returns whether everything is in order
 */
export function tryUnpackSevenZFolder(
  source: ByteSource,
  { stage, size }: SevenZFolderPiece,
  output: Uint8Array,
): boolean {
  if (output.length !== size || stage.bytes !== size) return false;
  let filled = 0;
  try {
    for (const chunk of decodeStage(source, stage)) {
      output.set(chunk, filled);
      filled += chunk.length;
    }
  } catch (error) {
    if (error instanceof TelltaleError) return false;
    throw error;
  }
  return filled === size;
}

/** The most memory that dictionaries of a stage may take, in bytes. */
export function toDictionaryBytes(stage: Stage): number {
  switch (stage.kind) {
    case 'stored':
      return 0;
    case 'bcj2':
      return stage.inputs.reduce((sum, input) => sum + toDictionaryBytes(input), 0);
    case 'lzma':
    case 'lzma2':
      return Math.min(stage.dictionaryBytes, stage.bytes) + toDictionaryBytes(stage.input);
    case 'bzip2':
    case 'deflate':
    case 'branch':
    case 'delta':
      return toDictionaryBytes(stage.input);
  }
}
