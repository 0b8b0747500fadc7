import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, it } from 'vitest';
import { toJsonSchemas } from '../../src/signatures/json-schema.ts';
import { product, sources, toIndicator, toVariant } from './database-fixture.ts';

const schemas = fileURLToPath(new URL('../../schemas/', import.meta.url));
const signatures = fileURLToPath(new URL('../../signatures/', import.meta.url));
const generated = toJsonSchemas();

if (process.env['UPDATE_SCHEMAS'] === '1') {
  mkdirSync(schemas, { recursive: true });
  for (const [name, text] of generated) writeFileSync(`${schemas}${name}`, text);
}

function compileSchema(name: string): ValidateFunction {
  const schema: unknown = JSON.parse(generated.get(name) ?? '{}');
  if (typeof schema !== 'object' || schema === null) throw new Error('a schema is an object');
  return new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
}

describe('when the schemas are published', () => {
  it.each([...generated])('schemas/%s is current (UPDATE_SCHEMAS=1 writes it)', (name, text) => {
    expect(existsSync(`${schemas}${name}`)).toBe(true);
    expect(readFileSync(`${schemas}${name}`, 'utf8')).toBe(text);
  });

  it('accepts sound files and refuses others', () => {
    const variant = compileSchema('variant.schema.json');
    expect(
      variant(
        toVariant('tom', [toIndicator({ all: [{ host: 'a.b' }, { none: [{ version: [1, null] }] }] })]),
      ),
    ).toBe(true);
    expect(variant(toVariant('tom', [toIndicator({ host: 'Not A Host' })]))).toBe(false);
    expect(compileSchema('product.schema.json')(product)).toBe(true);
    expect(compileSchema('sources.schema.json')(sources)).toBe(true);
    expect(compileSchema('publishers.schema.json')({ publishers: [{}] })).toBe(false);
  });

  it('accepts every file of the database that ships', () => {
    const variant = compileSchema('variant.schema.json');
    let count = 0;
    for (const productName of readdirSync(signatures)) {
      const folder = `${signatures}${productName}/`;
      const read = (name: string): unknown => JSON.parse(readFileSync(`${folder}${name}`, 'utf8'));
      for (const kind of ['product', 'sources', 'publishers']) {
        const validate = compileSchema(`${kind}.schema.json`);
        expect(validate(read(`${kind}.json`)), JSON.stringify(validate.errors)).toBe(true);
      }
      for (const name of readdirSync(`${folder}variants`)) {
        expect(variant(read(`variants/${name}`)), `${name} ${JSON.stringify(variant.errors)}`).toBe(true);
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(0);
  });
});
