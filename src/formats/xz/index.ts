/**
 * xz files with a decoder of ours, which is faster than 7-Zip in WebAssembly and need not be started: for files in which
 * everything is in order and understood. What is wrong with the others is told by 7-Zip.
 *
 * Specification: https://tukaani.org/xz/xz-file-format.txt
 *
 * Not supported: filters for IA-64 and RISC-V, reserved checks.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Finding, MemberInflow, MemberSink, ReadContext, Reading } from '../model.ts';
import { toReach, unpackXzBlock } from './block.ts';
import { tryReadXzLayout, type XzLayout } from './layout.ts';

const memberName = '[decompressed]';

/** Reads the same file with 7-Zip. */
export type ReadOtherwise = () => Promise<Reading>;

/**
 * Reads the layout of an xz file; undefined when something in it is out of order, or not understood.
 *
 * @param readOtherwise - when damage shows while a block is unpacked: says what is wrong, and gives the rest
 * @throws TelltaleError `limit/time`
 */
export function tryReadPlainXz(
  source: ByteSource,
  context: ReadContext,
  readOtherwise: ReadOtherwise,
): Reading | undefined {
  const layout = tryReadXzLayout(source, context.budget);
  const room = context.budget.limits.memberBytesInMemory;
  if (layout === undefined || layout.blocks.some((block) => toReach(block) > room)) return undefined;
  return {
    facts: [],
    regions: [],
    pour: (sink, from) => pourBlocks(source, layout, context, readOtherwise, sink, from),
  };
}

async function pourBlocks(
  source: ByteSource,
  { blocks, bytes }: XzLayout,
  context: ReadContext,
  readOtherwise: ReadOtherwise,
  sink: MemberSink,
  from: number,
): Promise<number | undefined> {
  if (from > 0) return undefined;
  const inflow = sink.begin({ name: memberName, relation: 'file' }, bytes);
  if (inflow === 'later' || inflow === 'stop') return 0;
  let given = 0;
  try {
    const ahead = context.unpackers?.begin(
      source,
      blocks.map((block) => ({ method: 'xz-block', block, size: block.bytes })),
    );
    for (const [index, block] of blocks.entries()) {
      const unpacked = ahead?.take(index);
      if (unpacked !== undefined) {
        context.budget.checkTime();
        given += unpacked.length;
        if (inflow.write(unpacked)) continue;
        inflow.end();
        return 1;
      }
      const unpacking = unpackXzBlock(source, block, context.budget);
      let next = unpacking.next();
      for (; next.done !== true; next = unpacking.next()) {
        given += next.value.length;
        if (inflow.write(next.value)) continue;
        inflow.end();
        return 1;
      }
      if (!next.value) return await pourRest(await readOtherwise(), inflow, given);
    }
    inflow.end();
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    const { code, message } = error;
    inflow.end({
      code,
      message,
      consequence: 'what could be unpacked of it was searched, the rest was not',
      incomplete: true,
    });
    const rest = 'the members from there on were not looked at';
    if (code.startsWith('limit/')) context.report({ code, message, consequence: rest, incomplete: true });
  }
  return undefined;
}

/** Pours what another decoder gives, and says of the file, behind the bytes that were given already. */
async function pourRest(reading: Reading, inflow: MemberInflow, given: number): Promise<number | undefined> {
  let passed = 0;
  let isOver = false;
  const end = (finding?: Finding): void => {
    isOver = true;
    inflow.end(finding);
  };
  const next = await reading.pour?.(
    {
      begin: () => ({
        write(chunk) {
          const known = Math.min(chunk.length, Math.max(0, given - passed));
          passed += chunk.length;
          return known === chunk.length || inflow.write(chunk.subarray(known));
        },
        end,
      }),
      refuse: (_member, finding) => end(finding),
    },
    0,
  );
  if (!isOver) end();
  return next;
}
