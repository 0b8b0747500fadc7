import { compareVersions } from './compare-versions.ts';
import type { FileResult, VerdictName } from './model.ts';

/** What a file must be. What is left out is not asked. All parts that are given must hold. */
export interface Requirements {
  /** One of these. A file that was not read fully does not meet it, unless a seal or digest proves it as a whole. */
  readonly verdict?: readonly VerdictName[] | undefined;
  readonly product?: readonly string[] | undefined;
  readonly variant?: readonly string[] | undefined;
  readonly platform?: readonly string[] | undefined;
  /** Intact, and signed by one of these publishers with a certificate that is pinned. */
  readonly publisher?: readonly string[] | undefined;
  /** Numbers joined by dots; missing ones count as zero. */
  readonly minimumVersion?: string | undefined;
  /** Its digest is in the ledger of known builds. */
  readonly knownBuild?: boolean | undefined;
  /** Everything in it was read. */
  readonly complete?: boolean | undefined;
}

/** A file that is let through although it violates the policy. */
export interface PolicyException {
  /** Of the file given, lower-case hexadecimal. */
  readonly sha256: string;
  readonly reason: string;
  readonly owner: string;
  /** The last day on which it holds, YYYY-MM-DD in UTC. */
  readonly expires: string;
}

/** What a gate lets through. */
export interface Policy {
  /** Verdicts that violate it. */
  readonly failOn: readonly (VerdictName | 'incomplete' | 'rule')[];
  readonly require: Requirements;
  readonly exceptions: readonly PolicyException[];
}

/** The name under which a policy is looked for, from the working folder upwards. */
export const policyFileName = 'telltale.json';

export const defaultPolicy: Policy = {
  failOn: ['impostor', 'modified', 'variant'],
  require: {},
  exceptions: [],
};

/** A rule of the policy that a file does not meet. */
export interface Violation {
  readonly path: string;
  /** The rule in a few words that stay the same: `fail on variant`, `require version`. */
  readonly rule: string;
  /** One plain sentence: what the file is, and what was asked. */
  readonly detail: string;
}

/** An exception that let a file through. */
export interface UsedException extends PolicyException {
  readonly path: string;
}

/** What a policy says of a scan. */
export interface PolicyOutcome {
  /** In the order of the files, and of the rules for each. */
  readonly violations: readonly Violation[];
  readonly exceptions: readonly UsedException[];
}

/**
 * Holds files against a policy.
 *
 * @param today - YYYY-MM-DD in UTC: exceptions end
 */
export function applyPolicy(files: readonly FileResult[], policy: Policy, today: string): PolicyOutcome {
  const violations: Violation[] = [];
  const exceptions: UsedException[] = [];
  for (const file of files) {
    const found = [...findFailures(file, policy.failOn), ...findUnmet(file, policy.require)];
    if (found.length === 0) continue;
    const granted = policy.exceptions.filter(({ sha256 }) => sha256 === file.sha256);
    const valid = granted.find(({ expires }) => today <= expires);
    if (valid !== undefined) {
      exceptions.push({ path: file.path, ...valid });
      continue;
    }
    const ended = granted.map(({ expires, owner, reason }) => ({
      rule: 'exception expired',
      detail: `the exception of ${owner} (${reason}) ended on ${expires}`,
    }));
    violations.push(...[...found, ...ended].map((one) => ({ path: file.path, ...one })));
  }
  return { violations, exceptions };
}

type Unmet = Omit<Violation, 'path'>;

function findFailures(file: FileResult, failOn: Policy['failOn']): readonly Unmet[] {
  const unmet: Unmet[] = [];
  if (failOn.includes(file.verdict)) {
    unmet.push({ rule: `fail on ${file.verdict}`, detail: `it is ${file.verdict}` });
  }
  if (!file.complete && failOn.includes('incomplete')) {
    unmet.push({ rule: 'fail on incomplete', detail: toUnreadText(file) });
  }
  if (failOn.includes('rule')) {
    for (const rule of new Set(file.rules.map((one) => one.rule))) {
      unmet.push({ rule: 'fail on rule', detail: `the rule ${rule} matches` });
    }
  }
  return unmet;
}

/**
 * A file that claims no product meets a requirement only where `other` is a verdict that is allowed; nothing more can
 * then be asked of it.
 */
function findUnmet(file: FileResult, require: Requirements): readonly Unmet[] {
  const unmet: Unmet[] = [];
  const miss = (name: string, detail: string): void => {
    unmet.push({ rule: `require ${name}`, detail });
  };
  const { verdict, product, variant, platform, publisher, minimumVersion } = require;
  if (verdict !== undefined) {
    const name = verdict.join(' or ');
    if (!verdict.includes(file.verdict)) miss(name, `it is ${file.verdict}`);
    else if (!file.complete && !isProvedAsAWhole(file)) miss(name, toUnreadText(file));
  }
  if (require.complete === true && !file.complete) miss('complete', toUnreadText(file));
  if (file.product === null) {
    const isAsked = [product, variant, platform, publisher, minimumVersion].some((one) => one !== undefined);
    if ((isAsked || require.knownBuild === true) && verdict?.includes('other') !== true) {
      miss('product', 'it claims to be no product that is known');
    }
    return unmet;
  }
  const missUnlisted = (
    name: string,
    allowed: readonly string[] | undefined,
    actual: string | null,
  ): void => {
    if (allowed !== undefined && (actual === null || !allowed.includes(actual))) {
      miss(name, `its ${name} is ${actual ?? 'not known'}, not ${allowed.join(' or ')}`);
    }
  };
  missUnlisted('product', product, file.product);
  missUnlisted('variant', variant, file.variant);
  missUnlisted('platform', platform, file.platform);
  missUnlisted('publisher', publisher, toProvedPublisher(file));
  if (minimumVersion !== undefined && !isAtLeast(file.version, minimumVersion)) {
    miss('version', `its version is ${file.version ?? 'not known'}, and ${minimumVersion} or later is asked`);
  }
  if (require.knownBuild === true && file.knownBuild === null) {
    miss('known build', 'it is not in the ledger of known builds');
  }
  return unmet;
}

/** The publisher whose pinned certificate signed these very bytes. */
function toProvedPublisher({ authenticity }: FileResult): string | null {
  return authenticity?.integrity === 'intact' && authenticity.signer === 'pinned'
    ? (authenticity.publisher ?? null)
    : null;
}

function isAtLeast(version: string | null, minimum: string): boolean {
  return version !== null && /^\d/.test(version) && compareVersions(version, minimum) >= 0;
}

/** A file whose own seal or digest covers all of it is official also when a part of it was not opened. */
function isProvedAsAWhole(file: FileResult): boolean {
  return file.rule === 'proved' || file.rule === 'known-build';
}

function toUnreadText({ incompleteReasons }: FileResult): string {
  return `it was not read fully (${incompleteReasons.join(', ')})`;
}
