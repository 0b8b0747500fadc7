import { formats } from '../formats/index.ts';
import type { Fact } from '../formats/model.ts';
import { compile, type CompiledDatabase, encodeText } from './compile.ts';
import type { Diagnostic } from './diagnostic.ts';
import { evaluate, type IndicatorMatch, type SignerView, type Subject } from './evaluate.ts';
import { fromHex } from './literal-chance.ts';
import type { Database } from './load.ts';
import type { LocatedStatement } from './located-statement.ts';
import { type Hits, Matcher } from './match.ts';
import type { IndicatorTest } from './schema.ts';

/** Formats of files that can act by themselves; the indicator tests name formats only. */
const actingFormats: ReadonlySet<string> = new Set(
  formats.filter(({ nature }) => nature === 'acting').map(({ id }) => id),
).add('app-bundle');

/**
 * The made-up artifact of an indicator test, its contents matched as those of a real file are.
 *
 * @param isProgram - whether it can act by itself; by default as its format says
 */
export function toSubject(
  test: IndicatorTest,
  compiled: CompiledDatabase,
  isProgram = actingFormats.has(test.format),
): Subject {
  const facts: Fact[] = (test.facts ?? []).map(({ kind, name, value }) => ({
    kind,
    ...(name === undefined ? {} : { name }),
    value,
  }));
  return {
    formats: [test.format],
    program: isProgram,
    fileName: test.fileName ?? 'file',
    facts,
    hits: matchContent(test, compiled),
    memberNames: test.memberNames ?? [],
    signers: test.signer === undefined ? [] : [toSignerView(test.signer)],
    digests: test.sha256 === undefined ? {} : { sha256: test.sha256 },
  };
}

function toSignerView(signer: NonNullable<IndicatorTest['signer']>): SignerView {
  const { status, commonName, publisher, issuerCommonName, issuerOrganization, sha1, sha256 } = signer;
  return {
    status,
    commonName,
    ...(publisher === undefined ? {} : { publisher }),
    ...(issuerCommonName === undefined ? {} : { issuerCommonName }),
    ...(issuerOrganization === undefined ? {} : { issuerOrganization }),
    ...(sha1 === undefined ? {} : { sha1 }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

function matchContent(
  { content = [], utf16 = [], bytes = [] }: IndicatorTest,
  compiled: CompiledDatabase,
): Hits {
  const matcher = new Matcher(compiled);
  const separator = new Uint8Array(2);
  for (const text of content) {
    matcher.update(encodeText(text, 'ascii'));
    matcher.update(separator);
  }
  for (const text of utf16) {
    matcher.update(encodeText(text, 'utf-16le'));
    matcher.update(separator);
  }
  for (const hex of bytes) {
    matcher.update(fromHex(hex));
    matcher.update(separator);
  }
  return matcher.finish();
}

type LocatedIndicator = Extract<LocatedStatement, { readonly kind: 'indicator' }>;

/**
 * Runs the tests of all indicators: each must fire on each of its hits and on none of its near misses, a near miss must
 * be near, and what gives one variant away must not give away another.
 */
export function checkIndicatorTests(
  database: Database,
  statements: readonly LocatedStatement[],
  compiled = compile(database),
): readonly Diagnostic[] {
  const located = statements.filter((statement) => statement.kind === 'indicator');
  const byId = new Map(located.map((statement) => [`${statement.product} ${statement.id}`, statement]));
  const diagnostics: Diagnostic[] = [];
  const crossFires = new CrossFires();
  for (const statement of located) {
    const { product, variant, indicator, file, path } = statement;
    const listMatches = (test: IndicatorTest): readonly IndicatorMatch[] =>
      evaluate(compiled, toSubject(test, compiled)).indicators.filter((match) => match.product === product);
    for (const [index, test] of indicator.tests.hit.entries()) {
      const matches = listMatches(test);
      if (!matches.some((match) => match.indicator.id === indicator.id)) {
        const message = `"${indicator.id}" does not fire on its hit ${describeTest(index, test)}`;
        diagnostics.push(file.toDiagnostic('test/hit-silent', [...path, 'tests', 'hit', index], message));
      }
      for (const other of matches) {
        if (other.variant.id === variant || other.indicator.strength === 'suggestive') continue;
        const firing = byId.get(`${product} ${other.indicator.id}`);
        if (firing !== undefined) crossFires.add(firing, statement, index);
      }
    }
    for (const [index, test] of indicator.tests.nearMiss.entries()) {
      const place = [...path, 'tests', 'nearMiss', index];
      if (listMatches(test).some((match) => match.indicator.id === indicator.id)) {
        const message = `"${indicator.id}" fires on its near miss ${describeTest(index, test)}`;
        diagnostics.push(file.toDiagnostic('test/near-miss-fires', place, message));
      } else if (!indicator.tests.hit.some((hit) => isNear(hit, test))) {
        const message = `the near miss ${describeTest(index, test)} has nothing in common with a hit of "${indicator.id}"`;
        diagnostics.push(file.toDiagnostic('test/near-miss-unrelated', place, message));
      }
    }
  }
  return [...diagnostics, ...crossFires.toDiagnostics()];
}

function describeTest(index: number, { why }: IndicatorTest): string {
  return why === undefined ? `${index + 1}` : `${index + 1} (${why})`;
}

interface CrossFire {
  readonly firing: LocatedIndicator;
  readonly owner: LocatedIndicator;
  /** Index of the first hit that is met. */
  readonly hit: number;
  count: number;
}

/** Indicators that fire on the hits of other variants, once for each pair of indicators. */
class CrossFires {
  readonly #byPair = new Map<string, CrossFire>();

  add(firing: LocatedIndicator, owner: LocatedIndicator, hit: number): void {
    const key = `${firing.product} ${firing.id} ${owner.id}`;
    const known = this.#byPair.get(key);
    if (known === undefined) this.#byPair.set(key, { firing, owner, hit, count: 1 });
    else known.count += 1;
  }

  toDiagnostics(): readonly Diagnostic[] {
    return [...this.#byPair.values()].map(({ firing, owner, hit, count }) => {
      const place = [...owner.path, 'tests', 'hit', hit];
      const more = count === 1 ? '' : ` and on ${count - 1} more of its hits`;
      return firing.file.toDiagnostic(
        'test/fires-on-other-variant',
        [...firing.path, 'when'],
        `"${firing.id}" also fires on hit ${hit + 1} of "${owner.id}" of the variant "${owner.variant}"${more}`,
        { related: { ...owner.file.toPlace(place), message: 'the hit is here' } },
      );
    });
  }
}

// ---------------------------------------------------------------------------------------- near misses

/** In characters, upper and lower case alike. */
const commonCharacters = 4;
const commonBytes = 3;

/** Whether two artifacts have anything in common that an indicator could ask for, besides their format. */
function isNear(hit: IndicatorTest, miss: IndicatorTest): boolean {
  if (hit.signer !== undefined && miss.signer !== undefined) return true;
  if (hit.sha256 !== undefined && miss.sha256 !== undefined) return true;
  const facts = new Set(listFactNames(hit));
  if (listFactNames(miss).some((fact) => facts.has(fact))) return true;
  return (
    sharesRun(listTexts(hit), listTexts(miss), commonCharacters) ||
    sharesRun(hit.bytes ?? [], miss.bytes ?? [], commonBytes * 2)
  );
}

function listFactNames({ facts = [] }: IndicatorTest): readonly string[] {
  return facts.map(({ kind, name = '' }) => `${kind} ${name.toLowerCase()}`);
}

/** Every text of an artifact. */
function listTexts(test: IndicatorTest): readonly string[] {
  const { content = [], utf16 = [], memberNames = [], fileName, facts = [], signer } = test;
  return [
    ...content,
    ...utf16,
    ...memberNames,
    ...(fileName === undefined ? [] : [fileName]),
    ...facts.flatMap(({ name = '', value }) => (name === '' ? [value] : [name, value])),
    ...(signer === undefined ? [] : [signer.commonName]),
  ];
}

/** Whether some text of one list and some text of the other have so many characters in a row in common. */
function sharesRun(one: readonly string[], other: readonly string[], characters: number): boolean {
  const runs = new Set(one.flatMap((text) => listRuns(text.toLowerCase(), characters)));
  return other.some((text) => listRuns(text.toLowerCase(), characters).some((run) => runs.has(run)));
}

/** Every run of that length; the whole text where it is shorter. */
function listRuns(text: string, length: number): readonly string[] {
  if (text.length <= length) return [text];
  return Array.from({ length: text.length - length + 1 }, (_, start) => text.slice(start, start + length));
}

// --------------------------------------------------------------------------------------------- probes

/** Everything that a condition looks for in bytes, with repetitions. */
export function listProbes(
  condition: CompiledDatabase['indicators'][number]['condition'],
): CompiledDatabase['probes'] {
  switch (condition.kind) {
    case 'content':
      return condition.probes;
    case 'all':
    case 'any':
    case 'none':
    case 'atLeast':
      return condition.of.flatMap(listProbes);
    default:
      return [];
  }
}
