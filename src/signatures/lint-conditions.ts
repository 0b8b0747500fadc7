import { encodeText } from './compile.ts';
import { toCanonical } from './data-file.ts';
import type { Diagnostic } from './diagnostic.ts';
import { fromHex, leastBits, leastBytes, type LiteralChance, toLiteralChance } from './literal-chance.ts';
import { type LocatedStatement, listConditions, tryList } from './located-statement.ts';
import { matchesEverything, tryMatchWithoutAnchor } from './regex-samples.ts';
import type { Condition, Predicate } from './schema.ts';

type Path = readonly PropertyKey[];

/** What a condition alone shows, without trying it on anything. */
export function checkConditions(statements: readonly LocatedStatement[]): readonly Diagnostic[] {
  return statements.flatMap((statement) => {
    const root = [...statement.path, 'when'];
    return [
      ...checkLiterals(statement, statement.when, root, 0),
      ...[...listConditions(statement.when, root)].flatMap(([condition, path]) => [
        ...checkExpressions(statement, condition, path),
        ...checkLists(statement, condition, path),
      ]),
    ];
  });
}

// -------------------------------------------------------------------------------------------- literals

/**
 * Literals that will be found by chance. What must hold together is counted together.
 *
 * @param credit - bits of what must hold besides
 */
function checkLiterals(
  statement: LocatedStatement,
  condition: Condition,
  path: Path,
  credit: number,
): readonly Diagnostic[] {
  const list = tryList(condition);
  if (list !== undefined) {
    return list.of.flatMap((child, index) => {
      const others = list.of
        .filter((_, other) => other !== index)
        .map(toBits)
        .sort((a, b) => a - b)
        .slice(0, Math.max(0, list.needed - 1));
      // What must not be there need not be rare, only long enough to be there on purpose.
      const beside = list.field === 'none' ? leastBits : sum(others);
      return checkLiterals(statement, child, [...path, list.field, index], credit + beside);
    });
  }
  const literal = tryLiteral(condition);
  if (literal === undefined) return [];
  const { field, label, bytes } = literal;
  const place = [...path, field];
  const isUtf16Only = 'encodings' in condition && !(condition.encodings ?? ['ascii']).includes('ascii');
  if (bytes.length < leastBytes && !isUtf16Only) {
    const message = `"${label}" is only ${bytes.length} ${bytes.length === 1 ? 'byte' : 'bytes'} long`;
    return [statement.file.toDiagnostic('pattern/too-short', place, message)];
  }
  // An expression asks for more than its anchor.
  if ('regex' in condition) return [];
  const chance = toLiteralChance(bytes);
  if (chance.bits + credit >= leastBits) return [];
  const code = isCommon(chance, bytes) ? 'pattern/too-common' : 'pattern/too-short';
  return [statement.file.toDiagnostic(code, place, describeChance(label, chance, credit))];
}

/** Runs and words, as opposed to few letters of any kind. */
function isCommon({ bits, words }: LiteralChance, bytes: Uint8Array): boolean {
  return words.length > 0 || bits < bytes.length * commonBitsPerByte;
}

const commonBitsPerByte = 3;

function describeChance(label: string, { bits, words }: LiteralChance, credit: number): string {
  const quoted = words.map((word) => `"${word}"`).join(', ');
  const made = words.length === 0 ? '' : ` (${quoted} ${words.length === 1 ? 'is' : 'are'} common)`;
  const beside = credit === 0 ? '' : `, with what must hold beside it ${(bits + credit).toFixed(0)}`;
  return `"${label}"${made} carries ${bits.toFixed(0)} bits${beside}, and ${leastBits} are needed: expected once in ${toSizeText(bits + credit)} of programs`;
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Two to a power of bytes, in words. */
function toSizeText(bits: number): string {
  const unit = Math.min(units.length - 1, Math.floor(bits / 10));
  return `${Math.round(2 ** (bits - unit * 10))} ${units[unit] ?? ''}`;
}

interface Literal {
  readonly field: 'text' | 'host' | 'bytes' | 'anchor';
  readonly label: string;
  readonly bytes: Uint8Array;
}

function tryLiteral(condition: Condition): Literal | undefined {
  if ('text' in condition) return toTextLiteral('text', condition.text);
  if ('host' in condition) return toTextLiteral('host', condition.host);
  if ('regex' in condition) return toTextLiteral('anchor', condition.anchor);
  if ('bytes' in condition)
    return { field: 'bytes', label: condition.bytes, bytes: fromHex(condition.bytes) };
  return undefined;
}

function toTextLiteral(field: 'text' | 'host' | 'anchor', text: string): Literal {
  return { field, label: text, bytes: encodeText(text, 'ascii') };
}

/** What a condition is worth. A field of a header or a signature is no matter of chance, and is enough by itself. */
function toBits(condition: Condition): number {
  const list = tryList(condition);
  if (list !== undefined) {
    const each = list.of.map(toBits).sort((a, b) => a - b);
    return sum(each.slice(0, list.needed));
  }
  if ('text' in condition || 'host' in condition || 'bytes' in condition) {
    return toLiteralChance(tryLiteral(condition)?.bytes ?? new Uint8Array()).bits;
  }
  const name =
    'fileName' in condition
      ? condition.fileName
      : 'memberName' in condition
        ? condition.memberName
        : undefined;
  return name === undefined ? leastBits : toLiteralChance(encodeText(name.replaceAll('*', ''), 'ascii')).bits;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

// ----------------------------------------------------------------------------------------- expressions

/** Expressions and name patterns that ask for nothing, or for what can never be found. */
function checkExpressions(
  { file }: LocatedStatement,
  condition: Condition,
  path: Path,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const [expression, place] of listExpressions(condition, path)) {
    // Of something that has a name, any value says that it is there.
    if (!isNamed(condition) && matchesEverything(expression)) {
      diagnostics.push(
        file.toDiagnostic('pattern/matches-everything', place, `"${expression}" matches any text`),
      );
    }
  }
  for (const field of ['fileName', 'memberName'] as const) {
    const name = tryName(condition, field);
    if (name !== undefined && /^\*+(?:\.\*+)?$/.test(name)) {
      diagnostics.push(
        file.toDiagnostic('pattern/matches-everything', [...path, field], `"${name}" fits any name`),
      );
    }
  }
  if ('regex' in condition) {
    const { regex, anchor, ignoreCase = false } = condition;
    const found = tryMatchWithoutAnchor(regex, anchor, ignoreCase);
    if (found !== undefined) {
      const message = `the expression also matches "${found}", which does not hold the anchor "${anchor}"`;
      diagnostics.push(file.toDiagnostic('pattern/anchor-not-in-match', [...path, 'anchor'], message));
    }
  }
  return diagnostics;
}

function isNamed(condition: Condition): boolean {
  return 'fact' in condition && condition.name !== undefined;
}

function tryName(condition: Condition, field: 'fileName' | 'memberName'): string | undefined {
  if (field === 'fileName') return 'fileName' in condition ? condition.fileName : undefined;
  return 'memberName' in condition ? condition.memberName : undefined;
}

function* listExpressions(condition: Condition, path: Path): Generator<readonly [string, Path]> {
  if ('regex' in condition) yield [condition.regex, [...path, 'regex']];
  for (const [predicate, place] of listPredicates(condition, path)) {
    if (predicate.matches !== undefined) yield [predicate.matches, [...place, 'matches']];
  }
}

function* listPredicates(condition: Condition, path: Path): Generator<readonly [Predicate, Path]> {
  if ('versionInfo' in condition) yield [condition.versionInfo.is, [...path, 'versionInfo', 'is']];
  if ('msiProperty' in condition) yield [condition.msiProperty.is, [...path, 'msiProperty', 'is']];
  if ('packageId' in condition) yield [condition.packageId, [...path, 'packageId']];
  if ('bundleId' in condition) yield [condition.bundleId, [...path, 'bundleId']];
  if ('fact' in condition) yield [condition.is, [...path, 'is']];
  if ('signer' in condition) {
    for (const field of ['commonName', 'issuerCommonName', 'issuerOrganization'] as const) {
      const predicate = condition.signer[field];
      if (predicate !== undefined) yield [predicate, [...path, 'signer', field]];
    }
  }
}

// ----------------------------------------------------------------------------------------------- lists

/** Dead and contradictory parts of a condition. */
function checkLists({ file }: LocatedStatement, condition: Condition, path: Path): readonly Diagnostic[] {
  if ('version' in condition) {
    return condition.version.flatMap((component, index) =>
      component !== null && typeof component === 'object' && component.min > component.max
        ? [
            file.toDiagnostic(
              'condition/impossible',
              [...path, 'version', index],
              `no number is at least ${component.min} and at most ${component.max}`,
            ),
          ]
        : [],
    );
  }
  const list = tryList(condition);
  if (list === undefined) return [];
  const diagnostics: Diagnostic[] = [];
  const seen = new Map<string, number>();
  for (const [index, child] of list.of.entries()) {
    const key = toCanonical(child);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, index);
      continue;
    }
    diagnostics.push(
      file.toDiagnostic(
        'condition/repeated',
        [...path, list.field, index],
        'the same condition stands in this list before',
        { related: { ...file.toPlace([...path, list.field, first]), message: 'the first is here' } },
      ),
    );
  }
  if (list.field === 'of' && list.needed > list.of.length) {
    diagnostics.push(
      file.toDiagnostic(
        'condition/impossible',
        [...path, 'atLeast'],
        `at least ${list.needed} of ${list.of.length} conditions`,
      ),
    );
  }
  if (list.field === 'all') diagnostics.push(...checkContradiction(file, list.of, path, seen));
  return diagnostics;
}

/** What one part of an `all` demands and another one excludes. */
function checkContradiction(
  file: LocatedStatement['file'],
  parts: readonly Condition[],
  path: Path,
  demanded: ReadonlyMap<string, number>,
): readonly Diagnostic[] {
  return parts.flatMap((part, index) => {
    if (!('none' in part)) return [];
    return part.none.flatMap((excluded, position) => {
      const first = demanded.get(toCanonical(excluded));
      if (first === undefined) return [];
      return [
        file.toDiagnostic(
          'condition/impossible',
          [...path, 'all', index, 'none', position],
          'the same condition is demanded beside it',
          { related: { ...file.toPlace([...path, 'all', first]), message: 'it is demanded here' } },
        ),
      ];
    });
  });
}
