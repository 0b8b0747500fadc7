import { describe, expect, it } from 'vitest';
import { toNumbers } from '../../fixtures/synthetic-editions.ts';
import { joinBytes } from '../../src/bytes/byte-source.ts';
import { toHex } from '../../src/bytes/cursor.ts';
import { windowBytes, WindowScanner } from '../../src/learn/window-scanner.ts';

function scan(bytes: Uint8Array, chunkBytes = bytes.length): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const scanner = new WindowScanner(({ bytes: given, at, offset }) => {
    found.set(toHex(given.subarray(at, at + windowBytes)), offset);
  });
  for (let at = 0; at < bytes.length; at += chunkBytes) scanner.update(bytes.subarray(at, at + chunkBytes));
  return found;
}

const shared = toNumbers(1, 63);

describe('when byte runs are looked for', () => {
  it('takes the same window of a run of 63 bytes wherever it lies', () => {
    for (let seed = 10; seed < 60; seed += 1) {
      const run = toNumbers(seed, 63);
      const inside = [100, 333].map((size, index) =>
        scan(joinBytes([toNumbers(seed * 7 + index, size), run, toNumbers(seed * 11 + index, 200)])),
      );
      const [first = new Map(), second = new Map()] = inside;
      expect([...first.keys()].filter((window) => second.has(window))).not.toEqual([]);
    }
  });

  it('says where it lies', () => {
    const bytes = joinBytes([toNumbers(3, 500), shared]);
    for (const [window, offset] of scan(bytes)) {
      expect(toHex(bytes.subarray(offset, offset + windowBytes))).toBe(window);
    }
  });

  it('leaves out text, padding, and bytes that repeat', () => {
    const text = new TextEncoder().encode('only words here, one behind the other, no code. '.repeat(20));
    const wide = new Uint8Array(Buffer.from('wide words, one behind the other. '.repeat(20), 'utf16le'));
    const chinese = new TextEncoder().encode('聊天记录上传服务词语过滤'.repeat(20));
    const pattern = Uint8Array.from({ length: 900 }, (_, index) => 0x80 + (index % 7));
    for (const bytes of [text, wide, chinese, new Uint8Array(900), pattern]) expect(scan(bytes).size).toBe(0);
  });

  it('leaves out blocks that look packed', () => {
    const random = toNumbers(5, 1 << 16);
    expect(scan(random).size).toBe(0);
    const program = random.map((byte) => byte & 0x3f);
    expect(scan(program.map((byte) => byte | 0x80)).size).toBeGreaterThan(1000);
  });

  it('finds a shared run whatever the chunks are', () => {
    const bytes = joinBytes([toNumbers(8, 700).map((byte) => byte & 0x8f), shared, toNumbers(9, 300)]);
    const windows = [1, 50, 256].map((chunkBytes) => scan(bytes, chunkBytes));
    const whole = scan(bytes);
    for (const one of windows) {
      expect([...one].filter(([window]) => whole.has(window)).length).toBeGreaterThan(5);
      expect([...one.values()].some((offset) => offset >= 700 && offset + windowBytes <= 763)).toBe(true);
    }
  });
});
