/**
 * NSIS installers, read without 7-Zip: those of NSIS 2 and 3 whose data are packed with LZMA or deflate, or not at all.
 * Only those in which everything is understood; all others are for 7-Zip, and so are items that zlib refuses. Members
 * are the same with either, but for damaged ones, of which 7-Zip gives less.
 *
 * Not supported: NSIS 1, forks (of Park, with data beyond 4 GiB), bzip2, filters, names that do not mean the same to
 * all software.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { loadSevenZip } from '../../platform/sevenzip-module.ts';
import type { MemberSink, ReadContext, Reading } from '../model.ts';
import { isAboutTail, toFault, toMemberFinding } from '../sevenzip/faults.ts';
import { tryInOrder } from '../sevenzip/in-order.ts';
import { reportTail, toListedFacts } from '../sevenzip/listed.ts';
import { type Container, listContainer, pourContainer, toContainerCode } from '../sevenzip/unpacking.ts';
import { type Item, locateItems, pourItems } from './items.ts';
import { readPacking, unpackHeader } from './packing.ts';
import { readScript } from './script.ts';

/**
 * Reads an installer in which everything is in order; undefined for all others.
 *
 * @param source - begins with the first header
 * @param start - of the source in the artifact, in bytes
 * @throws TelltaleError `limit/time`
 */
export function tryReadInstaller(
  source: ByteSource,
  start: number,
  context: ReadContext,
): Reading | undefined {
  return tryInOrder(() => readInstaller(source, start, context));
}

function readInstaller(source: ByteSource, start: number, context: ReadContext): Reading {
  const { budget } = context;
  const packing = readPacking(source, budget.limits.memberBytesInMemory);
  const files = readScript(unpackHeader(source, packing, budget), budget.limits.members);
  const items = locateItems(source, packing, files);
  const tailBytes = source.size - packing.end;
  if (tailBytes > 0) reportTail(source, tailBytes, start, context);
  const listed = items.map(({ name, size }) => ({
    name,
    kind: 'file' as const,
    size,
    crc32: undefined,
    isEncrypted: false,
    method: '',
    target: undefined,
  }));
  return {
    facts: toListedFacts(listed, context),
    regions: [],
    async pour(sink, from) {
      try {
        const end = pourItems(source, packing, items, budget, sink, from);
        if (end.kind === 'other') return await pourRest(source, items, context, sink, end.number);
        return end.kind === 'next' ? end.number : undefined;
      } catch (error) {
        if (!(error instanceof TelltaleError)) throw error;
        // What was poured before stays; the caller keeps it only when this function returns.
        const { code, message } = error;
        const consequence = 'the members from there on were not looked at';
        context.report({ code, message, consequence, incomplete: true });
        return undefined;
      }
    },
  };
}

/** Lets 7-Zip unpack the files from number `from` on. */
async function pourRest(
  source: ByteSource,
  items: readonly Item[],
  context: ReadContext,
  sink: MemberSink,
  from: number,
): Promise<number | undefined> {
  const container: Container = {
    program: await loadSevenZip(),
    source,
    type: 'nsis',
    archiveName: 'archive',
    guessesSizes: true,
  };
  const result = listContainer(container, context);
  for (const fault of result.faults) {
    if (isAboutTail(fault)) continue;
    context.report({
      code: toContainerCode(fault.code),
      message: fault.message,
      consequence: 'members that are not there or not whole were not looked at',
      incomplete: true,
    });
  }
  const listed = result.listing.items;
  if (listed.length === items.length && listed.every(({ name }, index) => name === items[index]?.name))
    return pourContainer(container, result, context, sink, from);
  const finding = toMemberFinding(toFault('Data Error'));
  for (const { name } of items.slice(from)) sink.refuse({ name, relation: 'file' }, finding);
  return undefined;
}
