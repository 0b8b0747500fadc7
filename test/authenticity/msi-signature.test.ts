import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCfb, type CfbEntryRecipe, type CfbRecipe, toClassIdBytes } from '../../fixtures/cfb-builder.ts';
import { buildMsi, columns, type MsiRecipe, packageClassId } from '../../fixtures/msi-builder.ts';
import type { Authenticity } from '../../src/authenticity/model.ts';
import { verifyMsi } from '../../src/authenticity/msi-signature.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { parseCfb } from '../../src/formats/cfb/compound-file.ts';
import type { CompoundEntry, CompoundFile } from '../../src/formats/cfb/model.ts';
import { mutate } from '../mutation.ts';
import { noPins } from './pins.ts';

const signedFixture = new Uint8Array(
  readFileSync(fileURLToPath(new URL('../../fixtures/msi/phone-signed.msi', import.meta.url))),
);
const plainFixture = new Uint8Array(
  readFileSync(fileURLToPath(new URL('../../fixtures/msi/phone.msi', import.meta.url))),
);

function open(bytes: Uint8Array): CompoundFile {
  return parseCfb(toByteSource(bytes), () => {}, new Budget(bytes.length));
}

function verify(bytes: Uint8Array, pins: PublisherPins = noPins): Authenticity {
  return verifyMsi(open(bytes), pins, { budget: new Budget(bytes.length) });
}

/** The same package written anew, each entry as it is or as the change has it. */
function rewrite(
  bytes: Uint8Array,
  change: (entry: CompoundEntry, data: Uint8Array) => CfbEntryRecipe | undefined,
  more: Partial<CfbRecipe> = {},
): Uint8Array {
  const file = open(bytes);
  const copy = (storage: CompoundEntry): CfbEntryRecipe[] =>
    storage.children.flatMap((entry): CfbEntryRecipe[] => {
      const { name, created, modified, stateBits, clsidBytes } = entry;
      if (entry.kind !== 'stream')
        return [{ name, created, modified, stateBits, clsid: clsidBytes, entries: copy(entry) }];
      const source = file.openStream(entry);
      const changed = change(entry, source.read(0, source.size));
      return changed === undefined ? [] : [changed];
    });
  return buildCfb({
    clsid: toClassIdBytes(packageClassId),
    entries: copy(file.root),
    isTableFirst: true,
    ...more,
  });
}

const keep = ({ name, created, modified, stateBits }: CompoundEntry, data: Uint8Array): CfbEntryRecipe => ({
  name,
  created,
  modified,
  stateBits,
  data,
});

describe('when a package was signed by osslsigncode', () => {
  it('is intact, and the signer is nobody that is known', () => {
    const authenticity = verify(signedFixture);
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'other', weakDigestOnly: false });
    expect(authenticity.signatures).toMatchObject([
      {
        outcome: 'holds',
        digestAlgorithm: 'sha256',
        signer: { subjectCommonName: 'Fixture Publisher', subjectOrganization: 'Fixture' },
        problems: [{ code: 'time-not-proved' }],
      },
    ]);
    expect(authenticity.problems).toEqual([]);
  });

  it('is pinned when its certificate is', () => {
    const sha256 = verify(signedFixture).signatures[0]?.signer?.sha256 ?? '';
    const pins: PublisherPins = {
      publishers: [
        {
          id: 'fixture',
          name: 'Fixture',
          commonNames: ['Fixture Publisher'],
          leaves: [{ sha256, from: '2020-01-01', to: '2060-01-01' }],
          intermediates: [],
        },
      ],
    };
    expect(verify(signedFixture, pins)).toMatchObject({
      integrity: 'intact',
      signer: 'pinned',
      publisher: 'fixture',
    });
    const changed = rewrite(signedFixture, (entry, data) =>
      keep(entry, entry.size === 6 ? Buffer.from('HELPER') : data),
    );
    expect(verify(changed, pins)).toMatchObject({ integrity: 'modified', signer: 'claimed' });
  });

  it('is intact however its sectors lie', () => {
    const layouts: readonly Partial<CfbRecipe>[] = [{}, { isFragmented: true }, { version: 4 }];
    for (const layout of layouts)
      expect(verify(rewrite(signedFixture, keep, layout)).integrity).toBe('intact');
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'a stream with another byte',
      rewrite(signedFixture, (entry, data) => keep(entry, entry.size === 6 ? Buffer.from('helpes') : data)),
      /digest .* is not that of the file/,
    ],
    [
      'a stream less',
      rewrite(signedFixture, (entry, data) => (entry.size === 6 ? undefined : keep(entry, data))),
      /is not that of the file/,
    ],
    [
      'a stream more',
      rewrite(signedFixture, keep, {
        entries: [
          ...open(signedFixture).root.children.map((entry) =>
            keep(entry, open(signedFixture).openStream(entry).read(0, entry.size)),
          ),
          { name: 'more', data: Buffer.from('more') },
        ],
      }),
      /is not that of the file/,
    ],
    [
      'a stream of another name',
      rewrite(signedFixture, (entry, data) =>
        keep(entry.size === 6 ? { ...entry, name: `${entry.name}x` } : entry, data),
      ),
      /is not that of the file/,
    ],
    [
      'a stream of another time',
      rewrite(signedFixture, (entry, data) =>
        keep(entry.size === 6 ? { ...entry, modified: 1n } : entry, data),
      ),
      /is not that of the file/,
    ],
    ['another class', rewrite(signedFixture, keep, { clsid: new Uint8Array(16) }), /is not that of the file/],
    [
      'no digest of the metadata',
      rewrite(signedFixture, (entry, data) =>
        entry.name.endsWith('SignatureEx') ? undefined : keep(entry, data),
      ),
      /is not that of the file/,
    ],
    [
      'another digest of the metadata',
      rewrite(signedFixture, (entry, data) =>
        keep(entry, entry.name.endsWith('SignatureEx') ? data.map((byte) => byte ^ 1) : data),
      ),
      /digest of names, sizes and times/,
    ],
    [
      'an archive behind it',
      rewrite(signedFixture, keep, { trailing: Buffer.from('PK\u0003\u0004 an archive') }),
      /behind the last sector/,
    ],
  ])('%s is modified', (_name, bytes, detail) => {
    const authenticity = verify(bytes);
    expect(authenticity.integrity).toBe('modified');
    expect(authenticity.integrityDetail).toMatch(detail);
  });

  it('zeros behind it change nothing, hidden sectors are remarked on', () => {
    expect(verify(rewrite(signedFixture, keep, { trailing: new Uint8Array(700) })).integrity).toBe('intact');
    const hidden = verify(
      rewrite(signedFixture, keep, { freeSectors: [Buffer.from('hidden')], isTableFirst: false }),
    );
    expect(hidden.integrity).toBe('intact');
    expect(hidden.problems).toMatchObject([{ code: 'hidden-bytes' }]);
    const behind = rewrite(signedFixture, (entry, data) =>
      keep(
        entry,
        entry.name.endsWith('DigitalSignature') ? Buffer.concat([data, Buffer.from('hidden')]) : data,
      ),
    );
    expect(verify(behind).problems).toMatchObject([{ code: 'hidden-bytes' }]);
  });

  it('a package that is cut off is damaged', () => {
    const authenticity = verify(signedFixture.subarray(0, signedFixture.length - 3000));
    expect(authenticity.integrity).not.toBe('intact');
    const recipe: MsiRecipe = {
      tables: [],
      streams: [{ name: 'big', data: new Uint8Array(50_000).fill(1) }],
    };
    expect(verify(buildMsi(recipe).subarray(0, 30_000)).integrity).toBe('unsigned');
  });

  it('a signature that was taken out is removed, or never was', () => {
    expect(verify(plainFixture)).toMatchObject({ integrity: 'unsigned', signer: 'none' });
    const half = rewrite(signedFixture, (entry, data) =>
      entry.name === '\u0005DigitalSignature' ? undefined : keep(entry, data),
    );
    expect(verify(half).integrity).toBe('signature-removed');
    const emptied = rewrite(signedFixture, (entry, data) =>
      keep(entry, entry.name === '\u0005DigitalSignature' ? new Uint8Array(0) : data),
    );
    expect(verify(emptied).integrity).toBe('signature-removed');
  });

  it.each<[string, (data: Uint8Array) => Uint8Array]>([
    ['noise', (data) => data.map((_, at) => (at * 7) & 0xff)],
    ['a part of itself', (data) => data.subarray(0, 200)],
  ])('a signature that is %s is damaged', (_name, change) => {
    const bytes = rewrite(signedFixture, (entry, data) =>
      keep(entry, entry.name === '\u0005DigitalSignature' ? change(data) : data),
    );
    const authenticity = verify(bytes);
    expect(authenticity).toMatchObject({ integrity: 'damaged', signer: 'none' });
    expect(authenticity.signatures[0]?.outcome).toBe('malformed');
  });

  it('a name that differs in upper and lower case only is remarked on', () => {
    const bytes = rewrite(plainFixture, keep, {
      entries: [{ name: '\u0005digitalsignature', data: Buffer.from('x') }],
    });
    expect(verify(bytes)).toMatchObject({ integrity: 'unsigned', problems: [{ code: 'stray-signature' }] });
  });

  it('a signature over an executable is none over a package', () => {
    // The object identifier of SpcSipInfo becomes that of SpcPeImageData.
    const sipInfo = Buffer.from('060a2b06010401823702011e', 'hex');
    const bytes = Buffer.from(signedFixture);
    const at = bytes.indexOf(sipInfo);
    expect(at).toBeGreaterThan(0);
    bytes[at + sipInfo.length - 1] = 0x0f;
    const authenticity = verify(bytes);
    expect(authenticity.integrity).toBe('modified');
    expect(authenticity.signatures[0]?.problems[0]?.message).toContain('not made for an installer package');
  });
});

describe('when signed packages are damaged at random', () => {
  it('2,000 mutants neither crash nor hang, and none is intact with another content', () => {
    const original = JSON.stringify(readAllStreams(open(signedFixture)));
    let intact = 0;
    for (const { bytes, description } of mutate(signedFixture, 2000, 41)) {
      const started = performance.now();
      let file: CompoundFile;
      try {
        file = open(bytes);
      } catch {
        continue;
      }
      const { integrity } = verifyMsi(file, noPins, { budget: new Budget(bytes.length) });
      expect(performance.now() - started, description).toBeLessThan(1000);
      if (integrity !== 'intact') continue;
      intact += 1;
      expect(JSON.stringify(readAllStreams(file)), description).toBe(original);
    }
    expect(intact).toBeGreaterThan(10);
    expect(intact).toBeLessThan(1500);
  });
});

/** Names and bytes of all streams but those of the signature. */
function readAllStreams(file: CompoundFile): (readonly [string, string])[] {
  return file.root.children
    .filter(({ kind, name }) => kind === 'stream' && !name.includes('DigitalSignature'))
    .map((entry) => {
      const source = file.openStream(entry);
      return [entry.name, Buffer.from(source.read(0, source.size)).toString('base64')] as const;
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const hasTools = ['osslsigncode', 'openssl'].every(
  (tool) => spawnSync(tool, ['version']).error === undefined,
);
if (!hasTools)
  console.warn('SKIPPED: packages signed by osslsigncode, because it or openssl is not installed');

describe.skipIf(!hasTools)('when osslsigncode signs and verifies the same packages', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);

  function run(tool: string, ...args: string[]): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: 'utf8' });
    return { status, text: `${stdout}${stderr}` };
  }

  /** What it says about the digests; the chain is another question. */
  function theirVerdict(bytes: Uint8Array): 'intact' | 'modified' | 'unsigned' {
    writeFileSync(at('asked.msi'), bytes);
    const { text } = run('osslsigncode', 'verify', '-CAfile', 'certificate.pem', '-in', 'asked.msi');
    if (/No signature found|MSI file has no signature|DigitalSignature stream data error/.test(text))
      return 'unsigned';
    return text.includes('MISMATCH') || text.includes('Signature verification: failed')
      ? 'modified'
      : 'intact';
  }

  function sign(bytes: Uint8Array, ...more: string[]): Uint8Array {
    writeFileSync(at('plain.msi'), bytes);
    rmSync(at('signed.msi'), { force: true });
    const { status, text } = run(
      'osslsigncode',
      'sign',
      '-certs',
      'certificate.pem',
      '-key',
      'key.pem',
      ...more,
      '-in',
      'plain.msi',
      '-out',
      'signed.msi',
    );
    if (status !== 0) throw new Error(text);
    return new Uint8Array(readFileSync(at('signed.msi')));
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'telltale-msi-signature-'));
    run(
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'key.pem',
      '-out',
      'certificate.pem',
      '-days',
      '900',
      '-subj',
      '/CN=Tool Publisher',
      '-addext',
      'extendedKeyUsage=codeSigning',
    );
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const rich = buildMsi({
    cfb: { isTableFirst: true },
    tables: [{ name: 'Property', columns: columns('Property:s72*', 'Value:l0'), rows: [['A', 'b']] }],
    streams: [
      { name: 'a', data: Buffer.from('1') },
      { name: 'aa', data: Buffer.from('2') },
      { name: 'ab-', data: Buffer.from('3') },
      { name: 'B.cab', data: new Uint8Array(40_000).fill(9) },
      { name: 'ä', data: Buffer.from('4') },
    ],
    entries: [
      {
        name: 'Storage',
        clsid: Uint8Array.from({ length: 16 }, (_, index) => index),
        stateBits: 3,
        modified: 129_000_000_000_000_000n,
        entries: [
          { name: 'inner', data: new Uint8Array(5000).fill(3) },
          // One level only: of deeper storages it writes a directory that it cannot read itself.
          { name: '\u0005DigitalSignature', data: Buffer.from('not a signature') },
        ],
      },
    ],
  });

  it.each([
    ['wixl, SHA-256', plainFixture, ['-h', 'sha256']],
    ['wixl, SHA-1', plainFixture, ['-h', 'sha1']],
    ['wixl, SHA-384 and metadata', plainFixture, ['-h', 'sha384', '-add-msi-dse']],
    ['storages, SHA-256', rich, ['-h', 'sha256']],
    ['storages, SHA-256 and metadata', rich, ['-h', 'sha256', '-add-msi-dse']],
  ])('what it signs is intact: %s', (_name, bytes, options) => {
    const signed = sign(bytes, ...options);
    const authenticity = verify(signed);
    expect(authenticity).toMatchObject({
      integrity: 'intact',
      weakDigestOnly: options.includes('sha1'),
      problems: [],
    });
    expect(theirVerdict(signed)).toBe('intact');
    const printed = /Calculated DigitalSignature\s*: ([0-9A-F]+)/.exec(
      run('osslsigncode', 'verify', '-in', 'signed.msi').text,
    )?.[1];
    expect(authenticity.signatures[0]?.actualDigest).toBe(printed?.toLowerCase());
  });

  it.each([
    ['without', []],
    ['with', ['-add-msi-dse']],
  ])('we agree about changes %s metadata', (_name, options) => {
    const signed = sign(rich, '-h', 'sha256', ...options);
    const hasMetadata = options.length > 0;
    const changes: readonly (readonly [string, Uint8Array, 'intact' | 'modified' | 'unsigned'])[] = [
      ['nothing', rewrite(signed, keep), 'intact'],
      [
        'a byte',
        rewrite(signed, (entry, data) =>
          keep(entry, data.length === 40_000 ? data.map((byte, index) => (index === 999 ? 1 : byte)) : data),
        ),
        'modified',
      ],
      [
        'a byte in a storage',
        rewrite(signed, (entry, data) =>
          keep(entry, data.length === 5000 ? data.map((byte, index) => (index === 999 ? 1 : byte)) : data),
        ),
        'modified',
      ],
      [
        'a time',
        rewrite(signed, (entry, data) =>
          keep(data.length === 5000 ? { ...entry, modified: 7n } : entry, data),
        ),
        hasMetadata ? 'modified' : 'intact',
      ],
      [
        'a name that stays in its place',
        rewrite(signed, (entry, data) =>
          keep(data.length === 5000 ? { ...entry, name: 'innes' } : entry, data),
        ),
        hasMetadata ? 'modified' : 'intact',
      ],
    ];
    for (const [change, bytes, expected] of changes) {
      expect(verify(bytes).integrity, change).toBe(expected);
      expect(theirVerdict(bytes), change).toBe(expected);
    }
  });

  it('what it takes the signature from is unsigned', () => {
    sign(rich, '-h', 'sha256', '-add-msi-dse');
    run('osslsigncode', 'remove-signature', '-in', 'signed.msi', '-out', 'without.msi');
    const without = new Uint8Array(readFileSync(at('without.msi')));
    expect(verify(without).integrity).toBe('unsigned');
    expect(theirVerdict(without)).toBe('unsigned');
  });

  it('a nested signature is checked', () => {
    const first = sign(plainFixture, '-h', 'sha256');
    const both = sign(first, '-h', 'sha384', '-nest');
    expect(verify(both)).toMatchObject({
      integrity: 'intact',
      signatures: [
        { nested: false, outcome: 'holds', digestAlgorithm: 'sha256' },
        { nested: true, outcome: 'holds', digestAlgorithm: 'sha384' },
      ],
    });
  });
});
