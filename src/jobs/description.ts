import type { PackSeal } from '../platform/database-pack.ts';
import type { RuleFile, RuleSet } from '../platform/yara-rules.ts';
import type { Database } from '../signatures/load.ts';

/** What a report says of the database that was used. Plain data: it crosses between threads. */
export interface DatabaseDescription {
  readonly products: readonly { readonly id: string; readonly name: string; readonly revision: string }[];
  /** Over all database files, hexadecimal. */
  readonly digest: string;
  /** The packs among the databases, and who vouches for them. */
  readonly packs: readonly PackSeal[];
  /** Rules of the person's own. */
  readonly rules: readonly RuleFile[];
}

export function toDescription({ products, digest, packs }: Database, rules?: RuleSet): DatabaseDescription {
  return {
    products: products.map(({ product }) => ({
      id: product.id,
      name: product.name,
      revision: product.revision,
    })),
    digest,
    packs,
    rules: rules?.files ?? [],
  };
}
