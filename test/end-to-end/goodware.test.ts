import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runTelltale } from '../cli/run.ts';
import { goodware, manifest, manifestText } from '../goodware-set.ts';

const reportSchema = z.object({
  errors: z.number(),
  goodware: z.object({
    files: z.number(),
    filesUnread: z.number(),
    bytesSearched: z.number(),
    formats: z.array(z.object({ format: z.string(), artifacts: z.number() })),
    fired: z.array(z.object({ indicator: z.string(), strength: z.string() })),
    claims: z.array(z.unknown()),
    patterns: z.array(z.object({ text: z.string(), files: z.number() })),
  }),
});

describe('when goodware is listed', () => {
  it('follows the schema', () => {
    const schema: unknown = JSON.parse(
      readFileSync(new URL('../../fixtures/goodware/manifest.schema.json', import.meta.url), 'utf8'),
    );
    const ajv = new Ajv2020({ formats: { uri: true } });
    const validate = ajv.compile(z.record(z.string(), z.unknown()).parse(schema));
    expect(validate(JSON.parse(manifestText)), ajv.errorsText(validate.errors)).toBe(true);
  });

  it('names each package once, in order', () => {
    const names = manifest.packages.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
  });

  it('has a small part that is quick to fetch', () => {
    const bytes = manifest.packages.filter(({ small }) => small).reduce((sum, one) => sum + one.bytes, 0);
    expect(bytes).toBeGreaterThan(20e6);
    expect(bytes).toBeLessThan(40e6);
  });
});

describe.skipIf(!goodware.available)('when software has nothing to do with the product', () => {
  it('fires nothing above suggestive, and claims nothing', () => {
    const { code, stdout, stderr } = runTelltale(
      ['db', 'check', '--format', 'json', ...goodware.paths.flatMap((path) => ['--goodware', path])],
      { cwd: '.' },
    );
    const report = reportSchema.parse(JSON.parse(stdout));
    expect(report.goodware.fired.filter(({ strength }) => strength !== 'suggestive')).toEqual([]);
    expect(report.goodware.claims).toEqual([]);
    expect({ code, errors: report.errors, stderr }).toEqual({ code: 0, errors: 0, stderr: '' });

    // Silence means something only where all of it was looked at.
    expect(report.goodware).toMatchObject({ files: goodware.paths.length, filesUnread: 0 });
    expect(report.goodware.bytesSearched).toBeGreaterThan(100e6);
    const formats = report.goodware.formats.map(({ format }) => format);
    expect(formats).toEqual(
      expect.arrayContaining(['pe', 'macho', 'elf', 'apk', 'dex', 'asar', 'msi', 'script', 'text']),
    );
    expect(report.goodware.patterns.filter(({ files }) => files > 0).length).toBeGreaterThan(0);
  });
});
