import { describe, expect, it } from 'vitest';
import { changeByte, changeDigest, changeLetter } from '../../src/learn/near-miss.ts';
import { judgeHost, judgeName, judgeText, leastScore } from '../../src/learn/specificity.ts';

describe('when texts are judged', () => {
  it.each([
    'Microsoft Visual C++ Runtime Library',
    '!This program cannot be run in DOS mode.',
    'Nullsoft Install System v2.46',
    'Inno Setup Setup Data (5.5.7) (u)',
    '.?AVexception@std@@',
    'api-ms-win-core-heap-l1-1-0.dll',
    '<requestedPrivileges xmlns="urn:schemas-microsoft-com:asm.v3">',
    'http://ocsp.verisign.com/CRL/0',
    'Software\\Microsoft\\Windows\\CurrentVersion',
    'x9#kQ!2vP$z',
    'D$0hPj_',
    'Thursday',
  ])('finds that %s says too little', (text) => {
    expect(judgeText(text).score).toBeLessThan(leastScore);
  });

  it('puts what belongs to one maker before what any program may say', () => {
    const order = [
      'D:\\paloma\\osten\\client.pdb',
      'http://relay.paloma-osten.cn/agent/',
      'Software\\Paloma\\Osten',
      '聊天记录上传',
      'Could not open the list of words',
      'WordListManager',
      'GetModuleFileNameW',
      'Nullsoft Install System',
    ].map((text) => judgeText(text).score);
    expect(order).toEqual([...order].sort((a, b) => b - a));
    expect(new Set(order).size).toBeGreaterThan(6);
  });

  it('knows hosts and names that all kinds of programs have', () => {
    expect(judgeHost('crl.microsoft.com').score).toBeLessThan(leastScore);
    expect(judgeHost('relay.paloma-osten.cn').score).toBeGreaterThan(80);
    expect(judgeName('setup.exe', false).score).toBeLessThan(leastScore);
    expect(judgeName('wordfilter.dll', false).score).toBeGreaterThan(judgeName('wordfilter.dll', true).score);
  });
});

describe('when near misses are made', () => {
  it('changes one letter, and always something', () => {
    expect(changeLetter('relay')).toBe('remay');
    expect(changeLetter('zzz')).toBe('zyz');
    expect(changeLetter('聊天记录')).toBe('聊天讱录');
    expect(changeLetter('--')).toBe('--x');
  });

  it('changes one digit of a digest and one bit of bytes', () => {
    expect(changeDigest('ab0')).toBe('ab1');
    expect(changeDigest('abf')).toBe('ab0');
    expect(changeByte(Uint8Array.of(1, 2, 3))).toBe('010303');
  });
});
