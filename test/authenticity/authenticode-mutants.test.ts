import { describe, expect, it } from 'vitest';
import { signPe } from '../../fixtures/authenticode-signer.ts';
import { makeCertificateSet } from '../../fixtures/certificate-authority.ts';
import { join } from '../../fixtures/der-writer.ts';
import { buildPe } from '../../fixtures/pe-builder.ts';
import { parseSignedData } from '../../src/authenticity/cms.ts';
import type { Authenticity } from '../../src/authenticity/model.ts';
import type { PublisherPins } from '../../src/authenticity/publisher-pins.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { mutate } from '../mutation.ts';
import { verifyBytes } from './verify-bytes.ts';

const mutants = 2000;
const millisecondsPerMutantMax = 2000;

// Elliptic curves: the keys are quick to make, and the blobs small.
const { intermediate, leaf, timestampRoot, timestampAuthority } = makeCertificateSet({
  subject: { commonName: 'Mutant Publisher' },
  key: 'ec',
});
const stamp = { time: '2016-03-01T12:00:00Z', authority: timestampAuthority, chain: [timestampRoot] };
const plain = buildPe({ overlay: new Uint8Array(40).fill(4) });
const good = signPe(plain, {
  leaf,
  chain: [intermediate],
  digest: 'sha1',
  timestamp: { ...stamp, kind: 'legacy' },
  nested: { leaf, chain: [intermediate], digest: 'sha256', timestamp: { ...stamp, kind: 'rfc3161' } },
});
const pins: PublisherPins = {
  publishers: [
    {
      id: 'mutant',
      name: 'Mutant',
      commonNames: ['Mutant Publisher'],
      leaves: [{ sha256: leaf.sha256, from: '2010-01-01', to: '2049-01-01' }],
      intermediates: [],
    },
  ],
};

interface Places {
  readonly checksum: number;
  readonly entry: number;
  readonly tableOffset: number;
  readonly tableSize: number;
}

function findPlaces(bytes: Uint8Array): Places {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const optionalHeader = view.getUint32(0x3c, true) + 24;
  const entry = optionalHeader + 96 + 32;
  return {
    checksum: optionalHeader + 64,
    entry,
    tableOffset: view.getUint32(entry, true),
    tableSize: view.getUint32(entry + 4, true),
  };
}

const places = findPlaces(good);
const table = good.subarray(places.tableOffset);

/** Everything before the table but what no digest covers. */
function maskedFront(bytes: Uint8Array): string {
  const front = Uint8Array.from(bytes.subarray(0, places.tableOffset));
  front.fill(0, places.checksum, places.checksum + 4);
  front.fill(0, places.entry, places.entry + 8);
  return Buffer.from(front).toString('latin1');
}

const goodFront = maskedFront(good);
const signedData = parseSignedData(table.subarray(8));
/** What the primary signature protects: it has to be in an intact mutant as it is. */
const protectedParts = [
  signedData.content ?? new Uint8Array(0),
  signedData.signers[0]?.signedBytes?.subarray(1) ?? new Uint8Array(0),
  signedData.signers[0]?.signature ?? new Uint8Array(0),
].map((part) => Buffer.from(part).toString('latin1'));

/** Throws nothing but our own errors, takes no time, and never calls changed bytes intact. */
function examine(bytes: Uint8Array, description: string): Authenticity | undefined {
  const start = performance.now();
  let authenticity: Authenticity | undefined;
  try {
    authenticity = verifyBytes(bytes, pins);
  } catch (error) {
    expect(error, description).toBeInstanceOf(TelltaleError);
  }
  expect(performance.now() - start, description).toBeLessThan(millisecondsPerMutantMax);
  if (authenticity?.integrity === 'intact') {
    const here = findPlaces(bytes);
    expect(
      maskedFront(bytes) === goodFront,
      `${description}: covered bytes differ, but it is called intact`,
    ).toBe(true);
    expect(here.tableOffset, description).toBe(places.tableOffset);
    expect(Math.abs(bytes.length - (here.tableOffset + here.tableSize)), description).toBeLessThan(8);
    const text = Buffer.from(bytes).toString('latin1');
    for (const part of protectedParts) {
      expect(
        text.includes(part, places.tableOffset),
        `${description}: signed bytes differ, but it is called intact`,
      ).toBe(true);
    }
  }
  if (authenticity?.signer === 'pinned') {
    expect(authenticity.integrity, description).toBe('intact');
    expect(
      authenticity.signatures.some(
        ({ signer, outcome }) => signer?.sha256 === leaf.sha256 && outcome === 'holds',
      ),
      description,
    ).toBe(true);
  }
  return authenticity;
}

describe('when the file is damaged at random', () => {
  it('the seed itself is intact and pinned', () => {
    expect(examine(good, 'seed')).toMatchObject({ integrity: 'intact', signer: 'pinned' });
    expect(protectedParts.every((part) => part.length > 30)).toBe(true);
  });

  it(`survives ${mutants} mutants of the certificate table`, () => {
    const seen = new Map<string, number>();
    for (const { bytes, description } of mutate(table, mutants, 11)) {
      // The directory entry follows the length, so that the damage is met by the parser and not by the bounds check.
      const mutant = join(good.subarray(0, places.tableOffset), bytes);
      new DataView(mutant.buffer).setUint32(places.entry + 4, bytes.length, true);
      const integrity = examine(mutant, description)?.integrity ?? 'refused';
      seen.set(integrity, (seen.get(integrity) ?? 0) + 1);
    }
    expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(mutants);
    expect(seen.get('modified') ?? 0).toBeGreaterThan(100);
    expect(seen.get('damaged') ?? 0).toBeGreaterThan(100);
  });

  it(`survives ${mutants} mutants of the whole file`, () => {
    const seen = new Map<string, number>();
    for (const { bytes, description } of mutate(good, mutants, 12)) {
      const integrity = examine(bytes, description)?.integrity ?? 'refused';
      seen.set(integrity, (seen.get(integrity) ?? 0) + 1);
    }
    expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(mutants);
    expect(seen.get('modified') ?? 0).toBeGreaterThan(100);
    expect(seen.get('damaged') ?? 0).toBeGreaterThan(100);
  });

  it('never calls a file with one changed covered byte intact', () => {
    for (let at = 0; at < places.tableOffset; at += 1) {
      const isCovered =
        !(at >= places.checksum && at < places.checksum + 4) &&
        !(at >= places.entry && at < places.entry + 8);
      // Every byte of the headers, then every seventh.
      if (!isCovered || (at > 1024 && at % 7 !== 0)) continue;
      const mutant = Uint8Array.from(good);
      mutant[at] = (mutant[at] ?? 0) ^ 0x40;
      const integrity = examine(mutant, `byte ${at}`)?.integrity ?? 'refused';
      expect(integrity, `byte ${at}`).not.toBe('intact');
    }
  });
});
