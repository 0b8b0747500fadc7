import { z } from 'zod';
import { productSchema, publishersSchema, sourcesSchema, variantSchema } from './schema.ts';

/** File name in `schemas/` by kind of data file; the schema itself comes from the definition that loading uses. */
const published = {
  'product.schema.json': { title: 'telltale: product.json', schema: productSchema },
  'publishers.schema.json': { title: 'telltale: publishers.json', schema: publishersSchema },
  'sources.schema.json': { title: 'telltale: sources.json', schema: sourcesSchema },
  'variant.schema.json': { title: 'telltale: variants/<id>.json', schema: variantSchema },
} as const;

/**
 * The published JSON Schemas (draft-07, which every editor knows), as the text of their files by name. Checks that
 * need more than one value, such as that a source id exists, are made by loading only.
 */
export function toJsonSchemas(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [name, { title, schema }] of Object.entries(published)) {
    const { $schema, ...content } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', reused: 'ref' });
    files.set(name, `${JSON.stringify({ $schema, title, ...content }, null, 2)}\n`);
  }
  return files;
}
