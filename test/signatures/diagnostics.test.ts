import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Chalk } from 'chalk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { readDatabaseFiles } from '../../src/platform/database-files.ts';
import { buildPack } from '../../src/platform/database-pack.ts';
import type { DatabaseReference } from '../../src/platform/database-references.ts';
import { parseSigningKey, type SigningKey } from '../../src/platform/signing-keys.ts';
import { toDiagnosticsText } from '../../src/report/diagnostics.ts';
import { checkDatabase } from '../../src/signatures/check.ts';
import {
  allowableCodes,
  type Diagnostic,
  type DiagnosticCode,
  diagnosticCodes,
  toDiagnosticKind,
} from '../../src/signatures/diagnostic.ts';
import { type DatabaseReading, loadDatabase, readDatabase } from '../../src/signatures/load.ts';
import { strengths } from '../../src/signatures/vocabulary.ts';

/*
 * One example of each diagnostic. `base/` is a small sound database of an invented product; `FAMILY/DETAIL/change.json`
 * says what is changed in it, and `expected.txt` beside it is what `telltale db check` then prints.
 * UPDATE_DIAGNOSTICS=1 writes the expected texts; read them before you commit them.
 */

const root = fileURLToPath(new URL('diagnostics/', import.meta.url));

const changeSchema = z.strictObject({
  /** By path: replacements of texts that occur once, a whole new text, bytes, or null to remove the file. */
  files: z
    .record(
      z.string(),
      z.union([
        z.null(),
        z.string(),
        z.strictObject({ base64: z.string() }),
        z.array(z.tuple([z.string(), z.string()])),
      ]),
    )
    .optional(),
  /** A pack that is made of the database, and what is replaced in it afterwards by something of the same length. */
  pack: z
    .strictObject({
      name: z.string(),
      signer: z.int().optional(),
      replace: z.tuple([z.string(), z.string()]).optional(),
    })
    .optional(),
  /** The folders and packs that are given, in their order. */
  references: z.array(z.string()).optional(),
  /** Numbers of the keys that are trusted. */
  trusted: z.array(z.int()).optional(),
  minimum: z.array(z.strictObject({ product: z.string(), revision: z.string() })).optional(),
  goodware: z
    .array(
      z.strictObject({
        product: z.string(),
        indicator: z.string(),
        strength: z.enum(strengths),
        files: z.int(),
        artifacts: z.int(),
        places: z.array(
          z.strictObject({ member: z.string(), offset: z.int().exactOptional(), evidence: z.string() }),
        ),
      }),
    )
    .optional(),
});
type Change = z.infer<typeof changeSchema>;

let workplace = '';
beforeAll(() => {
  workplace = mkdtempSync(join(tmpdir(), 'telltale-diagnostics-'));
});
afterAll(() => rmSync(workplace, { recursive: true, force: true }));

function readChange(code: DiagnosticCode): Change {
  return changeSchema.parse(JSON.parse(readFileSync(join(root, code, 'change.json'), 'utf8')));
}

/** Writes the base with its change, and returns the folder that holds it. */
function writeExample(code: DiagnosticCode, { files = {}, pack }: Change): string {
  const folder = join(workplace, code);
  cpSync(join(root, 'base'), folder, { recursive: true });
  for (const [name, change] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (change === null) rmSync(path);
    else if (typeof change === 'string') writeFileSync(path, change);
    else if (Array.isArray(change))
      writeFileSync(path, change.reduce(replaceOnce, readFileSync(path, 'utf8')));
    else writeFileSync(path, Buffer.from(change.base64, 'base64'));
  }
  if (pack !== undefined) {
    const { name, signer, replace = ['', ''] } = pack;
    const parts = readDatabaseFiles(join(folder, 'database'));
    const bytes = buildPack(parts, new Map(), signer === undefined ? undefined : toSigner(signer));
    const text = Buffer.from(bytes).toString('latin1');
    writeFileSync(join(folder, name), replace[0] === '' ? text : replaceOnce(text, replace), 'latin1');
  }
  return folder;
}

/** The key whose 32 secret bytes are all this number: PKCS#8 of Ed25519 (RFC 8410, section 7). */
function toSigner(number: number): SigningKey {
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    Buffer.alloc(32, number),
  ]);
  const pem = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
  return parseSigningKey(pem, undefined);
}

function toReferences(
  folder: string,
  { references = ['database'], trusted, minimum = [] }: Change,
): DatabaseReference[] {
  const keys = trusted?.map((number) => toSigner(number).publicKey);
  const demands = { minimum, ...(keys === undefined ? {} : { trusted: keys }) };
  return references.map((name) => ({ path: join(folder, name), demands }));
}

function replaceOnce(text: string, [from, to]: readonly [string, string]): string {
  expect(text.split(from).length - 1, `how often ${JSON.stringify(from)} occurs`).toBe(1);
  return text.replace(from, () => to);
}

interface Example {
  readonly folder: string;
  readonly reading: DatabaseReading;
  readonly diagnostics: readonly Diagnostic[];
  readonly text: string;
}

function runExample(code: DiagnosticCode): Example {
  const change = readChange(code);
  const folder = writeExample(code, change);
  const reading = readDatabase(toReferences(folder, change));
  const { diagnostics, complete } = checkDatabase(
    reading,
    change.goodware === undefined ? undefined : { fired: change.goodware, placesShown: 2 },
  );
  const texts = new Map(reading.files.map(({ path, text }) => [path, text]));
  const text = toDiagnosticsText(
    diagnostics,
    { indicators: 3, complete },
    { colour: new Chalk({ level: 0 }), columns: 100, tryReadText: (file) => texts.get(file) },
  );
  return { folder, reading, diagnostics, text: text.replaceAll(`${folder}/`, '') };
}

describe('when a database has one fault', () => {
  it('has none before', () => {
    expect(checkDatabase(readDatabase([join(root, 'base/database')]))).toEqual({
      diagnostics: [],
      complete: true,
    });
  });

  it('has an example of each code, and no other', () => {
    const examples = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('change.json'))
      .map((name) => dirname(name));
    expect(examples.sort()).toEqual([...diagnosticCodes].sort());
  });

  it.each(diagnosticCodes)('%s', (code) => {
    const { diagnostics, text } = runExample(code);
    expect(new Set(diagnostics.map((one) => one.code))).toEqual(new Set([code]));
    const expected = join(root, code, 'expected.txt');
    if (process.env['UPDATE_DIAGNOSTICS'] === '1') writeFileSync(expected, text);
    expect(existsSync(expected), `UPDATE_DIAGNOSTICS=1 writes ${expected}`).toBe(true);
    expect(text).toBe(readFileSync(expected, 'utf8'));
  });

  it.each(diagnosticCodes)('%s stops a scan when the table says so', (code) => {
    const change = readChange(code);
    const folder = writeExample(code, change);
    const references = toReferences(folder, change);
    if (toDiagnosticKind(code).phase === 'load') {
      expect(() => loadDatabase(references)).toThrow(TelltaleError);
      expect(() => loadDatabase(references)).toThrow(`[${code}]`);
    } else {
      expect(loadDatabase(references).products.length).toBe(1);
    }
  });
});

describe('when the table is read', () => {
  it('has plain texts for each code', () => {
    for (const code of diagnosticCodes) {
      const { title, why, help } = toDiagnosticKind(code);
      expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*\/[a-z]+(?:-[a-z]+)*$/);
      expect(title, code).toMatch(/^[a-z"].*[^.]$/);
      for (const text of [why, help]) expect(text, code).toMatch(/^[A-Z].*[.)]$/);
    }
  });

  it('allows what the schema allows', () => {
    expect(diagnosticCodes.filter((code) => toDiagnosticKind(code).allowable === true)).toEqual([
      ...allowableCodes,
    ]);
  });
});
