import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toDiffJsonSchema } from '../../src/report/diff-schema.ts';
import { toScanJsonSchema } from '../../src/report/schema.ts';

describe('when the schema of a report is published', () => {
  it.each([
    ['scan.json', toScanJsonSchema],
    ['diff.json', toDiffJsonSchema],
  ])('%s is the one that the code defines (UPDATE_SCHEMAS=1 writes it)', (name, make) => {
    const place = new URL(`../../schemas/${name}`, import.meta.url);
    if (process.env.UPDATE_SCHEMAS === '1') writeFileSync(place, make());
    expect(readFileSync(place, 'utf8')).toBe(make());
  });
});
