import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../../fixtures/certificate-authority.ts';
import { matchPins, type Publisher, toComparableName } from '../../src/authenticity/publisher-pins.ts';
import { parseCertificateBytes } from '../../src/authenticity/x509.ts';

const issuer = makeCertificate({ subject: { commonName: 'CA' }, kind: 'authority', key: 'ec' });
const certificate = makeCertificate({
  subject: { commonName: 'Skype Software Sarl', organization: 'Skype' },
  issuer,
  key: 'ec',
});
const chain = [certificate, issuer].map(({ encoded }) => parseCertificateBytes(encoded));
const period = { from: '2020-01-01', to: '2020-12-31' };
const inPeriod = Date.parse('2020-06-01T00:00:00Z');

function toPins(publisher: Partial<Publisher>): { publishers: Publisher[] } {
  return {
    publishers: [
      {
        id: 'skype',
        name: 'Skype',
        commonNames: ['Skype Software S.à r.l.'],
        leaves: [],
        intermediates: [],
        ...publisher,
      },
    ],
  };
}

describe('when a leaf is pinned', () => {
  it('matches by SHA-256, and by SHA-1 alone weakly', () => {
    const { sha1, sha256 } = certificate;
    expect(matchPins(toPins({ leaves: [{ sha1, sha256, ...period }] }), chain, true, inPeriod).match).toEqual(
      {
        publisher: 'skype',
        kind: 'leaf',
        algorithm: 'sha256',
        fingerprint: sha256,
        weak: false,
        timeProved: true,
      },
    );
    expect(matchPins(toPins({ leaves: [{ sha1, ...period }] }), chain, true, inPeriod).match).toMatchObject({
      algorithm: 'sha1',
      weak: true,
    });
  });

  it('goes by SHA-256 where both are given', () => {
    const leaves = [{ sha1: certificate.sha1, sha256: '0'.repeat(64), ...period }];
    expect(matchPins(toPins({ leaves }), chain, true, inPeriod).match).toBeUndefined();
  });

  it('includes both ends of its period', () => {
    const leaves = [{ sha256: certificate.sha256, ...period }];
    const at = (time: string): boolean =>
      matchPins(toPins({ leaves }), chain, true, Date.parse(time)).match !== undefined;
    expect([
      at('2019-12-31T23:59:59Z'),
      at('2020-01-01T00:00:00Z'),
      at('2020-12-31T23:59:59Z'),
      at('2021-01-01T00:00:00Z'),
    ]).toEqual([false, true, true, false]);
  });

  it('is taken from a later pin where an earlier one is out of its period', () => {
    const leaves = [
      { sha256: certificate.sha256, from: '2001-01-01', to: '2001-12-31' },
      { sha256: certificate.sha256, ...period },
    ];
    expect(matchPins(toPins({ leaves }), chain, true, inPeriod).match).toBeDefined();
  });
});

describe('when an intermediate is pinned', () => {
  const pin = { sha256: issuer.sha256, ...period };

  it('wants the exact name and a sound chain', () => {
    const good = toPins({ intermediates: [{ ...pin, commonNames: ['Skype Software Sarl'] }] });
    expect(matchPins(good, chain, true, inPeriod).match).toMatchObject({ kind: 'intermediate' });
    expect(matchPins(good, chain, false, inPeriod).match).toBeUndefined();
    expect(matchPins(good, chain.slice(0, 1), true, inPeriod).match).toBeUndefined();
    const other = toPins({ intermediates: [{ ...pin, commonNames: ['skype software sarl'] }] });
    expect(matchPins(other, chain, true, inPeriod)).toEqual({
      match: undefined,
      refusal: undefined,
      publisher: 'skype',
    });
  });
});

describe('when only the name speaks', () => {
  it('is a claim by the publisher of that name', () => {
    expect(matchPins(toPins({}), chain, true, undefined)).toEqual({
      match: undefined,
      refusal: undefined,
      publisher: 'skype',
    });
    expect(matchPins(toPins({ commonNames: ['Else'] }), chain, true, undefined).publisher).toBeUndefined();
  });

  it.each([
    ['Skype Technologies S.A.', 'skypetechnologiessa'],
    ['ＳКYPE Тechnologies SA', 'skypetechnologiessa'],
    ['Skype\u200b Technologies\u00a0SA', 'skypetechnologiessa'],
    ['Skype Software S.à r.l.', 'skypesoftwaresarl'],
    ['Ѕkуре Ѕоftwаrе Ѕаrl', 'skypesoftwaresarl'],
  ])('reads %s as a hurried reader does', (name, comparable) => {
    expect(toComparableName(name)).toBe(comparable);
  });
});
