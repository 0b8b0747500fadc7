import { z } from 'zod';
import { joinBytes } from '../bytes/byte-source.ts';
import { toHex } from '../bytes/cursor.ts';
import { TelltaleError } from '../bytes/errors.ts';
import {
  type DatabaseFault,
  type DatabaseFile,
  DatabaseFilesError,
  isDataName,
  maxFileBytes,
  maxFilesPerProduct,
  type ProductFiles,
  toDatabaseDigest,
} from './database-files.ts';
import { toDigest } from './digests.ts';
import { openFile } from './files.ts';
import { readRevision } from './database-references.ts';
import { productIdPattern, revisionPattern } from './revisions.ts';
import {
  checkPackSignature,
  type PublicKey,
  publicKeyBytes,
  type SigningKey,
  signatureBytes,
  toPublicKey,
  tryBase64,
} from './signing-keys.ts';

/*
 * A signature database in one file. docs/packs.md describes it for strangers.
 *
 *   line 1   telltale-pack/1
 *   line 2   the manifest: canonical JSON in ASCII
 *   line 3   the seal: "ed25519 KEY SIGNATURE" (both in base64), or "unsigned SHA256"
 *   then     the bytes of the files, in the order of the manifest, with nothing between or behind them
 *
 * Lines end with one LF. The signature is made over lines 1 and 2 with their line ends: line 1 keeps it apart from
 * every other use of the key. Each byte is bound by the signature, by a digest in the manifest, or by its only
 * possible value, so there are no two packs with one meaning.
 *
 * Not supported: compression (a pack compresses well on its way), more than one signature.
 */

const formatName = 'telltale-pack/1';
const magic = new TextEncoder().encode(`${formatName}\n`);
const lineFeed = 0x0a;

/** Limits of the format, in bytes and numbers. */
export const packLimits = {
  packBytes: 256 * 1024 * 1024,
  manifestBytes: 4 * 1024 * 1024,
  /** "ed25519", the key, the signature, and the blanks between them. */
  sealBytes: 141,
  products: 100,
  files: 10_000,
  filesPerProduct: maxFilesPerProduct,
  fileBytes: maxFileBytes,
} as const;

/** Who vouches for a pack. Plain data: it crosses between threads. */
export interface PackSeal {
  /** As the person gave it. */
  readonly path: string;
  /** Id of the key that it is signed with; null when it is not signed. */
  readonly signedBy: string | null;
  /** Whether that key is one of those that the person trusts. */
  readonly trusted: boolean;
}

/** A product in a pack, with the revision that the manifest states. */
export interface PackedProduct extends ProductFiles {
  /** Undefined for an addition that has no `product.json` and was given no revision. */
  readonly revision: string | undefined;
}

/** A pack whose digests and signature hold. */
export interface Pack {
  readonly seal: PackSeal;
  /** Sorted by id. */
  readonly products: readonly PackedProduct[];
  /** Digest of the database in it, loaded by itself. */
  readonly digest: string;
}

// --------------------------------------------------------------------------------------------- manifest

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits are needed');

const manifestSchema = z.strictObject({
  database: sha256,
  files: z
    .array(
      z.strictObject({
        path: z.string().max(300),
        sha256,
        size: z.int().min(0).max(packLimits.fileBytes),
      }),
    )
    .min(1)
    .max(packLimits.files),
  format: z.literal(formatName),
  key: sha256.nullable(),
  products: z
    .array(
      z.strictObject({
        id: z.string().max(100).regex(productIdPattern, 'is no id of a product'),
        revision: z.string().regex(revisionPattern, 'is no revision (2026.11 is one)').nullable(),
      }),
    )
    .min(1)
    .max(packLimits.products),
});

type Manifest = z.infer<typeof manifestSchema>;

/** The one way to write a manifest: no white space, keys in alphabetical order. */
function toCanonicalText({ database, files, key, products }: Manifest): string {
  return JSON.stringify({
    database,
    files: files.map(({ path, sha256: digest, size }) => ({ path, sha256: digest, size })),
    format: formatName,
    key,
    products: products.map(({ id, revision }) => ({ id, revision })),
  });
}

/** Plain ASCII words: no hidden files, no blanks, nothing that leads out of a folder. */
const plainName = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;

function isPackName(name: string): boolean {
  return isDataName(name) && name.split('/').every((part) => plainName.test(part));
}

/** Code unit order, as folders are listed. */
function isAscending(values: readonly string[]): boolean {
  return values.every((value, index) => index === 0 || (values[index - 1] ?? '') < value);
}

// ---------------------------------------------------------------------------------------------- writing

/**
 * Writes a database as a pack. The same files and the same key give the same bytes.
 *
 * @param parts - products, sorted by id, each once
 * @param revisions - by product id, for products without a `product.json`
 * @param signer - undefined for a pack without a signature
 */
export function buildPack(
  parts: readonly ProductFiles[],
  revisions: ReadonlyMap<string, string>,
  signer: SigningKey | undefined,
): Uint8Array {
  const files = parts.flatMap(({ id, files: ofProduct }) =>
    ofProduct.map(({ name, bytes }) => ({ path: `${id}/${name}`, bytes })),
  );
  const manifest = toCanonicalText({
    database: toDatabaseDigest(parts),
    files: files.map(({ path, bytes }) => ({
      path,
      sha256: toHex(toDigest('sha256', bytes)),
      size: bytes.length,
    })),
    format: formatName,
    key: signer?.publicKey.id ?? null,
    products: parts.map((part) => ({
      id: part.id,
      revision: readRevision(part) ?? revisions.get(part.id) ?? null,
    })),
  });
  const encoder = new TextEncoder();
  const head = joinBytes([magic, encoder.encode(`${manifest}\n`)]);
  return joinBytes([head, encoder.encode(`${toSeal(head, signer)}\n`), ...files.map(({ bytes }) => bytes)]);
}

function toSeal(head: Uint8Array, signer: SigningKey | undefined): string {
  if (signer === undefined) return `unsigned ${toHex(toDigest('sha256', head))}`;
  const key = signer.publicKey.line.replace(':', ' ');
  return `${key} ${Buffer.from(signer.sign(head)).toString('base64')}`;
}

// ---------------------------------------------------------------------------------------------- reading

/** Whether the bytes begin as packs of any version do. */
export function isPack(bytes: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(bytes.subarray(0, 14)) === 'telltale-pack/';
}

/**
 * Reads a pack once, whole, into memory, and checks all of it: what is used later are the bytes that were checked.
 *
 * @param trusted - accept only signatures with one of these keys; undefined accepts any, and none
 * @throws DatabaseFilesError with the file, the place in it, and the reason
 */
export function readPack(path: string, trusted?: readonly PublicKey[]): Pack {
  return parsePack(path, readPackBytes(path), trusted);
}

/**
 * The bytes of a pack, read once.
 *
 * @throws DatabaseFilesError when it is no file, or too large for a pack
 */
export function readPackBytes(path: string): Uint8Array {
  try {
    const source = openFile(path);
    try {
      if (source.size > packLimits.packBytes) {
        throw new TelltaleError('limit/bytes', `is larger than ${packLimits.packBytes} bytes`);
      }
      return source.read(0, source.size);
    } finally {
      source.close();
    }
  } catch (error) {
    if (error instanceof TelltaleError)
      throw new DatabaseFilesError('database/unreadable', path, error.message);
    throw error;
  }
}

/**
 * As {@link readPack}, for bytes in memory.
 *
 * @param path - what the bytes are called in complaints
 */
export function parsePack(path: string, bytes: Uint8Array, trusted?: readonly PublicKey[]): Pack {
  const { manifestLine, seal, head, body } = splitPack(path, bytes);
  // Before the manifest is looked at: whoever could not sign it shall not have it parsed either.
  const key = checkSeal(path, seal, head, trusted);
  const manifest = parseManifest(path, manifestLine);
  if (manifest.key !== (key?.id ?? null)) {
    return refuse(path, 'manifest', 'key: is not the id of the key in the signature line', 'pack/altered');
  }
  const products = takeProducts(path, manifest, bytes, body);
  const digest = toDatabaseDigest(products);
  if (digest !== manifest.database) {
    return refuse(
      path,
      'manifest',
      `database: its digest is ${digest}, not ${manifest.database}`,
      'pack/altered',
    );
  }
  return { seal: { path, signedBy: manifest.key, trusted: trusted !== undefined }, products, digest };
}

function refuse(path: string, place: string, reason: string, fault: DatabaseFault = 'pack/malformed'): never {
  throw new DatabaseFilesError(fault, path, `${place}: ${reason}`);
}

interface Pieces {
  readonly manifestLine: Uint8Array;
  readonly seal: string;
  /** Lines 1 and 2 with their line ends: what is signed. */
  readonly head: Uint8Array;
  /** Offset of the first file. */
  readonly body: number;
}

function splitPack(path: string, bytes: Uint8Array): Pieces {
  if (bytes.length > packLimits.packBytes) {
    return refuse(path, 'the file', `is larger than ${packLimits.packBytes} bytes`);
  }
  if (!magic.every((byte, index) => bytes[index] === byte)) {
    return isPack(bytes)
      ? refuse(path, 'line 1', `is not "${formatName}", the only form of a pack that is read`)
      : refuse(path, 'line 1', `is neither a folder nor a pack (a pack begins with "${formatName}")`);
  }
  const manifestEnd = findLineEnd(path, bytes, magic.length, packLimits.manifestBytes, 'manifest');
  const sealEnd = findLineEnd(path, bytes, manifestEnd + 1, packLimits.sealBytes, 'signature');
  return {
    manifestLine: bytes.subarray(magic.length, manifestEnd),
    seal: new TextDecoder('latin1').decode(bytes.subarray(manifestEnd + 1, sealEnd)),
    head: bytes.subarray(0, manifestEnd + 1),
    body: sealEnd + 1,
  };
}

function findLineEnd(path: string, bytes: Uint8Array, from: number, most: number, place: string): number {
  const end = bytes.subarray(from, from + most + 1).indexOf(lineFeed);
  if (end >= 0) return from + end;
  return bytes.length <= from + most
    ? refuse(path, place, `the file ends in this line, at offset ${bytes.length}`)
    : refuse(path, place, `the line at offset ${from} is longer than ${most} bytes`);
}

/** The key of the signature; undefined for a pack without one, whose own digest holds. */
function checkSeal(
  path: string,
  seal: string,
  head: Uint8Array,
  trusted: readonly PublicKey[] | undefined,
): PublicKey | undefined {
  const [, stated] = /^unsigned ([0-9a-f]{64})$/.exec(seal) ?? [];
  if (stated !== undefined) {
    if (trusted !== undefined) return refuse(path, 'signature', 'the pack is not signed', 'pack/unsigned');
    const digest = toHex(toDigest('sha256', head));
    if (digest !== stated) {
      return refuse(path, 'manifest', `was altered: its sha256 is ${digest}, not ${stated}`, 'pack/altered');
    }
    return undefined;
  }
  const [, keyText = '', signatureText = ''] = /^ed25519 (\S+) (\S+)$/.exec(seal) ?? [];
  const raw = tryBase64(keyText, publicKeyBytes);
  const signature = tryBase64(signatureText, signatureBytes);
  if (raw === undefined || signature === undefined) {
    return refuse(path, 'signature', 'is neither "ed25519 KEY SIGNATURE" nor "unsigned SHA256"');
  }
  const key = toPublicKey(raw);
  if (checkPackSignature(raw, head, signature) !== 'valid') {
    return refuse(
      path,
      'signature',
      `does not hold over the manifest (key ${key.id}): one of them was altered`,
      'pack/altered',
    );
  }
  if (trusted !== undefined && !trusted.some(({ line }) => line === key.line)) {
    const ids = trusted.map(({ id }) => id).join(', ');
    return refuse(
      path,
      'signature',
      `was made with the key ${key.id}, which is not trusted (${ids} is)`,
      'pack/untrusted-key',
    );
  }
  return key;
}

function parseManifest(path: string, line: Uint8Array): Manifest {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
    value = JSON.parse(text);
  } catch (error) {
    return refuse(path, 'manifest', `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const result = manifestSchema.safeParse(value, { jitless: true });
  if (!result.success) {
    const [issue] = result.error.issues;
    return refuse(path, 'manifest', `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is wrong'}`);
  }
  const manifest = result.data;
  if (toCanonicalText(manifest) !== text) {
    return refuse(path, 'manifest', 'is not written canonically (order, white space, repeated keys)');
  }
  if (!isAscending(manifest.products.map(({ id }) => id))) {
    return refuse(path, 'manifest', 'products: are not in order, or one is there twice');
  }
  return manifest;
}

/** Cuts the body into the files of the manifest; every byte of it belongs to exactly one. */
function takeProducts(
  path: string,
  { files, products }: Manifest,
  bytes: Uint8Array,
  body: number,
): readonly PackedProduct[] {
  const filesById = new Map<string, DatabaseFile[]>(products.map(({ id }) => [id, []]));
  let offset = body;
  for (const [index, { path: filePath, sha256: stated, size }] of files.entries()) {
    const slash = filePath.indexOf('/');
    const name = filePath.slice(slash + 1);
    const ofProduct = filesById.get(filePath.slice(0, Math.max(0, slash)));
    if (ofProduct === undefined || !isPackName(name)) {
      return refuse(path, 'manifest', `files.${index}.path: no file of a pack is called "${filePath}"`);
    }
    const end = offset + size;
    if (end > bytes.length) {
      const missing = end - bytes.length;
      return refuse(
        path,
        filePath,
        `at offset ${offset}: ${missing} of its ${size} bytes are missing`,
        'pack/altered',
      );
    }
    const content = bytes.subarray(offset, end);
    const digest = toHex(toDigest('sha256', content));
    if (digest !== stated) {
      return refuse(
        path,
        filePath,
        `at offset ${offset}: was altered: its sha256 is ${digest}, not ${stated}`,
        'pack/altered',
      );
    }
    ofProduct.push({ name, bytes: content });
    offset = end;
  }
  if (offset !== bytes.length) {
    return refuse(
      path,
      `offset ${offset}`,
      `${bytes.length - offset} bytes lie behind the last file`,
      'pack/altered',
    );
  }
  const order = products.flatMap(({ id }) => (filesById.get(id) ?? []).map(({ name }) => `${id}/${name}`));
  if (order.some((filePath, index) => filePath !== files[index]?.path)) {
    return refuse(path, 'manifest', 'files: are not in the order of the products');
  }
  return products.map(({ id, revision }): PackedProduct => {
    const ofProduct = filesById.get(id) ?? [];
    if (ofProduct.length === 0) return refuse(path, 'manifest', `products: there is no file of "${id}"`);
    if (ofProduct.length > packLimits.filesPerProduct) {
      return refuse(path, 'manifest', `files: "${id}" has more than ${packLimits.filesPerProduct}`);
    }
    if (!isAscending(ofProduct.map(({ name }) => name))) {
      return refuse(path, 'manifest', `files: those of "${id}" are not in order, or one is there twice`);
    }
    const hasProductFile = ofProduct.some(({ name }) => name === 'product.json');
    if (hasProductFile && readRevision({ files: ofProduct }) !== (revision ?? undefined)) {
      return refuse(path, `${id}/product.json`, `does not state the revision of the manifest, ${revision}`);
    }
    return { folder: `${path}/${id}`, id, files: ofProduct, revision: revision ?? undefined };
  });
}
