import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/signatures/compile.ts';
import { checkDatabase } from '../../src/signatures/check.ts';
import { toDiagnosticLine } from '../../src/signatures/diagnostic.ts';
import { hasOpenableSource, loadDatabase, readDatabase } from '../../src/signatures/load.ts';
import { toPublisherPins } from '../../src/signatures/pins.ts';
import type { VariantRole } from '../../src/signatures/schema.ts';

const folder = fileURLToPath(new URL('../../signatures/', import.meta.url));
const database = loadDatabase([folder]);
const skype = database.products.find(({ product }) => product.id === 'skype');

describe('when the database that ships is loaded', () => {
  it('holds Skype', () => {
    expect(skype?.product.name).toBe('Skype');
    expect(database.version).toContain(skype?.product.revision);
  });

  it('has nothing that the check complains of', () => {
    const { diagnostics, complete } = checkDatabase(readDatabase([folder]));
    expect(diagnostics.map(toDiagnosticLine)).toEqual([]);
    expect(complete).toBe(true);
  });

  it('rests each decisive indicator on a source that a stranger can open', () => {
    let decisive = 0;
    for (const { variants, sources } of database.products) {
      for (const indicator of variants.flatMap(({ indicators }) => indicators)) {
        if (indicator.strength !== 'decisive') continue;
        decisive += 1;
        expect(hasOpenableSource(indicator, sources), indicator.id).toBe(true);
      }
    }
    expect(decisive).toBeGreaterThan(0);
  });

  it('pins certificates for a period', () => {
    const pins = toPublisherPins(database).publishers.flatMap(({ leaves, intermediates }) => [
      ...leaves,
      ...intermediates,
    ]);
    expect(pins.length).toBeGreaterThan(10);
    for (const { from, to } of pins) expect(Date.parse(from), `${from}..${to}`).toBeLessThan(Date.parse(to));
  });

  it.each<readonly [string, VariantRole]>([
    ['official', 'official'],
    ['tom', 'regional'],
    ['gmf', 'regional'],
    ['tom-filter', 'companion'],
    ['official-insider', 'edition'],
    ['co-brand-pchome', 'co-brand'],
    ['fake-forged-certificate', 'impostor'],
    ['wrapper-portableapps', 'wrapper'],
  ])('knows the variant %s as %s', (id, role) => {
    expect(skype?.variants.find((variant) => variant.id === id)?.role).toBe(role);
  });

  it('says of surveillance only what a source says', () => {
    for (const { id, surveillance } of skype?.variants ?? []) {
      if (surveillance.status !== 'unknown') expect(surveillance.sources.length, id).toBeGreaterThan(0);
    }
  });

  it('knows official builds by digest', () => {
    const { rows, byAlgorithm } = skype?.knownBuilds.statistics() ?? { rows: 0, byAlgorithm: {} };
    expect(rows).toBeGreaterThan(1000);
    expect(byAlgorithm.sha256).toBeGreaterThan(500);
  });

  it('is ready in a moment', () => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round += 1) {
      const began = performance.now();
      compile(loadDatabase([folder]));
      best = Math.min(best, performance.now() - began);
    }
    expect(best).toBeLessThan(250);
  });
});
