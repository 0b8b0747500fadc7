import type { Condition, Predicate } from '../schema.ts';
import {
  type Exported,
  type ExportOrigin,
  type LeafCondition,
  listLinks,
  listStatements,
} from './statement.ts';

/*
 * One flat table of everything that the indicators ask for: RFC 4180, UTF-8, lines ended by CR LF.
 *
 * Spreadsheets take a cell that begins with = + - @ for a formula. Such cells get an apostrophe in front, and so do
 * those that begin with one already: whoever takes one apostrophe away from every cell has the values again.
 *
 * https://www.rfc-editor.org/rfc/rfc4180
 * https://owasp.org/www-community/attacks/CSV_Injection
 */

/** The columns, in their order. */
export const csvColumns = [
  'product',
  'variant',
  'role',
  'indicator',
  'title',
  'strength',
  'within', // how the condition is combined with the others of its indicator: "all > any"
  'kind',
  'value',
  'modifiers',
  'encodings',
  'in',
  'tested_on_real_file',
  'sources',
  'revision',
  'database_sha256',
  'tool',
] as const;

type Row = Readonly<Record<(typeof csvColumns)[number], string>>;

/** One line for each condition of each indicator. */
export function exportCsv({ database, version }: ExportOrigin): Exported {
  const rows: Row[] = [];
  const statements = listStatements(database);
  for (const statement of statements) {
    const { product, variant, indicator } = statement;
    for (const { within, leaf } of listLeaves(indicator.when, [])) {
      rows.push({
        product: product.product.id,
        variant: variant.id,
        role: variant.role,
        indicator: indicator.id,
        title: indicator.title,
        strength: indicator.strength,
        within: within.join(' > '),
        ...describeLeaf(leaf),
        in: indicator.in.join(' '),
        tested_on_real_file: String(indicator.testedOnRealFile),
        sources: listLinks(statement).join(' '),
        revision: `${product.product.id} ${product.product.revision}`,
        database_sha256: database.digest,
        tool: `telltale ${version}`,
      });
    }
  }
  const lines = [[...csvColumns], ...rows.map((row) => csvColumns.map((column) => row[column]))];
  const text = lines.map((cells) => `${cells.map(toCell).join(',')}\r\n`).join('');
  return { files: [{ name: 'telltale.csv', text }], count: statements.length, omissions: [] };
}

/** A cell that no spreadsheet calculates. */
function toCell(value: string): string {
  const harmless = /^[=+\-@\t\r\n']/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

interface PlacedLeaf {
  readonly within: readonly string[];
  readonly leaf: LeafCondition;
}

function listLeaves(condition: Condition, within: readonly string[]): readonly PlacedLeaf[] {
  const listAll = (conditions: readonly Condition[], word: string): readonly PlacedLeaf[] =>
    conditions.flatMap((one) => listLeaves(one, [...within, word]));
  if ('all' in condition) return listAll(condition.all, 'all');
  if ('any' in condition) return listAll(condition.any, 'any');
  if ('none' in condition) return listAll(condition.none, 'none');
  if ('atLeast' in condition) return listAll(condition.of, `at least ${condition.atLeast}`);
  return [{ within, leaf: condition }];
}

type LeafCells = Pick<Row, 'kind' | 'value' | 'modifiers' | 'encodings'>;

function toCells(
  kind: string,
  value: string,
  modifiers: readonly (string | undefined)[] = [],
  encodings: readonly string[] = [],
): LeafCells {
  return {
    kind,
    value,
    modifiers: modifiers.filter((modifier) => modifier !== undefined).join(' '),
    encodings: encodings.join(' '),
  };
}

function describeLeaf(leaf: LeafCondition): LeafCells {
  const both = ['ascii', 'utf-16le'];
  if ('text' in leaf) {
    const modifiers = [
      leaf.ignoreCase === true ? 'ignoreCase' : undefined,
      leaf.wholeWord === true ? 'wholeWord' : undefined,
    ];
    return toCells('text', leaf.text, modifiers, leaf.encodings ?? both);
  }
  if ('host' in leaf) {
    return toCells('host', leaf.host, [leaf.subdomains === true ? 'subdomains' : undefined], both);
  }
  if ('bytes' in leaf) return toCells('bytes', leaf.bytes);
  if ('regex' in leaf) {
    const modifiers = [leaf.ignoreCase === true ? 'ignoreCase' : undefined];
    return toCells('regex', leaf.regex, modifiers, leaf.encodings ?? both);
  }
  if ('fileName' in leaf) return toCells('fileName', leaf.fileName);
  if ('memberName' in leaf) return toCells('memberName', leaf.memberName);
  if ('versionInfo' in leaf)
    return describePredicate('versionInfo', leaf.versionInfo.field, leaf.versionInfo.is);
  if ('version' in leaf) {
    const parts = leaf.version.map((part) =>
      part === null ? '*' : typeof part === 'number' ? String(part) : `${part.min}-${part.max}`,
    );
    return toCells('version', parts.join('.'));
  }
  if ('packageId' in leaf) return describePredicate('packageId', undefined, leaf.packageId);
  if ('bundleId' in leaf) return describePredicate('bundleId', undefined, leaf.bundleId);
  if ('msiProperty' in leaf)
    return describePredicate('msiProperty', leaf.msiProperty.name, leaf.msiProperty.is);
  if ('fact' in leaf) return describePredicate(`fact ${leaf.fact}`, leaf.name, leaf.is);
  if ('signer' in leaf) return toCells('signer', JSON.stringify(leaf.signer));
  return toCells('digest', leaf.digest.join(' '), ['sha256']);
}

/** A predicate as the value, with its test and the name of the field among the modifiers. */
function describePredicate(kind: string, name: string | undefined, is: Predicate): LeafCells {
  const { equals, startsWith, contains, matches, exact } = is;
  const tests = { equals, startsWith, contains, matches };
  const [test, value] = Object.entries(tests).find(([, wanted]) => wanted !== undefined) ?? ['', ''];
  const values = [value ?? ''].flat();
  return {
    kind: name === undefined ? kind : `${kind} ${name}`,
    value: values.length === 1 ? values.join('') : JSON.stringify(values),
    modifiers: [test, ...(exact === true ? ['exact'] : [])].join(' '),
    encodings: '',
  };
}
