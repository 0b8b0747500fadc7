import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toScanJsonSchema } from '../../src/report/schema.ts';

const place = new URL('../../schemas/scan.json', import.meta.url);

describe('when the schema of the scan report is published', () => {
  it('is the one that the code defines (UPDATE_SCHEMAS=1 writes it)', () => {
    if (process.env.UPDATE_SCHEMAS === '1') writeFileSync(place, toScanJsonSchema());
    expect(readFileSync(place, 'utf8')).toBe(toScanJsonSchema());
  });
});
