import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type AppleSignOptions,
  buildRequirements,
  buildSignedMachO,
  makeAppleCertificate,
  makeAppleCertificates,
  markers,
  operation,
  requirementData,
} from '../../fixtures/apple-signer.ts';
import { buildFat, buildMachO } from '../../fixtures/macho-builder.ts';
import { verifyMachO } from '../../src/authenticity/apple-code-signature.ts';
import type { Authenticity } from '../../src/authenticity/model.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { chainSources } from '../../src/bytes/chain-sources.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { parseCodeSignature } from '../../src/formats/macho/code-signature.ts';
import { parseMachO } from '../../src/formats/macho/parse.ts';
import { renderRequirements } from '../../src/formats/macho/requirement.ts';
import { mutate } from '../mutation.ts';

const team = 'AL798K98FX';
const set = makeAppleCertificates(team);
const pins: PublisherPins = {
  publishers: [
    {
      id: 'skype',
      name: 'Fixture',
      commonNames: [`Developer ID Application: Fixture (${team})`],
      leaves: [],
      intermediates: [],
      appleTeams: [{ team, from: '2012-01-01', to: '2024-12-31' }],
    },
  ],
  appleAnchors: [set.root.sha256],
};

const signer: NonNullable<AppleSignOptions['signer']> = {
  leaf: set.leaf,
  chain: [set.authority, set.root, set.timestampAuthority],
  timestamp: { authority: set.timestampAuthority, time: '2018-06-01T12:00:00Z' },
};
const genuine: AppleSignOptions = {
  identifier: 'com.skype.skype',
  teamId: team,
  digests: ['sha1', 'sha256'],
  signer,
};

function verify(
  bytes: Uint8Array,
  sealed?: ReadonlyMap<number, Uint8Array>,
  publishers: PublisherPins = pins,
): Authenticity {
  const budget = new Budget(bytes.length);
  const program = parseMachO(toByteSource(bytes), { budget, report() {} });
  return verifyMachO(program, publishers, {
    budget,
    ...(sealed === undefined
      ? {}
      : { sealed: new Map([...sealed].map(([slot, content]) => [slot, toByteSource(content)])) }),
  });
}

function changed(bytes: Uint8Array, ...offsets: readonly number[]): Uint8Array {
  return Uint8Array.from(bytes, (byte, at) => (offsets.includes(at) ? byte ^ 1 : byte));
}

function signatureOffsetOf(bytes: Uint8Array): number {
  const program = parseMachO(toByteSource(bytes), { budget: new Budget(bytes.length), report() {} });
  return program.images[0]?.codeSignature?.offset ?? 0;
}

describe('when a program is signed for a listed team', () => {
  it.each<[string, Partial<AppleSignOptions>, Partial<typeof signer>]>([
    ['as codesign does, indefinite lengths', {}, {}],
    ['with definite lengths', {}, { isIndefinite: false }],
    ['SHA-256 alone', { digests: ['sha256'] }, {}],
    ['cut digests', { digests: ['sha1', 'sha256-truncated'] }, {}],
    ['SHA-384', { digests: ['sha256', 'sha384'] }, {}],
    ['larger pages', { pageShift: 14 }, {}],
    ['one page for all', { pageShift: 0 }, {}],
    ['an old code directory', { version: 0x20200 }, {}],
    [
      'hardened runtime and entitlements',
      { flags: 0x10000, entitlements: { 'com.apple.security.cs.allow-jit': true } },
      {},
    ],
  ])('is intact and pinned (%s)', (_what, options, cms) => {
    const result = verify(buildSignedMachO({}, { ...genuine, ...options, signer: { ...signer, ...cms } }));
    expect(result.integrityDetail).toMatch(/pages hold, and they are signed/);
    expect(result).toMatchObject({
      integrity: 'intact',
      signer: 'pinned',
      publisher: 'skype',
      weakDigestOnly: false,
    });
    expect(result.problems).toEqual([]);
    const [signature] = result.signatures;
    expect(signature).toMatchObject({
      scheme: 'apple',
      outcome: 'holds',
      teamId: team,
      certificateOf: 'skype',
      signingTime: '2018-06-01T12:00:00Z',
      pin: { kind: 'team', publisher: 'skype', fingerprint: set.root.sha256, timeProved: true },
      apple: { identifier: 'com.skype.skype', certificateKind: 'Developer ID Application' },
    });
    expect(signature?.problems).toEqual([]);
    expect(
      signature?.apple?.codeDirectories.every(
        (directory) => directory.signed && directory.changedPages === 0,
      ),
    ).toBe(true);
  });

  it('says that SHA-1 alone is weak', () => {
    const result = verify(buildSignedMachO({}, { ...genuine, digests: ['sha1'] }));
    expect(result).toMatchObject({ integrity: 'intact', weakDigestOnly: true });
  });

  it('counts an alternate that is not signed for nothing', () => {
    const result = verify(
      buildSignedMachO({}, { ...genuine, signer: { ...signer, listsDirectories: false } }),
    );
    expect(result).toMatchObject({ integrity: 'intact', weakDigestOnly: true });
    expect(result.signatures[0]?.problems.map(({ code }) => code)).toContain('hidden-bytes');
  });

  it('knows 32-bit and big-endian programs', () => {
    const recipe = { cpu: 18, subtype: 0, is64: false, isBigEndian: true };
    expect(verify(buildSignedMachO(recipe, genuine))).toMatchObject({
      integrity: 'intact',
      signer: 'pinned',
    });
  });

  it('takes a program of the store by the team that Apple states', () => {
    const leaf = makeAppleCertificate({
      commonName: 'Apple iPhone OS Application Signing',
      organizationalUnits: ['Apple iPhone'],
      markers: [markers.iosStore],
      issuer: set.authority,
    });
    const result = verify(buildSignedMachO({}, { ...genuine, signer: { ...signer, leaf } }));
    expect(result).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    expect(result.signatures[0]?.apple?.certificateKind).toBe('App Store (iOS)');
  });
});

describe('when the proof for the team falls short', () => {
  const refused = (options: Partial<AppleSignOptions>, publishers?: PublisherPins): Authenticity =>
    verify(buildSignedMachO({}, { ...genuine, ...options }), undefined, publishers);

  it('is claimed when the chain does not lead to Apple', () => {
    const forged = makeAppleCertificates(team);
    const result = refused({ signer: { leaf: forged.leaf, chain: [forged.authority, forged.root] } });
    expect(result).toMatchObject({ integrity: 'intact', signer: 'claimed', publisher: 'skype' });
    expect(result.signerDetail).toMatch(/does not lead to a certificate that is known to be of Apple/);
    expect(result.signatures[0]?.pin).toBeUndefined();
    expect(result.signatures[0]?.certificateOf).toBeUndefined();
  });

  it('is claimed when Apple certificates are only stuffed in', () => {
    const forged = makeAppleCertificates(team);
    const result = refused({
      signer: { leaf: forged.leaf, chain: [forged.authority, set.authority, set.root] },
    });
    expect(result.signer).toBe('claimed');
    expect(result.signatures[0]?.problems.map(({ code }) => code)).toContain('unused-certificates');
  });

  it('is claimed by the built-in certificates of Apple, which did not issue ours', () => {
    expect(refused({}, { publishers: pins.publishers }).signer).toBe('claimed');
  });

  it('is claimed when the certificate is for something else', () => {
    const leaf = makeAppleCertificate({
      commonName: 'Web',
      organizationalUnits: [team],
      purpose: 'web-server',
      issuer: set.authority,
    });
    expect(refused({ signer: { ...signer, leaf } }).signer).toBe('claimed');
  });

  it('is claimed when the code directory states another team than the certificate', () => {
    const other = makeAppleCertificate({
      commonName: 'Other',
      organizationalUnits: ['OTHERTEAM1'],
      issuer: set.authority,
    });
    expect(refused({ signer: { ...signer, leaf: other } })).toMatchObject({
      signer: 'claimed',
      publisher: 'skype',
    });
    expect(refused({ teamId: 'OTHERTEAM1' }).signer).toBe('claimed');
  });

  it('is claimed outside of the period of the pin', () => {
    const result = refused({
      signer: { ...signer, timestamp: { authority: set.timestampAuthority, time: '2026-01-01T00:00:00Z' } },
    });
    expect(result.signer).toBe('claimed');
    expect(result.signatures[0]?.problems.map(({ code }) => code)).toContain('outside-pin-period');
  });

  it('says when no timestamp proves the time, and pins all the same', () => {
    const result = refused({ signer: { leaf: set.leaf, chain: [set.authority, set.root] } });
    expect(result.signer).toBe('pinned');
    expect(result.signatures[0]?.pin?.timeProved).toBe(false);
  });

  it('is another signer for another team', () => {
    const other = makeAppleCertificate({
      commonName: 'Other',
      organizationalUnits: ['OTHERTEAM1'],
      issuer: set.authority,
    });
    const result = refused({ teamId: 'OTHERTEAM1', signer: { ...signer, leaf: other } });
    expect(result).toMatchObject({ integrity: 'intact', signer: 'other' });
  });
});

describe('when a signed program was changed', () => {
  const seed = buildSignedMachO({}, { ...genuine, entitlements: { a: true } });

  it.each([1_000, 4_096, 5_000, 20_000])('says the same of bytes in pieces of %i', (pieceBytes) => {
    for (const bytes of [seed, changed(seed, 4200), changed(seed, 10, 9000, 9001)]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
        toByteSource(bytes.slice(index * pieceBytes, (index + 1) * pieceBytes)),
      );
      const budget = new Budget(bytes.length);
      const program = parseMachO(chainSources(pieces), { budget, report() {} });
      expect(verifyMachO(program, pins, { budget })).toEqual(verify(bytes));
    }
  });

  it('names the page', () => {
    const result = verify(changed(seed, 4200));
    expect(result).toMatchObject({ integrity: 'modified', signer: 'claimed', publisher: 'skype' });
    expect(result.integrityDetail).toMatch(/^1 of \d+ pages .* offset 4096\.$/);
    // The certificate is that of the publisher, so that this is a change and no forgery.
    expect(result.signatures[0]).toMatchObject({
      certificateOf: 'skype',
      signatureVerifies: true,
      digestMatches: false,
    });
  });

  it('sees every single byte of the code', () => {
    const end = signatureOffsetOf(seed);
    for (let at = 40; at < end; at += 97) {
      const result = verify(changed(seed, at));
      expect(result.integrity, `byte ${at}`).not.toBe('intact');
      expect(result.signer, `byte ${at}`).not.toBe('pinned');
    }
  });

  it('sees a change in entitlements and requirements', () => {
    const place = { offset: signatureOffsetOf(seed), size: seed.length - signatureOffsetOf(seed) };
    const parsed = parseCodeSignature(toByteSource(seed), place);
    for (const blob of [parsed.entitlements, parsed.requirements]) {
      expect(blob).toBeDefined();
      const result = verify(changed(seed, (blob?.offset ?? 0) + (blob?.size ?? 0) - 1));
      expect(result.integrity).toBe('modified');
    }
  });

  it('sees a code directory that was digested anew', () => {
    // The pages fit, the signature is over the old code directory.
    const other = buildSignedMachO(
      { code: Buffer.alloc(6000, 7) },
      { ...genuine, entitlements: { a: true } },
    );
    const [from, to] = [signatureOffsetOf(seed), signatureOffsetOf(other)];
    const parsed = (bytes: Uint8Array, at: number): { cms: number; size: number } => {
      const { cms } = parseCodeSignature(toByteSource(bytes), { offset: at, size: bytes.length - at });
      return { cms: cms?.offset ?? 0, size: cms?.bytes.length ?? 0 };
    };
    const [source, target] = [parsed(seed, from), parsed(other, to)];
    const forged = Uint8Array.from(other);
    forged.set(seed.subarray(source.cms, source.cms + Math.min(source.size, target.size)), target.cms);
    const result = verify(forged);
    expect(['modified', 'damaged']).toContain(result.integrity);
    expect(result.signer).not.toBe('pinned');
  });

  it('sees bytes behind the signature', () => {
    const result = verify(Buffer.concat([seed, Buffer.from('more')]));
    expect(result).toMatchObject({
      integrity: 'modified',
      integrityDetail: '4 bytes follow the code signature, which has to be the end.',
    });
  });

  it('sees a code directory that covers less than the code', () => {
    expect(verify(buildSignedMachO({}, { ...genuine, codeLimit: 4096 }))).toMatchObject({
      integrity: 'modified',
      signer: 'claimed',
    });
  });

  it('refuses two signers, of which one could be genuine', () => {
    const result = verify(buildSignedMachO({}, { ...genuine, signer: { ...signer, isDoubled: true } }));
    expect(result).toMatchObject({ integrity: 'damaged', signer: 'none' });
  });

  it('sees a stronger code directory taken away', () => {
    // The index entry of the alternate (slot 0x1000) becomes one of another kind.
    const at = signatureOffsetOf(seed);
    const bytes = Uint8Array.from(seed);
    const entry = Buffer.from(bytes.buffer).indexOf(Buffer.from('00001000', 'hex'), at);
    expect(entry).toBeGreaterThan(at);
    bytes[entry + 1] = 0x77;
    const result = verify(bytes);
    expect(result.integrity).toBe('modified');
    expect(result.signatures[0]?.problems.map(({ code }) => code)).toContain('signature-invalid');
  });
});

describe('when the signature is not there', () => {
  it('is unsigned without a load command', () => {
    expect(verify(buildMachO().bytes)).toMatchObject({ integrity: 'unsigned', signer: 'none' });
  });

  it('is removed when only zeros are left', () => {
    expect(verify(buildMachO({ signatureBytes: 4096 }).bytes)).toMatchObject({
      integrity: 'signature-removed',
      signer: 'none',
    });
  });

  it('is removed when the file ends right before it, damaged when inside', () => {
    const seed = buildSignedMachO({}, genuine);
    const end = signatureOffsetOf(seed);
    expect(verify(seed.subarray(0, end)).integrity).toBe('signature-removed');
    expect(verify(seed.subarray(0, end + 100)).integrity).toBe('damaged');
    expect(verify(seed.subarray(0, end - 100)).integrity).toBe('damaged');
  });

  it('is removed when the code directory is not ad hoc and nobody signed it', () => {
    const { signer: _signer, ...unsigned } = genuine;
    // An ad hoc seal with the flag taken out and digested as it is.
    const adhoc = buildSignedMachO({}, { ...unsigned, digests: ['sha256'] });
    expect(verify(adhoc)).toMatchObject({ integrity: 'unsigned', signer: 'claimed', signatures: [] });
    const at = Buffer.from(adhoc.buffer).indexOf(Buffer.from('fade0c02', 'hex'), signatureOffsetOf(adhoc));
    const bytes = Uint8Array.from(adhoc);
    bytes[at + 15] = 0;
    expect(verify(bytes)).toMatchObject({ integrity: 'signature-removed', signer: 'none' });
  });

  it('takes a broken ad hoc seal for a change', () => {
    const adhoc = buildSignedMachO({}, { identifier: 'x' });
    expect(verify(adhoc)).toMatchObject({ integrity: 'unsigned', signer: 'none' });
    expect(verify(changed(adhoc, 5000)).integrity).toBe('modified');
  });
});

describe('when files of the bundle are signed too', () => {
  const sealed = new Map([
    [1, Buffer.from('<plist/>')],
    [3, Buffer.from('the seal')],
  ]);
  const bytes = buildSignedMachO({}, { ...genuine, sealed });

  it('names those that were not compared', () => {
    const [signature] = verify(bytes).signatures;
    expect(signature?.apple?.unchecked).toEqual(['Info.plist', 'CodeResources']);
    expect(verify(bytes).signer).toBe('pinned');
  });

  it('compares those that are given', () => {
    expect(verify(bytes, sealed)).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    expect(verify(bytes, sealed).signatures[0]?.apple?.unchecked).toEqual([]);
    const result = verify(bytes, new Map([[1, Buffer.from('<plist>x</plist>')]]));
    expect(result).toMatchObject({ integrity: 'modified', signer: 'claimed' });
    expect(result.integrityDetail).toMatch(/^Info\.plist in the bundle/);
  });
});

describe('when a file holds several programs', () => {
  const slice = (
    cpu: number,
    options: AppleSignOptions | undefined,
  ): { cpu: number; subtype: number; bytes: Uint8Array } => ({
    cpu,
    subtype: 3,
    bytes: options === undefined ? buildMachO({ cpu }).bytes : buildSignedMachO({ cpu }, options),
  });
  const [x86, x64] = [slice(7, genuine), slice(0x01000007, genuine)];

  it('is pinned when all are', () => {
    expect(verify(buildFat([x86, x64]))).toMatchObject({ integrity: 'intact', signer: 'pinned' });
  });

  it('is modified when one was changed, added or signed by somebody else', () => {
    const other = makeAppleCertificate({
      commonName: 'Other',
      organizationalUnits: ['OTHERTEAM1'],
      issuer: set.authority,
    });
    const foreign = slice(12, { ...genuine, teamId: 'OTHERTEAM1', signer: { ...signer, leaf: other } });
    for (const added of [
      { ...x64, bytes: changed(x64.bytes, 5000) },
      slice(12, undefined),
      slice(12, { identifier: 'adhoc' }),
      foreign,
    ]) {
      const result = verify(buildFat([x86, added]));
      expect(result.integrity).toBe('modified');
      expect(result.signer).toBe('claimed');
    }
  });

  it('is modified when bytes belong to none', () => {
    const bytes = Buffer.from(buildFat([x86, x64]));
    bytes.write('hidden', 3000);
    expect(verify(bytes).integrity).toBe('modified');
  });

  it('is damaged when one is missing', () => {
    const bytes = buildFat([x86, { ...x64, stated: { offset: 0x7ffff000 } }]);
    expect(['damaged', 'modified']).toContain(verify(bytes).integrity);
    expect(verify(bytes).signer).not.toBe('pinned');
  });
});

describe('when requirements are rendered', () => {
  // The published designated requirement of a Developer ID program (technote 3127), operation by operation.
  const marker = (oid: string): Uint8Array => requirementData(Buffer.from(oid, 'hex'));
  const expression = [
    operation(6),
    operation(6),
    operation(6),
    operation(15),
    operation(2),
    requirementData('com.skype.skype'),
    operation(7),
    Buffer.concat([operation(14), operation(0), marker('2a864886f76364060109'), operation(0)]),
    Buffer.concat([operation(14), operation(1), marker('2a864886f76364060206'), operation(0)]),
    Buffer.concat([
      operation(11),
      operation(0),
      requirementData('subject.OU'),
      operation(1),
      requirementData(team),
    ]),
  ];

  it('gives the text that codesign prints', () => {
    expect(renderRequirements(buildRequirements(...expression))).toEqual([
      {
        kind: 'designated',
        isWhole: true,
        text: `anchor apple generic and identifier "com.skype.skype" and (certificate leaf[field.1.2.840.113635.100.6.1.9] /* exists */ or certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */) and certificate leaf[subject.OU] = ${team}`,
      },
    ]);
  });

  it('stops at an operation that it does not know', () => {
    const [rendered] = renderRequirements(buildRequirements(operation(6), operation(3), operation(99)));
    expect(rendered).toEqual({
      kind: 'designated',
      isWhole: false,
      text: 'anchor apple and /* operation 99 */ …',
    });
  });

  it('stops at nesting without end', () => {
    const deep = Array.from({ length: 5000 }, () => operation(9));
    expect(() => renderRequirements(buildRequirements(...deep))).toThrow(TelltaleError);
  });
});

const openssl = spawnSync('openssl', ['version']);
const hasOpenssl = openssl.status === 0;
if (!hasOpenssl) console.warn('SKIPPED: Apple CMS signatures against openssl, because it is not installed');
const folder = mkdtempSync(join(tmpdir(), 'telltale-apple-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasOpenssl)('when openssl checks the same signature', () => {
  it('agrees that it is over the first code directory', () => {
    const bytes = buildSignedMachO({}, genuine);
    const offset = signatureOffsetOf(bytes);
    const parsed = parseCodeSignature(toByteSource(bytes), { offset, size: bytes.length - offset });
    writeFileSync(join(folder, 'cms'), parsed.cms?.bytes ?? new Uint8Array(0));
    const directory = parsed.directories[0]?.blob.bytes ?? new Uint8Array(0);
    const run = (content: Uint8Array): number | null => {
      writeFileSync(join(folder, 'content'), content);
      return spawnSync('openssl', [
        'cms',
        '-verify',
        '-noverify',
        '-binary',
        '-inform',
        'DER',
        '-in',
        join(folder, 'cms'),
        '-content',
        join(folder, 'content'),
        '-out',
        join(folder, 'out'),
      ]).status;
    };
    expect(run(directory)).toBe(0);
    expect(run(changed(directory, 50))).not.toBe(0);
  });
});

describe('when signed programs are damaged at random', () => {
  // Small pages and little code keep 2,000 checks short.
  const seed = buildSignedMachO(
    { code: new Uint8Array(64), signatureBytes: 6144 },
    { ...genuine, digests: ['sha1', 'sha256'], entitlements: { a: true } },
  );
  const end = signatureOffsetOf(seed);
  const covered = Buffer.from(seed.subarray(0, end));
  const directories = parseCodeSignature(toByteSource(seed), {
    offset: end,
    size: seed.length - end,
  }).directories.map(({ blob }) => Buffer.from(blob.bytes));

  it('never takes a changed program for an intact one', () => {
    let intact = 0;
    const spread = mutate(seed, 1_000, 7);
    // Half of the damage goes into the signature alone.
    const inSignature = function* (): Generator<{ bytes: Uint8Array; description: string }> {
      for (const { bytes, description } of mutate(seed.subarray(end), 1_000, 8)) {
        yield { bytes: Buffer.concat([covered, bytes]), description: `signature ${description}` };
      }
    };
    for (const mutants of [spread, inSignature()]) {
      for (const { bytes, description } of mutants) {
        const started = performance.now();
        let result: Authenticity;
        try {
          result = verify(bytes);
        } catch (error) {
          // Only the headers may be unreadable; the check itself never throws.
          expect(error, description).toBeInstanceOf(TelltaleError);
          continue;
        }
        expect(performance.now() - started, description).toBeLessThan(5_000);
        if (result.integrity !== 'intact') {
          expect(result.signer, description).not.toBe('pinned');
          continue;
        }
        intact += 1;
        expect(Buffer.from(bytes.subarray(0, end)).equals(covered), description).toBe(true);
        for (const directory of directories)
          expect(Buffer.from(bytes).includes(directory), description).toBe(true);
      }
    }
    // Unsigned attributes, certificates and padding may change.
    expect(intact).toBeGreaterThan(10);
  });
});
