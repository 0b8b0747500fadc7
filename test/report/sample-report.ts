import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { type ScanReport, toScanReport } from '../../src/report/model.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { applyPolicy, defaultPolicy, type Policy } from '../../src/verdict/policy.ts';
import { scanBytes, shippedKnowledge } from '../end-to-end/scan-bytes.ts';

/** A report over these files, as the command line would make it. */
export function toReport(
  files: readonly FileResult[],
  options: { readonly policy?: Partial<Policy>; readonly isInterrupted?: boolean } = {},
): ScanReport {
  const policy: Policy = { ...defaultPolicy, ...options.policy };
  const { products, digest } = shippedKnowledge().database;
  return toScanReport({
    files,
    expectedFiles: files.length + (options.isInterrupted === true ? 3 : 0),
    leftOut: 0,
    isInterrupted: options.isInterrupted ?? false,
    toolVersion: '1.2.3',
    database: {
      products: products.map(({ product }) => ({
        id: product.id,
        name: product.name,
        revision: product.revision,
      })),
      digest,
      usesKnownBuilds: true,
    },
    rules: [],
    policy: {
      file: null,
      lock: null,
      failOn: policy.failOn,
      require: policy.require,
      ...applyPolicy(files, policy, '2026-01-01'),
    },
  });
}

/** One file of each kind: another edition in an archive, one that is only unknown, one that could not be read, a text. */
export async function scanSamples(): Promise<readonly FileResult[]> {
  return [
    await scanBytes(
      'downloads/skype_cn.zip',
      buildZip({ entries: [{ name: '软件/Tom-SkypeSetup.exe', data: buildTomSkype() }] }),
    ),
    await scanBytes('downloads/Skype.exe', buildPlainSkype()),
    await scanBytes(
      'downloads/secret.zip',
      buildZip({ entries: [{ name: 'client.exe', data: 'x'.repeat(40), flags: 1 }] }),
    ),
    await scanBytes('downloads/notes.txt', new TextEncoder().encode('nothing to do with it\n')),
  ];
}
