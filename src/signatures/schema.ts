import { z } from 'zod';
import { factKinds } from '../formats/model.ts';
import { allowableCodes } from './diagnostic.ts';
import { strengths } from './vocabulary.ts';

/**
 * The shape of the signature database. These schemas are the only definition: loading validates with them, the
 * types are inferred from them, and the published JSON Schemas are generated from them.
 */

const id = z.string().regex(/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/, 'lower-case words joined by - or .');
const text = z.string().min(1);
const sha1 = z.string().regex(/^[0-9a-f]{40}$/, '40 lower-case hexadecimal digits');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'a date, YYYY-MM-DD');
const sourceIds = z.array(id);

// ------------------------------------------------------------------------------------------ translations

/** What the texts of a database are written in: English, and translations of it. */
export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

/**
 * Translations stand beside the texts. An object with texts for people may have `zh`: an object of the same fields in
 * simplified Chinese. Whatever is left out there is shown in English.
 */
function translation<Shape extends z.ZodRawShape>(texts: Shape) {
  return z
    .strictObject(texts)
    .partial()
    .optional()
    .describe('The texts of this object in simplified Chinese, under the same field names');
}

// ---------------------------------------------------------------------------------------------- sources

/** Who says so. `unresolved` sources were seen once and cannot be opened by a stranger: they support, never decide. */
export const sourceKinds = ['primary', 'vendor', 'press', 'registry', 'third-party', 'unresolved'] as const;

export const sourceSchema = z
  .strictObject({
    title: text.describe('What it is, in our own words'),
    short: text.describe('Author and year, as the text report names it: "Villeneuve 2006"'),
    kind: z.enum(sourceKinds),
    url: z.url().optional(),
    repository: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+$/, 'owner/name')
      .optional(),
    commit: z.string().min(7).optional(),
    path: text.optional(),
    excerpt: text.optional().describe('The handle of an unresolved code excerpt'),
    accessed: date.optional(),
    note: text.optional(),
  })
  .refine(
    (source) =>
      source.kind === 'unresolved'
        ? source.url === undefined && source.repository === undefined
        : source.url !== undefined || source.repository !== undefined,
    'a source needs a url or a repository, and an unresolved one has neither',
  );

export const sourcesSchema = z.strictObject({
  $schema: z.string().optional(),
  sources: z.record(id, sourceSchema),
});

// ------------------------------------------------------------------------------------------- conditions

/** A test on one text value. Comparison ignores case and surrounding white space unless `exact` is set. */
export const predicateSchema = z
  .strictObject({
    equals: z.union([text, z.array(text).min(1)]).optional(),
    startsWith: text.optional(),
    contains: text.optional(),
    matches: text.optional().describe('A regular expression in RE2 syntax, searched in the value'),
    exact: z.boolean().optional(),
  })
  .refine(
    (predicate) =>
      [predicate.equals, predicate.startsWith, predicate.contains, predicate.matches].filter(
        (part) => part !== undefined,
      ).length === 1,
    'exactly one of equals, startsWith, contains, matches',
  );

const encodings = z.array(z.enum(['ascii', 'utf-16le'])).min(1);

const component = z.union([
  z.int().min(0),
  z.strictObject({ min: z.int().min(0), max: z.int().min(0) }),
  z.null(),
]);

/** What a signer condition may ask of one signature of the file. All given fields must hold for the same signature. */
export const signerConditionSchema = z.strictObject({
  status: z.enum(['pinned', 'claimed', 'other']).optional(),
  publisher: id.optional(),
  commonName: predicateSchema.optional(),
  issuerCommonName: predicateSchema.optional(),
  issuerOrganization: predicateSchema.optional(),
  sha1: sha1.optional(),
  sha256: sha256.optional(),
});

const leafConditions = [
  z.strictObject({
    text: text.describe('Literal text anywhere in the bytes, as ASCII/UTF-8 and as UTF-16LE'),
    encodings: encodings.optional(),
    ignoreCase: z.boolean().optional(),
    wholeWord: z.boolean().optional().describe('Not preceded or followed by a letter, digit or underscore'),
  }),
  z.strictObject({
    host: z
      .string()
      .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'a lower-case host name')
      .describe('A host name with boundaries: no host character before or after; case is ignored'),
    subdomains: z.boolean().optional().describe('Also when further labels stand before it'),
  }),
  z.strictObject({
    bytes: z.string().regex(/^(?:[0-9a-f]{2}){4,}$/, 'at least four bytes in lower-case hexadecimal'),
  }),
  z.strictObject({
    regex: text.describe(
      'RE2 syntax, tried on the bytes around each hit of the anchor (512 before, 512 after)',
    ),
    anchor: z.string().min(4).describe('Literal text that every match contains'),
    encodings: encodings.optional(),
    ignoreCase: z.boolean().optional(),
  }),
  z.strictObject({
    fileName: text.describe('The own name of the file or member, case ignored; * stands for anything'),
  }),
  z.strictObject({
    memberName: text.describe('The name of a member directly inside, case ignored; * stands for anything'),
  }),
  z.strictObject({
    versionInfo: z.strictObject({ field: text, is: predicateSchema }),
  }),
  z.strictObject({
    version: z
      .array(component)
      .min(1)
      .max(4)
      .describe('Components of the version, first to fourth: a number, a range, or null for any'),
  }),
  z.strictObject({ packageId: predicateSchema }),
  z.strictObject({ bundleId: predicateSchema }),
  z.strictObject({ msiProperty: z.strictObject({ name: text, is: predicateSchema }) }),
  z.strictObject({ fact: z.enum(factKinds), name: text.optional(), is: predicateSchema }),
  z.strictObject({ signer: signerConditionSchema }),
  z.strictObject({ digest: z.array(sha256).min(1) }),
] as const;

/** One condition; `all`, `any`, `none` and `atLeast` combine others. */
export type Condition =
  | z.infer<(typeof leafConditions)[number]>
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly none: readonly Condition[] }
  | { readonly atLeast: number; readonly of: readonly Condition[] };

const children: z.ZodType<readonly Condition[]> = z.lazy(() => z.array(conditionSchema).min(1));

export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    // The first that fits is taken; the most frequent ones come first, because loading tries one after the other.
    ...leafConditions.slice(0, 2),
    z.strictObject({ all: children }),
    z.strictObject({ any: children }),
    ...leafConditions.slice(2),
    z.strictObject({ none: children }),
    z.strictObject({ atLeast: z.int().min(1), of: children }),
  ]),
);

/**
 * Which artifacts count. A format id (`pe`, `zip`, `html`), `program` for every file that can act by itself, or
 * `any`. A host name in a program is evidence; on a web page it is not.
 */
const artifacts = z.array(id).min(1);

// ------------------------------------------------------------------------------------------- indicators

const signerTestSchema = z.strictObject({
  status: z.enum(['pinned', 'claimed', 'other']),
  publisher: id.optional(),
  commonName: text,
  issuerCommonName: text.optional(),
  issuerOrganization: text.optional(),
  sha1: sha1.optional(),
  sha256: sha256.optional(),
});

/** A made-up artifact on which an indicator must, or must not, fire. */
export const indicatorTestSchema = z.strictObject({
  why: text.optional(),
  format: id,
  fileName: text.optional(),
  content: z
    .array(text)
    .optional()
    .describe('Texts that stand in its bytes, as ASCII/UTF-8, NUL between them'),
  utf16: z.array(text).optional().describe('Texts that stand in its bytes as UTF-16LE'),
  bytes: z
    .array(z.string().regex(/^(?:[0-9a-f]{2})+$/, 'bytes in lower-case hexadecimal'))
    .optional()
    .describe('Bytes that stand in it as they are'),
  memberNames: z.array(text).optional(),
  facts: z.array(z.strictObject({ kind: z.enum(factKinds), name: text.optional(), value: text })).optional(),
  signer: signerTestSchema.optional(),
  sha256: sha256.optional(),
});

/** Findings of `telltale db check` that are known, and why they may stay. */
const allowances = z
  .array(z.strictObject({ code: z.enum(allowableCodes), reason: text }))
  .min(1)
  .describe('Findings of `telltale db check` that may stay, each with the reason');

export const indicatorSchema = z.strictObject({
  id,
  title: text.describe('What was found, in a few plain words: "host relay.example.com"'),
  zh: translation({ title: text, note: text }),
  when: conditionSchema,
  in: artifacts,
  strength: z.enum(strengths),
  sources: sourceIds.min(1),
  tests: z.strictObject({
    hit: z.array(indicatorTestSchema).min(1),
    nearMiss: z.array(indicatorTestSchema).min(1),
  }),
  testedOnRealFile: z.boolean().describe('Whether it was ever seen to fire on a real file of the variant'),
  note: text.optional(),
  allow: allowances.optional(),
});

// --------------------------------------------------------------------------------------------- variants

/**
 * What a variant is, which decides what its telltales mean:
 * - `official`: the publisher's own international build
 * - `edition`: another official edition (preview, store, lite): named, changes no verdict
 * - `regional`, `operator`, `companion`: another edition or its companion program: verdict `variant`
 * - `co-brand`, `wrapper`, `unconfirmed`: information; it looks like the product, nothing more
 * - `impostor`: a documented fake: verdict `impostor`
 * - `unrelated`: a known file that only borrows the name
 */
export const variantRoles = [
  'official',
  'edition',
  'regional',
  'operator',
  'companion',
  'co-brand',
  'wrapper',
  'unconfirmed',
  'impostor',
  'unrelated',
] as const;

const noteSchema = z.strictObject({ text, zh: translation({ text }), sources: sourceIds.min(1) });

export const variantSchema = z.strictObject({
  $schema: z.string().optional(),
  id,
  name: text,
  role: z.enum(variantRoles),
  publisher: text.optional(),
  region: text.optional(),
  platforms: z.array(id).min(1),
  years: z
    .strictObject({
      from: z.int().min(1990).max(2100).optional(),
      to: z.int().min(1990).max(2100).optional(),
    })
    .optional(),
  surveillance: z.strictObject({
    status: z.enum(['documented', 'none-found', 'unknown']),
    text: text.optional(),
    zh: translation({ text }),
    sources: sourceIds,
  }),
  summary: text.describe('Two or three plain sentences for explain'),
  zh: translation({ name: text, publisher: text, region: text, summary: text }),
  notes: z.array(noteSchema).optional().describe('Shown beside a verdict that names this variant'),
  notConclude: z.array(noteSchema).optional().describe('What researchers say must not be concluded'),
  indicators: z.array(indicatorSchema),
});

// ------------------------------------------------------------------------------------------- publishers

const certificatePin = {
  sha1: sha1.optional(),
  sha256: sha256.optional(),
  from: date,
  to: date,
  sources: sourceIds.min(1),
  note: text.optional(),
};

const leafPinSchema = z
  .strictObject({ subject: text, issuer: text, ...certificatePin })
  .refine((pin) => pin.sha1 !== undefined || pin.sha256 !== undefined, 'a fingerprint is needed');

const intermediatePinSchema = z
  .strictObject({
    name: text,
    commonNames: z.array(text).min(1).describe('Subject common names that this pin accepts below it'),
    organizations: z.array(text).optional(),
    ...certificatePin,
  })
  .refine((pin) => pin.sha1 !== undefined || pin.sha256 !== undefined, 'a fingerprint is needed');

export const publisherSchema = z.strictObject({
  id,
  name: text,
  commonNames: z
    .array(text)
    .describe('Names that a forger would use: a signer of this name without a pin is claimed'),
  authenticode: z.strictObject({
    leaves: z.array(leafPinSchema),
    intermediates: z.array(intermediatePinSchema),
  }),
  appleTeams: z
    .array(
      z.strictObject({
        team: text,
        subject: text.optional(),
        from: date.optional(),
        to: date.optional(),
        sources: sourceIds.min(1),
      }),
    )
    .optional(),
  appxPublishers: z
    .array(z.strictObject({ publisher: text, publisherId: text, sources: sourceIds.min(1) }))
    .optional(),
  androidCertificates: z
    .array(z.strictObject({ sha256, from: date, to: date, sources: sourceIds.min(1) }))
    .optional(),
  aptKeys: z.array(z.strictObject({ keyId: text, user: text, sources: sourceIds.min(1) })).optional(),
  note: text.optional(),
});

export const publishersSchema = z.strictObject({
  $schema: z.string().optional(),
  publishers: z.array(publisherSchema),
  sources: z
    .record(id, sourceSchema)
    .optional()
    .describe('Sources of these pins, when there is no sources.json beside'),
});

// ---------------------------------------------------------------------------------------------- product

/**
 * What makes a file claim to be the product. `asserts`: it says so of itself (version block, package id).
 * `resembles`: it looks like a piece of it. Only a file that asserts can be an impostor by its signer.
 */
const claimSchema = z.strictObject({
  id,
  title: text,
  zh: translation({ title: text }),
  strength: z.enum(['asserts', 'resembles']),
  when: conditionSchema,
  in: artifacts,
  sources: sourceIds.min(1),
  allow: allowances.optional(),
});

/** What a file of the product does not contain, and what the report therefore says about its scope. */
const scopeSchema = z.strictObject({
  id,
  title: text.describe('"web installer"'),
  zh: translation({ title: text, note: text }),
  when: conditionSchema,
  in: artifacts,
  note: text,
  sources: sourceIds.min(1),
  allow: allowances.optional(),
});

export const productSchema = z.strictObject({
  $schema: z.string().optional(),
  id,
  name: text,
  revision: z
    .string()
    .regex(/^\d{4}\.\d{2}(?:\.\d+)?$/, 'year.month, e.g. 2026.11')
    .describe('Database revision'),
  platforms: z.array(z.strictObject({ id, name: text, formats: z.array(id) })).min(1),
  claims: z.array(claimSchema).min(1),
  scopes: z.array(scopeSchema).optional(),
  names: z
    .array(text)
    .optional()
    .describe(
      'File name patterns of the product: a name proves nothing, but a foreign file under it is pointed out',
    ),
});

export type Source = z.infer<typeof sourceSchema>;
export type Predicate = z.infer<typeof predicateSchema>;
export type SignerCondition = z.infer<typeof signerConditionSchema>;
export type Strength = (typeof strengths)[number];
export type IndicatorTest = z.infer<typeof indicatorTestSchema>;
export type Indicator = z.infer<typeof indicatorSchema>;
export type VariantRole = (typeof variantRoles)[number];
export type Variant = z.infer<typeof variantSchema>;
export type Publisher = z.infer<typeof publisherSchema>;
export type Product = z.infer<typeof productSchema>;
export type Claim = z.infer<typeof claimSchema>;
export type Scope = z.infer<typeof scopeSchema>;
