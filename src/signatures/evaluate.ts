import type { Fact, FactKind } from '../formats/model.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import type {
  ArtifactFilter,
  CompiledCondition,
  CompiledDatabase,
  CompiledSignerCondition,
  Probe,
  TextEncoding,
  VersionComponent,
} from './compile.ts';
import type { Hit, Hits } from './match.ts';
import { toLastPart } from './name-pattern.ts';
import type { Claim, Indicator, Scope, Variant } from './schema.ts';
import { findTriggered } from './triggers.ts';

/** What an indicator wants to know of one signature. */
export interface SignerView {
  readonly status: 'pinned' | 'claimed' | 'other';
  /** Id of the publisher, when pinned or claimed. */
  readonly publisher?: string;
  readonly commonName: string;
  readonly issuerCommonName?: string;
  readonly issuerOrganization?: string;
  /** Of the signer's certificate, lower-case hexadecimal. */
  readonly sha1?: string;
  readonly sha256?: string;
}

/** One artifact with everything that was observed in it. */
export interface Subject {
  /** Its format, and those of the programs that it is a part of. */
  readonly formats: readonly string[];
  /** Whether it can act by itself, or is a part of something that can. */
  readonly program: boolean;
  readonly fileName: string;
  readonly facts: readonly Fact[];
  readonly hits: Hits;
  /** Of the members directly inside; with their folders, where the container has folders. */
  readonly memberNames: readonly string[];
  readonly signers: readonly SignerView[];
  /** Lower-case hexadecimal by algorithm. */
  readonly digests: Readonly<Partial<Record<DigestAlgorithm, string>>>;
}

export type EvidenceKind =
  | 'text'
  | 'host'
  | 'bytes'
  | 'regex'
  | 'fileName'
  | 'memberName'
  | 'versionInfo'
  | 'version'
  | 'packageId'
  | 'bundleId'
  | 'msiProperty'
  | 'fact'
  | 'signer'
  | 'digest';

/** Something that was found and on which a statement rests. */
export interface Evidence {
  readonly kind: EvidenceKind;
  /** Byte offset from the start of the artifact, of the first place. */
  readonly offset?: number;
  /** Bytes that matched there. */
  readonly length?: number;
  readonly encoding?: TextEncoding;
  readonly region?: string;
  /** The bytes that matched with a few around them, at most 64. */
  readonly bytes?: Uint8Array;
  /** How many of {@link bytes} stand before the match. */
  readonly bytesBefore?: number;
  /** How often it occurs in the artifact. */
  readonly count?: number;
  /** Offsets of further places, at most 15. */
  readonly furtherOffsets?: readonly number[];
  readonly fact?: Fact;
  /** What matched, plain; parts of it may be text from the file: escape before printing. */
  readonly text: string;
}

/** Kinds of facts that are independent of each other. */
export type IndicatorKind =
  | 'content'
  | 'name'
  | 'version'
  | 'versionInfo'
  | 'identity'
  | 'signer'
  | 'digest'
  | 'fact';

interface StatementMatch {
  /** Id of the product. */
  readonly product: string;
  /** Empty when the statement holds because nothing was found. */
  readonly evidence: readonly Evidence[];
  readonly kinds: ReadonlySet<IndicatorKind>;
}

export interface IndicatorMatch extends StatementMatch {
  readonly variant: Variant;
  readonly indicator: Indicator;
}
export interface ClaimMatch extends StatementMatch {
  readonly claim: Claim;
}
export interface ScopeMatch extends StatementMatch {
  readonly scope: Scope;
}

export interface Evaluation {
  /** Sorted by product, variant, strength (decisive first) and id. */
  readonly indicators: readonly IndicatorMatch[];
  /** In the order of the database. */
  readonly claims: readonly ClaimMatch[];
  readonly scopes: readonly ScopeMatch[];
}

/** Says which statements of the database hold for one artifact, and on what each of them rests. */
export function evaluate(compiled: CompiledDatabase, subject: Subject): Evaluation {
  const view = new SubjectView(subject);
  const indicators: IndicatorMatch[] = [];
  const claims: ClaimMatch[] = [];
  const scopes: ScopeMatch[] = [];
  for (const place of findTriggered(compiled.triggers, subject.hits.probes)) {
    const statement = compiled.indicators[place];
    if (statement === undefined) continue;
    const { product, filter, condition, variant, indicator } = statement;
    const found = view.tryStatement(filter, condition);
    if (found !== undefined) indicators.push({ product, variant, indicator, ...found });
  }
  for (const { product, filter, condition, claim } of compiled.claims) {
    const found = view.tryStatement(filter, condition);
    if (found !== undefined) claims.push({ product, claim, ...found });
  }
  for (const { product, filter, condition, scope } of compiled.scopes) {
    const found = view.tryStatement(filter, condition);
    if (found !== undefined) scopes.push({ product, scope, ...found });
  }
  return { indicators, claims, scopes };
}

/** Fields of a version block that hold the version of the file; names as in Windows and in Android packages. */
const versionFields: ReadonlySet<string> = new Set(['fileversion', 'productversion', 'versionname']);

/** A version that a fact states. */
interface StatedVersion {
  readonly fact: Fact;
  readonly version: readonly number[];
}

/** A subject with what conditions ask for most looked up once. */
class SubjectView {
  readonly #subject: Subject;
  readonly #factsByKind = new Map<FactKind, Fact[]>();
  /** Of the kinds that were asked for by name: most conditions are about a field of the version block. */
  readonly #factsByName = new Map<FactKind, Map<string, Fact[]>>();
  readonly #fileName: string;
  #versions: readonly StatedVersion[] | undefined;
  #memberNames: readonly { readonly full: string; readonly last: string }[] | undefined;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#fileName = toLastPart(subject.fileName);
    for (const fact of subject.facts) {
      const ofKind = this.#factsByKind.get(fact.kind);
      if (ofKind === undefined) this.#factsByKind.set(fact.kind, [fact]);
      else ofKind.push(fact);
    }
  }

  tryStatement(
    filter: ArtifactFilter,
    condition: CompiledCondition,
  ): Pick<StatementMatch, 'evidence' | 'kinds'> | undefined {
    const { formats, program } = this.#subject;
    if (
      !filter.any &&
      !(filter.program && program) &&
      !formats.some((format) => filter.formats.has(format))
    ) {
      return undefined;
    }
    const evidence = this.#try(condition);
    return evidence && { evidence, kinds: new Set(evidence.map(toIndicatorKind)) };
  }

  /** What a condition rests on; undefined when it does not hold. */
  #try(condition: CompiledCondition): readonly Evidence[] | undefined {
    switch (condition.kind) {
      case 'all': {
        const all: Evidence[] = [];
        for (const child of condition.of) {
          const found = this.#try(child);
          if (found === undefined) return undefined;
          all.push(...found);
        }
        return all;
      }
      case 'any':
        return this.#tryAtLeast(1, condition.of);
      case 'atLeast':
        return this.#tryAtLeast(condition.count, condition.of);
      case 'none':
        return condition.of.some((child) => this.#try(child) !== undefined) ? undefined : [];
      case 'content':
        return this.#tryContent(condition.probes);
      case 'fileName':
        return condition.pattern.test(this.#fileName)
          ? [{ kind: 'fileName', text: `file name ${this.#fileName}` }]
          : undefined;
      case 'memberName': {
        const name = this.#toMemberNames().find(({ full, last }) =>
          condition.pattern.test(condition.hasPath ? full : last),
        );
        return name && [{ kind: 'memberName', text: `contains ${name.full}` }];
      }
      case 'version':
        return this.#tryVersion(condition.components);
      case 'factValue': {
        const { fact: kind, name, test, evidenceKind } = condition;
        const facts = name === undefined ? this.#facts(kind) : this.#factsNamed(kind, name);
        if (facts.length === 0) return undefined;
        const found = facts.filter((fact) => test(String(fact.value)));
        return orUndefined(found.slice(0, evidencePerFact).map((fact) => toFactEvidence(evidenceKind, fact)));
      }
      case 'signer':
        return orUndefined(
          this.#subject.signers
            .filter((signer) => isSigner(signer, condition.wanted))
            .slice(0, evidencePerFact)
            .map((signer) => ({ kind: 'signer', text: describeSigner(signer) })),
        );
      case 'digest': {
        const { sha256 } = this.#subject.digests;
        return sha256 !== undefined && condition.sha256.has(sha256)
          ? [{ kind: 'digest', text: `SHA-256 ${sha256}` }]
          : undefined;
      }
    }
  }

  #tryAtLeast(count: number, conditions: readonly CompiledCondition[]): readonly Evidence[] | undefined {
    const all: Evidence[] = [];
    let holding = 0;
    for (const child of conditions) {
      const found = this.#try(child);
      if (found === undefined) continue;
      holding += 1;
      all.push(...found);
    }
    return holding >= count ? all : undefined;
  }

  #tryContent(probes: readonly Probe[]): readonly Evidence[] | undefined {
    const found: Evidence[] = [];
    for (const probe of probes) {
      const hits = this.#subject.hits.get(probe);
      if (hits === undefined) continue;
      const [first, ...further] = hits.first;
      if (first !== undefined) found.push(toContentEvidence(probe, hits.count, first, further));
    }
    return orUndefined(found);
  }

  #tryVersion(components: readonly VersionComponent[]): readonly Evidence[] | undefined {
    const versions = this.#toVersions();
    if (versions.length === 0) return undefined;
    // One piece of evidence a version: the block of a program repeats it for each language.
    const byVersion = new Map<string, Evidence>();
    for (const { fact, version } of versions) {
      if (!isVersion(version, components)) continue;
      const text = version.join('.');
      if (!byVersion.has(text))
        byVersion.set(text, { ...toFactEvidence('version', fact), text: `version ${text}` });
    }
    return orUndefined([...byVersion.values()]);
  }

  /** What the file says which version it is. */
  #toVersions(): readonly StatedVersion[] {
    this.#versions ??= [
      ...this.#facts('fileVersion'),
      ...this.#facts('versionInfo').filter((fact) => versionFields.has((fact.name ?? '').toLowerCase())),
    ].flatMap((fact) => {
      const version = tryParseVersion(String(fact.value));
      return version === undefined ? [] : [{ fact, version }];
    });
    return this.#versions;
  }

  #facts(kind: FactKind): readonly Fact[] {
    return this.#factsByKind.get(kind) ?? noFacts;
  }

  #factsNamed(kind: FactKind, name: string): readonly Fact[] {
    let byName = this.#factsByName.get(kind);
    if (byName === undefined) {
      byName = new Map();
      for (const fact of this.#facts(kind)) {
        if (fact.name === undefined) continue;
        const key = toComparedName(kind, fact.name);
        const ofName = byName.get(key);
        if (ofName === undefined) byName.set(key, [fact]);
        else ofName.push(fact);
      }
      this.#factsByName.set(kind, byName);
    }
    return byName.size === 0 ? noFacts : (byName.get(toComparedName(kind, name)) ?? noFacts);
  }

  #toMemberNames(): readonly { readonly full: string; readonly last: string }[] {
    this.#memberNames ??= this.#subject.memberNames.map((name) => ({
      full: name.replaceAll('\\', '/'),
      last: toLastPart(name),
    }));
    return this.#memberNames;
  }
}

const noFacts: readonly Fact[] = [];

/** A program repeats a field for each language, and a file can hold the same value thousands of times. */
const evidencePerFact = 8;

function orUndefined(evidence: readonly Evidence[]): readonly Evidence[] | undefined {
  return evidence.length === 0 ? undefined : evidence;
}

/** Property names of MSI differ by case; the keys of a version block and all other names do not. */
function toComparedName(kind: FactKind, name: string): string {
  return kind === 'msiProperty' ? name : name.toLowerCase();
}

const leadingVersion = /^\s*v?(\d{1,15}(?:\s*[.,]\s*\d{1,15})*)/i;

/**
 * The numbers of a version that a text begins with: `6.3.0.105`, `1, 0, 36, 0`, `v8.1 (release)`.
 *
 * @returns undefined when the text does not begin with a number
 */
export function tryParseVersion(text: string): readonly number[] | undefined {
  return leadingVersion.exec(text.slice(0, 256))?.[1]?.split(/[.,]/).map(Number);
}

/** Components that the version does not have are met by "any" only: what is not there is not zero. */
function isVersion(version: readonly number[], components: readonly VersionComponent[]): boolean {
  return components.every((component, index) => {
    const found = version[index];
    return (
      component === undefined || (found !== undefined && found >= component.min && found <= component.max)
    );
  });
}

function isSigner(signer: SignerView, wanted: CompiledSignerCondition): boolean {
  const { exact, commonName, issuerCommonName, issuerOrganization } = wanted;
  return (
    (exact.status === undefined || signer.status === exact.status) &&
    (exact.publisher === undefined || signer.publisher === exact.publisher) &&
    (exact.sha1 === undefined || signer.sha1 === exact.sha1) &&
    (exact.sha256 === undefined || signer.sha256 === exact.sha256) &&
    (commonName === undefined || commonName(signer.commonName)) &&
    (issuerCommonName === undefined ||
      (signer.issuerCommonName !== undefined && issuerCommonName(signer.issuerCommonName))) &&
    (issuerOrganization === undefined ||
      (signer.issuerOrganization !== undefined && issuerOrganization(signer.issuerOrganization)))
  );
}

function describeSigner({ commonName, issuerCommonName, issuerOrganization }: SignerView): string {
  const issuer = issuerCommonName ?? issuerOrganization;
  return issuer === undefined ? `signed by ${commonName}` : `signed by ${commonName}, certified by ${issuer}`;
}

function toContentEvidence(probe: Probe, count: number, first: Hit, further: readonly Hit[]): Evidence {
  const furtherOffsets = further.map((hit) => hit.offset);
  return {
    kind: probe.kind,
    offset: first.offset,
    length: first.length,
    ...(first.encoding === undefined ? {} : { encoding: first.encoding }),
    bytes: first.bytes,
    bytesBefore: first.bytesBefore,
    count,
    ...(furtherOffsets.length === 0 ? {} : { furtherOffsets }),
    text: `${contentTitles[probe.kind]} ${probe.label}`,
  };
}

/** Values of facts come from files, and a report line has an end. */
const clippedCharacters = 200;

function clip(value: string): string {
  return value.length <= clippedCharacters ? value : `${value.slice(0, clippedCharacters)}…`;
}

const contentTitles = {
  text: 'text',
  host: 'host',
  bytes: 'bytes',
  regex: 'text like',
} as const satisfies Record<Probe['kind'], string>;

function toFactEvidence(
  kind: 'versionInfo' | 'version' | 'packageId' | 'bundleId' | 'msiProperty' | 'fact',
  fact: Fact,
): Evidence {
  return {
    kind,
    ...(fact.offset === undefined ? {} : { offset: fact.offset }),
    ...(fact.region === undefined ? {} : { region: fact.region }),
    fact,
    text: `${fact.name ?? fact.kind} ${clip(String(fact.value))}`,
  };
}

function toIndicatorKind({ kind, fact }: Evidence): IndicatorKind {
  switch (kind) {
    case 'text':
    case 'host':
    case 'bytes':
    case 'regex':
      return 'content';
    case 'fileName':
    case 'memberName':
      return 'name';
    case 'packageId':
    case 'bundleId':
    case 'msiProperty':
      return 'identity';
    case 'fact':
      return toFactIndicatorKind(fact?.kind);
    default:
      return kind;
  }
}

/** The same observation counts as the same kind, whichever condition asked for it. */
function toFactIndicatorKind(kind: FactKind | undefined): IndicatorKind {
  switch (kind) {
    case 'versionInfo':
      return 'versionInfo';
    case 'fileVersion':
    case 'productVersion':
      return 'version';
    case 'packageId':
    case 'bundleId':
    case 'msiProperty':
      return 'identity';
    case 'memberName':
      return 'name';
    default:
      return 'fact';
  }
}
