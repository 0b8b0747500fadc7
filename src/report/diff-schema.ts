import { z } from 'zod';
import {
  carriers,
  factsListed,
  memberStates,
  pairings,
  rangesListed,
  regionStates,
  stringEncodings,
  stringKinds,
  stringsListed,
} from '../diff/model.ts';
import { factKinds } from '../formats/model.ts';
import { strengths } from '../signatures/vocabulary.ts';
import { incompleteReasons, verdicts } from '../verdict/model.ts';
import {
  count,
  databaseUsed,
  digest,
  evidence,
  integrity,
  problem,
  signer,
  telltale,
  toolUsed,
} from './schema.ts';

/** The shape of `telltale/diff/1`, from which the published JSON Schema is made. */

const change = z.enum(['came', 'went', 'changed']);

const side = z.strictObject({
  path: z.string().describe('As given on the command line'),
  kind: z.enum(['file', 'folder', 'bundle']),
  size: count.nullable(),
  sha256: digest.nullable(),
  headline: z.string().describe('What it is, or says that it is'),
  verdict: z.enum(verdicts),
  rule: z.string().describe('Row of the decision table that decided'),
  reason: z.string(),
  variant: z.string().nullable(),
  variantName: z.string().nullable(),
  version: z.string().nullable(),
  complete: z.boolean().describe('Everything in it was read'),
  incompleteReasons: z.array(z.enum(incompleteReasons)),
  problems: z.array(problem),
});

const half = z.strictObject({
  path: z.string().describe('Nested path, beginning with the path that was given'),
  inner: z.string().describe('Nested path inside what was given; empty for that itself'),
  format: z.string(),
  formatTitle: z.string(),
  size: count.nullable(),
  sha256: digest.nullable(),
});

const region = z.strictObject({
  name: z.string(),
  offset: count,
  size: count,
  entropy: z.number().optional().describe('Bits a byte'),
  sha256: digest.optional(),
  characteristics: z.string().optional(),
});

const signatureView = z.strictObject({
  integrity,
  integrityDetail: z.string(),
  signer,
  signatures: z.array(
    z.strictObject({
      outcome: z.string(),
      digestAlgorithm: z.string(),
      signer: z.string().nullable(),
      certificateSha1: z.string().nullable(),
      signingTime: z.string().nullable().describe('The earliest verified timestamp'),
    }),
  ),
});

const stringList = z.strictObject({
  total: count,
  listed: z
    .array(
      z.strictObject({
        text: z.string(),
        kind: z.enum(stringKinds),
        encoding: z.enum(stringEncodings),
        offset: count.describe('First place, from the start of the member'),
        place: z.string().optional(),
      }),
    )
    .describe(`Addresses first, then what reads like words; at most ${stringsListed}`),
});

const range = z.strictObject({
  offset: count,
  length: count,
  place: z.string().optional().describe('Region and distance'),
  hex: z.string().describe('The first bytes, at most 32'),
});

const member = z.strictObject({
  state: z.enum(memberStates),
  pairedBy: z.enum(pairings).nullable().describe('How the two were found to belong together'),
  likeness: z.number().optional().describe('How much they share, from 0 to 1'),
  before: half.nullable(),
  after: half.nullable(),
  facts: z
    .array(
      z.strictObject({
        kind: z.enum(factKinds),
        name: z.string().optional(),
        change,
        before: z.string().optional(),
        after: z.string().optional(),
      }),
    )
    .describe(`At most ${factsListed}`),
  furtherFacts: count.describe('Facts beyond those that are listed'),
  regions: z.array(
    z.strictObject({
      state: z.enum(regionStates),
      before: region.optional(),
      after: region.optional(),
    }),
  ),
  resources: z
    .array(z.strictObject({ name: z.string(), change, before: count.optional(), after: count.optional() }))
    .describe('Sizes of resources that are not members of their own'),
  signature: z
    .strictObject({ before: signatureView.nullable(), after: signatureView.nullable() })
    .nullable()
    .describe('Null when both sides are signed alike'),
  strings: z
    .strictObject({
      came: stringList,
      went: stringList,
      cutShort: z.boolean().describe('There were more strings than are compared'),
    })
    .nullable()
    .describe('Strings of one side only; of an added or removed member, addresses alone'),
  bytes: z
    .strictObject({
      kind: z.enum(['patched', 'shifted']),
      commonStart: count,
      commonEnd: count,
      differing: count.optional().describe('Bytes that differ, when both are equally long'),
      total: count.describe('Ranges in all'),
      ranges: z
        .array(z.strictObject({ before: range, after: range }))
        .describe(`The first ranges, at most ${rangesListed}`),
    })
    .nullable(),
  notCompared: z.array(z.string()),
});

const telltaleChange = telltale.omit({ evidence: true }).extend({
  places: z.array(
    evidence.extend({
      carriedBy: z.enum(carriers).describe('Which part of the difference holds it'),
    }),
  ),
});

export const diffSchema = z.strictObject({
  schema: z.literal('telltale/diff/1'),
  tool: toolUsed,
  database: databaseUsed,
  before: side,
  after: side,
  differs: z.boolean(),
  complete: z.boolean().describe('Everything was read and compared, or the two are identical'),
  summary: z.strictObject({
    members: count,
    states: z.strictObject(Object.fromEntries(memberStates.map((state) => [state, count]))),
  }),
  telltales: z.strictObject({
    came: z.array(telltaleChange),
    went: z.array(telltaleChange),
    stayed: z.array(z.strictObject({ id: z.string(), title: z.string(), strength: z.enum(strengths) })),
  }),
  members: z.array(member),
  limits: z.array(z.string()),
});

/** The published JSON Schema of the report of a comparison, as the text of its file. */
export function toDiffJsonSchema(): string {
  const { $schema, ...content } = z.toJSONSchema(diffSchema, { target: 'draft-2020-12' });
  return `${JSON.stringify({ $schema, title: 'telltale comparison, telltale/diff/1', ...content }, undefined, 2)}\n`;
}
