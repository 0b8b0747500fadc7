import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findPlace,
  isSuspectJson,
  readJsonPlaces,
  toLineAndColumn,
} from '../../src/signatures/json-places.ts';
import { mutate } from '../mutation.ts';

function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch {
    return undefined;
  }
}

describe('when places are looked up', () => {
  const text = '{\n  "a": [1, {"b\\u0063": "x"}],\r\n  "d": null\n}';
  const { root, faults } = readJsonPlaces(text);

  it.each<readonly [readonly PropertyKey[], number, number]>([
    [[], 1, 1],
    [['a'], 2, 8],
    [['a', 0], 2, 9],
    [['a', 1, 'bc'], 2, 24],
    [['d'], 3, 8],
    [['a', 7, 'x'], 2, 8],
    [[Symbol('x')], 1, 1],
  ])('%j stands at %i:%i', (path, line, column) => {
    expect(toLineAndColumn(text, findPlace(root, path).start)).toEqual({ line, column });
    expect(faults).toEqual([]);
  });

  it.each<readonly [readonly PropertyKey[], string]>([
    [['a'], '[1, {"b\\u0063": "x"}]'],
    [['a', 1, 'bc'], '"x"'],
    [['d'], 'null'],
    [[], text],
  ])('%j ends behind its text', (path, expected) => {
    const { start, end } = findPlace(root, path);
    expect(text.slice(start, end)).toBe(expected);
  });

  it('knows where keys stand', () => {
    const { key } = findPlace(root, ['a', 1, 'bc']);
    expect(text.slice(key?.start, key?.end)).toBe('"b\\u0063"');
    expect(toLineAndColumn(text, findPlace(root, ['d']).key?.start ?? 0)).toEqual({ line: 3, column: 3 });
  });
});

describe('when texts are random', () => {
  it('finds no fault in what JSON.parse takes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (json, space) => {
        const value: unknown = JSON.parse(json);
        const text = JSON.stringify(value, null, space);
        expect(readJsonPlaces(text).faults).toEqual([]);
        expect(isSuspectJson(text, value)).toBe(false);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('agrees with JSON.parse on 2,000 damaged texts, and names a place inside of the text', () => {
    const seed = new TextEncoder().encode(
      '{"key": ["a\\nb\\u00e9", -1.5e+10, true, null, {"x": {}, "y": []}], "k2": 0, "k3": ""}',
    );
    for (const { bytes, description } of mutate(seed, 2000, 9)) {
      const text = new TextDecoder('latin1').decode(bytes);
      const parsed = tryParse(text);
      const { faults } = readJsonPlaces(text);
      const repeats = faults.every(({ message }) => message.endsWith('a second time'));
      expect(repeats, `${description} ${text}`).toBe(parsed !== undefined);
      if (parsed !== undefined) expect(isSuspectJson(text, parsed.value), text).toBe(faults.length > 0);
      for (const { offset } of faults) expect(offset).toBeLessThanOrEqual(text.length);
    }
  });
});

describe('when a text hides something', () => {
  it('sees a repeated key, also when it is spelled otherwise', () => {
    const text = '{"a:\\"": 1, "b": {"c": 1, "\\u0063": 2}}';
    expect(isSuspectJson(text, JSON.parse(text))).toBe(true);
    expect(readJsonPlaces(text).faults).toEqual([
      { kind: 'repeated-key', offset: 26, length: 8, message: 'the key "c" is here a second time' },
    ]);
  });

  it('ends at nesting without end', () => {
    const text = '['.repeat(100_000);
    expect(readJsonPlaces(text).faults.map(({ message }) => message)).toEqual(['nested more than 64 deep']);
    const closed = text + ']'.repeat(100_000);
    expect(
      isSuspectJson(
        closed,
        [...Array(70).keys()].reduce<unknown>((inner) => [inner], 0),
      ),
    ).toBe(true);
  });
});
