import { describe, expect, it } from 'vitest';
import { toLastPart, toPattern } from '../../src/signatures/name-pattern.ts';

describe('when a name is compared with a pattern', () => {
  it.each([
    ['Skype.exe', 'skype.EXE', true],
    ['Skype.exe', 'skype.exe.txt', false],
    ['*', '', true],
    ['skype*.exe', 'SkypeSetup.exe', true],
    ['skype*.exe', 'skype.exe', true],
    ['skype*.exe', 'myskype.exe', false],
    ['*a*b', 'xxaxbxb', true],
    ['*a*b', 'xxaxbxbc', false],
    ['a**', 'a', true],
    ['', 'a', false],
    ['a.exe', 'aXexe', false],
  ])('%s and %s', (pattern, name, expected) => {
    expect(toPattern(pattern).test(name)).toBe(expected);
  });

  it('stays fast on names made to be slow', () => {
    const began = performance.now();
    expect(toPattern('*a*a*a*a*a*a*a*a*a*ab').test('a'.repeat(30_000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('when the folder is taken off', () => {
  it('knows both slashes', () => {
    expect(toLastPart('{app}\\a/b.exe')).toBe('b.exe');
    expect(toLastPart('b.exe')).toBe('b.exe');
  });
});
