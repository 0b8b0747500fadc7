import { z } from 'zod';
import { TelltaleError } from '../bytes/errors.ts';
import { LocatedJson, parseJsonFile } from '../signatures/json-file.ts';
import type { Lock } from './lock.ts';
import { verdicts } from './model.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');
const text = z.string().trim().min(1);
const ids = z.array(text).min(1);

const requirementsSchema = z.strictObject({
  verdict: z
    .array(z.enum(verdicts))
    .min(1)
    .optional()
    .describe('Each file has one of these; what was not read fully does not count as having it'),
  product: ids.optional(),
  variant: ids.optional(),
  platform: ids.optional(),
  publisher: ids
    .optional()
    .describe('Intact, and signed with a pinned certificate of one of these publishers'),
  minimumVersion: z
    .string()
    .regex(/^\d+(\.\d+)*$/, 'numbers joined by dots')
    .optional(),
  knownBuild: z.literal(true).optional().describe('The digest is in the ledger of known builds'),
  complete: z.literal(true).optional().describe('Everything in the file was read'),
});

const exceptionSchema = z.strictObject({
  sha256,
  reason: text,
  owner: text.describe('Who answers for it'),
  expires: z.iso.date().describe('The last day on which it holds, YYYY-MM-DD, UTC'),
});

export const policySchema = z.strictObject({
  $schema: z.string().optional(),
  failOn: z
    .array(z.enum([...verdicts, 'incomplete', 'rule']))
    .optional()
    .describe('Verdicts that violate the policy; impostor, modified and variant when left out'),
  require: requirementsSchema.optional(),
  exceptions: z.array(exceptionSchema).optional(),
});

export const lockSchema = z.strictObject({
  $schema: z.string().optional(),
  schema: z.literal('telltale/lock/1'),
  database: sha256.describe('Digest of the database that gave the verdicts'),
  files: z.array(
    z.strictObject({
      path: text.describe('Relative to the folder of the lock, with slashes'),
      sha256: sha256.nullable(),
      verdict: z.enum(verdicts),
      variant: z.string().nullable(),
      version: z.string().nullable(),
      platform: z.string().nullable(),
      complete: z.boolean(),
    }),
  ),
});

/**
 * Reads a policy.
 *
 * @param path - for messages
 * @throws TelltaleError `usage/arguments` with file, line, column and field
 */
export function parsePolicy(path: string, content: string): Policy {
  const { failOn, require = {}, exceptions = [] } = parse(path, content, policySchema, 'policy');
  return { failOn: failOn ?? defaultPolicy.failOn, require, exceptions };
}

/**
 * Reads a lock.
 *
 * @param path - for messages
 * @throws TelltaleError `usage/arguments` with file, line, column and field
 */
export function parseLock(path: string, content: string): Lock {
  const { schema, database, files } = parse(path, content, lockSchema, 'lock');
  return { schema, database, files };
}

function parse<Value>(path: string, content: string, schema: z.ZodType<Value>, what: string): Value {
  const { value, faults } = parseJsonFile(new LocatedJson(content), schema);
  if (value !== undefined) return value;
  const inOrder = [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
  const lines = inOrder.map(({ line, column, field, message }) => {
    return `${path}:${line}:${column}: ${field === '' ? '' : `${field}: `}${message}`;
  });
  throw new TelltaleError('usage/arguments', [`the ${what} cannot be used`, ...lines].join('\n'));
}

/** The published JSON Schema of a policy or a lock, as the text of its file. */
export function toPolicyJsonSchema(kind: 'policy' | 'lock'): string {
  const { $schema, ...content } = z.toJSONSchema(kind === 'policy' ? policySchema : lockSchema, {
    target: 'draft-7',
    io: 'input',
  });
  const title = kind === 'policy' ? 'telltale: telltale.json' : 'telltale: telltale.lock.json';
  return `${JSON.stringify({ $schema, title, ...content }, undefined, 2)}\n`;
}
