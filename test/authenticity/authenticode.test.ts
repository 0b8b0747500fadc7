import { describe, expect, it } from 'vitest';
import {
  type SignOptions,
  coveredBytes,
  makeSignature,
  pointCertificateTableBeyondEnd,
  removeSignature,
  signPe,
} from '../../fixtures/authenticode-signer.ts';
import {
  type CertificateFixture,
  makeCertificate,
  makeCertificateSet,
} from '../../fixtures/certificate-authority.ts';
import { join } from '../../fixtures/der-writer.ts';
import { buildPe } from '../../fixtures/pe-builder.ts';
import type { Authenticity, AuthenticityProblemCode, SignatureResult } from '../../src/authenticity/model.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { verifyBytes } from './verify-bytes.ts';

const authorities = makeCertificateSet({
  subject: { commonName: 'Example Publisher S.A.', organization: 'Example Publisher S.A.', country: 'LU' },
  from: '2015-01-01T00:00:00Z',
  to: '2016-12-31T00:00:00Z',
});
const { root, intermediate, leaf, timestampRoot, timestampAuthority } = authorities;
const inPeriod = '2016-03-01T12:00:00Z';
const stamp = {
  kind: 'rfc3161',
  time: inPeriod,
  authority: timestampAuthority,
  chain: [timestampRoot],
} as const;
const legacyStamp = { ...stamp, kind: 'legacy' } as const;
const usual: SignOptions = { leaf, chain: [intermediate], digest: 'sha256', timestamp: stamp };

const plain = buildPe({
  sections: [{ name: '.data', data: new Uint8Array(3000).fill(7) }],
  overlay: new Uint8Array(37).fill(9),
});
const good = signPe(plain, usual);

function pinLeaf(
  certificate: CertificateFixture,
  period = { from: '2015-01-01', to: '2016-12-31' },
): PublisherPins {
  return {
    publishers: [
      {
        id: 'example',
        name: 'Example',
        commonNames: ['Example Publisher SA'],
        leaves: [{ sha256: certificate.sha256, ...period }],
        intermediates: [],
      },
    ],
  };
}
const pins = pinLeaf(leaf);
const intermediatePins: PublisherPins = {
  publishers: [
    {
      id: 'example',
      name: 'Example',
      commonNames: ['Example Publisher SA'],
      leaves: [],
      intermediates: [
        {
          sha1: intermediate.sha1,
          sha256: intermediate.sha256,
          commonNames: ['Example Publisher S.A.'],
          organizations: ['Example Publisher S.A.'],
          from: '2015-01-01',
          to: '2016-12-31',
        },
      ],
    },
  ],
};

function changed(bytes: Uint8Array, at: number, by = 1): Uint8Array {
  return Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ by : byte));
}

function tableOf(bytes: Uint8Array): { entry: number; offset: number; size: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const optionalHeader = view.getUint32(0x3c, true) + 24;
  const entry = optionalHeader + (view.getUint16(optionalHeader, true) === 0x20b ? 112 : 96) + 32;
  return { entry, offset: view.getUint32(entry, true), size: view.getUint32(entry + 4, true) };
}

function withTable(bytes: Uint8Array, offset: number, size: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const { entry } = tableOf(bytes);
  const view = new DataView(copy.buffer);
  view.setUint32(entry, offset, true);
  view.setUint32(entry + 4, size, true);
  return copy;
}

function codes({ problems }: SignatureResult | Authenticity): AuthenticityProblemCode[] {
  return problems.map(({ code }) => code);
}

function first(authenticity: Authenticity): SignatureResult {
  const [signature] = authenticity.signatures;
  if (signature === undefined) throw new Error('there is no signature');
  return signature;
}

describe('when a signed file is as it was signed', () => {
  it('is intact and pinned, at the time of its stamp', () => {
    const authenticity = verifyBytes(good, pins);
    expect(authenticity).toMatchObject({
      integrity: 'intact',
      signer: 'pinned',
      publisher: 'example',
      weakDigestOnly: false,
      problems: [],
    });
    const signature = first(authenticity);
    expect(signature).toMatchObject({
      outcome: 'holds',
      digestAlgorithm: 'sha256',
      digestMatches: true,
      signatureVerifies: true,
      signingTime: inPeriod,
      expiredAtSigning: false,
      pin: {
        publisher: 'example',
        kind: 'leaf',
        algorithm: 'sha256',
        fingerprint: leaf.sha256,
        weak: false,
        timeProved: true,
      },
      problems: [],
    });
    expect(signature.place.offset).toBe(tableOf(good).offset + 8);
  });

  it('tells the certificates of the chain, leaf first', () => {
    const { chain, signer } = first(verifyBytes(good, pins));
    expect(chain.map(({ sha256 }) => sha256)).toEqual([leaf.sha256, intermediate.sha256]);
    expect(signer).toMatchObject({
      subject: 'CN=Example Publisher S.A., O=Example Publisher S.A., C=LU',
      subjectCommonName: 'Example Publisher S.A.',
      subjectOrganization: 'Example Publisher S.A.',
      issuerCommonName: 'Fixture Code Signing CA',
      sha1: leaf.sha1,
      notBefore: '2015-01-01T00:00:00Z',
      notAfter: '2016-12-31T00:00:00Z',
    });
  });

  it('tells the name and address of the program', () => {
    const signed = signPe(plain, { ...usual, programName: 'Скайп 7', url: 'https://example.org/' });
    expect(first(verifyBytes(signed, pins))).toMatchObject({
      programName: 'Скайп 7',
      url: 'https://example.org/',
    });
  });

  it.each([
    ['a PE32+ file', buildPe({ machine: 'x64' }), usual],
    ['an RSA signature without signed attributes', plain, { ...usual, withoutSignedAttributes: true }],
  ])('is intact for %s', (_, pe, options) => {
    expect(verifyBytes(signPe(pe, options), pins)).toMatchObject({ integrity: 'intact', signer: 'pinned' });
  });

  it('is intact with an elliptic-curve key', () => {
    const curve = makeCertificateSet({ subject: { commonName: 'Curve' }, key: 'ec' });
    const signed = signPe(plain, {
      leaf: curve.leaf,
      chain: [curve.intermediate],
      digest: 'sha256',
      timestamp: { ...stamp, authority: curve.timestampAuthority },
    });
    const authenticity = verifyBytes(signed, pinLeaf(curve.leaf));
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    expect(first(authenticity).chain).toHaveLength(2);
  });

  it('accepts another CheckSum, which no digest covers', () => {
    const checksum = tableOf(good).entry - (96 + 32) + 64;
    expect(verifyBytes(changed(good, checksum), pins).integrity).toBe('intact');
  });
});

describe('when the signature is nested or there are several', () => {
  const nested = { leaf, chain: [intermediate], digest: 'sha256', timestamp: stamp } as const;

  it('checks the nested one too', () => {
    const authenticity = verifyBytes(
      signPe(plain, { ...usual, digest: 'sha1', timestamp: legacyStamp, nested }),
      pins,
    );
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'pinned', weakDigestOnly: false });
    expect(
      authenticity.signatures.map((signature) => [
        signature.nested,
        signature.digestAlgorithm,
        signature.outcome,
      ]),
    ).toEqual([
      [false, 'sha1', 'holds'],
      [true, 'sha256', 'holds'],
    ]);
  });

  it('says when only weak digests speak', () => {
    expect(
      verifyBytes(signPe(plain, { ...usual, digest: 'sha1', timestamp: legacyStamp }), pins).weakDigestOnly,
    ).toBe(true);
  });

  it('does not let one that holds outweigh one that does not', () => {
    const wrong = { ...nested, fileDigest: new Uint8Array(32) };
    const authenticity = verifyBytes(signPe(plain, { ...usual, nested: wrong }), pins);
    expect(authenticity).toMatchObject({ integrity: 'modified', signer: 'claimed' });
    expect(authenticity.integrityDetail).toContain('nested');
  });

  it('does not pin a forgery that carries a genuine blob of another file', () => {
    const forger = makeCertificate({ subject: { commonName: 'Example Publisher S.A.' } });
    const genuine = { ...usual, fileDigest: new Uint8Array(32).fill(5) };
    const authenticity = verifyBytes(
      signPe(plain, { leaf: forger, chain: [], digest: 'sha256', furtherEntries: [genuine] }),
      pins,
    );
    expect(authenticity).toMatchObject({ integrity: 'modified', signer: 'claimed', publisher: 'example' });
    expect(authenticity.signatures.map(({ outcome }) => outcome)).toEqual(['holds', 'fails']);
  });

  it('does not pin a genuine signature beside one that borrows the name', () => {
    const forger = makeCertificate({ subject: { commonName: 'Example Publisher S.A.' } });
    const authenticity = verifyBytes(
      signPe(plain, { ...usual, nested: { leaf: forger, chain: [], digest: 'sha256' } }),
      pins,
    );
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'claimed' });
  });

  it('stops at signatures that lie too deep inside each other', () => {
    let options: SignOptions = { leaf, chain: [], digest: 'sha256' };
    for (let depth = 0; depth < 6; depth += 1) options = { ...options, nested: options };
    const authenticity = verifyBytes(signPe(plain, options), pins);
    expect(authenticity.integrity).toBe('damaged');
    expect(authenticity.signatures.flatMap(codes)).toContain('limit');
  });

  it('reads every entry of the certificate table', () => {
    const authenticity = verifyBytes(signPe(plain, { ...usual, furtherEntries: [usual] }), pins);
    expect(authenticity.integrity).toBe('intact');
    expect(authenticity.signatures).toHaveLength(2);
  });
});

describe('when bytes were changed', () => {
  it.each([
    ['in the headers', 0x10],
    ['in a section', 1200],
    ['in the overlay', plain.length - 3],
  ])('is modified %s', (_, at) => {
    const authenticity = verifyBytes(changed(good, at), pins);
    expect(authenticity).toMatchObject({ integrity: 'modified', signer: 'claimed', publisher: 'example' });
    expect(first(authenticity)).toMatchObject({
      digestMatches: false,
      signatureVerifies: true,
      pin: { publisher: 'example' },
    });
    expect(codes(first(authenticity))).toContain('digest-mismatch');
  });

  it('is modified where bytes follow the certificate table', () => {
    expect(verifyBytes(join(good, new Uint8Array(64).fill(1)), pins).integrity).toBe('modified');
    expect(verifyBytes(join(good, new Uint8Array(64)), pins).integrity).toBe('modified');
  });

  it('is modified where the table was moved into the middle, though the covered bytes are the same', () => {
    const { offset, size } = tableOf(good);
    const at = 1024;
    const moved = withTable(
      join(good.subarray(0, at), good.subarray(offset), good.subarray(at, offset)),
      at,
      size,
    );
    expect(coveredBytes(moved)).toEqual(coveredBytes(good));
    const authenticity = verifyBytes(moved, pins);
    expect(authenticity).toMatchObject({ integrity: 'modified', signer: 'claimed' });
  });

  it('is modified where the signature itself was', () => {
    const { offset, size } = tableOf(good);
    const authenticities = Array.from({ length: 40 }, (_, index) =>
      verifyBytes(changed(good, offset + 60 + index), pins),
    );
    expect(size).toBeGreaterThan(100);
    // Object identifiers of the file link and the like are covered through messageDigest.
    for (const { integrity, signer } of authenticities) {
      expect(integrity).not.toBe('intact');
      expect(signer).not.toBe('pinned');
    }
  });

  it('is modified where a signed digest is of another length or file', () => {
    expect(verifyBytes(signPe(plain, { ...usual, fileDigest: new Uint8Array(32) }), pins).integrity).toBe(
      'modified',
    );
    const authenticity = verifyBytes(signPe(plain, { ...usual, fileDigest: new Uint8Array(20) }), pins);
    expect(authenticity.integrity).toBe('damaged');
    expect(codes(first(authenticity))).toEqual(['malformed']);
  });
});

describe('when the certificate table is not where the headers put it', () => {
  it('finds the block by its structure', () => {
    const authenticity = verifyBytes(pointCertificateTableBeyondEnd(good), pins);
    expect(authenticity).toMatchObject({
      integrity: 'damaged',
      signer: 'claimed',
      foundElsewhere: { offset: tableOf(good).offset },
    });
    expect(authenticity.integrityDetail).toContain('holds');
    expect(codes(authenticity)).toEqual(['certificate-table']);
  });

  it('finds it when bytes before it were cut out, at any alignment', () => {
    const cut = join(good.subarray(0, 1100), good.subarray(1100 + 333));
    const authenticity = verifyBytes(cut, pins);
    expect(authenticity).toMatchObject({
      integrity: 'damaged',
      signer: 'claimed',
      foundElsewhere: { offset: tableOf(good).offset - 333 },
    });
    expect(authenticity.integrityDetail).toContain(first(authenticity).signedDigest);
  });

  it('finds it across the border of a chunk', () => {
    // The block begins 5 bytes before the first MiB ends.
    const large = buildPe({ overlay: new Uint8Array(2 ** 20 - 5 - buildPe().length) });
    const signed = signPe(large, usual);
    const { offset } = tableOf(signed);
    const moved = join(signed.subarray(0, offset - 3), signed.subarray(offset));
    expect(verifyBytes(moved, pins).foundElsewhere).toEqual({ offset: offset - 3 });
  });

  it('does not take the signature of an embedded file', () => {
    const inner = signPe(buildPe(), usual);
    const outer = buildPe({ sections: [{ name: '.data', data: inner }] });
    const pointed = withTable(outer, outer.length, 4096);
    expect(verifyBytes(pointed, pins)).toMatchObject({ integrity: 'signature-removed', signer: 'none' });
  });
});

describe('when the signature is gone', () => {
  it('is unsigned where the headers name none', () => {
    expect(verifyBytes(plain, pins)).toMatchObject({
      integrity: 'unsigned',
      signer: 'none',
      signatures: [],
      problems: [],
    });
    expect(verifyBytes(removeSignature(good), pins)).toMatchObject({ integrity: 'unsigned', signer: 'none' });
  });

  it('remarks on a block that no header names', () => {
    const { offset, size } = tableOf(good);
    const authenticity = verifyBytes(withTable(good, 0, 0), pins);
    expect(authenticity).toMatchObject({ integrity: 'unsigned', signer: 'none' });
    expect(authenticity.problems).toEqual([expect.objectContaining({ code: 'stray-signature', offset })]);
    expect(size).toBeGreaterThan(0);
  });

  it('is signature-removed where the headers still name it', () => {
    expect(verifyBytes(removeSignature(good, { keepEntry: true }), pins)).toMatchObject({
      integrity: 'signature-removed',
      signer: 'none',
    });
  });

  it('is signature-removed where it was overwritten', () => {
    const { offset } = tableOf(good);
    expect(verifyBytes(Uint8Array.from(good).fill(0, offset), pins).integrity).toBe('signature-removed');
  });

  it.each([
    ['inside a section', 700],
    ['inside the overlay', plain.length - 30],
    ['inside the signature', plain.length + 500],
  ])('is damaged where the file ends %s', (_, length) => {
    const authenticity = verifyBytes(good.subarray(0, length), pins);
    expect(authenticity.integrity).toBe('damaged');
    expect(authenticity.signer).not.toBe('pinned');
    expect(authenticity.integrityDetail).toContain('ends');
  });
});

describe('when time matters', () => {
  it('accepts a certificate that has expired since, by its stamp', () => {
    for (const timestamp of [stamp, legacyStamp]) {
      const { signingTime, expiredAtSigning, timestamps } = first(
        verifyBytes(signPe(plain, { ...usual, timestamp }), pins),
      );
      expect({ signingTime, expiredAtSigning }).toEqual({ signingTime: inPeriod, expiredAtSigning: false });
      expect(timestamps).toMatchObject([
        {
          kind: timestamp.kind,
          verified: true,
          time: inPeriod,
          authority: { sha256: timestampAuthority.sha256 },
        },
      ]);
    }
  });

  it('states that the time is not proved without one', () => {
    const { timestamp: _, ...unstamped } = usual;
    const authenticity = verifyBytes(signPe(plain, unstamped), pins);
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    const signature = first(authenticity);
    expect(signature.pin?.timeProved).toBe(false);
    expect(signature.expiredAtSigning).toBeUndefined();
    expect(codes(signature)).toEqual(['time-not-proved']);
  });

  it('does not pin what was signed after the certificate expired', () => {
    const late = { ...stamp, time: '2020-01-01T00:00:00Z' };
    const authenticity = verifyBytes(
      signPe(plain, { ...usual, timestamp: late }),
      pinLeaf(leaf, { from: '2015-01-01', to: '2025-01-01' }),
    );
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'claimed' });
    expect(first(authenticity)).toMatchObject({ expiredAtSigning: true });
    expect(codes(first(authenticity))).toContain('outside-validity');
  });

  it('does not pin what was signed outside the period of the pin', () => {
    const authenticity = verifyBytes(good, pinLeaf(leaf, { from: '2015-01-01', to: '2015-12-31' }));
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'claimed', publisher: 'example' });
    expect(authenticity.signerDetail).toContain('2015-12-31');
    expect(codes(first(authenticity))).toContain('outside-pin-period');
  });

  it.each([
    ['made for another signature', { ...stamp, forAnother: true }, 'another signature'],
    ['of the old kind made for another signature', { ...legacyStamp, forAnother: true }, 'does not match'],
    [
      'by a certificate for signing code',
      { ...stamp, authority: leaf },
      'not a certificate for timestamping',
    ],
    [
      'of the old kind by a certificate for signing code',
      { ...legacyStamp, authority: leaf },
      'not a certificate for timestamping',
    ],
    [
      'from before its authority was valid',
      { ...stamp, time: '1999-01-01T00:00:00Z' },
      'not valid at that time',
    ],
  ])('takes no time from a stamp %s', (_, timestamp, reason) => {
    const signature = first(verifyBytes(signPe(plain, { ...usual, timestamp }), pins));
    expect(signature.signingTime).toBeUndefined();
    expect(signature.timestamps).toMatchObject([
      { verified: false, problem: expect.stringContaining(reason) },
    ]);
    expect(codes(signature)).toContain('timestamp-invalid');
  });

  it('does not take a timestamping authority without a purpose', () => {
    const authority = makeCertificate({ subject: { commonName: 'Any' }, kind: 'any-purpose' });
    const signature = first(
      verifyBytes(signPe(plain, { ...usual, timestamp: { ...stamp, authority } }), pins),
    );
    expect(signature.timestamps[0]?.verified).toBe(false);
  });
});

describe('when somebody else signs', () => {
  it('is another signer', () => {
    const other = makeCertificate({ subject: { commonName: 'Somebody Else' } });
    expect(verifyBytes(signPe(plain, { ...usual, leaf: other }), pins)).toMatchObject({
      integrity: 'intact',
      signer: 'other',
    });
  });

  it.each([
    'Example Publisher SA',
    'EXAMPLE  PUBLISHER, S.A.',
    'Ехаmple Рublisher S.A.',
    'Ｅxample Publisher S.A.',
  ])('only claims to be the publisher under the name %s', (commonName) => {
    const forger = makeCertificate({ subject: { commonName, organization: 'Example Publisher S.A.' } });
    const authenticity = verifyBytes(signPe(plain, { ...usual, leaf: forger }), pins);
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'claimed', publisher: 'example' });
    expect(first(authenticity).pin).toBeUndefined();
  });

  it('does not take a chain from certificates that only bear the right names', () => {
    const lookalikeCa = makeCertificate({
      subject: { commonName: 'Fixture Code Signing CA', organization: 'Fixture Authority', country: 'LU' },
      kind: 'authority',
    });
    const forger = makeCertificate({
      subject: { commonName: 'Example Publisher S.A.', organization: 'Example Publisher S.A.' },
      issuer: lookalikeCa,
    });
    const signed = signPe(plain, { ...usual, leaf: forger, chain: [intermediate, root] });
    const authenticity = verifyBytes(signed, intermediatePins);
    expect(authenticity.signer).toBe('claimed');
    expect(first(authenticity).chain).toHaveLength(1);
    expect(codes(first(authenticity))).toEqual(
      expect.arrayContaining(['chain-invalid', 'unused-certificates']),
    );
  });

  it('finds the right key among certificates with the same issuer and serial number', () => {
    const twin = makeCertificate({
      subject: { commonName: 'Twin' },
      issuer: intermediate,
      serial: leaf.serial,
    });
    const authenticity = verifyBytes(signPe(plain, { ...usual, chain: [twin, intermediate] }), pins);
    expect(first(authenticity).signer?.sha256).toBe(leaf.sha256);
    const other = verifyBytes(signPe(plain, { ...usual, leaf: twin, chain: [leaf, intermediate] }), pins);
    expect(other).toMatchObject({ integrity: 'intact', signer: 'other' });
    expect(first(other).signer?.sha256).toBe(twin.sha256);
  });

  it('is modified where the certificate of the signer is not in the bag', () => {
    const authenticity = verifyBytes(
      signPe(plain, { ...usual, leaf: { ...leaf, encoded: intermediate.encoded } }),
      pins,
    );
    expect(authenticity.integrity).toBe('modified');
    expect(codes(first(authenticity))).toContain('signer-certificate-missing');
  });
});

describe('when the intermediate certificate is pinned', () => {
  it('is pinned for the listed name', () => {
    const authenticity = verifyBytes(good, intermediatePins);
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    expect(first(authenticity).pin).toMatchObject({
      kind: 'intermediate',
      fingerprint: intermediate.sha256,
      weak: false,
    });
  });

  it('is not pinned for another organisation of the same name', () => {
    const other = makeCertificate({
      subject: { commonName: 'Example Publisher S.A.', organization: 'Else' },
      issuer: intermediate,
    });
    expect(verifyBytes(signPe(plain, { ...usual, leaf: other }), intermediatePins).signer).toBe('claimed');
  });

  it('is not pinned for a certificate of another purpose', () => {
    const server = makeCertificate({
      subject: { commonName: 'Example Publisher S.A.', organization: 'Example Publisher S.A.' },
      issuer: intermediate,
      kind: 'web-server',
    });
    const authenticity = verifyBytes(signPe(plain, { ...usual, leaf: server }), intermediatePins);
    expect(authenticity.signer).toBe('claimed');
    expect(codes(first(authenticity))).toContain('not-for-code-signing');
  });

  it('is not pinned where the leaf acts as an authority', () => {
    const forger = makeCertificate({
      subject: { commonName: 'Example Publisher S.A.', organization: 'Example Publisher S.A.' },
      issuer: leaf,
    });
    const authenticity = verifyBytes(
      signPe(plain, { ...usual, leaf: forger, chain: [leaf, intermediate] }),
      intermediatePins,
    );
    expect(authenticity.signer).toBe('claimed');
    expect(codes(first(authenticity))).toContain('chain-invalid');
  });
});

describe('when bytes hide where no digest covers them', () => {
  it('remarks on padding behind the signature', () => {
    const authenticity = verifyBytes(
      signPe(plain, { ...usual, tablePadding: new Uint8Array(5000).fill(0x41) }),
      pins,
    );
    expect(authenticity.integrity).toBe('intact');
    expect(authenticity.problems).toEqual([
      expect.objectContaining({ code: 'hidden-bytes', message: expect.stringContaining('50') }),
    ]);
  });

  it('remarks on an unsigned attribute that is none of the usual ones', () => {
    const authenticity = verifyBytes(signPe(plain, { ...usual, unsignedBlob: new Uint8Array(4000) }), pins);
    expect(authenticity.integrity).toBe('intact');
    expect(codes(first(authenticity))).toEqual(['hidden-bytes']);
  });

  it('remarks on bytes at the end of the table', () => {
    const { offset, size } = tableOf(good);
    const grown = withTable(join(good, new Uint8Array(32).fill(2)), offset, size + 32);
    const authenticity = verifyBytes(grown, pins);
    expect(authenticity.integrity).toBe('intact');
    expect(codes(authenticity)).toEqual(['hidden-bytes']);
  });

  it('remarks on certificates stuffed into the bag', () => {
    const stuffing = Array.from({ length: 6 }, (_, index) =>
      makeCertificate({ subject: { commonName: `Genuine ${index}` }, key: 'ec' }),
    );
    const authenticity = verifyBytes(signPe(plain, { ...usual, chain: [intermediate, ...stuffing] }), pins);
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    expect(first(authenticity).problems).toEqual([
      expect.objectContaining({
        code: 'unused-certificates',
        message: expect.stringContaining('and 2 more'),
      }),
    ]);
  });
});

describe('when the PKCS#7 blob is hostile', () => {
  const blob = makeSignature(plain, usual);

  function withBlob(content: Uint8Array): Uint8Array {
    const padded = join(plain, new Uint8Array((8 - (plain.length % 8)) % 8));
    const length = 8 + content.length;
    const header = new Uint8Array(8);
    new DataView(header.buffer).setUint32(0, length, true);
    header.set([0, 2, 2, 0], 4);
    return withTable(join(padded, header, content), padded.length, length);
  }

  it('is damaged where the blob ends early', () => {
    const authenticity = verifyBytes(withBlob(blob.subarray(0, blob.length - 20)), pins);
    expect(authenticity.integrity).toBe('damaged');
    expect(codes(first(authenticity))).toEqual(['malformed']);
  });

  it('is damaged where lengths are endless', () => {
    const oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    const endless = Uint8Array.from([
      0x30,
      0x80,
      ...oid,
      ...Array.from({ length: 4000 }, () => [0xa0, 0x80]).flat(),
    ]);
    const authenticity = verifyBytes(withBlob(endless), pins);
    expect(authenticity.integrity).toBe('damaged');
    expect(first(authenticity).problems[0]?.message).toContain('nested too deep');
  });

  it('is damaged where there are more elements than are read', () => {
    const oid = Uint8Array.from([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]);
    const many = new Uint8Array(400_000).fill(0);
    for (let at = 0; at < many.length; at += 2) many[at] = 5;
    const authenticity = verifyBytes(
      withBlob(join(Uint8Array.of(0x30, 0x80), oid, many, Uint8Array.of(0, 0))),
      pins,
    );
    expect(authenticity.integrity).toBe('damaged');
    expect(codes(first(authenticity))).toEqual(['limit']);
  });

  it('is neither intact nor modified where the digest is one that is not read', () => {
    // 2.16.840.1.101.3.4.2.1, SHA-256, becomes 2.16.840.1.101.3.4.2.4, SHA-224, wherever it stands alone.
    const oid = Buffer.from([0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]);
    const renamed = Buffer.from(makeSignature(plain, { leaf, chain: [intermediate], digest: 'sha256' }));
    for (let at = renamed.indexOf(oid); at >= 0; at = renamed.indexOf(oid, at + 1)) renamed[at + 10] = 4;
    const authenticity = verifyBytes(withBlob(new Uint8Array(renamed)), pins);
    expect(authenticity).toMatchObject({ integrity: 'damaged', signer: 'claimed' });
    expect(authenticity.integrityDetail).toContain('not supported');
    expect(first(authenticity)).toMatchObject({ outcome: 'unsupported', digestMatches: false });
  });
});
