import { TelltaleError } from '../bytes/errors.ts';
import type { FactKind } from '../formats/model.ts';
import { compileExpression, type RegularExpression } from '../platform/regular-expressions.ts';
import { type Automaton, buildAutomaton } from './automaton/automaton.ts';
import { foldByte } from './automaton/fold.ts';
import type { KernelFactory } from './automaton/kernel.ts';
import { createFilteredKernel } from './automaton/search-filtered.ts';
import { createSearcher, type Searcher } from './automaton/searcher.ts';
import type { Database } from './load.ts';
import { type NamePattern, toPattern } from './name-pattern.ts';
import type {
  Claim,
  Condition,
  Indicator,
  Predicate,
  Scope,
  SignerCondition,
  Strength,
  Variant,
} from './schema.ts';
import { toTriggers, type Triggers } from './triggers.ts';
import { strengths } from './vocabulary.ts';

/*
 * Turns a database into what a scan needs: one automaton for all literals, and conditions with everything looked up.
 *
 * A literal of a condition becomes a probe for each encoding: the folded bytes that the automaton looks for, and what
 * must hold around a hit. Conditions that ask for the same share a probe; probes with the same folded bytes share a
 * pattern.
 */

export type TextEncoding = 'ascii' | 'utf-16le';

/** What may stand beside a hit. */
export type Boundary = 'none' | 'word' | 'host' | 'host-with-subdomains';

/** One thing to look for in bytes. */
export interface Probe {
  /** Index among the probes. */
  readonly index: number;
  readonly kind: 'text' | 'host' | 'bytes' | 'regex';
  /** As the database has it. */
  readonly label: string;
  /** Undefined for bytes. `ascii` is UTF-8. */
  readonly encoding: TextEncoding | undefined;
  readonly literal: Uint8Array;
  readonly ignoreCase: boolean;
  readonly boundary: Boundary;
  /** Must match around the literal; compiled when it is first wanted. */
  readonly regex: LateExpression | undefined;
}

/** Throws a TelltaleError `usage/database` when it is none. */
export type LateExpression = () => RegularExpression;

/** A test on one text value. */
export type TextTest = (value: string) => boolean;

/** A component of a version: inclusive bounds, or anything. */
export type VersionComponent = { readonly min: number; readonly max: number } | undefined;

/** A condition with everything looked up. */
export type CompiledCondition =
  | { readonly kind: 'all' | 'any' | 'none'; readonly of: readonly CompiledCondition[] }
  | { readonly kind: 'atLeast'; readonly count: number; readonly of: readonly CompiledCondition[] }
  /** Any of the probes has a hit. */
  | { readonly kind: 'content'; readonly probes: readonly Probe[] }
  | { readonly kind: 'fileName' | 'memberName'; readonly pattern: NamePattern; readonly hasPath: boolean }
  | { readonly kind: 'version'; readonly components: readonly VersionComponent[] }
  /** A fact of this kind, and name where one is given, with a value that passes. */
  | {
      readonly kind: 'factValue';
      readonly evidenceKind: 'versionInfo' | 'packageId' | 'bundleId' | 'msiProperty' | 'fact';
      readonly fact: FactKind;
      readonly name: string | undefined;
      readonly test: TextTest;
    }
  | { readonly kind: 'signer'; readonly wanted: CompiledSignerCondition }
  | { readonly kind: 'digest'; readonly sha256: ReadonlySet<string> };

export interface CompiledSignerCondition {
  readonly exact: Pick<SignerCondition, 'status' | 'publisher' | 'sha1' | 'sha256'>;
  readonly commonName: TextTest | undefined;
  readonly issuerCommonName: TextTest | undefined;
  readonly issuerOrganization: TextTest | undefined;
}

/** Which artifacts a statement is about. */
export interface ArtifactFilter {
  readonly any: boolean;
  readonly program: boolean;
  readonly formats: ReadonlySet<string>;
}

/** A statement of the database, ready to be evaluated. */
interface CompiledStatement {
  /** Id of the product. */
  readonly product: string;
  readonly filter: ArtifactFilter;
  readonly condition: CompiledCondition;
}

export interface CompiledIndicator extends CompiledStatement {
  readonly variant: Variant;
  readonly indicator: Indicator;
}
export interface CompiledClaim extends CompiledStatement {
  readonly claim: Claim;
}
export interface CompiledScope extends CompiledStatement {
  readonly scope: Scope;
}

export interface CompiledDatabase {
  readonly probes: readonly Probe[];
  /** Folded bytes, without repetitions; behind those of the probes the marks. */
  readonly patterns: readonly Uint8Array[];
  /** Bytes whose places the engine itself wants to know. */
  readonly marks: readonly Uint8Array[];
  /** Index among the patterns of the first mark. */
  readonly firstMark: number;
  /** Probes by the index of their pattern. */
  readonly probesOfPattern: readonly (readonly Probe[])[];
  /** Undefined when there is nothing to look for. */
  readonly automaton: Automaton | undefined;
  /** One for all artifacts: the engine makes the fastest code for a loop over tables that never change. */
  readonly searcher: Searcher | undefined;
  /** Sorted by product, variant, strength (decisive first) and id. */
  readonly indicators: readonly CompiledIndicator[];
  /** Which of the indicators have to be looked at. */
  readonly triggers: Triggers;
  readonly claims: readonly CompiledClaim[];
  readonly scopes: readonly CompiledScope[];
}

/**
 * Compiles a database, in milliseconds.
 *
 * @param makeKernel - the loop that reads the tables
 * @param marks - bytes to look for in the same pass, of at most 64 bytes each
 * @param kept - the automaton of the same database and marks, where it was built before
 * @throws TelltaleError `usage/database` when the tables would become too large
 */
export function compile(
  database: Database,
  makeKernel: KernelFactory = createFilteredKernel,
  marks: readonly Uint8Array[] = [],
  kept?: Automaton,
): CompiledDatabase {
  const compiler = new Compiler();
  const indicators: CompiledIndicator[] = [];
  const claims: CompiledClaim[] = [];
  const scopes: CompiledScope[] = [];
  for (const { product, variants } of database.products) {
    for (const variant of variants) {
      for (const indicator of variant.indicators) {
        indicators.push({ ...compiler.toStatement(product.id, indicator), variant, indicator });
      }
    }
    for (const claim of product.claims) claims.push({ ...compiler.toStatement(product.id, claim), claim });
    for (const scope of product.scopes ?? [])
      scopes.push({ ...compiler.toStatement(product.id, scope), scope });
  }
  indicators.sort(
    (a, b) =>
      compareText(a.product, b.product) ||
      compareText(a.variant.id, b.variant.id) ||
      toRank(a.indicator.strength) - toRank(b.indicator.strength) ||
      compareText(a.indicator.id, b.indicator.id),
  );
  const { probes, probesOfPattern } = compiler;
  const firstMark = compiler.patterns.length;
  const patterns = [...compiler.patterns, ...marks.map((mark) => mark.map(foldByte))];
  const automaton = patterns.length === 0 ? undefined : takeAutomaton(patterns, kept);
  return {
    probes,
    patterns,
    marks,
    firstMark,
    probesOfPattern,
    automaton,
    searcher: automaton && createSearcher(automaton, makeKernel),
    indicators,
    triggers: toTriggers(indicators.map(({ condition }) => condition)),
    claims,
    scopes,
  };
}

/** The automaton that was kept, where it is of so many patterns of such lengths. */
function takeAutomaton(patterns: readonly Uint8Array[], kept: Automaton | undefined): Automaton {
  const fits =
    kept?.patternCount === patterns.length &&
    patterns.every((pattern, index) => kept.patternLengths[index] === pattern.length);
  return fits ? kept : buildAutomaton(patterns);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function toRank(strength: Strength): number {
  return strengths.indexOf(strength);
}

class Compiler {
  readonly probes: Probe[] = [];
  readonly patterns: Uint8Array[] = [];
  readonly probesOfPattern: Probe[][] = [];
  readonly #probesByKey = new Map<string, Probe>();
  readonly #patternsByBytes = new Map<string, number>();

  toStatement(
    product: string,
    { when, in: artifacts }: { readonly when: Condition; readonly in: readonly string[] },
  ): CompiledStatement {
    return {
      product,
      condition: this.#toCondition(when),
      filter: {
        any: artifacts.includes('any'),
        program: artifacts.includes('program'),
        formats: new Set(artifacts),
      },
    };
  }

  #toConditions(conditions: readonly Condition[]): readonly CompiledCondition[] {
    return conditions.map((condition) => this.#toCondition(condition));
  }

  #toCondition(condition: Condition): CompiledCondition {
    if ('all' in condition) return { kind: 'all', of: this.#toConditions(condition.all) };
    if ('any' in condition) return { kind: 'any', of: this.#toConditions(condition.any) };
    if ('none' in condition) return { kind: 'none', of: this.#toConditions(condition.none) };
    if ('atLeast' in condition) {
      return { kind: 'atLeast', count: condition.atLeast, of: this.#toConditions(condition.of) };
    }
    if ('text' in condition) {
      return this.#toContent('text', condition.text, {
        literal: condition.text,
        encodings: condition.encodings,
        ignoreCase: condition.ignoreCase ?? false,
        boundary: condition.wholeWord === true ? 'word' : 'none',
      });
    }
    if ('host' in condition) {
      return this.#toContent('host', condition.host, {
        literal: condition.host,
        ignoreCase: true,
        boundary: condition.subdomains === true ? 'host-with-subdomains' : 'host',
      });
    }
    if ('regex' in condition) {
      const ignoreCase = condition.ignoreCase ?? false;
      return this.#toContent('regex', condition.regex, {
        literal: condition.anchor,
        encodings: condition.encodings,
        ignoreCase,
        boundary: 'none',
        regex: toRegex(condition.regex, ignoreCase),
      });
    }
    if ('bytes' in condition) {
      const literal = Uint8Array.from(condition.bytes.match(/../g) ?? [], (pair) =>
        Number.parseInt(pair, 16),
      );
      const probe = this.#toProbe({
        kind: 'bytes',
        label: condition.bytes,
        encoding: undefined,
        literal,
        ignoreCase: false,
        boundary: 'none',
        regex: undefined,
      });
      return { kind: 'content', probes: [probe] };
    }
    if ('fileName' in condition) return toNameCondition('fileName', condition.fileName);
    if ('memberName' in condition) return toNameCondition('memberName', condition.memberName);
    if ('versionInfo' in condition) {
      const { field, is } = condition.versionInfo;
      return toFactCondition('versionInfo', 'versionInfo', field, is);
    }
    if ('version' in condition) {
      return {
        kind: 'version',
        components: condition.version.map((part) =>
          part === null ? undefined : typeof part === 'number' ? { min: part, max: part } : part,
        ),
      };
    }
    if ('packageId' in condition)
      return toFactCondition('packageId', 'packageId', undefined, condition.packageId);
    if ('bundleId' in condition)
      return toFactCondition('bundleId', 'bundleId', undefined, condition.bundleId);
    if ('msiProperty' in condition) {
      return toFactCondition(
        'msiProperty',
        'msiProperty',
        condition.msiProperty.name,
        condition.msiProperty.is,
      );
    }
    if ('fact' in condition) return toFactCondition('fact', condition.fact, condition.name, condition.is);
    if ('signer' in condition) return { kind: 'signer', wanted: toSignerCondition(condition.signer) };
    return { kind: 'digest', sha256: new Set(condition.digest) };
  }

  #toContent(
    kind: 'text' | 'host' | 'regex',
    label: string,
    wanted: {
      readonly literal: string;
      readonly encodings?: readonly TextEncoding[] | undefined;
      readonly ignoreCase: boolean;
      readonly boundary: Boundary;
      readonly regex?: LateExpression | undefined;
    },
  ): CompiledCondition {
    const encodings = [...new Set(wanted.encodings ?? (['ascii', 'utf-16le'] as const))];
    const probes = encodings.map((encoding) =>
      this.#toProbe({
        kind,
        label,
        encoding,
        literal: encodeText(wanted.literal, encoding),
        ignoreCase: wanted.ignoreCase,
        boundary: wanted.boundary,
        regex: wanted.regex,
      }),
    );
    return { kind: 'content', probes };
  }

  #toProbe(wanted: Omit<Probe, 'index'>): Probe {
    const folded = wanted.literal.map(foldByte);
    const key = JSON.stringify([
      wanted.kind,
      wanted.label,
      wanted.encoding,
      [...wanted.literal],
      wanted.ignoreCase,
      wanted.boundary,
    ]);
    const known = this.#probesByKey.get(key);
    if (known !== undefined) return known;
    const probe = { ...wanted, index: this.probes.length };
    this.probes.push(probe);
    this.#probesByKey.set(key, probe);

    const bytesKey = folded.join();
    let pattern = this.#patternsByBytes.get(bytesKey);
    if (pattern === undefined) {
      pattern = this.patterns.length;
      this.#patternsByBytes.set(bytesKey, pattern);
      this.patterns.push(folded);
      this.probesOfPattern.push([]);
    }
    this.probesOfPattern[pattern]?.push(probe);
    return probe;
  }
}

/** Text as it stands in files: UTF-8, or UTF-16LE without a mark. */
export function encodeText(text: string, encoding: TextEncoding): Uint8Array {
  if (encoding === 'ascii') return new TextEncoder().encode(text);
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index += 1)
    view.setUint16(index * 2, text.charCodeAt(index), true);
  return bytes;
}

/** Most files meet no anchor of an expression and none of the facts that one is for. */
function toRegex(pattern: string, ignoreCase: boolean): LateExpression {
  let compiled: RegularExpression | undefined;
  return () => {
    try {
      return (compiled ??= compileExpression(pattern, ignoreCase));
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown error';
      throw new TelltaleError('usage/database', `"${pattern}" is no regular expression of RE2: ${reason}`);
    }
  };
}

function toNameCondition(kind: 'fileName' | 'memberName', pattern: string): CompiledCondition {
  const normal = pattern.replaceAll('\\', '/');
  return { kind, pattern: toPattern(normal), hasPath: normal.includes('/') };
}

function toFactCondition(
  evidenceKind: 'versionInfo' | 'packageId' | 'bundleId' | 'msiProperty' | 'fact',
  fact: FactKind,
  name: string | undefined,
  is: Predicate,
): CompiledCondition {
  return { kind: 'factValue', evidenceKind, fact, name, test: toTextTest(is) };
}

function toSignerCondition(condition: SignerCondition): CompiledSignerCondition {
  const { commonName, issuerCommonName, issuerOrganization, ...exact } = condition;
  return {
    exact,
    commonName: commonName && toTextTest(commonName),
    issuerCommonName: issuerCommonName && toTextTest(issuerCommonName),
    issuerOrganization: issuerOrganization && toTextTest(issuerOrganization),
  };
}

/** Case and surrounding white space do not count, unless the predicate says so. */
function toTextTest(predicate: Predicate): TextTest {
  const fold = (value: string): string => (predicate.exact === true ? value : value.trim().toLowerCase());
  const { equals, startsWith, contains, matches } = predicate;
  if (matches !== undefined) {
    const regex = toRegex(matches, predicate.exact !== true);
    return (value) =>
      regex()
        .matcher(predicate.exact === true ? value : value.trim())
        .find();
  }
  if (startsWith !== undefined) {
    const wanted = fold(startsWith);
    return (value) => fold(value).startsWith(wanted);
  }
  if (contains !== undefined) {
    const wanted = fold(contains);
    return (value) => fold(value).includes(wanted);
  }
  const wanted = new Set([equals ?? []].flat().map(fold));
  return (value) => wanted.has(fold(value));
}
