import type { Condition, Language, Predicate, SignerCondition } from '../signatures/schema.ts';
import { type Messages, messages } from './messages/index.ts';

type Words = Messages['conditions'];

/**
 * A condition of the database in plain words, on one line. Values stand in it as the database has them: escape before
 * printing.
 */
export function toConditionText(condition: Condition, language: Language): string {
  return describe(condition, messages[language].conditions);
}

function describe(condition: Condition, words: Words): string {
  if ('text' in condition) {
    return words.withDetails(words.text(condition.text), [
      ...toEncodingDetails(condition.encodings, words),
      ...(condition.ignoreCase === true ? [words.ignoresCase] : []),
      ...(condition.wholeWord === true ? [words.wholeWord] : []),
    ]);
  }
  if ('host' in condition) {
    return condition.subdomains === true
      ? words.hostWithSubdomains(condition.host)
      : words.host(condition.host);
  }
  if ('bytes' in condition) return words.bytes((condition.bytes.match(/../g) ?? []).join(' '));
  if ('regex' in condition) {
    return words.withDetails(words.regex(toExpression(condition.regex), condition.anchor), [
      ...toEncodingDetails(condition.encodings, words),
      ...(condition.ignoreCase === true ? [words.ignoresCase] : []),
    ]);
  }
  if ('fileName' in condition) return describeName(condition.fileName, words.fileName, words);
  if ('memberName' in condition) return describeName(condition.memberName, words.memberName, words);
  if ('versionInfo' in condition) {
    const { field, is } = condition.versionInfo;
    return words.versionInfo(field, describePredicate(is, words));
  }
  if ('version' in condition) return describeVersion(condition.version, words);
  if ('packageId' in condition) return words.packageId(describePredicate(condition.packageId, words));
  if ('bundleId' in condition) return words.bundleId(describePredicate(condition.bundleId, words));
  if ('msiProperty' in condition) {
    const { name, is } = condition.msiProperty;
    return words.msiProperty(name, describePredicate(is, words));
  }
  if ('fact' in condition) {
    return words.fact(condition.fact, condition.name, describePredicate(condition.is, words));
  }
  if ('signer' in condition) return describeSigner(condition.signer, words);
  if ('digest' in condition) return words.digest(condition.digest);
  if ('all' in condition) return describeSeveral(condition.all, words, words.all);
  if ('any' in condition) return describeSeveral(condition.any, words, words.any);
  if ('none' in condition) return words.none(condition.none.map((part) => describePart(part, words)));
  return words.atLeast(
    condition.atLeast,
    condition.of.map((part) => describePart(part, words)),
  );
}

/** One of several needs no list. */
function describeSeveral(
  parts: readonly Condition[],
  words: Words,
  join: (parts: readonly string[]) => string,
): string {
  const [only] = parts;
  return only !== undefined && parts.length === 1
    ? describe(only, words)
    : join(parts.map((part) => describePart(part, words)));
}

/** A part of a combination; in brackets when it combines others itself. */
function describePart(part: Condition, words: Words): string {
  const text = describe(part, words);
  const combines = 'none' in part || 'atLeast' in part;
  const combinesSeveral = ('all' in part && part.all.length > 1) || ('any' in part && part.any.length > 1);
  return combines || combinesSeveral ? words.nested(text) : text;
}

function toEncodingDetails(
  encodings: readonly ('ascii' | 'utf-16le')[] | undefined,
  words: Words,
): readonly string[] {
  const [only, ...further] = [...new Set(encodings)];
  return only === undefined || further.length > 0 ? [] : [words.encodings[only]];
}

function describeName(pattern: string, describePattern: (pattern: string) => string, words: Words): string {
  const text = describePattern(pattern);
  return pattern.includes('*') ? words.withRemark(text, words.wildcard) : text;
}

function toExpression(expression: string): string {
  return `/${expression}/`;
}

type Component = number | { readonly min: number; readonly max: number } | null;

function describeVersion(components: readonly Component[], words: Words): string {
  const values = components.map((component) =>
    component === null || typeof component === 'number'
      ? component
      : component.min === component.max
        ? component.min
        : words.range(component.min, component.max),
  );
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length === values.length) {
    return values.length < 4 ? words.versionStart(numbers.join('.')) : words.version(numbers.join('.'));
  }
  const parts = values.flatMap((value, index) =>
    value === null ? [] : [words.versionComponent(index, String(value))],
  );
  return parts.length === 0 ? words.anyVersion : words.versionComponents(parts);
}

function describePredicate(predicate: Predicate, words: Words): string {
  const { equals, startsWith, contains, matches, exact } = predicate;
  const text =
    equals !== undefined
      ? words.equals([equals].flat().map(words.quote))
      : startsWith !== undefined
        ? words.startsWith(words.quote(startsWith))
        : contains !== undefined
          ? words.contains(words.quote(contains))
          : words.matches(toExpression(matches ?? ''));
  return exact === true ? words.withRemark(text, words.exactly) : text;
}

function describeSigner(signer: SignerCondition, words: Words): string {
  const { status, publisher, commonName, issuerCommonName, issuerOrganization, sha1, sha256 } = signer;
  return words.signature([
    ...(status === undefined ? [] : [words.signerStatus[status]]),
    ...(publisher === undefined ? [] : [words.signerPublisher(publisher)]),
    ...(commonName === undefined ? [] : [words.signerCommonName(describePredicate(commonName, words))]),
    ...(issuerCommonName === undefined
      ? []
      : [words.issuerCommonName(describePredicate(issuerCommonName, words))]),
    ...(issuerOrganization === undefined
      ? []
      : [words.issuerOrganization(describePredicate(issuerOrganization, words))]),
    ...(sha1 === undefined ? [] : [words.certificateDigest('SHA-1', sha1)]),
    ...(sha256 === undefined ? [] : [words.certificateDigest('SHA-256', sha256)]),
  ]);
}
