import { describe, expect, it } from 'vitest';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { toFinding } from '../../src/scan/finding.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';

const zip = (name: string, data: Uint8Array): Uint8Array => buildZip({ entries: [{ name, data }] });

function nest(depth: number): Uint8Array {
  let inner: Uint8Array = new TextEncoder().encode('bottom\n');
  for (let level = 0; level < depth; level += 1) inner = zip(`${level}.zip`, inner);
  return inner;
}

const codes = ({ problems }: FileResult): readonly string[] => problems.map(({ code }) => code);

describe('when a limit is hit', () => {
  it('names the place at which nesting was too deep', async () => {
    const result = await scanBytes('deep.zip', nest(6), { limits: { depth: 4 } });
    expect(codes(result)).toEqual(['limit/depth']);
    expect(result.problems[0]?.path.split(' » ')).toHaveLength(5);
    expect(result).toMatchObject({ complete: false, incompleteReasons: ['limit'] });
  });

  it('reads everything when it is just deep enough', async () => {
    const result = await scanBytes('deep.zip', nest(4), { limits: { depth: 4 } });
    expect(result.problems).toEqual([]);
  });

  it('stops once for the whole tree at the number of members', async () => {
    const entries = Array.from({ length: 20 }, (_, index) => ({ name: `${index}.txt`, data: `${index}` }));
    const result = await scanBytes(
      'many.zip',
      buildZip({ entries: [{ name: 'inner.zip', data: buildZip({ entries }) }, ...entries] }),
      {
        limits: { members: 10 },
      },
    );
    expect(result.problems.map(({ path, message }) => [path, message])).toEqual([
      ['many.zip', 'lists more than 10 members'],
      ['many.zip » inner.zip', 'lists more than 10 members'],
      ['many.zip » inner.zip', 'holds more than 10 members in all'],
    ]);
    expect(result.complete).toBe(false);
  });

  it('keeps what was found before the bytes ran out', async () => {
    const archive = buildZip({
      entries: [
        { name: 'a.exe', data: buildTomSkype() },
        { name: 'zeros', data: new Uint8Array(4_000_000) },
      ],
    });
    const result = await scanBytes('bomb.zip', archive, { limits: { bytesProduced: 100_000 } });
    expect(result).toMatchObject({ verdict: 'variant', variant: 'tom', complete: false });
    expect(codes(result)).toContain('limit/bytes');
  });

  it('searches a member that is too large for memory, and says what it did not do', async () => {
    const big = new Uint8Array(300_000);
    big.set(buildTomSkype(), 0);
    const result = await scanBytes('big.zip', zip('big.exe', big), {
      limits: { memberBytesInMemory: 100_000 },
    });
    expect(codes(result)).toEqual(['limit/memory']);
    expect(result.tree?.members[0]).toMatchObject({ size: 300_000, format: 'unread' });
  });
});

describe('when members overlap', () => {
  it('charges every one of them', async () => {
    const stored = { name: 'a', data: new Uint8Array(50_000).fill(65), method: 0 };
    const result = await scanBytes('stored.zip', buildZip({ entries: [stored, { ...stored, name: 'b' }] }), {
      limits: { bytesProduced: 60_000 },
    });
    expect(codes(result)).toContain('limit/bytes');
  });
});

describe('when the same bytes stand in a member and around it', () => {
  it('tells the telltale once, at the deepest place', async () => {
    const wrapper = buildPe({ resources: [{ type: 10, name: 7, data: buildTomSkype() }] });
    const result = await scanBytes('w.exe', wrapper);
    for (const { evidence, strength } of result.telltales) {
      if (strength !== 'decisive') continue;
      expect(evidence.map(({ path }) => path)).toEqual(['w.exe » .rsrc/RCDATA/7']);
    }
    expect(result.telltales.length).toBeGreaterThan(0);
  });
});

describe('when something is thrown', () => {
  it('tells what we know, and calls everything else a bug', () => {
    expect(toFinding(new TelltaleError('malformed/checksum', 'is wrong', { offset: 7 }), 'so what')).toEqual({
      code: 'malformed/checksum',
      message: 'is wrong',
      offset: 7,
      consequence: 'so what',
      incomplete: true,
    });
    expect(toFinding(new RangeError('oops'), 'so what')).toMatchObject({
      code: 'internal/bug',
      incomplete: true,
    });
    expect(toFinding('a string', 'so what').message).toContain('a string');
  });
});
