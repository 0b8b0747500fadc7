import {
  boundaryClasses,
  isFoldedThroughout,
  listClassUnits,
  type Literal,
  toByteExpression,
  toFormatGuard,
  toHexByte,
  toHexPattern,
  toLiterals,
  tryListLiterals,
} from './literal.ts';
import { translateExpression } from './regular-expression.ts';
import {
  type Exported,
  type ExportOrigin,
  type Language,
  type LeafCondition,
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
import { toReasonUnsayable } from './yara.ts';

/*
 * Signatures for ClamAV 0.99 and later: logical signatures (.ldb) for what lies in the bytes, and digests (.hsb).
 *
 * ClamAV's own "fullword" takes an underscore and a hyphen for boundaries, so boundaries are checked by a regular
 * expression behind a literal that triggers it.
 *
 * https://docs.clamav.net/manual/Signatures/LogicalSignatures.html
 * https://docs.clamav.net/manual/Signatures/HashSignatures.html
 */

/** First engine with regular expressions, and the first with digests of files of any size. */
const engineWithExpressions = 81;
const engineWithDigests = 73;
const subsignaturesLimit = 64;
/** ClamAV finds nothing that begins with less. */
const literalBytesLeast = 2;

/** What a signature asks for. */
type Term =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Term[] }
  /** A subsignature, or its absence. */
  | { readonly kind: 'bytes'; readonly definition: string; readonly isAbsent: boolean }
  | {
      readonly kind: 'expression';
      /** The literal that has to be there before the expression is tried. */
      readonly trigger: string;
      readonly source: string;
      readonly flags: string;
      readonly isAbsent: boolean;
    }
  | { readonly kind: 'digest'; readonly sha256: readonly string[] };

export interface ClamavOptions {
  /** Leave out the tests of the file format. */
  readonly anyFormat: boolean;
}

/** The files of a ClamAV database. */
export function exportClamav(origin: ExportOrigin, options: ClamavOptions): Exported {
  const logical: string[] = [];
  const digests: string[] = [];
  const omissions: Omission[] = [];
  let count = 0;
  for (const statement of listStatements(origin.database)) {
    const signature = toSignature(statement, options);
    omissions.push(...signature.omissions);
    if (signature.logical !== undefined) logical.push(signature.logical);
    digests.push(...signature.digests);
    if (signature.logical !== undefined || signature.digests.length > 0) count += 1;
  }
  const head = toHead(origin).map(toComment);
  const toText = (lines: readonly string[]): string => `${[...head, ...lines].join('\n')}\n`;
  return {
    files: [
      {
        name: 'telltale.ldb',
        text: toText([
          ...logical,
          ...['What telltale.ldb and telltale.hsb do not say:', ...toAccount(omissions)].map(toComment),
        ]),
      },
      { name: 'telltale.hsb', text: toText(digests) },
    ],
    count,
    omissions,
  };
}

function toComment(line: string): string {
  return `# ${line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?')}`;
}

interface Signature {
  readonly logical: string | undefined;
  readonly digests: readonly string[];
  readonly omissions: readonly Omission[];
}

function toSignature(statement: Statement, options: ClamavOptions): Signature {
  const { product, indicator } = statement;
  const name = `Telltale.${product.product.id}.${indicator.id}`;
  const nothing = (said: Translation<Term>): Signature => ({
    logical: undefined,
    digests: [],
    omissions: toOmissions(statement, said),
  });

  const said = translate(indicator.when, clamavLanguage);
  if (said.kind === 'unsayable') return nothing(said);
  const { digests, rest } = splitDigests(said.term);
  if (rest !== undefined && holdsDigest(rest)) {
    return nothing(toUnsayable('ClamAV does not join a digest with other conditions'));
  }
  const guard = options.anyFormat ? { magics: [], remarks: [] } : toFormatGuard(indicator.in);
  const guarded: Term | undefined =
    rest === undefined || guard.magics.length === 0
      ? rest
      : {
          kind: 'all',
          of: [{ kind: 'any', of: guard.magics.map((magic) => toBytesTerm(`0:${magic}`)) }, rest],
        };
  const logical = guarded && tryToLogical(name, guarded);
  if (guarded !== undefined && logical === undefined) {
    return nothing(toUnsayable(`it takes more than ${subsignaturesLimit} parts of a ClamAV signature`));
  }
  return {
    logical,
    digests: digests.map((digest) => `${digest}:*:${name}:${engineWithDigests}`),
    omissions: toOmissions(statement, { ...said, remarks: [...said.remarks, ...guard.remarks] }),
  };
}

/** Digests that do by themselves, and what is left. */
function splitDigests(term: Term): { readonly digests: readonly string[]; readonly rest: Term | undefined } {
  if (term.kind === 'digest') return { digests: term.sha256, rest: undefined };
  if (term.kind !== 'any') return { digests: [], rest: term };
  const parts = term.of.map(splitDigests);
  const rest = parts.flatMap((part) => (part.rest === undefined ? [] : [part.rest]));
  return {
    digests: parts.flatMap((part) => part.digests),
    rest: rest.length === 0 ? undefined : { kind: 'any', of: rest },
  };
}

function holdsDigest(term: Term): boolean {
  return term.kind === 'digest' || ('of' in term && term.of.some(holdsDigest));
}

/** One line of a .ldb file; undefined when it would hold too many subsignatures. */
function tryToLogical(name: string, term: Term): string | undefined {
  const subsignatures: string[] = [];
  const place = (definition: string): number => {
    const known = subsignatures.indexOf(definition);
    return known < 0 ? subsignatures.push(definition) - 1 : known;
  };
  const write = (one: Term): string => {
    switch (one.kind) {
      case 'all':
      case 'any': {
        const parts = one.of.map(write);
        return parts.length === 1 ? parts.join('') : `(${parts.join(one.kind === 'all' ? '&' : '|')})`;
      }
      case 'bytes':
        return toUse(place(one.definition), one.isAbsent);
      case 'expression': {
        const trigger = place(one.trigger);
        return toUse(place(`${trigger}/${one.source}/${one.flags}`), one.isAbsent);
      }
      case 'digest':
        throw new Error('a digest is no part of a logical signature');
    }
  };
  const expression = write(term);
  if (subsignatures.length > subsignaturesLimit) return undefined;
  return [name, `Engine:${engineWithExpressions}-255,Target:0`, expression, ...subsignatures].join(';');
}

function toUse(index: number, isAbsent: boolean): string {
  return isAbsent ? `(${index}=0)` : String(index);
}

function toBytesTerm(definition: string): Term {
  return { kind: 'bytes', definition, isAbsent: false };
}

/** The opposite of a term. */
function negate(term: Term): Term {
  switch (term.kind) {
    case 'all':
      return { kind: 'any', of: term.of.map(negate) };
    case 'any':
      return { kind: 'all', of: term.of.map(negate) };
    case 'bytes':
    case 'expression':
      return { ...term, isAbsent: !term.isAbsent };
    case 'digest':
      return { kind: 'all', of: [term] };
  }
}

const clamavLanguage: Language<Term> = {
  all: (of) => ({ kind: 'all', of }),
  any: (of) => ({ kind: 'any', of }),
  none: (of) => ({ kind: 'all', of: of.map(negate) }),
  toLeaf(condition: LeafCondition): Translation<Term> {
    const literals = tryListLiterals(condition);
    if (literals !== undefined) {
      return literals.some(({ bytes }) => bytes.length < literalBytesLeast)
        ? toUnsayable(`ClamAV needs ${literalBytesLeast} bytes`)
        : toSaid({ kind: 'any', of: literals.map(toTerm) });
    }
    if ('digest' in condition) return toSaid({ kind: 'digest', sha256: condition.digest });
    if ('regex' in condition) return toExpression(condition);
    return toUnsayable(toReasonUnsayable(condition));
  },
};

function toTerm(literal: Literal): Term {
  const isWhole = isFoldedThroughout(literal);
  const trigger =
    literal.ignoreCase && isWhole
      ? `${[...literal.bytes].map(toHexByte).join('')}::i`
      : toHexPattern(literal, '');
  const neighbours = toNeighbours(literal);
  if (neighbours === undefined) return toBytesTerm(trigger);
  // A flag for case would count for the length before a text as well.
  const behind = `${toByteExpression(literal, 'spelled-out')}${neighbours.after}`;
  const prefixes = listLengthPrefixes(literal, neighbours.lengths);
  const befores = [neighbours.before];
  for (let at = 0; at < prefixes.length; at += prefixesAtOnce) {
    befores.push(`(?:${prefixes.slice(at, at + prefixesAtOnce).join('|')})`);
  }
  return {
    kind: 'any',
    of: befores.map(
      (before): Term => ({
        kind: 'expression',
        trigger,
        source: before + behind,
        flags: '',
        isAbsent: false,
      }),
    ),
  };
}

/** PCRE holds an expression in 64 kB, and writes a repeated group out. */
const prefixesAtOnce = 16;

/** What must hold before and behind a literal. */
interface Neighbours {
  readonly before: string;
  readonly after: string;
  /** The class of units for which a length before the text could be taken. */
  readonly lengths: string;
}

/** Assertions beside a literal. A unit that does not lie wholly inside the file is none. */
function toNeighbours({ boundary, encoding }: Literal): Neighbours | undefined {
  const { word, host, label, alphanumeric } = boundaryClasses;
  const high = encoding === 'utf-16le' ? '\\x00' : '';
  const unit = (content: string): string => `[${content}]${high}`;
  const dot = `\\.${high}`;
  switch (boundary) {
    case 'none':
      return undefined;
    case 'word':
      return { before: `(?<!${unit(word)})`, after: `(?!${unit(word)})`, lengths: word };
    case 'host':
    case 'host-with-subdomains':
      return {
        before: `(?<!${unit(host)})${boundary === 'host' ? `(?<!${unit(label)}${dot})` : ''}`,
        after: `(?!${unit(host)}|${dot}${unit(alphanumeric)})`,
        lengths: host,
      };
  }
}

/**
 * String tables put the length of a text before it and a zero behind; such a length may look like a letter of the
 * same word. An alternative for each length: so many units without zero, and then a zero.
 */
function listLengthPrefixes({ bytes, encoding }: Literal, content: string): readonly string[] {
  const isWide = encoding === 'utf-16le';
  const units = isWide ? bytes.length / 2 : bytes.length;
  return listClassUnits(content)
    .filter((length) => length >= units)
    .map((length) =>
      isWide
        ? `(?<=\\x${toHexByte(length)}\\x00)(?=(?s:(?!\\x00\\x00)..){${length}}\\x00\\x00)`
        : `(?<=\\x${toHexByte(length)})(?=[^\\x00]{${length}}\\x00)`,
    );
}

function toExpression(condition: {
  readonly regex: string;
  readonly anchor: string;
  readonly encodings?: readonly ('ascii' | 'utf-16le')[] | undefined;
  readonly ignoreCase?: boolean | undefined;
}): Translation<Term> {
  const translated = translateExpression(condition.regex, 'refused');
  if (translated.kind === 'refused') return toUnsayable(translated.reason);
  const encodings = condition.encodings ?? ['ascii', 'utf-16le'];
  if (!encodings.includes('ascii'))
    return toUnsayable('ClamAV tries regular expressions on bytes only, not on UTF-16');
  const remarks = ['a regular expression is tried everywhere, by telltale around its anchor'];
  if (encodings.includes('utf-16le')) remarks.push('the regular expression is not tried on UTF-16');
  if (translated.hasAnyCharacter) {
    remarks.push('. and negated classes stand for one byte, in telltale for one character');
  }
  const [anchor] = toLiterals(condition.anchor, ['ascii'], condition.ignoreCase);
  if (anchor === undefined) return toUnsayable('it has no anchor');
  return toSaid(
    {
      kind: 'expression',
      trigger: `${[...anchor.bytes].map(toHexByte).join('')}${condition.ignoreCase === true ? '::i' : ''}`,
      source: translated.source,
      flags: condition.ignoreCase === true ? 'i' : '',
      isAbsent: false,
    },
    remarks,
    true,
  );
}
