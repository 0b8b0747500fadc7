import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import { toPublisherPins } from '../../src/signatures/pins.ts';

const folder = mkdtempSync(join(tmpdir(), 'telltale-android-pins-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('when a database pins certificates of Android', () => {
  it('hands them to the check of signatures, beside the other pins of the publisher', () => {
    const shipped = loadDatabase([shippedDatabase]);
    const [product] = shipped.products;
    const [publisher] = product?.publishers ?? [];
    if (product === undefined || publisher === undefined) throw new Error('the database has a publisher');
    const certificate = { sha256: 'a'.repeat(64), from: '2010-01-01', to: '2020-01-01' };
    const path = join(folder, product.product.id);
    mkdirSync(path);
    writeFileSync(
      join(path, 'publishers.json'),
      JSON.stringify({
        publishers: [
          {
            id: publisher.id,
            name: publisher.name,
            commonNames: [...publisher.commonNames],
            authenticode: { leaves: [], intermediates: [] },
            androidCertificates: [{ ...certificate, sources: ['own'] }],
          },
        ],
        sources: {
          own: { title: 'Own', short: 'own', kind: 'third-party', url: 'https://example.invalid/own' },
        },
      }),
    );
    const before = toPublisherPins(shipped).publishers.find(({ id }) => id === publisher.id);
    const after = toPublisherPins(loadDatabase([shippedDatabase, folder])).publishers.find(
      ({ id }) => id === publisher.id,
    );
    expect(before?.androidCertificates ?? []).toEqual([]);
    expect(after?.androidCertificates).toEqual([certificate]);
    expect(after?.leaves).toEqual(before?.leaves);
  });
});
