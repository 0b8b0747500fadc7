import { describe, expect, it } from 'vitest';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { type ProductFiles, readDatabaseFiles } from '../../src/platform/database-files.ts';
import { buildPack, packLimits, parsePack, readPack } from '../../src/platform/database-pack.ts';
import { readDatabases } from '../../src/platform/databases.ts';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import { mutate } from '../mutation.ts';
import { product, sources, toVariant, writeFolder } from '../signatures/database-fixture.ts';
import { createSigner, forge, splitText, toBytes, toText } from './pack-forge.ts';

const signer = createSigner();
const stranger = createSigner();
const trusted = [signer.publicKey];
const noRevisions = new Map<string, string>();

const folder = writeFolder({
  'demo/product.json': product,
  'demo/sources.json': sources,
  'demo/variants/tom.json': toVariant('tom', []),
});
const parts = readDatabaseFiles(folder);
const signed = buildPack(parts, noRevisions, signer);
const unsigned = buildPack(parts, noRevisions, undefined);
const whole = splitText(signed);

/** The complaint about a pack; fails the test when there is none. */
function complaintOf(bytes: Uint8Array, keys = undefined as typeof trusted | undefined): string {
  try {
    parsePack('demo.telltale', bytes, keys);
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    expect(error.code).toBe('usage/database');
    return error.message;
  }
  throw new Error('was accepted');
}

const replace = (bytes: Uint8Array, from: string, to: string): Uint8Array => {
  const text = toText(bytes);
  expect(text).toContain(from);
  return toBytes(text.replace(from, to));
};

describe('when a database is packed', () => {
  it('holds the same files, under the same digest', () => {
    const pack = parsePack('demo.telltale', signed, trusted);
    expect(pack.seal).toEqual({ path: 'demo.telltale', signedBy: signer.publicKey.id, trusted: true });
    expect(pack.digest).toBe(loadDatabase([folder]).digest);
    expect(pack.products.map(({ id, revision, files }) => ({ id, revision, files }))).toEqual([
      {
        id: 'demo',
        revision: '2026.11',
        files: parts[0]?.files.map(({ name, bytes }) => ({ name, bytes: new Uint8Array(bytes) })),
      },
    ]);
  });

  it('loads as the folder does, for the database that ships', () => {
    const bytes = buildPack(readDatabaseFiles(shippedDatabase), noRevisions, signer);
    const file = `${writeFolder({ 'shipped.telltale': bytes })}/shipped.telltale`;
    const fromPack = loadDatabase([{ path: file, demands: { trusted, minimum: [] } }]);
    const fromFolder = loadDatabase([shippedDatabase]);
    expect(fromPack.digest).toBe(fromFolder.digest);
    expect(fromPack.version).toBe(fromFolder.version);
    expect(fromPack.products.map(({ variants }) => variants)).toEqual(
      fromFolder.products.map(({ variants }) => variants),
    );
    expect(fromPack.packs).toEqual([{ path: file, signedBy: signer.publicKey.id, trusted: true }]);
    expect(fromFolder.packs).toEqual([]);
  });

  it('has the same bytes for the same files and key', () => {
    expect(buildPack(readDatabaseFiles(folder), noRevisions, signer)).toEqual(signed);
    expect(buildPack(parts, noRevisions, stranger)).not.toEqual(signed);
  });

  it('sorts products by id, also where one id begins another', () => {
    const zoo = { ...product, id: 'demo-b', claims: product.claims.map((one) => ({ ...one, id: 'other' })) };
    const both = readDatabaseFiles(writeFolder({ 'demo/product.json': product, 'demo-b/product.json': zoo }));
    expect(
      parsePack('p', buildPack(both, noRevisions, signer), trusted).products.map(({ id }) => id),
    ).toEqual(['demo', 'demo-b']);
  });

  it('states a revision for what has no product.json, when one is given', () => {
    const addition = readDatabaseFiles(writeFolder({ 'demo/sources.json': sources }));
    const revisionOf = (revisions: ReadonlyMap<string, string>) =>
      parsePack('p', buildPack(addition, revisions, signer)).products[0]?.revision;
    expect(revisionOf(noRevisions)).toBeUndefined();
    expect(revisionOf(new Map([['demo', '2026.12.3']]))).toBe('2026.12.3');
  });
});

describe('when a pack was altered', () => {
  it.each([
    [
      'its first line',
      replace(signed, 'telltale-pack/1', 'telltale-pack/2'),
      /^demo\.telltale: line 1: is not "telltale-pack\/1"/,
    ],
    [
      'its manifest',
      replace(signed, '"2026.11"', '"2026.12"'),
      /: signature: does not hold over the manifest/,
    ],
    ['its signature', replace(signed, whole.seal.slice(-8, -4), 'AAAA'), /: signature: does not hold/],
    [
      'its key',
      replace(signed, signer.publicKey.line.slice(8), stranger.publicKey.line.slice(8)),
      /: signature: does not hold/,
    ],
    ['its signature line', replace(signed, 'ed25519 ', 'rsa2048 '), /: signature: is neither/],
    ['the base64 of its signature', replace(signed, '==\n', '= \n'), /: signature: is neither/],
    [
      'a file',
      replace(signed, '"name": "Demo"', '"name": "Dumb"'),
      /: demo\/product\.json: at offset \d+: was altered: its sha256 is [0-9a-f]{64}/,
    ],
    [
      'its end',
      signed.subarray(0, -1),
      /: demo\/variants\/tom\.json: at offset \d+: 1 of its \d+ bytes are missing/,
    ],
    [
      'what is behind its end',
      toBytes(`${toText(signed)}\n`),
      /: offset \d+: 1 bytes lie behind the last file/,
    ],
    [
      'its signature away',
      toBytes(toText(signed).slice(0, toText(signed).indexOf('ed25519 ') + 20)),
      /: signature: the file ends in this line/,
    ],
    ['its line ends', replace(signed, 'telltale-pack/1\n', 'telltale-pack/1\r\n'), /: line 1: is not/],
    ['all of it', new Uint8Array(0), /: line 1: is neither a folder nor a pack/],
    [
      'the manifest of an unsigned pack',
      replace(unsigned, '"2026.11"', '"2026.12"'),
      /: manifest: was altered/,
    ],
    ['a file of an unsigned pack', replace(unsigned, '"name": "Demo"', '"name": "Dumb"'), /was altered/],
  ])('refuses it: %s', (_, bytes, complaint) => {
    expect(complaintOf(bytes)).toMatch(complaint);
    expect(complaintOf(bytes, trusted)).not.toBe('');
  });

  it('refuses every single flipped bit', () => {
    for (const bytes of [signed, unsigned]) {
      const accepted: number[] = [];
      // Every bit of the head, and one of each byte of the files, whose digests are all checked in one way.
      const head = bytes.length - whole.body.length;
      for (let bit = 0; bit < bytes.length * 8; bit += bit < head * 8 ? 1 : 11) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        try {
          parsePack('demo.telltale', flipped);
          accepted.push(bit);
        } catch (error) {
          if (!(error instanceof TelltaleError) || error.code !== 'usage/database') throw error;
        }
      }
      expect(accepted).toEqual([]);
    }
  });

  it.each([
    ['signed', signed, trusted],
    ['signed, by anybody', signed, undefined],
    ['unsigned', unsigned, undefined],
  ])('refuses 2,000 seeded mutants: %s', (_, seed, keys) => {
    let refused = 0;
    let same = 0;
    for (const { bytes, description } of mutate(seed, 2_000, 11)) {
      if (Buffer.compare(bytes, seed) === 0) {
        same += 1;
        continue;
      }
      expect(complaintOf(bytes, keys), description).toMatch(/^demo\.telltale: /);
      refused += 1;
    }
    expect(refused + same).toBe(2_000);
    expect(refused).toBeGreaterThan(1_800);
  });
});

describe('when trust is demanded', () => {
  it('accepts one of several keys', () => {
    expect(parsePack('p', signed, [stranger.publicKey, signer.publicKey]).seal.trusted).toBe(true);
  });

  it('refuses another key, and names both', () => {
    expect(complaintOf(signed, [stranger.publicKey])).toBe(
      `demo.telltale: signature: was made with the key ${signer.publicKey.id}, which is not trusted (${stranger.publicKey.id} is)`,
    );
  });

  it('refuses a pack that is not signed, and a pack signed anew', () => {
    expect(complaintOf(unsigned, trusted)).toBe('demo.telltale: signature: the pack is not signed');
    expect(parsePack('p', unsigned).seal).toEqual({ path: 'p', signedBy: null, trusted: false });
    expect(complaintOf(forge(stranger, whole.manifest, whole.body), trusted)).toMatch(/not trusted/);
    expect(complaintOf(forge(stranger, whole.manifest, whole.body))).toMatch(/manifest: key: is not the id/);
    expect(complaintOf(signed, [])).toMatch(/not trusted/);
  });

  it('refuses a folder', () => {
    const demands = { trusted, minimum: [] };
    expect(() => readDatabases([{ path: folder, demands }])).toThrow(
      /is not a pack, and with --trust only packs/,
    );
    expect(() => readDatabases([{ path: `${folder}/nowhere`, demands }])).toThrow(/is not a pack/);
  });

  it('checks each of several packs', () => {
    const at = writeFolder({
      'one.telltale': signed,
      'two.telltale': buildPack(parts, noRevisions, stranger),
      'none.telltale': unsigned,
    });
    const read = (keys: typeof trusted, ...names: readonly string[]) =>
      readDatabases(names.map((name) => ({ path: `${at}/${name}`, demands: { trusted: keys, minimum: [] } })))
        .packs;
    expect(read([...trusted, stranger.publicKey], 'one.telltale', 'two.telltale')).toHaveLength(2);
    expect(() => read(trusted, 'one.telltale', 'two.telltale')).toThrow(/two\.telltale: signature/);
    expect(() => read([...trusted, stranger.publicKey], 'one.telltale', 'none.telltale')).toThrow(
      /none\.telltale: signature: the pack is not signed/,
    );
  });
});

describe('when a smallest revision is demanded', () => {
  const file = `${writeFolder({ 'demo.telltale': signed })}/demo.telltale`;
  const read = (path: string, ...minimum: { product: string; revision: string }[]) =>
    readDatabases([shippedDatabase, { path, demands: { minimum } }]);

  it('accepts that one and newer ones, in packs and folders', () => {
    for (const path of [file, folder]) {
      for (const revision of ['2026.11', '2026.10', '2026.09.99', '2025.12'])
        expect(read(path, { product: 'demo', revision }).parts.map(({ id }) => id)).toEqual([
          'skype',
          'demo',
        ]);
    }
  });

  it('refuses older ones, in packs and folders', () => {
    for (const path of [file, folder]) {
      for (const revision of ['2026.11.1', '2026.12', '2027.01', '9999.01']) {
        expect(() => read(path, { product: 'demo', revision })).toThrow(
          `${path}: demo: revision 2026.11 is older than ${revision}`,
        );
      }
    }
  });

  it('refuses a database that states none, and a product of which none speaks', () => {
    const addition = writeFolder({ 'demo/sources.json': sources });
    expect(() => read(addition, { product: 'demo', revision: '2026.01' })).toThrow(
      /demo: states no revision/,
    );
    expect(() => read(file, { product: 'demmo', revision: '2026.01' })).toThrow(
      /no database speaks of "demmo"/,
    );
  });
});

describe('when the holder of the key signs nonsense', () => {
  const change = (from: string, to: string): string => {
    expect(whole.manifest).toContain(from);
    return whole.manifest.replace(from, to);
  };
  const [, first = '', second = ''] = /"files":\[(\{[^}]*\}),(\{[^}]*\})/.exec(whole.manifest) ?? [];

  it('accepts what was not changed', () => {
    expect(forge(signer, whole.manifest, whole.body)).toEqual(signed);
  });

  it.each([
    ['no JSON', '{', /manifest: is not JSON/],
    ['a list', '[]', /manifest: it: /],
    ['nesting without end', '['.repeat(200_000), /manifest: is not JSON/],
    ['an unknown key', change('{"database"', '{"comment":"x","database"'), /manifest: it: /],
    ['a missing key', change('"format":"telltale-pack/1",', ''), /manifest: format: /],
    [
      'a repeated key',
      change('"format":"telltale-pack/1",', '"format":"telltale-pack/1","format":"telltale-pack/1",'),
      /canonically/,
    ],
    ['white space', change('{"database"', '{ "database"'), /canonically/],
    ['an escape', change('demo/product.json', 'demo\\/product.json'), /canonically/],
    ['a number in another form', change('"size":', '"size":1e0,"size":'), /canonically/],
    ['a byte order mark', `\u00ef\u00bb\u00bf${whole.manifest}`, /manifest: is not JSON/],
    ['bytes that are no text', change('demo/product.json', 'demo/\u00ff.json'), /manifest: is not JSON/],
    ['a negative size', change('"size":', '"size":-'), /manifest: files\.0\.size/],
    [
      'a size beyond the limit',
      whole.manifest.replace(/"size":\d+/, '"size":33554433'),
      /manifest: files\.0\.size/,
    ],
    [
      'a size of 2^53',
      whole.manifest.replace(/"size":\d+/, '"size":9007199254740993'),
      /manifest: files\.0\.size/,
    ],
    ['a size beyond the end', whole.manifest.replace(/"size":\d+/, '"size":33554432'), /bytes are missing/],
    [
      'a path out of the folder',
      change('demo/product.json', 'demo/../product.json'),
      /no file of a pack is called/,
    ],
    ['an absolute path', change('"demo/product.json', '"/demo/product.json'), /no file of a pack is called/],
    ['a Windows path', change('demo/product.json', 'demo\\\\product.json'), /no file of a pack is called/],
    [
      'a hidden file',
      change('demo/variants/tom.json', 'demo/variants/.tom.json'),
      /no file of a pack is called/,
    ],
    [
      'a deeper folder',
      change('demo/variants/tom.json', 'demo/variants/a/tom.json'),
      /no file of a pack is called/,
    ],
    ['a file of another kind', change('demo/product.json', 'demo/install.sh'), /no file of a pack is called/],
    [
      'a file of no product',
      change('demo/product.json', 'other/product.json'),
      /no file of a pack is called/,
    ],
    ['a file twice', change(second, first), /product\.json|sources\.json|canonically|in order/],
    ['another order', change(`${first},${second}`, `${second},${first}`), /was altered|in order|missing/],
    [
      'another database',
      whole.manifest.replace(/"database":"[0-9a-f]{8}/, '"database":"00000000'),
      /manifest: database: its digest/,
    ],
    ['another key', change(signer.publicKey.id, stranger.publicKey.id), /manifest: key: is not the id/],
    ['no key', change(`"${signer.publicKey.id}"`, 'null'), /manifest: key: is not the id/],
    [
      'another revision',
      change('"2026.11"', '"2026.12"'),
      /demo\/product\.json: does not state the revision/,
    ],
    ['no revision', change('"2026.11"', 'null'), /demo\/product\.json: does not state the revision/],
    [
      'a product without files',
      change('"products":[', '"products":[{"id":"aaa","revision":null},'),
      /there is no file of "aaa"/,
    ],
    [
      'a product twice',
      change('"products":[', '"products":[{"id":"demo","revision":"2026.11"},'),
      /products: are not in order/,
    ],
    [
      'no products',
      change('"products":[{"id":"demo","revision":"2026.11"}]', '"products":[]'),
      /manifest: products/,
    ],
    ['a name for __proto__', change('{"database"', '{"__proto__":{},"database"'), /manifest: /],
  ])('refuses %s', (_, manifest, complaint) => {
    expect(complaintOf(forge(signer, manifest, whole.body), trusted)).toMatch(complaint);
  });

  it('refuses one file twice, and files out of order, also when every digest is right', () => {
    const text = (one: Partial<ProductFiles>): ProductFiles => ({
      folder: '',
      id: 'demo',
      files: [],
      ...one,
    });
    const [product1, sources1] = [parts[0]?.files[0], parts[0]?.files[1]];
    if (product1 === undefined || sources1 === undefined) throw new Error('no files');
    const build = (...files: (typeof product1)[]) => buildPack([text({ files })], noRevisions, signer);
    expect(complaintOf(build(product1, product1))).toMatch(/not in order, or one is there twice/);
    expect(complaintOf(build(sources1, product1))).toMatch(/not in order, or one is there twice/);
    expect(parsePack('p', build(product1, sources1)).products).toHaveLength(1);
  });

  it('refuses a manifest beyond the limit without reading it', () => {
    const bytes = forge(signer, ' '.repeat(packLimits.manifestBytes + 1), '');
    expect(complaintOf(bytes)).toBe(
      `demo.telltale: manifest: the line at offset 16 is longer than ${packLimits.manifestBytes} bytes`,
    );
    expect(complaintOf(toBytes(`telltale-pack/1\n{}\n${'x'.repeat(200)}\n`))).toMatch(
      /signature: the line at offset/,
    );
  });
});

describe('when a pack cannot be read', () => {
  it('says why', () => {
    expect(() => readPack(`${folder}/nowhere.telltale`)).toThrow(/nowhere\.telltale: does not exist/);
    expect(() => readPack(folder)).toThrow(/is not a regular file/);
    expect(() => readDatabases([`${folder}/demo/product.json`])).toThrow(
      /product\.json: line 1: is neither a folder nor a pack/,
    );
  });
});
