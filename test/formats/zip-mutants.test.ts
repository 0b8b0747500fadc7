import { describe, expect, it } from 'vitest';
import { buildZip, unicodePathField } from '../../fixtures/zip-builder.ts';
import { zipFormat } from '../../src/formats/zip.ts';
import { mutate } from '../mutation.ts';
import { type ReadResult, readAll } from './reading.ts';

const prose = 'Every member is decoded, whatever was done to the archive. '.repeat(8);
const raw = Buffer.from('n.txt');

const seed = buildZip({
  comment: 'seed',
  entries: [
    { name: 'deflated.txt', data: prose },
    { name: 'stored.bin', data: prose.slice(0, 90), method: 0 },
    { name: 'folder/', data: '', method: 0 },
    { name: 'streamed.txt', data: prose, descriptor: 'signed' },
    { name: 'unsigned.txt', data: prose.slice(5), descriptor: 'unsigned' },
    { name: 'large.txt', data: prose.slice(9), zip64: true },
    { name: raw, data: 'unicode', extra: unicodePathField(raw, '名.txt') },
    { name: 'secret', data: 'x', flags: 1 },
    { name: 'bzip2', data: 'x', method: 12 },
    { name: 'inner.zip', data: buildZip({ entries: [{ name: 'i', data: 'inner' }] }), method: 0 },
  ],
});

/**
 * The members as anyone would list them: names and bytes, in order of name. Nothing in an archive vouches for the
 * bytes of a stub, so a change there cannot be known.
 */
function toListing(result: ReadResult): string {
  return result.members
    .filter(({ name, relation }) => relation === 'file' || name !== '[prefix]')
    .map(({ name, bytes, kind }) => `${name} ${kind === 'unreadable' ? kind : bytes.toString('latin1')}`)
    .sort()
    .join('\n');
}

/** Everything that anyone would be told, one line each. */
function toFaults(result: ReadResult): string[] {
  return [
    ...result.findings.map(({ code, message }) => `${code} ${message}`),
    ...result.members.flatMap(({ name, fault }) =>
      fault === undefined ? [] : [`${name} ${fault.code} ${fault.message}`],
    ),
    ...(result.thrown === undefined ? [] : [result.thrown.message]),
    ...(result.reading?.facts ?? [])
      .filter(({ kind }) => kind === 'ambiguous')
      .map(({ value }) => String(value)),
  ];
}

describe('when an archive is damaged in 2,000 ways', () => {
  it.each([
    ['plain', seed, 1],
    [
      'zip64 end record and stub',
      buildZip({ entries: [{ name: 'a', data: prose }], zip64: true, prefix: Buffer.from('stub') }),
      2,
    ],
  ])('never crashes, hangs or stays silent about other bytes (%s)', async (_name, bytes, prngSeed) => {
    const expected = toListing(await readAll(zipFormat, bytes));
    const known = new Set(toFaults(await readAll(zipFormat, bytes)));
    let differing = 0;
    for (const mutant of mutate(bytes, prngSeed === 1 ? 2000 : 500, prngSeed)) {
      const started = performance.now();
      const result = await readAll(zipFormat, mutant.bytes, {
        limits: { milliseconds: 3000, bytesProduced: 1 << 24 },
      });
      expect(performance.now() - started, mutant.description).toBeLessThan(3500);
      if (toListing(result) === expected) continue;
      differing += 1;
      expect(
        toFaults(result).filter((fault) => !known.has(fault)),
        mutant.description,
      ).not.toEqual([]);
    }
    expect(differing).toBeGreaterThan(200);
  });
});
