import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLock, parsePolicy, toPolicyJsonSchema } from '../../src/verdict/policy-file.ts';

describe('when the schemas of policy and lock are published', () => {
  it.each(['policy', 'lock'] as const)(
    '%s is the one that the code defines (UPDATE_SCHEMAS=1 writes it)',
    (kind) => {
      const place = new URL(`../../schemas/${kind}.schema.json`, import.meta.url);
      if (process.env.UPDATE_SCHEMAS === '1') writeFileSync(place, toPolicyJsonSchema(kind));
      expect(readFileSync(place, 'utf8')).toBe(toPolicyJsonSchema(kind));
    },
  );
});

describe('when a policy is read', () => {
  it('has the default where it says nothing', () => {
    expect(parsePolicy('p.json', '{}')).toEqual({
      failOn: ['impostor', 'modified', 'variant'],
      require: {},
      exceptions: [],
    });
  });

  it.each([
    ['no JSON', '{', /p\.json:1:\d+: /],
    ['a key that comes twice', '{ "failOn": [], "failOn": ["variant"] }', /p\.json:1:17: /],
    [
      'a day that is none',
      '{"exceptions":[{"sha256":"","reason":"r","owner":"o","expires":"2026-02-30"}]}',
      /expires: /,
    ],
    [
      'an exception without an owner',
      '{"exceptions":[{"sha256":"","reason":"r","expires":"2026-02-03"}]}',
      /owner: /,
    ],
    ['a requirement of false', '{"require":{"complete":false}}', /require\.complete: /],
    ['a version with letters', '{"require":{"minimumVersion":"7b"}}', /numbers joined by dots/],
    ['nesting without end', '['.repeat(100_000), /p\.json:/],
  ])('refuses %s, and says where', (_, text, message) => {
    expect(() => parsePolicy('p.json', text)).toThrow(message);
  });
});

describe('when a lock is read', () => {
  it('is refused when it is of another shape', () => {
    expect(() => parseLock('l.json', '{ "schema": "telltale/lock/2" }')).toThrow(/l\.json:1:13: schema: /);
  });
});
