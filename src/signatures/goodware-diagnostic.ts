import { toGrouped } from '../bytes/amounts.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { LocatedStatement } from './located-statement.ts';
import type { Strength } from './schema.ts';

/** What one indicator did on files that have nothing to do with its product. */
export interface GoodwareFiring {
  /** Id of the product. */
  readonly product: string;
  /** Id of the indicator. */
  readonly indicator: string;
  readonly strength: Strength;
  /** On how many files it fired, and on how many artifacts in them. */
  readonly files: number;
  readonly artifacts: number;
  /** The first of them. Paths and evidence are as in the files. */
  readonly places: readonly {
    /** Nested path. */
    readonly member: string;
    readonly offset?: number;
    /** What matched. */
    readonly evidence: string;
  }[];
}

/** Firings, and how many places of each are told. */
export interface GoodwareFirings {
  readonly fired: readonly GoodwareFiring[];
  readonly placesShown: number;
}

/** One diagnostic for each indicator that fired on goodware, at its condition. */
export function toGoodwareDiagnostics(
  { fired, placesShown }: GoodwareFirings,
  statements: readonly LocatedStatement[],
): readonly Diagnostic[] {
  const byId = new Map(
    statements.flatMap((one) =>
      one.kind === 'indicator' ? [[`${one.product} ${one.id}`, one] as const] : [],
    ),
  );
  return fired.flatMap(({ product, indicator, strength, files, artifacts, places }) => {
    const statement = byId.get(`${product} ${indicator}`);
    if (statement === undefined) return [];
    const notes = places
      .slice(0, placesShown)
      .map(({ member, offset, evidence }) =>
        offset === undefined
          ? `${member}: ${evidence}`
          : `${member} at 0x${offset.toString(16)}: ${evidence}`,
      );
    if (artifacts > notes.length) notes.push(`and ${toGrouped(artifacts - notes.length)} more`);
    const message = `"${indicator}" (${strength}) fires on ${toCount(artifacts, 'artifact')} of ${toCount(files, 'file')} that ${files === 1 ? 'has' : 'have'} nothing to do with it`;
    return [
      statement.file.toDiagnostic(
        strength === 'suggestive' ? 'goodware/fires-weakly' : 'goodware/fires',
        [...statement.path, 'when'],
        message,
        { notes },
      ),
    ];
  });
}

function toCount(count: number, noun: string): string {
  return `${toGrouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}
