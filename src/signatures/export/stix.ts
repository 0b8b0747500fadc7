import { toHex } from '../../bytes/cursor.ts';
import { toDigest } from '../../platform/digests.ts';
import type { KnownBuild } from '../known-builds.ts';
import type { ProductDatabase } from '../load.ts';
import type { Condition, Indicator, Source, Variant, VariantRole } from '../schema.ts';
import { toLink } from '../source-link.ts';
import {
  type Exported,
  type ExportOrigin,
  listStatements,
  type Omission,
  type Statement,
  toAccount,
  toRevisions,
} from './statement.ts';
import { toImports, toYaraRule, type YaraOptions } from './yara.ts';

/*
 * A bundle of STIX 2.1: an indicator object for each indicator and for each known build, grouped by variant.
 *
 * Neutral words: a variant is a grouping, neither malware nor a tool; only what is documented as a fake is called
 * malicious, and what is recorded as an official download is called benign.
 *
 * Ids are made from names (UUID version 5), so that the same object has the same id in every export. The day on which
 * an object was first written down is not in the database, and STIX forbids that it changes: it is the same for all.
 * `modified` is the first day of the month of the database revision.
 *
 * https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html
 */

/** Before everything that any database could hold. */
const created = '2000-01-01T00:00:00.000Z';

/** The namespace of host names (RFC 9562, section 6.6), in which `telltale` is the namespace of the names here. */
const hostNamespace = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

interface ExternalReference {
  readonly source_name: string;
  readonly description: string;
  readonly url?: string;
  readonly external_id?: string;
}

/** The objects that are written, with the properties that this export uses. */
type StixObject = {
  readonly type: 'identity' | 'indicator' | 'grouping' | 'note';
  readonly spec_version: '2.1';
  readonly id: string;
  readonly created: string;
  readonly modified: string;
  readonly created_by_ref?: string;
  readonly labels?: readonly string[];
  readonly external_references?: readonly ExternalReference[];
} & (
  | {
      readonly type: 'identity';
      readonly name: string;
      readonly identity_class: 'system';
      readonly description: string;
    }
  | {
      readonly type: 'indicator';
      readonly name: string;
      readonly description: string;
      readonly indicator_types: readonly ('benign' | 'malicious-activity' | 'unknown')[];
      readonly pattern: string;
      readonly pattern_type: 'stix' | 'yara';
      readonly pattern_version?: string;
      readonly valid_from: string;
    }
  | {
      readonly type: 'grouping';
      readonly name: string;
      readonly description: string;
      readonly context: 'unspecified';
      readonly object_refs: readonly string[];
    }
  | {
      readonly type: 'note';
      readonly abstract: string;
      readonly content: string;
      readonly object_refs: readonly string[];
    }
);

export interface StixOptions extends YaraOptions {
  /** Also the ledger of known builds. */
  readonly knownBuilds: boolean;
}

/** One bundle. */
export function exportStix(origin: ExportOrigin, options: StixOptions): Exported {
  const { database, version } = origin;
  const namespace = toUuid(hostNamespace, 'telltale');
  const toId = (type: StixObject['type'], name: string): string =>
    `${type}--${toUuid(namespace, `${type} ${name}`)}`;
  const identityId = toId('identity', 'telltale');
  const latest =
    database.products
      .map(({ product }) => toModified(product.revision))
      .sort()
      .at(-1) ?? created;
  const common = { spec_version: '2.1', created, created_by_ref: identityId } as const;

  const objects: StixObject[] = [
    {
      type: 'identity',
      spec_version: '2.1',
      id: identityId,
      created,
      modified: latest,
      name: 'telltale',
      identity_class: 'system',
      description: `Signature database: ${toRevisions(database)}, sha256 ${database.digest}. Exported by telltale ${version}.`,
    },
  ];
  const omissions: Omission[] = [];
  const members = new Map<string, string[]>();
  const add = (product: ProductDatabase, variant: string, object: StixObject): void => {
    objects.push(object);
    const key = `${product.product.id}/${variant}`;
    members.set(key, [...(members.get(key) ?? []), object.id]);
  };

  let count = 0;
  const namesTaken = new Set<string>();
  for (const statement of listStatements(database)) {
    const { product, variant, indicator } = statement;
    const patterns = listPatterns(statement, options, namesTaken);
    omissions.push(...patterns.omissions);
    if (patterns.patterns.length > 0) count += 1;
    for (const { suffix, ...pattern } of patterns.patterns) {
      const modified = toModified(product.product.revision);
      add(product, variant.id, {
        ...common,
        type: 'indicator',
        id: toId('indicator', `${product.product.id}/${indicator.id}${suffix}`),
        modified,
        name: `${variant.name}: ${indicator.title}`,
        description: describe(statement),
        indicator_types: [toIndicatorType(variant.role)],
        ...pattern,
        valid_from: created,
        labels: [
          `product:${product.product.id}`,
          `variant:${variant.id}`,
          `role:${variant.role}`,
          `strength:${indicator.strength}`,
          `tested-on-real-file:${indicator.testedOnRealFile}`,
        ],
        ...toReferences(statement.sources),
      });
    }
  }

  for (const product of database.products) {
    const modified = toModified(product.product.revision);
    for (const build of options.knownBuilds ? sortBuilds(product.knownBuilds.rows) : []) {
      const variant = product.variants.find(({ id }) => id === build.variant);
      add(product, build.variant, {
        ...common,
        type: 'indicator',
        id: toId('indicator', `${product.product.id}/${build.algorithm}:${build.digest}`),
        modified,
        name:
          [build.product, build.version, build.fileName].filter((part) => part !== '').join(' ') ||
          build.digest,
        description: `Recorded as a download of ${variant?.name ?? build.variant}, with ${build.grade} confidence.`,
        // What a ledger of another edition records is no statement about harm.
        indicator_types: [benignRoles.has(variant?.role ?? 'unconfirmed') ? 'benign' : 'unknown'],
        pattern: toHashPattern(build.algorithm, [build.digest]),
        pattern_type: 'stix',
        pattern_version: '2.1',
        valid_from: created,
        labels: [
          `product:${product.product.id}`,
          `variant:${build.variant}`,
          'known-build',
          `grade:${build.grade}`,
          `platform:${build.platform}`,
        ],
        external_references: build.sources.map((source) => toBuildReference(source, product)),
      });
    }
    for (const variant of product.variants) {
      const refs = members.get(`${product.product.id}/${variant.id}`);
      if (refs === undefined) continue;
      objects.push({
        ...common,
        type: 'grouping',
        id: toId('grouping', `${product.product.id}/${variant.id}`),
        modified,
        name: variant.name,
        description: variant.summary,
        context: 'unspecified',
        object_refs: refs,
        labels: [`product:${product.product.id}`, `variant:${variant.id}`, `role:${variant.role}`],
        ...toReferences(listVariantSources(variant, product)),
      });
    }
  }
  objects.push({
    ...common,
    type: 'note',
    id: toId('note', 'omissions'),
    modified: latest,
    abstract: 'What the indicators of this bundle do not say',
    content: toAccount(omissions).join('\n'),
    object_refs: [identityId],
  });

  const bundle = {
    type: 'bundle',
    id: `bundle--${toUuid(namespace, JSON.stringify(['bundle', database.digest, options.anyFormat, options.knownBuilds]))}`,
    objects,
  };
  return {
    files: [{ name: 'telltale.stix.json', text: `${JSON.stringify(bundle, undefined, 2)}\n` }],
    count,
    omissions,
  };
}

interface Pattern {
  readonly suffix: string;
  readonly pattern: string;
  readonly pattern_type: 'stix' | 'yara';
  readonly pattern_version?: string;
}

/** What an indicator looks for: in files as a rule, on the network as a host name, as digests plainly. */
function listPatterns(
  statement: Statement,
  options: YaraOptions,
  namesTaken: Set<string>,
): { readonly patterns: readonly Pattern[]; readonly omissions: readonly Omission[] } {
  const { when } = statement.indicator;
  if ('digest' in when) {
    const pattern = toHashPattern('sha256', when.digest);
    return {
      patterns: [{ suffix: '', pattern, pattern_type: 'stix', pattern_version: '2.1' }],
      omissions: [],
    };
  }
  const { rule, omissions } = toYaraRule(statement, options, namesTaken);
  const patterns: Pattern[] = [];
  if (rule !== undefined) {
    const imports = rule.modules.length === 0 ? '' : `${toImports(rule.modules)}\n\n`;
    patterns.push({ suffix: '', pattern: `${imports}${rule.text}\n`, pattern_type: 'yara' });
  }
  const hosts = listHosts(when);
  if (
    hosts.length > 0 &&
    watchedRoles.has(statement.variant.role) &&
    statement.indicator.strength !== 'suggestive'
  ) {
    const pattern = `[${hosts.map((host) => `domain-name:value = '${host}'`).join(' OR ')}]`;
    patterns.push({ suffix: '#host', pattern, pattern_type: 'stix', pattern_version: '2.1' });
  }
  return { patterns, omissions };
}

/** Hosts that stand for the variant by themselves. */
function listHosts(when: Condition): readonly string[] {
  if ('host' in when) return [when.host];
  if ('any' in when && when.any.every((one) => 'host' in one)) return when.any.flatMap(listHosts);
  return [];
}

/** Variants whose hosts are worth watching for; those of the publisher itself are not. */
const watchedRoles: ReadonlySet<VariantRole> = new Set<VariantRole>(['regional', 'companion', 'impostor']);
const benignRoles: ReadonlySet<VariantRole> = new Set<VariantRole>(['official', 'edition']);

function toIndicatorType(role: VariantRole): 'benign' | 'malicious-activity' | 'unknown' {
  if (role === 'impostor') return 'malicious-activity';
  return benignRoles.has(role) ? 'benign' : 'unknown';
}

/** Names of digests as STIX writes them. */
const hashNames = {
  md5: 'MD5',
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
} as const satisfies Record<KnownBuild['algorithm'], string>;

function toHashPattern(algorithm: KnownBuild['algorithm'], digests: readonly string[]): string {
  return `[${digests.map((digest) => `file:hashes.'${hashNames[algorithm]}' = '${digest}'`).join(' OR ')}]`;
}

function describe({ variant, indicator }: Statement): string {
  const tested = indicator.testedOnRealFile
    ? ''
    : ' Never seen on a real file: it comes from the sources named.';
  return `${describeStrength(indicator)} of ${variant.name}.${indicator.note === undefined ? '' : ` ${indicator.note}`}${tested}`;
}

function describeStrength({ strength }: Indicator): string {
  switch (strength) {
    case 'decisive':
      return 'Decisive mark';
    case 'strong':
      return 'Strong mark, to be joined by another';
    case 'suggestive':
      return 'Suggestive mark, which decides nothing,';
  }
}

function listVariantSources(variant: Variant, product: ProductDatabase): readonly Source[] {
  const ids = new Set([
    ...variant.surveillance.sources,
    ...(variant.notes ?? []).flatMap(({ sources }) => sources),
  ]);
  return [...ids].flatMap((id) => product.sources.get(id) ?? []);
}

function toReferences(sources: readonly Source[]): {
  readonly external_references?: readonly ExternalReference[];
} {
  return sources.length === 0 ? {} : { external_references: sources.map(toReference) };
}

function toReference(source: Source): ExternalReference {
  const { url, short, title } = source;
  const link = toLink(source);
  return {
    source_name: short,
    description: title,
    ...(url === undefined ? (link === undefined ? {} : { external_id: link }) : { url }),
  };
}

/** A source of the ledger: an address, `owner/name@commit:path`, or the id of a source. */
function toBuildReference(text: string, product: ProductDatabase): ExternalReference {
  const source = product.sources.get(text);
  if (source !== undefined) return toReference(source);
  return /^https?:/.test(text)
    ? { source_name: new URL(text).hostname, description: 'Record of the digest', url: text }
    : {
        source_name: text.slice(0, Math.max(0, text.indexOf('@'))) || text,
        description: 'Record of the digest',
        external_id: text,
      };
}

function sortBuilds(rows: readonly KnownBuild[]): readonly KnownBuild[] {
  return rows.toSorted((a, b) => (toSortKey(a) < toSortKey(b) ? -1 : 1));
}

function toSortKey({ variant, platform, algorithm, digest }: KnownBuild): string {
  return [variant, platform, algorithm, digest].join(' ');
}

/** `2026.11` as the first day of that month; a third number counts seconds, so that order is kept. */
function toModified(revision: string): string {
  const [year = 0, month = 1, further = 0] = revision.split('.').map(Number);
  const time = Date.UTC(year, month - 1, 1, 0, 0, Math.min(further, 86_400));
  return new Date(Math.max(time, Date.parse(created))).toISOString();
}

/** UUID of version 5: SHA-1 over a namespace and a name. https://www.rfc-editor.org/rfc/rfc9562#section-5.5 */
function toUuid(namespace: string, name: string): string {
  const space = Uint8Array.from(namespace.replaceAll('-', '').match(/../g) ?? [], (pair) =>
    Number.parseInt(pair, 16),
  );
  const bytes = toDigest('sha1', space, new TextEncoder().encode(name)).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
