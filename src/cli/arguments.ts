import { InvalidArgumentError } from 'commander';
import { defaultLimits, type Limits } from '../bytes/budget.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { tryReadIdentity } from '../platform/file-identity.ts';
import type { DatabaseReference } from '../platform/database-references.ts';
import { type Minimum, tryMinimum } from '../platform/revisions.ts';
import { shippedDatabase } from '../platform/shipped.ts';
import { verdicts } from '../verdict/model.ts';
import type { Policy, Requirements } from '../verdict/policy.ts';
import { toDemanding } from './trust.ts';

/** Options that several commands share, as commander hands them over. */
export interface SharedOptions {
  readonly database?: readonly string[];
  readonly onlyDatabase?: boolean;
  readonly trust?: readonly string[];
  readonly minRevision?: readonly Minimum[];
  readonly knownBuilds: boolean;
  readonly maxBytes?: number;
  readonly maxRatio?: number;
  readonly maxMembers?: number;
  readonly maxDepth?: number;
  readonly maxMemory?: number;
  readonly timeout?: number;
}

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `512M`, `4G`, `1000`: bytes in binary units. */
export function parseBytes(value: string): number {
  const match = /^(\d+)([kmgt]?)(?:i?b)?$/i.exec(value.trim());
  const unit = units[(match?.[2] ?? '').toLowerCase()];
  if (match?.[1] === undefined || unit === undefined) {
    throw new InvalidArgumentError('a size is a number of bytes, or one with K, M, G or T: 512M');
  }
  return parseWhole(String(Number(match[1]) * unit));
}

/** A whole number from 1. */
export function parseWhole(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('a whole number from 1 is needed');
  return number;
}

/** A whole number from 0. */
export function parseCount(value: string): number {
  return value === '0' ? 0 : parseWhole(value);
}

/** Seconds, fractions allowed. */
export function parseSeconds(value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number <= 0)
    throw new InvalidArgumentError('a number of seconds above 0 is needed');
  return number;
}

/** A share above 0, up to 1. */
export function parseShare(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 1)) throw new InvalidArgumentError('a number above 0, up to 1, is needed');
  return number;
}

const failable = [...verdicts, 'incomplete', 'rule'] as const;

/** `variant,modified`, or `none`. */
export function parseFailOn(value: string): Policy['failOn'] {
  if (value.trim() === 'none') return [];
  return value.split(',').map((word): Policy['failOn'][number] => {
    const found = failable.find((name) => name === word.trim());
    if (found === undefined) {
      throw new InvalidArgumentError(
        `"${word.trim()}" is no verdict; there are ${failable.join(', ')}, and none`,
      );
    }
    return found;
  });
}

/** Names of what may be required, and how the option writes it. */
const requirable = ['product', 'variant', 'platform', 'publisher'] as const;

/**
 * `official`, `official,other`, `complete`, `known-build`, `product=skype`, `version>=7.0`, joined by commas. Several
 * verdicts, and several values of one name, are alternatives.
 */
export function parseRequire(value: string, before: Requirements = {}): Requirements {
  return value.split(',').reduce((require, part) => addRequirement(require, part.trim()), before);
}

function addRequirement(require: Requirements, word: string): Requirements {
  const verdict = verdicts.find((name) => name === word);
  if (verdict !== undefined) return { ...require, verdict: [...(require.verdict ?? []), verdict] };
  if (word === 'complete') return { ...require, complete: true };
  if (word === 'known-build') return { ...require, knownBuild: true };
  const minimumVersion = /^version>=(\d+(?:\.\d+)*)$/.exec(word)?.[1];
  if (minimumVersion !== undefined) return { ...require, minimumVersion };
  const equals = word.indexOf('=');
  const name = requirable.find((one) => one === word.slice(0, Math.max(0, equals)));
  if (name === undefined || equals === word.length - 1) {
    throw new InvalidArgumentError(
      `"${word}" cannot be required; there are ${verdicts.join(', ')}, complete, known-build, version>=NUMBER, ${requirable.map((one) => `${one}=ID`).join(', ')}`,
    );
  }
  return { ...require, [name]: [...(require[name] ?? []), word.slice(equals + 1)] };
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `PRODUCT=REVISION`; may be given several times. */
export function collectRevision(value: string, before: readonly Minimum[] = []): readonly Minimum[] {
  const minimum = tryMinimum(value);
  if (minimum === undefined)
    throw new InvalidArgumentError('a product and a revision are needed: PRODUCT=2026.11');
  return [...before, minimum];
}

/** The limits of one scan, from the defaults and the options. */
export function toLimits(options: SharedOptions): Limits {
  return {
    ...defaultLimits,
    ...(options.maxBytes === undefined ? {} : { bytesProduced: options.maxBytes }),
    ...(options.maxRatio === undefined ? {} : { expansionRatio: options.maxRatio }),
    ...(options.maxMembers === undefined ? {} : { members: options.maxMembers }),
    ...(options.maxDepth === undefined ? {} : { depth: options.maxDepth }),
    ...(options.maxMemory === undefined ? {} : { memberBytesInMemory: options.maxMemory }),
    ...(options.timeout === undefined ? {} : { milliseconds: options.timeout * 1000 }),
  };
}

/** A date, a time as ISO 8601 writes it, or a file whose last change counts: nanoseconds since 1970. */
export function parseSince(value: string): bigint {
  const isTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(
    value,
  );
  const time = isTime ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(time)) return BigInt(time) * 1_000_000n;
  const identity = tryReadIdentity(value);
  if (identity === undefined) {
    throw new InvalidArgumentError(
      'a date such as 2026-01-31, a time such as 2026-01-31T22:00Z, or a file is needed',
    );
  }
  return BigInt(identity.modified);
}

/** Databases: the shipped one first, unless the person leaves it out. What is demanded goes with the others. */
export function toDatabases(options: SharedOptions): readonly DatabaseReference[] {
  const own = toDemanding(options);
  if (options.onlyDatabase !== true) return [shippedDatabase, ...own];
  if (own.length === 0)
    throw new TelltaleError('usage/arguments', '--only-database needs at least one --database');
  return own;
}
