import { describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';

describe('when bytes in a file match an indicator', () => {
  const program = buildTomSkype();
  const scanned = scanBytes('downloads/client.exe', program);

  it('gives the very bytes that stand at that place of the file, and which of them matched', async () => {
    const { telltales } = await scanned;
    const places = telltales
      .flatMap(({ evidence }) => evidence)
      .filter(({ path, hex }) => path === 'downloads/client.exe' && hex !== undefined);
    expect(places.length).toBeGreaterThan(1);
    for (const { hex = '', offset = -1, matchStart = -1, matchLength = 0 } of places) {
      const from = offset - matchStart;
      expect(hex).toBe(Buffer.from(program.subarray(from, from + hex.length / 2)).toString('hex'));
      expect(matchLength).toBeGreaterThan(0);
      expect(matchStart + matchLength).toBeLessThanOrEqual(hex.length / 2);
    }
  });

  it('marks the text that was looked for', async () => {
    const { telltales } = await scanned;
    const host = telltales
      .flatMap(({ evidence }) => evidence)
      .find(({ kind, hex }) => kind === 'host' && hex !== undefined);
    const bytes = Buffer.from(host?.hex ?? '', 'hex');
    const matched = bytes.subarray(host?.matchStart, (host?.matchStart ?? 0) + (host?.matchLength ?? 0));
    expect(host?.text).toBe(`host ${matched.toString('latin1').replaceAll('\0', '')}`);
  });
});
