import { existsSync, rmSync, statSync } from 'node:fs';
import { toHex } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import { type ProductFiles, readDatabaseFiles } from '../../platform/database-files.ts';
import { buildPack, type Pack, parsePack, readPackBytes } from '../../platform/database-pack.ts';
import { checkRevisions } from '../../platform/database-references.ts';
import { readDatabases } from '../../platform/databases.ts';
import { toDigest } from '../../platform/digests.ts';
import type { Minimum } from '../../platform/revisions.ts';
import { shippedDatabase } from '../../platform/shipped.ts';
import { generateSigningKey, parseSigningKey, type SigningKey } from '../../platform/signing-keys.ts';
import { toBytes } from '../../report/amounts.ts';
import { toSafeJson, toVisible } from '../../report/escape.ts';
import { padColumns } from '../../report/width.ts';
import { checkDatabase } from '../../signatures/check.ts';
import { toDiagnosticLine } from '../../signatures/diagnostic.ts';
import { readContent } from '../../signatures/load.ts';
import type { SharedOptions } from '../arguments.ts';
import type { ExitName } from '../exit-codes.ts';
import { writeFile } from '../output-file.ts';
import type { Terminal } from '../terminal.ts';
import { readKeyFile, toDemands } from '../trust.ts';

interface AnswerOptions {
  readonly format: 'text' | 'json';
}

export interface KeygenOptions extends AnswerOptions {
  readonly output: string;
  readonly passphraseFile?: string;
}

export interface PackOptions extends AnswerOptions {
  readonly output: string;
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly unsigned?: boolean;
  readonly revision?: readonly Minimum[];
  readonly base?: readonly string[];
  readonly force?: boolean;
}

export interface VerifyOptions extends AnswerOptions, Pick<SharedOptions, 'trust' | 'minRevision'> {}

/** In bytes. A private key takes about two hundred; OpenSSL takes no longer passphrase than the other. */
const keyFileBytes = 64 * 1024;
const passphraseBytes = 1024;

// ----------------------------------------------------------------------------------------------- keygen

/** `telltale db keygen`: a new key pair, in two new files. */
export function runKeygen(options: KeygenOptions, terminal: Terminal): ExitName {
  const [privatePath, publicPath] = [`${options.output}.key`, `${options.output}.pub`];
  for (const path of [privatePath, publicPath]) {
    if (existsSync(path)) {
      throw new TelltaleError(
        'usage/arguments',
        `${path} is there already; a key is never written over: choose another name`,
      );
    }
  }
  const passphrase = readPassphrase(options.passphraseFile);
  const { privatePem, publicPem, publicKey } = generateSigningKey(passphrase);
  const encoder = new TextEncoder();
  writeFile(privatePath, [encoder.encode(privatePem)], { force: false, mode: 0o600 });
  try {
    writeFile(publicPath, [encoder.encode(publicPem)], { force: false });
  } catch (error) {
    // Half a key pair, which was made a moment ago, is of no use to anybody.
    rmSync(privatePath);
    throw error;
  }
  const encrypted = passphrase !== undefined;
  tell(
    options,
    terminal,
    {
      schema: 'telltale/db-keygen/1',
      privateKey: privatePath,
      publicKey: publicPath,
      encrypted,
      id: publicKey.id,
      line: publicKey.line,
    },
    `${terminal.colour.green('✔')} a new key pair`,
    [
      ['private', `${privatePath} (${encrypted ? 'encrypted' : 'not encrypted'}; whoever has it can sign)`],
      ['public', `${publicPath} (hand it out; --trust takes it)`],
      ['one line', publicKey.line],
      ['key id', publicKey.id],
    ],
  );
  return 'ok';
}

/** The passphrase that was given, from a file or from the environment; undefined when there is none. */
function readPassphrase(file: string | undefined): string | undefined {
  if (file === undefined) {
    const given = process.env.TELLTALE_PASSPHRASE;
    return given === undefined || given === '' ? undefined : given;
  }
  return readKeyFile(file, passphraseBytes, (text) => {
    const [line = ''] = text.split(/\r?\n/, 1);
    if (line === '') throw new TelltaleError('usage/arguments', 'its first line holds no passphrase');
    return line;
  });
}

// ------------------------------------------------------------------------------------------------- pack

/** `telltale db pack`: checks databases, writes them as one file, and signs it. */
export function runPack(folders: readonly string[], options: PackOptions, terminal: Terminal): ExitName {
  const signer = readSigner(options, terminal);
  const parts = readFolders(folders);
  const revisions = toRevisions(parts, options.revision ?? []);
  const warnings = checkParts(parts, options.base);

  const bytes = buildPack(parts, revisions, signer);
  // Read back as strictly as by whoever will use it: a name or a size that no pack may have ends here.
  const pack = parsePack(options.output, bytes, signer === undefined ? undefined : [signer.publicKey]);
  writeFile(options.output, [bytes], { force: options.force ?? false });
  tell(
    options,
    terminal,
    { schema: 'telltale/db-pack/1', ...toDocument(pack, bytes), warnings },
    `${terminal.colour.green('✔')} ${toVisible(options.output)}`,
    [
      ...toRows(pack, bytes),
      ...(warnings === 0 ? [] : [['warnings', `${warnings}; telltale db check shows them`] as const]),
    ],
  );
  return 'ok';
}

function readSigner(options: PackOptions, terminal: Terminal): SigningKey | undefined {
  const { key: path, unsigned = false } = options;
  if (path === undefined) {
    if (unsigned) return undefined;
    throw new TelltaleError(
      'usage/arguments',
      'a pack needs --key FILE to be signed with (telltale db keygen makes one), or else --unsigned',
    );
  }
  if (unsigned) throw new TelltaleError('usage/arguments', '--key and --unsigned contradict each other');
  const signer = readKeyFile(path, keyFileBytes, (text) =>
    parseSigningKey(text, readPassphrase(options.passphraseFile)),
  );
  const status = statSync(path);
  // Windows has no such permissions, and a pipe is gone when it is read.
  if (process.platform !== 'win32' && status.isFile() && (status.mode & 0o077) !== 0) {
    terminal.err(`telltale: ${toVisible(path)} can be read by other users of this machine: chmod 600 it\n`);
  }
  return signer;
}

/** The products of all folders, sorted by id. */
function readFolders(folders: readonly string[]): readonly ProductFiles[] {
  const parts = folders.flatMap((folder) => readDatabaseFiles(folder));
  const byId = new Map<string, ProductFiles>();
  for (const part of parts) {
    const earlier = byId.get(part.id);
    if (earlier !== undefined) {
      throw new TelltaleError(
        'usage/database',
        `"${part.id}" is in ${earlier.folder} and in ${part.folder}: a pack holds a product once; make two packs, and give both`,
      );
    }
    byId.set(part.id, part);
  }
  return [...byId].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
}

/** The revisions that the person states, which the folders must leave open. */
function toRevisions(parts: readonly ProductFiles[], given: readonly Minimum[]): ReadonlyMap<string, string> {
  for (const { product } of given) {
    const part = parts.find(({ id }) => id === product);
    if (part === undefined) {
      throw new TelltaleError('usage/arguments', `--revision: the folders hold no product "${product}"`);
    }
    if (hasProductFile(part)) {
      throw new TelltaleError(
        'usage/arguments',
        `--revision: "${product}" states its revision itself, in ${part.folder}/product.json`,
      );
    }
  }
  return new Map(given.map(({ product, revision }) => [product, revision]));
}

function hasProductFile({ files }: ProductFiles): boolean {
  return files.some(({ name }) => name === 'product.json');
}

/**
 * Loads the folders as whoever uses the pack will: by themselves when they are whole, else on top of what they add to.
 *
 * @returns how many warnings there are
 * @throws TelltaleError `usage/database` when there are errors
 */
function checkParts(parts: readonly ProductFiles[], base: readonly string[] | undefined): number {
  const below = readDatabases(base ?? (parts.every(hasProductFile) ? [] : [shippedDatabase]));
  // The bytes that were read are checked and packed: the folders may change in between.
  const reading = readContent({ parts: [...below.parts, ...parts], packs: below.packs });
  const { diagnostics } = checkDatabase(reading);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    const lines = errors.slice(0, 20).map(toDiagnosticLine);
    throw new TelltaleError(
      'usage/database',
      [`${errors.length} errors; a database with errors is not packed`, ...lines].join('\n'),
    );
  }
  return diagnostics.length;
}

// ----------------------------------------------------------------------------------------------- verify

/** `telltale db verify`: whether a pack holds, what is in it, and who signed it. */
export function runVerify(path: string, options: VerifyOptions, terminal: Terminal): ExitName {
  const demands = toDemands(options);
  const { trusted, minimum = [] } = demands ?? {};
  const bytes = readPackBytes(path);
  const pack = parsePack(path, bytes, trusted);
  checkRevisions([{ path, products: pack.products, minimum }]);
  const isVouched = pack.seal.trusted;
  tell(
    options,
    terminal,
    { schema: 'telltale/db-verify/1', ...toDocument(pack, bytes) },
    `${isVouched ? terminal.colour.green('✔') : '?'} ${toVisible(path)}`,
    toRows(pack, bytes),
  );
  return isVouched ? 'ok' : 'incomplete';
}

// ---------------------------------------------------------------------------------------------- answers

type Row = readonly [label: string, text: string];

function tell(
  { format }: AnswerOptions,
  terminal: Terminal,
  document: Readonly<Record<string, unknown>>,
  headline: string,
  rows: readonly Row[],
): void {
  terminal.out(
    format === 'json'
      ? `${toSafeJson(document, 2)}\n`
      : [
          ` ${headline}`,
          ...rows.map(([label, text]) => `     ${padColumns(label, 12)}${toVisible(text)}`),
          '',
        ].join('\n'),
  );
}

function toDocument({ seal, products, digest }: Pack, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  return {
    pack: seal.path,
    size: bytes.length,
    sha256: toHex(toDigest('sha256', bytes)),
    signedBy: seal.signedBy,
    trusted: seal.trusted,
    database: digest,
    products: products.map(({ id, revision, files }) => ({
      id,
      revision: revision ?? null,
      files: files.map(({ name, bytes: content }) => ({ name, size: content.length })),
    })),
  };
}

function toRows({ seal, products, digest }: Pack, bytes: Uint8Array): readonly Row[] {
  return [
    ...products.map(({ id, revision, files }): Row => {
      const size = files.reduce((sum, file) => sum + file.bytes.length, 0);
      return ['product', `${id} ${revision ?? '(no revision)'}, ${files.length} files, ${toBytes(size)}`];
    }),
    ['database', digest],
    ['sha256', `${toHex(toDigest('sha256', bytes))} (of the pack)`],
    ['signed with', seal.signedBy ?? 'nothing: the pack is not signed'],
    ...(seal.signedBy === null ? [] : [toTrustRow(seal.trusted)]),
  ];
}

function toTrustRow(trusted: boolean): Row {
  return [
    'signer',
    trusted
      ? 'the signature holds, and the key is trusted'
      : 'the signature holds; whose key it is was not checked (--trust KEY checks it)',
  ];
}
