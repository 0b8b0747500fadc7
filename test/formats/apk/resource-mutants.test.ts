import { describe, expect, it } from 'vitest';
import {
  buildBinaryXml,
  buildProtoXml,
  buildResourceTable,
} from '../../../fixtures/android-resources-builder.ts';
import { type ApkRecipe, resourceIds, toManifest, toResources } from '../../../fixtures/apk-builder.ts';
import { Budget, defaultLimits } from '../../../src/bytes/budget.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { readBinaryXml } from '../../../src/formats/apk/axml.ts';
import { readManifest } from '../../../src/formats/apk/manifest.ts';
import { readProtoXml } from '../../../src/formats/apk/proto-xml.ts';
import { readResourceTable } from '../../../src/formats/apk/resources-arsc.ts';
import type { Finding, ReadContext } from '../../../src/formats/model.ts';
import { mutate } from '../../mutation.ts';

const recipe: ApkRecipe = {
  packageId: 'com.example.rover',
  labels: { '': 'Rover', de: 'Wanderer', 'zh-Hant-TW': '漫遊者', fil: 'Gala' },
  activities: ['com.example.raider.Main', '.Second'],
  services: ['.Service'],
  permissions: ['android.permission.CAMERA'],
};
const valuesLimit = 4096;

/** Reads every mutant; what is thrown has to be an error of ours, and soon. @returns mutants that were not taken */
function endure(
  seed: Uint8Array,
  prngSeed: number,
  read: (bytes: Uint8Array, context: ReadContext) => void,
): number {
  let refused = 0;
  for (const { bytes, description } of mutate(seed, 2000, prngSeed)) {
    const findings: Finding[] = [];
    const budget = new Budget(bytes.length, { ...defaultLimits, milliseconds: 5000 });
    const started = performance.now();
    try {
      read(bytes, { budget, report: (finding) => findings.push(finding) });
    } catch (error) {
      if (!(error instanceof TelltaleError)) {
        throw new Error(`${description}: ${String(error)}`, { cause: error });
      }
      refused += 1;
    }
    expect(performance.now() - started, description).toBeLessThan(6000);
    expect(findings.length, description).toBeLessThan(200);
    if (findings.length > 0) refused += 1;
  }
  return refused;
}

describe('when compiled resources are damaged in 2,000 ways', () => {
  it.each([
    ['UTF-16', false],
    ['UTF-8', true],
  ])('binary XML never crashes or hangs (%s)', (_name, utf8) => {
    const refused = endure(buildBinaryXml(toManifest(recipe), { utf8 }), 11, (bytes, context) => {
      expect(readManifest(readBinaryXml(bytes, context), undefined, context).length).toBeLessThan(
        valuesLimit,
      );
    });
    expect(refused).toBeGreaterThan(200);
  });

  it('a table of resources never crashes or hangs', () => {
    const seed = buildResourceTable('com.example.rover', [
      ...toResources(recipe),
      { type: 'string', name: 'reference', values: { '': { reference: resourceIds.label } } },
    ]);
    const refused = endure(seed, 12, (bytes, context) => {
      const table = readResourceTable(toByteSource(bytes), context);
      for (const id of [resourceIds.label, resourceIds.icon, 0x7f010001]) {
        expect(table.resolve(id).length).toBeLessThan(valuesLimit);
      }
    });
    expect(refused).toBeGreaterThan(200);
  });

  it('a manifest as a protocol buffer never crashes or hangs', () => {
    const refused = endure(buildProtoXml(toManifest(recipe)), 13, (bytes, context) => {
      expect(readManifest(readProtoXml(bytes, context), undefined, context).length).toBeLessThan(valuesLimit);
    });
    expect(refused).toBeGreaterThan(200);
  });
});
