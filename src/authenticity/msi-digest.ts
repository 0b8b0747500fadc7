/**
 * The digests of an installer package that Authenticode signs.
 *
 * There is no published specification; facts: osslsigncode, `msi.c` https://github.com/mtrojnar/osslsigncode, whose
 * signatures Windows accepts.
 *
 * The content digest covers the bytes of every stream and the class identifier of every storage. The digest of the
 * metadata (names, sizes, times, flags), when there is one, comes before them; without it a stream can be renamed and
 * the signature still holds. In both, the entries of a storage stand in the order of the bytes of their names.
 *
 * Not covered by either: sectors of no stream, slack behind streams, anything behind the last sector.
 */
import type { Budget } from '../bytes/budget.ts';
import { readPassing } from '../bytes/byte-source.ts';
import type { CompoundEntry, CompoundFile } from '../formats/cfb/model.ts';
import { type DigestAlgorithm, Digester } from '../platform/digests.ts';

export const signatureStreamNames = {
  signature: '\u0005DigitalSignature',
  metadataDigest: '\u0005MsiDigitalSignatureEx',
} as const;

const fileTimeBytes = 8;

/** Signature streams lie in the root only; elsewhere such a name is a stream like any other. */
function isSignatureStream(entry: CompoundEntry): boolean {
  return entry.name === signatureStreamNames.signature || entry.name === signatureStreamNames.metadataDigest;
}

/** Entries in the order of the bytes of their names; the shorter of two that begin alike comes first. */
function sortEntries(storage: CompoundEntry): CompoundEntry[] {
  return storage.children
    .filter((entry) => storage.kind !== 'root' || !isSignatureStream(entry))
    .sort((a, b) => compareBytes(a.nameBytes, b.nameBytes));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function toLittleEndian(value: bigint, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn));
}

function digestMetadata(storage: CompoundEntry, digester: Digester, budget: Budget): void {
  const add = (entry: CompoundEntry): void => {
    if (entry.kind !== 'root') digester.update(entry.nameBytes);
    if (entry.kind === 'stream') digester.update(toLittleEndian(BigInt(entry.declaredSize), 4));
    else digester.update(entry.clsidBytes);
    digester.update(toLittleEndian(BigInt(entry.stateBits), 4));
    if (entry.kind !== 'root') {
      digester.update(toLittleEndian(entry.created, fileTimeBytes));
      digester.update(toLittleEndian(entry.modified, fileTimeBytes));
    }
  };
  add(storage);
  for (const entry of sortEntries(storage)) {
    budget.checkTime();
    if (entry.kind === 'stream') add(entry);
    else digestMetadata(entry, digester, budget);
  }
}

function digestContent(
  file: CompoundFile,
  storage: CompoundEntry,
  digesters: readonly Digester[],
  budget: Budget,
): void {
  for (const entry of sortEntries(storage)) {
    budget.checkTime();
    if (entry.kind !== 'stream') {
      digestContent(file, entry, digesters, budget);
      continue;
    }
    for (const chunk of readPassing(file.openStream(entry))) {
      budget.checkTime();
      for (const digester of digesters) digester.update(chunk);
    }
  }
  for (const digester of digesters) digester.update(storage.clsidBytes);
}

export interface PackageDigests {
  /** What a signature has to state, lower-case hexadecimal by algorithm. */
  readonly content: Partial<Record<DigestAlgorithm, string>>;
  /** What the stream `MsiDigitalSignatureEx` has to hold, when it is there. */
  readonly metadata: Partial<Record<DigestAlgorithm, string>>;
}

/**
 * Digests a package in one pass over its streams. Storages nest as deep as the reader of the file allows.
 *
 * @param withMetadata - whether the digest of the metadata is a part of what is signed
 * @throws TelltaleError `limit/time`
 */
export function digestPackage(
  file: CompoundFile,
  algorithms: readonly DigestAlgorithm[],
  withMetadata: boolean,
  budget: Budget,
): PackageDigests {
  const metadata: Partial<Record<DigestAlgorithm, string>> = {};
  const content: Partial<Record<DigestAlgorithm, string>> = {};
  const digesters = algorithms.map((algorithm) => {
    const digester = new Digester([algorithm]);
    if (withMetadata) {
      const before = new Digester([algorithm]);
      digestMetadata(file.root, before, budget);
      const hex = before.finish()[algorithm] ?? '';
      metadata[algorithm] = hex;
      digester.update(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
    }
    return digester;
  });
  digestContent(file, file.root, digesters, budget);
  for (const digester of digesters) Object.assign(content, digester.finish());
  return { content, metadata };
}
