import { describe, expect, it } from 'vitest';
import { makeCertificate, makeCertificateSet } from '../../fixtures/certificate-authority.ts';
import { elementsMax, parseDer } from '../../src/authenticity/der.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import {
  chainLengthMax,
  findChain,
  isFor,
  isIssuedBy,
  keyPurposes,
  parseCertificate,
  parseCertificateBytes,
} from '../../src/authenticity/x509.ts';
import { mutate } from '../mutation.ts';

const authorities = makeCertificateSet({
  subject: { commonName: 'A, "B" + C', organization: ' #x ' },
  key: 'ec',
});
const leaf = parseCertificateBytes(authorities.leaf.encoded);
const intermediate = parseCertificateBytes(authorities.intermediate.encoded);
const root = parseCertificateBytes(authorities.root.encoded);
const now = Date.parse('2020-01-01T00:00:00Z');

describe('when a certificate is read', () => {
  it('tells names so that none can pretend to be several', () => {
    expect(leaf.summary.subject).toBe('CN=A\\, \\"B\\" \\+ C, O=\\ #x\\ ');
    expect(leaf.summary.subjectCommonName).toBe('A, "B" + C');
    expect(leaf.summary.issuer).toBe('CN=Fixture Code Signing CA, O=Fixture Authority, C=LU');
  });

  it('tells fingerprints, purposes and authority', () => {
    expect(leaf.summary).toMatchObject({ sha1: authorities.leaf.sha1, sha256: authorities.leaf.sha256 });
    expect(isFor(leaf, keyPurposes.codeSigning)).toBe(true);
    expect(isFor(leaf, keyPurposes.timeStamping)).toBe(false);
    expect([leaf.isAuthority, intermediate.isAuthority, leaf.mayCertify, intermediate.mayCertify]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('refuses 2,000 mutants or reads them, and throws nothing else', () => {
    let refused = 0;
    for (const { bytes, description } of mutate(authorities.leaf.encoded, 2000, 3)) {
      try {
        isIssuedBy(parseCertificateBytes(bytes), intermediate);
      } catch (error) {
        expect(error, description).toBeInstanceOf(TelltaleError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });
});

describe('when a certificate was read before', () => {
  const { encoded } = authorities.intermediate;

  it('is not read again, and keeps no memory of the file', () => {
    const again = Uint8Array.from([0, 0, 0, ...encoded]).subarray(3);
    const known = parseCertificateBytes(again);
    expect(known).toEqual(intermediate);
    expect(parseCertificateBytes(encoded)).toBe(known);
    expect(known.encoded.buffer).not.toBe(again.buffer);
  });

  it('is another one when a byte differs', () => {
    const changed = Uint8Array.from(encoded);
    const last = changed.length - 1;
    changed[last] = (changed[last] ?? 0) ^ 1;
    const other = parseCertificateBytes(changed);
    expect(other).not.toBe(intermediate);
    expect(other.summary.sha256).not.toBe(intermediate.summary.sha256);
    expect([isIssuedBy(intermediate, root), isIssuedBy(other, root)]).toEqual([true, false]);
    expect([isIssuedBy(intermediate, root), isIssuedBy(other, root)]).toEqual([true, false]);
  });

  it('counts against the limit on elements as if it were read again', () => {
    const fresh = parseDer(encoded);
    const before = fresh.elementsLeft;
    parseCertificate(fresh);
    const cost = before - fresh.elementsLeft;
    expect(cost).toBeGreaterThan(50);
    // A bag that repeats one certificate until the tree may give no more elements.
    const copies = Math.ceil(elementsMax / cost) + 1;
    const content = Buffer.concat(Array.from({ length: copies }, () => encoded));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    const bag = parseDer(Buffer.concat([Uint8Array.of(0x31, 0x84), length, content]));
    const read: unknown[] = [];
    expect(() => {
      for (const element of bag.children()) read.push(parseCertificate(element));
    }).toThrow(`more than ${elementsMax} elements`);
    expect(read.length).toBe(Math.floor((elementsMax - 1 - copies) / cost));
  });

  it('says what is wrong with broken ones each time', () => {
    const broken = Uint8Array.from(encoded);
    broken[4] = 0x02;
    const messages = [1, 2].map(() => {
      try {
        return parseCertificateBytes(broken).summary.subject;
      } catch (error) {
        return String(error);
      }
    });
    expect(messages[0]).toContain('a certificate has the tag 0x2');
    expect(messages[1]).toBe(messages[0]);
  });
});

describe('when a chain is followed', () => {
  it('ends at the root, in whatever order the bag is', () => {
    const { certificates, problems } = findChain(leaf, [root, leaf, intermediate], now);
    expect(certificates).toEqual([leaf, intermediate, root]);
    expect(problems).toEqual([]);
  });

  it('ends without a problem where the issuer is not in the bag', () => {
    expect(findChain(leaf, [root], now)).toEqual({ certificates: [leaf], problems: [] });
  });

  it('names an issuer that was not valid at the time', () => {
    expect(findChain(leaf, [intermediate], Date.parse('1999-01-01T00:00:00Z')).problems).toEqual([
      expect.stringContaining('was not valid at 1999-01-01T00:00:00Z'),
    ]);
    expect(findChain(leaf, [intermediate], undefined).problems).toEqual([]);
  });

  it('stops at the length of a long chain', () => {
    let issuer = authorities.root;
    const bag = [root];
    for (let index = 0; index < chainLengthMax + 2; index += 1) {
      issuer = makeCertificate({
        subject: { commonName: `Link ${index}` },
        kind: 'authority',
        issuer,
        key: 'ec',
      });
      bag.push(parseCertificateBytes(issuer.encoded));
    }
    const last = parseCertificateBytes(
      makeCertificate({ subject: { commonName: 'End' }, issuer, key: 'ec' }).encoded,
    );
    const { certificates, problems } = findChain(last, bag, now);
    expect(certificates).toHaveLength(chainLengthMax);
    expect(problems).toEqual([expect.stringContaining('more than')]);
  });

  it('does not go in circles', () => {
    const a = makeCertificate({ subject: { commonName: 'A' }, kind: 'authority', key: 'ec' });
    const b = makeCertificate({ subject: { commonName: 'B' }, kind: 'authority', key: 'ec', issuer: a });
    const crossed = makeCertificate({
      subject: { commonName: 'A' },
      kind: 'authority',
      key: 'ec',
      issuer: b,
    });
    const bag = [a, b, crossed].map(({ encoded }) => parseCertificateBytes(encoded));
    const { certificates } = findChain(parseCertificateBytes(crossed.encoded), bag, now);
    expect(certificates.length).toBeLessThanOrEqual(4);
  });

  it('tries only so many certificates of one name', () => {
    const namesakes = Array.from({ length: 40 }, () =>
      parseCertificateBytes(
        makeCertificate({
          subject: {
            commonName: 'Fixture Code Signing CA',
            organization: 'Fixture Authority',
            country: 'LU',
          },
          kind: 'authority',
          key: 'ec',
        }).encoded,
      ),
    );
    const { certificates, problems } = findChain(leaf, [...namesakes, intermediate], now);
    expect(certificates).toEqual([leaf]);
    expect(problems[0]).toContain('could be the issuer');
  });
});
