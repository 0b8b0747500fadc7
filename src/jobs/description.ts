import type { Database } from '../signatures/load.ts';

/** What a report says of the database that was used. Plain data: it crosses between threads. */
export interface DatabaseDescription {
  readonly products: readonly { readonly id: string; readonly name: string; readonly revision: string }[];
  /** Over all database files, hexadecimal. */
  readonly digest: string;
}

export function toDescription({ products, digest }: Database): DatabaseDescription {
  return {
    products: products.map(({ product }) => ({
      id: product.id,
      name: product.name,
      revision: product.revision,
    })),
    digest,
  };
}
