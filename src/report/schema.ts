import { z } from 'zod';
import { authenticityProblemCodes } from '../authenticity/model.ts';
import { errorCodes } from '../bytes/errors.ts';
import { factKinds } from '../formats/model.ts';
import { variantRoles } from '../signatures/schema.ts';
import { strengths } from '../signatures/vocabulary.ts';
import { incompleteReasons, verdicts } from '../verdict/model.ts';
import { scanOutcomes } from './model.ts';

/** The shape of `telltale/scan/1`, from which the published JSON Schema is made. */

export const count = z.int().min(0);
export const digest = z.string().regex(/^[0-9a-f]{64}$/);

const certificate = z.strictObject({
  subject: z.string(),
  subjectCommonName: z.string(),
  subjectOrganization: z.string(),
  issuer: z.string(),
  issuerCommonName: z.string(),
  serial: z.string(),
  sha1: z.string(),
  sha256: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
});

const remark = z.strictObject({
  code: z.enum(authenticityProblemCodes),
  message: z.string(),
  offset: count.optional(),
});

const apple = z.strictObject({
  architecture: z.string(),
  identifier: z.string(),
  statedTeam: z.string().optional(),
  flags: z.array(z.string()),
  codeDirectories: z.array(
    z.strictObject({
      algorithm: z.string(),
      truncated: z.boolean(),
      cdHash: z.string(),
      pages: count,
      changedPages: count,
      signed: z.boolean(),
    }),
  ),
  unchecked: z
    .array(z.string())
    .describe('Files of the bundle whose digests are signed, but were not compared'),
  certificateKind: z.string().optional(),
});

const signature = z.strictObject({
  index: count,
  scheme: z.string().optional().describe('What kind of signature it is, where it is not Authenticode'),
  lineage: z.array(certificate).optional(),
  teamId: z.string().optional(),
  certificateOf: z
    .string()
    .optional()
    .describe('Publisher whose pin the certificate meets, whatever it signed'),
  apple: apple.optional(),
  nested: z.boolean().describe('Lies in the unsigned attributes of another signature'),
  place: z.strictObject({ offset: count, size: count }),
  outcome: z.enum(['holds', 'fails', 'unsupported', 'malformed']),
  digestAlgorithm: z.string(),
  signedDigest: z.string(),
  actualDigest: z.string(),
  digestMatches: z.boolean(),
  signatureVerifies: z.boolean(),
  signer: certificate.optional(),
  chain: z.array(certificate),
  timestamps: z.array(
    z.strictObject({
      kind: z.enum(['legacy', 'rfc3161']),
      time: z.string().optional(),
      verified: z.boolean(),
      authority: certificate.optional(),
      problem: z.string().optional(),
    }),
  ),
  signingTime: z.string().optional(),
  programName: z.string().optional(),
  url: z.string().optional(),
  hasPageHashes: z.boolean(),
  pin: z
    .strictObject({
      publisher: z.string(),
      kind: z.enum(['leaf', 'intermediate', 'team']),
      algorithm: z.enum(['sha256', 'sha1']),
      fingerprint: z.string(),
      weak: z.boolean(),
      timeProved: z.boolean(),
    })
    .optional(),
  expiredAtSigning: z.boolean().optional(),
  problems: z.array(remark),
});

export const integrity = z.enum(['intact', 'modified', 'damaged', 'signature-removed', 'unsigned']);
export const signer = z.enum(['pinned', 'claimed', 'other', 'none']);

const authenticity = z.strictObject({
  integrity,
  integrityDetail: z.string(),
  signer,
  signerDetail: z.string(),
  publisher: z.string().optional(),
  signatures: z.array(signature),
  weakDigestOnly: z.boolean(),
  foundElsewhere: z.strictObject({ offset: count }).optional(),
  problems: z.array(remark),
});

const citation = z.strictObject({
  id: z.string(),
  title: z.string(),
  short: z.string(),
  kind: z.string(),
  link: z.string().optional().describe('Absent for sources that a stranger cannot open'),
});

export const problem = z.strictObject({
  code: z.enum(errorCodes),
  path: z.string(),
  offset: count.optional(),
  message: z.string(),
  consequence: z.string(),
  incomplete: z.boolean().describe('Something was therefore not looked at'),
});

const fact = z.strictObject({
  kind: z.enum(factKinds),
  name: z.string().optional(),
  value: z.union([z.string(), z.number(), z.boolean()]),
  region: z.string().optional(),
  offset: count.optional(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

export const evidence = z.strictObject({
  kind: z.string(),
  path: z.string().describe('Nested path of the artifact'),
  region: z.string().optional(),
  offset: count.optional(),
  text: z.string(),
  bytes: z
    .string()
    .optional()
    .describe('The matched bytes and a few around them, non-printable ones as \\xNN'),
  hex: z
    .string()
    .regex(/^(?:[0-9a-f]{2})*$/)
    .optional()
    .describe('The same bytes in hexadecimal'),
  matchStart: count.optional().describe('How many of these bytes stand before the match'),
  matchLength: count
    .optional()
    .describe('How many of these bytes belong to the match; it may be longer than what is shown'),
  count: count.optional(),
});

export const telltale = z.strictObject({
  id: z.string(),
  title: z.string(),
  variant: z.string(),
  variantName: z.string(),
  role: z.enum(variantRoles),
  strength: z.enum(strengths),
  evidence: z.array(evidence),
  sources: z.array(citation),
  testedOnRealFile: z.boolean(),
  note: z.string().optional(),
});

const treeNode = z
  .strictObject({
    path: z.string(),
    name: z.string(),
    relation: z.enum(['root', 'file', 'part', 'image']),
    format: z.string(),
    formatTitle: z.string(),
    size: count.nullable(),
    sha256: digest.nullable(),
    verdict: z.enum(verdicts),
    rule: z.string(),
    facts: z.array(fact),
    problems: z.array(problem),
    get members() {
      return z.array(treeNode);
    },
  })
  .meta({ id: 'TreeNode' });

const file = z.strictObject({
  path: z.string().describe('As given on the command line or found in a folder'),
  size: count.nullable(),
  sha256: digest.nullable(),
  product: z.string().nullable(),
  productName: z.string().nullable(),
  verdict: z.enum(verdicts),
  rule: z.string().describe('Row of the decision table that decided'),
  reason: z.string(),
  decidedBy: z.string().nullable().describe('Path of the member that decided'),
  variant: z.string().nullable(),
  variantName: z.string().nullable(),
  variantOrigin: z.string().nullable(),
  title: z.string().nullable(),
  version: z.string().nullable(),
  platform: z.string().nullable(),
  platformName: z.string().nullable(),
  integrity: integrity.nullable(),
  signer: signer.nullable(),
  authenticity: authenticity.nullable(),
  knownBuild: z
    .strictObject({
      product: z.string(),
      version: z.string(),
      platform: z.string(),
      fileName: z.string(),
      variant: z.string(),
      algorithm: z.string(),
      weak: z.boolean().describe('Rests on MD5 or SHA-1 alone'),
      grade: z.string(),
      sources: z.array(z.string()),
    })
    .nullable(),
  closest: z
    .array(
      z.strictObject({
        path: z.string().describe('Nested path of the artifact that was compared'),
        sha256: digest.describe('Of the known build'),
        product: z.string(),
        version: z.string(),
        variant: z.string(),
        platform: z.string(),
        platformName: z.string().nullable(),
        fileName: z.string(),
        part: z.string().nullable().describe('Member of the known build that was compared'),
        likeness: z.int().min(0).max(100).describe('Percent; 100 only for the same bytes'),
        ssdeep: z.int().min(0).max(100).describe('Score of ssdeep'),
        tlsh: count.nullable().describe('Distance of TLSH, with the difference of lengths'),
      }),
    )
    .min(1)
    .max(3)
    .nullable()
    .describe('Known builds that are most alike: a hint that no verdict rests on'),
  complete: z.boolean(),
  incompleteReasons: z.array(z.enum(incompleteReasons)),
  problems: z.array(problem).describe('Of the file and everything inside it'),
  telltales: z.array(telltale),
  notes: z.array(
    z.strictObject({
      kind: z.enum(['surveillance', 'variant', 'scope', 'name']),
      text: z.string(),
      sources: z.array(citation),
    }),
  ),
  readBeside: z
    .array(z.string())
    .describe('Names of files in the same folder that were asked for, because this one goes on there'),
  rules: z
    .array(
      z.strictObject({
        rule: z.string(),
        file: z.string().describe('File of rules that it stands in'),
        tags: z.array(z.string()),
        meta: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
        path: z.string().describe('Nested path of the artifact'),
        matches: z
          .array(z.strictObject({ identifier: z.string(), offset: count, length: count }))
          .describe('The first 100 of each pattern'),
      }),
    )
    .describe("YARA rules of the person's own that matched; they change no verdict"),
  tree: treeNode.nullable(),
});

export const toolUsed = z.strictObject({ name: z.literal('telltale'), version: z.string() });
export const databaseUsed = z.strictObject({
  products: z.array(z.strictObject({ id: z.string(), name: z.string(), revision: z.string() })),
  digest,
  usesKnownBuilds: z.boolean(),
  packs: z
    .array(z.strictObject({ path: z.string(), signedBy: digest.nullable(), trusted: z.boolean() }))
    .optional(),
});

export const scanSchema = z.strictObject({
  schema: z.literal('telltale/scan/1'),
  tool: toolUsed,
  database: databaseUsed,
  rules: z.array(z.strictObject({ path: z.string(), sha256: digest })).describe('Files of YARA rules'),
  policy: z.strictObject({
    file: z.string().nullable().describe('The policy file; null when there was none'),
    lock: z.string().nullable().describe('The lock that the files were held against'),
    failOn: z.array(z.string()),
    require: z.strictObject({
      verdict: z.array(z.enum(verdicts)).optional(),
      product: z.array(z.string()).optional(),
      variant: z.array(z.string()).optional(),
      platform: z.array(z.string()).optional(),
      publisher: z.array(z.string()).optional(),
      minimumVersion: z.string().optional(),
      knownBuild: z.boolean().optional(),
      complete: z.boolean().optional(),
    }),
    violations: z.array(z.strictObject({ path: z.string(), rule: z.string(), detail: z.string() })),
    exceptions: z
      .array(
        z.strictObject({
          path: z.string(),
          sha256: digest,
          reason: z.string(),
          owner: z.string(),
          expires: z.string(),
        }),
      )
      .describe('Exceptions that let a file through'),
  }),
  outcome: z.enum(scanOutcomes).describe('What the exit code says'),
  files: z.array(file),
  summary: z.strictObject({
    files: count,
    verdicts: z.strictObject(Object.fromEntries(verdicts.map((verdict) => [verdict, count]))),
    incomplete: count,
    notScanned: count.describe('Files that an interrupt left out'),
    leftOut: count.describe('Files that did not change since the moment that --since named'),
  }),
});

/** The published JSON Schema of the scan report, as the text of its file. */
export function toScanJsonSchema(): string {
  const { $schema, ...content } = z.toJSONSchema(scanSchema, { target: 'draft-2020-12' });
  return `${JSON.stringify({ $schema, title: 'telltale scan report, telltale/scan/1', ...content }, undefined, 2)}\n`;
}
