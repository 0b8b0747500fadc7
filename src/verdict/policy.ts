import type { FileResult, VerdictName } from './model.ts';

/** What a gate lets through. */
export interface Policy {
  /** Verdicts that violate it. */
  readonly failOn: readonly (VerdictName | 'incomplete')[];
  /** With `official`, everything else violates it, also what could not be read fully. */
  readonly require: 'official' | undefined;
}

export const defaultPolicy: Policy = { failOn: ['impostor', 'modified', 'variant'], require: undefined };

/** A file that the policy does not let through, and the rule that says so. */
export interface Violation {
  readonly path: string;
  readonly rule: string;
}

/** The files that violate a policy, in the order of the results. */
export function findViolations(files: readonly FileResult[], policy: Policy): readonly Violation[] {
  return files.flatMap((file) => {
    const rule = findViolatedRule(file, policy);
    return rule === undefined ? [] : [{ path: file.path, rule }];
  });
}

function findViolatedRule(file: FileResult, { failOn, require }: Policy): string | undefined {
  if (failOn.includes(file.verdict)) return `fail on ${file.verdict}`;
  if (!file.complete && failOn.includes('incomplete')) return 'fail on incomplete';
  if (require === 'official' && file.verdict !== 'official') return 'require official';
  if (require === 'official' && !file.complete && !isProvedAsAWhole(file)) return 'require official';
  return undefined;
}

/** A file whose own seal or digest covers all of it is official also when a part of it was not opened. */
function isProvedAsAWhole(file: FileResult): boolean {
  return file.rule === 'proved' || file.rule === 'known-build';
}
