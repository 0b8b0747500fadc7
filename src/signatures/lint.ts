import type { Fact } from '../formats/model.ts';
import { compile, type CompiledDatabase, encodeText } from './compile.ts';
import { evaluate, type SignerView, type Subject } from './evaluate.ts';
import type { Database } from './load.ts';
import { type Hits, Matcher } from './match.ts';
import type { IndicatorTest, Variant } from './schema.ts';

/** Something that the tests of the indicators show. */
export interface LintProblem {
  /**
   * - `silent`: an indicator does not fire on one of its hits.
   * - `near-miss`: it fires on one of its near misses.
   * - `cross-fire`: what gives one variant away also gives away another.
   * - `short-literal`: a literal so short that it will be found by chance.
   */
  readonly kind: 'silent' | 'near-miss' | 'cross-fire' | 'short-literal';
  /** An error makes the database wrong; a warning is for a person to judge. */
  readonly severity: 'error' | 'warning';
  readonly product: string;
  readonly variant: string;
  readonly indicator: string;
  /** One plain sentence. */
  readonly message: string;
}

/** Formats of files that can act by themselves; the indicator tests name formats only. */
const actingFormats: ReadonlySet<string> = new Set(
  'apk appx deb dex elf inno ipa jar java-class macho msi msm nsis pe rpm script sis upx xap'.split(' '),
);

/** In bytes; below this a literal turns up by chance in files that have nothing to do with it. */
const shortLiteralBytes = 5;

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
    matcher.update(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
    matcher.update(separator);
  }
  return matcher.finish();
}

/**
 * Runs the tests of all indicators: each must fire on each of its hits and on none of its near misses, and what gives
 * one variant away must not give away another.
 */
export function checkIndicatorTests(
  database: Database,
  compiled = compile(database),
): readonly LintProblem[] {
  const problems: LintProblem[] = [];
  for (const { product, variant, indicator } of compiled.indicators) {
    const complain = (
      kind: LintProblem['kind'],
      severity: LintProblem['severity'],
      message: string,
    ): void => {
      problems.push({ kind, severity, product, variant: variant.id, indicator: indicator.id, message });
    };
    for (const [index, test] of indicator.tests.hit.entries()) {
      const matches = evaluate(compiled, toSubject(test, compiled)).indicators.filter(
        (match) => match.product === product,
      );
      if (!matches.some((match) => match.indicator.id === indicator.id)) {
        complain('silent', 'error', `does not fire on its hit ${describeTest(index, test)}`);
      }
      for (const other of matches) {
        if (isCrossFire(variant, other.variant) && other.indicator.strength !== 'suggestive') {
          complain(
            'cross-fire',
            'warning',
            `its hit ${describeTest(index, test)} also fires "${other.indicator.id}" of the variant "${other.variant.id}"`,
          );
        }
      }
    }
    for (const [index, test] of indicator.tests.nearMiss.entries()) {
      const matches = evaluate(compiled, toSubject(test, compiled)).indicators;
      if (matches.some((match) => match.product === product && match.indicator.id === indicator.id)) {
        complain('near-miss', 'error', `fires on its near miss ${describeTest(index, test)}`);
      }
    }
  }
  return problems;
}

const namingRoles: ReadonlySet<Variant['role']> = new Set<Variant['role']>([
  'regional',
  'operator',
  'impostor',
]);

/** Two variants that a verdict tells apart. A companion program belongs to its variant, and may share its marks. */
function isCrossFire(one: Variant, other: Variant): boolean {
  return one.id !== other.id && namingRoles.has(one.role) && namingRoles.has(other.role);
}

function describeTest(index: number, { why }: IndicatorTest): string {
  return why === undefined ? `${index + 1}` : `${index + 1} (${why})`;
}

/** Literals that are too short to mean anything. */
export function checkLiterals(compiled: CompiledDatabase): readonly LintProblem[] {
  const problems: LintProblem[] = [];
  for (const { product, variant, indicator, condition } of compiled.indicators) {
    for (const probe of listProbes(condition)) {
      if (probe.encoding === 'utf-16le' || probe.literal.length >= shortLiteralBytes) continue;
      problems.push({
        kind: 'short-literal',
        severity: 'warning',
        product,
        variant: variant.id,
        indicator: indicator.id,
        message: `"${probe.label}" is only ${probe.literal.length} bytes long and will be found by chance`,
      });
    }
  }
  return problems;
}

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
