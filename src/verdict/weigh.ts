import type { IndicatorMatch } from '../signatures/evaluate.ts';
import type { VariantRole } from '../signatures/schema.ts';

/** Roles whose telltales give the verdict `variant`. */
export const otherEditionRoles: ReadonlySet<VariantRole> = new Set(['regional', 'operator', 'companion']);

/** Roles whose telltales make a file look like the product, whatever their strength. */
export const resemblingRoles: ReadonlySet<VariantRole> = new Set(['wrapper', 'unconfirmed']);

/** A telltale with the path of the artifact in which it was seen. */
export interface PlacedMatch {
  readonly path: string;
  readonly match: IndicatorMatch;
}

/**
 * The variants, among those of the given roles, that the telltales name: by one decisive telltale, or by two strong
 * ones that rest on different kinds of fact (content and version, name and signer). Two strong strings are one kind:
 * whoever copies one copies the other.
 *
 * @returns variant ids; those named by a decisive telltale first, then by the number of telltales, then by id
 */
export function nameVariants(
  placed: readonly PlacedMatch[],
  roles: ReadonlySet<VariantRole>,
): readonly string[] {
  const byVariant = new Map<string, IndicatorMatch[]>();
  for (const { match } of placed) {
    if (!roles.has(match.variant.role)) continue;
    byVariant.set(match.variant.id, [...(byVariant.get(match.variant.id) ?? []), match]);
  }
  const named: { readonly id: string; readonly isDecisive: boolean; readonly count: number }[] = [];
  for (const [id, matches] of byVariant) {
    const isDecisive = matches.some(({ indicator }) => indicator.strength === 'decisive');
    const strong = matches.filter(({ indicator }) => indicator.strength === 'strong');
    const isCorroborated = strong.some((one) => strong.some((other) => isIndependent(one, other)));
    if (isDecisive || isCorroborated) {
      named.push({ id, isDecisive, count: new Set(matches.map(({ indicator }) => indicator.id)).size });
    }
  }
  return named
    .sort(
      (a, b) =>
        Number(b.isDecisive) - Number(a.isDecisive) ||
        b.count - a.count ||
        (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
    )
    .map(({ id }) => id);
}

/** Two telltales that share no kind of fact. */
function isIndependent(one: IndicatorMatch, other: IndicatorMatch): boolean {
  for (const kind of one.kinds) if (other.kinds.has(kind)) return false;
  return true;
}
