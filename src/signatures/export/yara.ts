import type { Predicate, SignerCondition } from '../schema.ts';
import {
  boundaryClasses,
  type FormatGuard,
  isFoldedThroughout,
  type Literal,
  toByteExpression,
  toFormatGuard,
  toHexPattern,
  tryListLiterals,
} from './literal.ts';
import { escapeByte, translateExpression } from './regular-expression.ts';
import {
  type Exported,
  type ExportOrigin,
  type Language,
  type LeafCondition,
  listLinks,
  listStatements,
  type Omission,
  type Statement,
  toAccount,
  toHead,
  toOmissions,
  toSaid,
  toUnsayable,
  type Translation,
  translate,
} from './statement.ts';

/*
 * Rules for YARA 4.2 and later, and YARA-X: one for each indicator.
 *
 * YARA has no lookaround and its `fullword` takes an underscore for a boundary, so boundaries are spelled out as
 * regular expressions over bytes, and the lengths that stand before texts in string tables as conditions.
 *
 * https://yara.readthedocs.io/en/v4.2.3/writingrules.html
 */

export interface YaraOptions {
  /** Leave out the tests of the file format, for memory, disk images and files that were cut out of others. */
  readonly anyFormat: boolean;
}

/** The rule of one indicator. */
export interface YaraRule {
  readonly name: string;
  readonly text: string;
  /** Modules that it imports. */
  readonly modules: readonly string[];
  readonly omissions: readonly Omission[];
}

/** One file of rules. */
export function exportYara(origin: ExportOrigin, options: YaraOptions): Exported {
  const names = new Set<string>();
  const rules: YaraRule[] = [];
  const omissions: Omission[] = [];
  for (const statement of listStatements(origin.database)) {
    const { rule, omissions: own } = toYaraRule(statement, options, names);
    if (rule !== undefined) rules.push(rule);
    omissions.push(...own);
  }
  const modules = [...new Set(rules.flatMap((rule) => rule.modules))].sort();
  const head = [...toHead(origin), 'To be run over unpacked members: yara -r FILE FOLDER'];
  const text = [
    head.map(toComment).join('\n'),
    ...(modules.length === 0 ? [] : [toImports(modules)]),
    ...rules.map((rule) => rule.text),
    ['What these rules do not say:', ...toAccount(omissions)].map(toComment).join('\n'),
  ];
  return {
    files: [{ name: 'telltale.yar', text: `${text.join('\n\n')}\n` }],
    count: rules.length,
    omissions,
  };
}

/** `import "pe"`, a line each. */
export function toImports(modules: readonly string[]): string {
  return modules.map((name) => `import "${name}"`).join('\n');
}

/** The rule of a statement, if it can be said. */
export function toYaraRule(
  statement: Statement,
  options: YaraOptions,
  namesTaken: Set<string>,
): { readonly rule: YaraRule | undefined; readonly omissions: readonly Omission[] } {
  const { product, variant, indicator } = statement;
  const writer = new RuleWriter();
  const said = translate(indicator.when, writer);
  if (said.kind === 'unsayable') return { rule: undefined, omissions: toOmissions(statement, said) };

  const guard: FormatGuard = options.anyFormat ? { magics: [], remarks: [] } : toFormatGuard(indicator.in);
  const omissions = toOmissions(statement, { ...said, remarks: [...said.remarks, ...guard.remarks] });
  const name = toRuleName(product.product.id, indicator.id, namesTaken);
  const links = listLinks(statement);
  const meta: readonly (readonly [string, string | boolean])[] = [
    ['id', indicator.id],
    ['product', product.product.id],
    ['variant', variant.id],
    ['role', variant.role],
    ['title', indicator.title],
    ['strength', indicator.strength],
    ['tested_on_real_file', indicator.testedOnRealFile],
    ...(links[0] === undefined
      ? []
      : ([
          ['reference', links[0]],
          ['sources', links.join(' ')],
        ] as const)),
    ['database', `${product.product.id} ${product.product.revision}`],
    ...omissions.map(({ kind, reason }) => [kind === 'in-part' ? 'in_part' : kind, reason] as const),
  ];
  const { term } = said;
  // What belongs to an alternative that could not be said in the end is not asked for, and YARA would refuse it.
  const strings = writer.strings.filter(([id]) => new RegExp(`[$@]${id}\\b`).test(term));
  const modules = ['hash', 'pe'].filter((module) => term.includes(`${module}.`));
  const lines = [
    `rule ${name} : ${[`product_${toIdentifier(product.product.id)}`, `variant_${toIdentifier(variant.id)}`, indicator.strength].join(' ')}`,
    '{',
    '  meta:',
    ...meta.map(([key, value]) => `    ${key} = ${typeof value === 'boolean' ? value : toQuoted(value)}`),
    ...(strings.length === 0 ? [] : ['  strings:', ...strings.map(([id, text]) => `    $${id} = ${text}`)]),
    '  condition:',
    `    ${[...toGuardTerms(guard), term].join(' and\n    ')}`,
    '}',
  ];
  return { rule: { name, text: lines.join('\n'), modules, omissions }, omissions };
}

function toGuardTerms({ magics }: FormatGuard): readonly string[] {
  if (magics.length === 0) return [];
  const tests = magics.map((magic) => {
    // Numbers are read big-endian, so that they stand as the bytes do: two or four at a time.
    const width = magic.length % 8 === 0 ? 8 : 4;
    const parts = magic.match(new RegExp(`.{${width}}`, 'g')) ?? [];
    return parts
      .map((part, at) => `uint${width * 4}be(${(at * width) / 2}) == 0x${part.toUpperCase()}`)
      .join(' and ');
  });
  return [tests.length === 1 ? tests.join('') : `(${tests.join(' or ')})`];
}

/** An identifier that no other rule has; YARA allows 128 characters. */
function toRuleName(product: string, indicator: string, taken: Set<string>): string {
  const base = `telltale_${toIdentifier(product)}_${toIdentifier(indicator)}`.slice(0, 120);
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}_${count}`;
  taken.add(name);
  return name;
}

function toIdentifier(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9]/g, '_');
}

/** What would break a line, or show a reader another one than there is. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function toComment(line: string): string {
  return `// ${line.replaceAll(unprintable, '?')}`;
}

/** A text in quotes; everything that cannot be seen as the bytes of its UTF-8. */
export function toQuoted(text: string): string {
  const escaped = text
    .replaceAll(/["\\]/g, (character) => `\\${character}`)
    .replaceAll(unprintable, (character) =>
      [...new TextEncoder().encode(character)]
        .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
        .join(''),
    );
  return `"${escaped}"`;
}

/** Writes the strings and the condition of one rule. */
class RuleWriter implements Language<string> {
  /** Identifier and definition. */
  readonly strings: (readonly [string, string])[] = [];

  all(terms: readonly string[]): string {
    return toJoined(terms, 'and');
  }
  any(terms: readonly string[]): string {
    return toJoined(terms, 'or');
  }
  none(terms: readonly string[]): string {
    return `not ${terms.length === 1 ? `(${terms.join('')})` : toJoined(terms, 'or')}`;
  }

  toLeaf(condition: LeafCondition): Translation<string> {
    const literals = tryListLiterals(condition);
    if (literals !== undefined) return toSaid(this.any(literals.flatMap((one) => this.#addLiteral(one))));
    if ('regex' in condition) return this.#addExpression(condition);
    if ('digest' in condition) {
      return toSaid(this.any(condition.digest.map((digest) => `hash.sha256(0, filesize) == "${digest}"`)));
    }
    if ('versionInfo' in condition)
      return this.#toVersionInfo(condition.versionInfo.field, condition.versionInfo.is);
    if ('version' in condition) return this.#toVersion(condition.version);
    return toUnsayable(toReasonUnsayable(condition));
  }

  #add(letter: string, definition: string): string {
    const name = `${letter}${this.strings.length + 1}`;
    this.strings.push([name, definition]);
    return name;
  }

  /** The strings of a literal, as alternatives. */
  #addLiteral(literal: Literal): readonly string[] {
    if (literal.boundary === 'none') return [`$${this.#add('s', toPlainString(literal))}`];
    const { before, after } = toNeighbours(literal);
    const spelling = isFoldedThroughout(literal) ? 'by-flag' : 'spelled-out';
    const body = toByteExpression(literal, spelling);
    const flags = literal.ignoreCase && isFoldedThroughout(literal) ? ' nocase' : '';
    const whole = this.#add('s', `/${before}${body}${after}/${flags}`);
    const behind = this.#add('t', `/${body}${after}/${flags}`);
    return [`$${whole}`, toLengthPrefixTerm(behind, literal)];
  }

  #addExpression(condition: {
    readonly regex: string;
    readonly encodings?: readonly ('ascii' | 'utf-16le')[] | undefined;
    readonly ignoreCase?: boolean | undefined;
  }): Translation<string> {
    const translated = translateExpression(condition.regex, 'refused');
    if (translated.kind === 'refused') return toUnsayable(translated.reason);
    const encodings = condition.encodings ?? ['ascii', 'utf-16le'];
    const flags = [
      ...(encodings.includes('ascii') ? ['ascii'] : []),
      ...(encodings.includes('utf-16le') ? ['wide'] : []),
      ...(condition.ignoreCase === true ? ['nocase'] : []),
    ];
    const name = this.#add('s', `/${translated.source}/ ${flags.join(' ')}`);
    const remarks = ['a regular expression is tried everywhere, by telltale around its anchor'];
    if (translated.hasAnyCharacter) {
      remarks.push('. and negated classes stand for one byte, in telltale for one character');
    }
    return toSaid(`$${name}`, remarks, true);
  }

  #toVersionInfo(field: string, is: Predicate): Translation<string> {
    const value = `pe.version_info[${toQuoted(field)}]`;
    const test = toPredicateTest(value, is);
    if (test.kind === 'unsayable') return test;
    return toSaid(`(defined ${value} and ${test.term})`, [versionInfoRemark], true);
  }

  #toVersion(components: readonly VersionComponent[]): Translation<string> {
    const expression = tryToVersionExpression(components);
    if (expression === undefined) return toUnsayable('its version spans no or too many numbers');
    const tests = ['FileVersion', 'ProductVersion'].map((field) => {
      const value = `pe.version_info["${field}"]`;
      return `(defined ${value} and ${value} matches /${expression}/i)`;
    });
    return toSaid(
      this.any(tests),
      ['the version is that of the version block as text, in programs for Windows only', versionInfoRemark],
      true,
    );
  }
}

const versionInfoRemark =
  'YARA knows one value of a field of the version block, telltale that of each language';

function toJoined(terms: readonly string[], word: 'and' | 'or'): string {
  return terms.length === 1 ? terms.join('') : `(${terms.join(` ${word} `)})`;
}

/** A string without boundaries: in quotes where it is ASCII, otherwise in hexadecimal. */
function toPlainString(literal: Literal): string {
  const { bytes, encoding, ignoreCase } = literal;
  const isWide = encoding === 'utf-16le';
  const text = isWide ? bytes.filter((_, index) => index % 2 === 0) : bytes;
  const isPlain =
    encoding !== undefined &&
    text.every((byte) => byte >= 0x20 && byte < 0x7f) &&
    (!isWide || bytes.every((byte, index) => index % 2 === 0 || byte === 0));
  if (!isPlain) return `{ ${toHexPattern(literal, ' ')} }`;
  return `${toQuoted(String.fromCharCode(...text))} ${isWide ? 'wide' : 'ascii'}${ignoreCase ? ' nocase' : ''}`;
}

/** What must stand before and behind a literal. A unit that does not lie wholly inside the file is none. */
function toNeighbours({ boundary, encoding }: Literal): { readonly before: string; readonly after: string } {
  const { word, host, label, alphanumeric } = boundaryClasses;
  const isWide = encoding === 'utf-16le';
  const outside = isWide ? '[\\x00-\\xff]?' : '';
  const dot = isWide ? '\\.\\x00' : '\\.';
  const other = (content: string): string =>
    isWide ? `[^${content}][\\x00-\\xff]|[${content}][^\\x00]` : `[^${content}]`;
  const notBefore = (content: string): string => `(^${outside}|${other(content)})`;
  const notBehind = (content: string): string => `(${other(content)}|${outside}$)`;
  switch (boundary) {
    case 'none':
      return { before: '', after: '' };
    case 'word':
      return { before: notBefore(word), after: notBehind(word) };
    case 'host':
    case 'host-with-subdomains':
      return {
        before:
          boundary === 'host'
            ? `(^${outside}|${other(`.${host}`)}|${notBefore(label)}${dot})`
            : notBefore(host),
        after: `(${other(`.${host}`)}|${outside}$|${dot}${notBehind(alphanumeric)})`,
      };
  }
}

/**
 * String tables put the length of a text before it and a zero behind; such a length may look like a letter of the
 * same word. True when the unit before a hit is the length of a text that begins with the hit.
 */
function toLengthPrefixTerm(name: string, { encoding, boundary }: Literal): string {
  const isWide = encoding === 'utf-16le';
  const unit = isWide ? 'uint16' : 'uint8';
  const width = isWide ? '2 * ' : '';
  const length = `${unit}(@${name}[i] - ${isWide ? 2 : 1})`;
  const conditions = [
    `${length} < 0x80`,
    // A dot before a host is a dot, whatever length it could be.
    ...(boundary === 'host' ? [`${length} != 0x2E`] : []),
    `${unit}(@${name}[i] + ${width}${length}) == 0`,
    `for all j in (0..${length} - 1) : (${unit}(@${name}[i] + ${width}j) != 0)`,
  ];
  return `for any i in (1..#${name}) : (${conditions.join(' and ')})`;
}

/** A test on the value of a field of the version block. */
function toPredicateTest(value: string, predicate: Predicate): Translation<string> {
  const { equals, startsWith, contains, matches, exact = false } = predicate;
  if (matches !== undefined) {
    const translated = translateExpression(matches, exact ? 'value' : 'trimmed-value');
    if (translated.kind === 'refused') return toUnsayable(translated.reason);
    return toSaid(`${value} matches /${translated.source}/${exact ? '' : 'i'}`);
  }
  const texts = [equals ?? startsWith ?? contains ?? []].flat();
  if (texts.some((text) => !/^[\x20-\x7e]*$/.test(text))) {
    return toUnsayable('YARA knows the version block in ASCII only');
  }
  const tests = texts.map((text) => {
    if (exact) {
      const operator = equals !== undefined ? '==' : startsWith !== undefined ? 'startswith' : 'contains';
      return `${value} ${operator} ${toQuoted(text)}`;
    }
    const source = [...new TextEncoder().encode(text.trim())].map(escapeByte).join('');
    if (contains !== undefined) return `${value} matches /${source}/i`;
    return `${value} matches /^\\s*${source}${equals === undefined ? '' : '\\s*$'}/i`;
  });
  return toSaid(toJoined(tests, 'or'));
}

type VersionComponent = number | { readonly min: number; readonly max: number } | null;

const numbersInRange = 200;

/** The leading numbers of a version, separated by dots or commas; undefined when a range is too wide. */
function tryToVersionExpression(components: readonly VersionComponent[]): string | undefined {
  const last = components.findLastIndex((component) => component !== null);
  const parts: string[] = [];
  for (const component of components.slice(0, last + 1)) {
    if (component === null) {
      parts.push('[0-9]+');
      continue;
    }
    const { min, max } = typeof component === 'number' ? { min: component, max: component } : component;
    if (max < min || max - min >= numbersInRange) return undefined;
    const numbers = Array.from({ length: max - min + 1 }, (_, index) => min + index);
    parts.push(`0*${numbers.length === 1 ? numbers.join('') : `(${numbers.join('|')})`}`);
  }
  return `^\\s*v?${parts.join('\\s*[.,]\\s*')}([^0-9]|$)`;
}

/** Why a condition cannot be said in a language that sees bytes only. */
export function toReasonUnsayable(condition: LeafCondition): string {
  if ('fileName' in condition) return 'the name of a file is not in its bytes';
  if ('memberName' in condition) return 'the names of members are known only to who opens the container';
  if ('packageId' in condition) return 'the id of a package lies in a packed or binary manifest';
  if ('bundleId' in condition) return 'the id of a bundle lies in a property list that has to be read';
  if ('msiProperty' in condition)
    return 'the properties of an installer package lie in tables that have to be read';
  if ('signer' in condition)
    return `${describeSigner(condition.signer)} can only be told by checking the signature`;
  if ('fact' in condition) return `the fact ${condition.fact} has to be read from the structure of the file`;
  if ('versionInfo' in condition || 'version' in condition)
    return 'the version block has to be read from the structure of the file';
  if ('regex' in condition) return 'a regular expression';
  if ('digest' in condition) return 'a digest beside other conditions';
  return 'a literal';
}

function describeSigner({ sha1, sha256, publisher }: SignerCondition): string {
  if (publisher !== undefined) return 'a signer by its pin';
  return sha1 === undefined && sha256 === undefined
    ? 'a signer by name'
    : 'a signer by the digest of the certificate';
}
