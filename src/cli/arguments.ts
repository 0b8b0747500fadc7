import { InvalidArgumentError } from 'commander';
import { defaultLimits, type Limits } from '../bytes/budget.ts';
import { type VerdictName, verdicts } from '../verdict/model.ts';
import type { Policy } from '../verdict/policy.ts';

/** Options that several commands share, as commander hands them over. */
export interface SharedOptions {
  readonly database?: readonly string[];
  readonly onlyDatabase?: boolean;
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

const failable = [...verdicts, 'incomplete'] as const;

/** `variant,modified`, or `none`. */
export function parseFailOn(value: string): Policy['failOn'] {
  if (value.trim() === 'none') return [];
  return value.split(',').map((word): VerdictName | 'incomplete' => {
    const found = failable.find((name) => name === word.trim());
    if (found === undefined) {
      throw new InvalidArgumentError(
        `"${word.trim()}" is no verdict; there are ${failable.join(', ')}, and none`,
      );
    }
    return found;
  });
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
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
