import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { type Knowledge, toKnowledge } from '../../src/scan/knowledge.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import { type KnownBuild, KnownBuilds } from '../../src/signatures/known-builds.ts';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';

const database = loadDatabase([shippedDatabase]);

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** A ledger of one line, which has no SHA-256. */
function withLine(line: Pick<KnownBuild, 'digest'> & Partial<KnownBuild>): Knowledge {
  const row: KnownBuild = {
    algorithm: 'md5',
    platform: 'windows',
    variant: 'official',
    product: 'Skype',
    version: '1.0',
    fileName: 'recorded.exe',
    size: undefined,
    grade: 'medium',
    sources: ['a/b@c:d'],
    note: '',
    ...line,
  };
  return toKnowledge({
    ...database,
    products: database.products.map((one) => ({ ...one, knownBuilds: new KnownBuilds([row]) })),
  });
}

async function isKnown(name: string, bytes: Uint8Array, knowledge: Knowledge): Promise<boolean> {
  return (await scanBytes(name, bytes, { knowledge })).knownBuild !== null;
}

const silent = buildPe();
const speaking = buildPe({ versionInfo: { CompanyName: 'Skype Technologies S.A.', ProductName: 'Skype' } });

describe('when the ledger knows a file by another digest than SHA-256', () => {
  it('is asked about a file that speaks of the product', async () => {
    expect(await isKnown('renamed.exe', speaking, withLine({ digest: md5(speaking) }))).toBe(true);
  });

  it('is asked about a file with the name of a line, whatever its case', async () => {
    expect(await isKnown('Recorded.EXE', silent, withLine({ digest: md5(silent) }))).toBe(true);
  });

  it('is asked about a file with the size of a line', async () => {
    const knowledge = withLine({ digest: md5(silent), size: silent.length });
    expect(await isKnown('renamed.exe', silent, knowledge)).toBe(true);
  });

  it('is asked about the file given when something in it tells of the product, which it need not claim', async () => {
    const data = new TextEncoder().encode('\0http://skypetools.tom.com/agent/keyfile_u\0');
    const telling = buildPe({ sections: [{ name: '.data', data }] });
    expect(await isKnown('renamed.exe', telling, withLine({ digest: md5(telling) }))).toBe(true);
  });

  it('is asked about a container with something in it that speaks of the product', async () => {
    const archive = buildZip({ entries: [{ name: 'a.exe', data: speaking }] });
    expect(await isKnown('some.zip', archive, withLine({ digest: md5(archive) }))).toBe(true);
  });

  it('is asked about a file that could not be read', async () => {
    const broken = silent.subarray(0, silent.length - 1);
    expect(await isKnown('cut.exe', broken, withLine({ digest: md5(broken) }))).toBe(true);
  });

  it('is asked about everything when files of the product have nothing to show', async () => {
    const knowledge = withLine({ digest: md5(silent) });
    const products = knowledge.database.products.map((one) => ({
      ...one,
      product: { ...one.product, claims: [] },
    }));
    expect(await isKnown('renamed.exe', silent, { ...knowledge, database: { ...database, products } })).toBe(
      true,
    );
  });

  it('is not asked about a file for which nothing speaks', async () => {
    expect(await isKnown('renamed.exe', silent, withLine({ digest: md5(silent) }))).toBe(false);
  });

  it('is asked about a member that is too large to be kept', async () => {
    const archive = buildZip({ entries: [{ name: 'recorded.exe', data: silent }] });
    const { tree } = await scanBytes('some.zip', archive, {
      knowledge: withLine({ digest: md5(silent) }),
      limits: { memberBytesInMemory: 100 },
    });
    expect(tree?.members[0]?.verdict).toBe('official');
  });
});
