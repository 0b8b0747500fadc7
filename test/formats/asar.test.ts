import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildAsar } from '../../fixtures/asar-builder.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { asarFormat } from '../../src/formats/asar.ts';
import { mutate } from '../mutation.ts';
import { type ReadResult, readAll } from './reading.ts';

const real = readFileSync(new URL('../../fixtures/asar/electron-asar-3.4.1.asar', import.meta.url));

function contents(result: ReadResult): Record<string, string> {
  return Object.fromEntries(result.members.map(({ name, bytes }) => [name, bytes.toString()]));
}
function facts(result: ReadResult, kind: string): unknown[] {
  return (result.reading?.facts ?? [])
    .filter((fact) => fact.kind === kind)
    .map(({ name, value }) => (name === undefined ? value : [name, value]));
}
function codes(result: ReadResult): string[] {
  return result.findings.map(({ code }) => code);
}
function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}
const isAsar = (bytes: Uint8Array): boolean => asarFormat.probe(bytes.subarray(0, 4096), toByteSource(bytes));

describe('when the archive was made by @electron/asar', () => {
  it('yields every member, and names links and what is kept beside it', async () => {
    expect(isAsar(real)).toBe(true);
    const result = await readAll(asarFormat, real);
    expect(result.findings).toEqual([]);
    expect(contents(result)).toEqual({
      'dist/empty.txt': '',
      'dist/main.js': "'use strict';\nconsole.log('demo');\n",
      'dist/run.sh': '#!/bin/sh\necho run\n',
      'package.json': '{"name":"demo","main":"dist/main.js"}\n',
    });
    expect(facts(result, 'memberLink')).toEqual([['main.js', 'dist/main.js']]);
    expect(facts(result, 'unpackedMember')).toEqual(['node_modules/native/addon.node']);
    expect(facts(result, 'listedDigest')).toEqual([
      ['node_modules/native/addon.node', sha256('native code, kept beside the archive\n')],
    ]);
    const header = real.subarray(16, 16 + real.readUInt32LE(12));
    expect(facts(result, 'headerDigest')).toEqual([sha256(header)]);
    for (const { containerOffset, bytes } of result.members) {
      expect(real.subarray(containerOffset, (containerOffset ?? 0) + bytes.length)).toEqual(bytes);
    }
  });

  it('is written byte for byte alike by our own writer', () => {
    const ours = buildAsar({
      headerText: real.subarray(16, 16 + real.readUInt32LE(12)),
      files: [
        { name: 'a', data: "'use strict';\nconsole.log('demo');\n" },
        { name: 'b', data: '#!/bin/sh\necho run\n' },
        { name: 'c', data: '{"name":"demo","main":"dist/main.js"}\n' },
      ],
    });
    expect(ours.equals(real)).toBe(true);
  });

  it('tells which member was changed, and that the others were not', async () => {
    const changed = Buffer.from(real);
    changed.write('evil', real.indexOf("log('demo')") + 5);
    const result = await readAll(asarFormat, changed);
    expect(facts(result, 'sealBroken')).toEqual([
      ['dist/main.js', sha256("'use strict';\nconsole.log('evil');\n")],
    ]);
    expect(result.findings).toHaveLength(1);
    expect(result.findings[0]).toMatchObject({
      code: 'malformed/checksum',
      message: '"dist/main.js" does not have the SHA-256 that the archive states',
      incomplete: false,
    });
    expect(contents(result)['dist/main.js']).toContain('evil');
  });

  it('does not call a member changed whose end is missing', async () => {
    const result = await readAll(asarFormat, real.subarray(0, -10));
    expect(codes(result)).toEqual(['malformed/truncated']);
    expect(result.findings[0]).toMatchObject({ incomplete: true });
    expect(facts(result, 'sealBroken')).toEqual([]);
    expect(contents(result)['package.json']).toBe('{"name":"demo","main":"dist/');
  });
});

describe('when files have several blocks', () => {
  const data = Buffer.from('abcdefghij'.repeat(10));

  it('accepts seals that hold, also with an empty block at the end', async () => {
    const result = await readAll(asarFormat, buildAsar({ files: [{ name: 'a', data }], blockBytes: 16 }));
    expect(result.faults).toBe(0);
    const even = buildAsar({ files: [{ name: 'a', data: data.subarray(0, 32) }], blockBytes: 16 });
    expect((await readAll(asarFormat, even)).faults).toBe(0);
  });

  it('names the block whose seal does not hold while that of the whole does', async () => {
    const blocks = Array.from({ length: 7 }, (_, i) => sha256(data.subarray(i * 16, i * 16 + 16)));
    blocks[3] = '0'.repeat(64);
    const integrity = { algorithm: 'SHA256', hash: sha256(data), blockSize: 16, blocks };
    const result = await readAll(
      asarFormat,
      buildAsar({ files: [{ name: 'a', data, overrides: { integrity } }] }),
    );
    expect(result.findings[0]?.message).toBe(
      '"a" has the SHA-256 that the archive states, but block 3 has not',
    );
    expect(result.reading?.facts).toContainEqual({
      kind: 'sealBroken',
      name: 'a',
      value: sha256(data),
      offset: expect.any(Number),
      detail: { algorithm: 'sha256', expected: '0'.repeat(64), block: 3 },
    });
    const short = { ...integrity, blocks: blocks.slice(0, 3) };
    const fewer = await readAll(
      asarFormat,
      buildAsar({ files: [{ name: 'a', data, overrides: { integrity: short } }] }),
    );
    expect(facts(fewer, 'sealBroken')).toHaveLength(1);
  });

  it.each([
    ['another method', { algorithm: 'MD5', hash: 'x' }],
    ['no digest', { algorithm: 'SHA256', hash: 'abc' }],
    ['no object', 'SHA256'],
  ])('tells a seal that it cannot check: %s', async (_name, integrity) => {
    const result = await readAll(
      asarFormat,
      buildAsar({ files: [{ name: 'a', data, overrides: { integrity } }] }),
    );
    expect(codes(result)).toEqual(['unsupported/method']);
    expect(contents(result)).toEqual({ a: data.toString() });
  });
});

describe('when an archive is malformed', () => {
  it.each([
    ['text as a number', { offset: 'abc' }],
    ['a negative offset', { offset: '-1' }],
    ['a fraction', { size: 1.5 }],
    ['a size as text', { size: '3' }],
    ['no offset', { offset: undefined }],
    ['an offset above 2^53', { offset: '99999999999999999999' }],
    ['a sum above 2^53', { offset: '9007199254740991', size: 3 }],
  ])('leaves out a member that has %s, and shows its bytes', async (_name, overrides) => {
    const bytes = buildAsar({
      files: [
        { name: 'bad', data: 'abc', overrides },
        { name: 'good', data: 'def' },
      ],
    });
    const result = await readAll(asarFormat, bytes);
    expect(codes(result)).toContain('malformed/structure');
    expect(result.findings[0]).toMatchObject({ incomplete: true });
    expect(contents(result)['good']).toBe('def');
    expect(result.members.find(({ relation }) => relation === 'part')?.bytes.toString()).toBe('abc');
  });

  it('tells a member that lies behind the end', async () => {
    const result = await readAll(
      asarFormat,
      buildAsar({ files: [{ name: 'far', data: 'abc', overrides: { offset: '1000000' } }] }),
    );
    expect(codes(result)).toContain('malformed/out-of-range');
    expect(result.members[0]).toMatchObject({ name: 'far', kind: 'unreadable' });
  });

  it('accepts offsets as numbers, as old packers wrote them', async () => {
    const result = await readAll(
      asarFormat,
      buildAsar({ files: [{ name: 'a', data: 'abc', overrides: { offset: 0 } }] }),
    );
    expect(result.faults).toBe(0);
    expect(contents(result)).toEqual({ a: 'abc' });
  });

  it('tells members that overlap, but not two names for the same bytes', async () => {
    const same = { offset: '0', size: 6 };
    const twice = await readAll(
      asarFormat,
      buildAsar({
        files: [
          { name: 'a', data: 'abcdef' },
          { name: 'b', overrides: { ...same, integrity: undefined } },
        ],
      }),
    );
    expect(twice.faults).toBe(0);
    const inside = await readAll(
      asarFormat,
      buildAsar({
        files: [
          { name: 'a', data: 'abcdef' },
          { name: 'b', overrides: { offset: '2', size: 2, integrity: undefined } },
        ],
      }),
    );
    expect(codes(inside)).toEqual(['malformed/overlap']);
    expect(contents(inside)).toEqual({ a: 'abcdef', b: 'cd' });
  });

  it('does not hash overlapping members over and over', async () => {
    const data = Buffer.alloc(4 << 20, 7);
    const seal = { algorithm: 'SHA256', hash: '0'.repeat(64) };
    const files = Array.from({ length: 2000 }, (_, i) => ({
      name: `f${i}`,
      overrides: { offset: '0', size: data.length, integrity: seal },
    }));
    const started = performance.now();
    const result = await readAll(asarFormat, buildAsar({ files: [{ name: 'a', data }, ...files] }), {
      keepBytes: false,
    });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(result.findings.at(-1)).toMatchObject({ code: 'malformed/overlap', incomplete: true });
  });

  it('tells bytes that belong to no file, and shows them as parts', async () => {
    const result = await readAll(
      asarFormat,
      buildAsar({ files: [{ name: 'a', data: 'abc' }], trailing: Buffer.from('MZ hidden') }),
    );
    expect(codes(result)).toEqual(['malformed/structure']);
    expect(result.members[1]).toMatchObject({ relation: 'part' });
    expect(result.members[1]?.bytes.toString()).toBe('MZ hidden');
    expect(facts(result, 'unlistedBytes')).toEqual([9]);
  });

  it.each([
    ['../../outside.js', '..'],
    ['__proto__', 'property of every JavaScript object'],
    ['a/constructor/x', 'property of every JavaScript object'],
    ['C:evil', 'drive letter'],
    ['', 'not the name of one file'],
  ])('tells the dangerous name %j', async (name, phrase) => {
    const result = await readAll(asarFormat, buildAsar({ files: [{ name, data: 'abc' }] }));
    expect(codes(result)).toContain('malformed/name');
    expect(result.findings[0]?.message).toContain(phrase);
    expect(result.members.map(({ bytes }) => bytes.toString())).toEqual(['abc']);
    expect(Object.hasOwn(Object.prototype, 'size')).toBe(false);
  });

  it('tells a separator inside one name, and a link that leads outside', async () => {
    const slash = buildAsar({
      files: [],
      headerText: '{"files":{"a/b":{"size":0,"offset":"0"},"l":{"link":"../../etc/passwd"}}}',
    });
    const result = await readAll(asarFormat, slash);
    expect(codes(result)).toEqual(['malformed/name', 'malformed/name']);
    expect(facts(result, 'memberLink')).toEqual([['l', '../../etc/passwd']]);
  });

  it.each([
    ['not JSON', '{"files":', 'malformed/structure'],
    ['an array', '["files"]', 'malformed/structure'],
    ['no files', '{"file":{}}', 'malformed/structure'],
    ['files as a list', '{"files":[]}', 'malformed/structure'],
    ['a depth bomb', `{"files":${'{"a":'.repeat(100_000)}`, 'limit/depth'],
    ['an array bomb', `{"files":${'['.repeat(1_000_000)}`, 'limit/depth'],
    ['a bomb of values', `{"files":{},"x":[${'[],'.repeat(2_100_000)}0]}`, 'limit/count'],
  ])('refuses a header that is %s', async (_name, headerText, code) => {
    const result = await readAll(asarFormat, buildAsar({ files: [], headerText }));
    expect(result.thrown?.code).toBe(code);
  });

  it.each([
    ['a string', '"x"'],
    ['nothing', 'null'],
    ['a list', '[]'],
  ])('tells a member that is %s', async (_name, node) => {
    const result = await readAll(asarFormat, buildAsar({ files: [], headerText: `{"files":{"a":${node}}}` }));
    expect(codes(result)).toEqual(['malformed/structure']);
  });

  it('tells a member that is folder and file at once, and reads the folder', async () => {
    const headerText = '{"files":{"a":{"offset":"0","size":3,"files":{"b":{"offset":"0","size":3}}}}}';
    const bytes = buildAsar({ files: [{ name: 'x', data: 'abc' }], headerText });
    const result = await readAll(asarFormat, bytes);
    expect(codes(result)).toEqual(['malformed/structure']);
    expect(contents(result)).toEqual({ 'a/b': 'abc' });
  });

  it.each([
    ['sizes that contradict', { 2: 3 }, 'malformed/header'],
    ['a header longer than the file', { 1: 70_008, 2: 70_004, 3: 70_000 }, 'malformed/truncated'],
    ['an absurd header', { 1: 0xfffffff8, 2: 0xfffffff4, 3: 0xfffffff0 }, 'limit/memory'],
  ])('refuses %s', async (_name, numbers, code) => {
    const bytes = buildAsar({ files: [{ name: 'a', data: 'abc' }], numbers });
    expect((await readAll(asarFormat, bytes)).thrown?.code).toBe(code);
  });

  it('reads on when the two sizes of the header differ, and says so', async () => {
    const bytes = buildAsar({ files: [{ name: 'a', data: 'abc' }] });
    bytes.writeUInt32LE(bytes.readUInt32LE(8) - 1, 8);
    expect(codes(await readAll(asarFormat, bytes))[0]).toBe('malformed/header');
  });

  it('stops at the limit of members', async () => {
    const files = Array.from({ length: 50 }, (_, i) => ({ name: `f${i}`, data: 'x' }));
    const result = await readAll(asarFormat, buildAsar({ files }), { limits: { members: 20 } });
    expect(codes(result)).toContain('limit/members');
  });

  it('stops where long folder names would be repeated without end', async () => {
    const folder = 'n'.repeat(1 << 20);
    const inner = Array.from({ length: 200 }, (_, i) => `"f${i}":{"size":0,"offset":"0"}`).join(',');
    const headerText = `{"files":{"${folder}":{"files":{${inner}}}}}`;
    const result = await readAll(asarFormat, buildAsar({ files: [], headerText }));
    expect(codes(result)).toContain('limit/count');
  });

  it('reports at most so many faults', async () => {
    const files = Array.from({ length: 500 }, (_, i) => ({ name: `..\\${i}`, data: 'x' }));
    const result = await readAll(asarFormat, buildAsar({ files }));
    expect(result.findings.length).toBeLessThan(70);
    expect(codes(result)).toContain('limit/count');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['four numbers', Buffer.alloc(16, 4)],
    ['a pickle of something else', Buffer.from('040000000800000004000000000000007b', 'hex')],
  ])('does not take %s for an archive', (_name, bytes) => {
    expect(isAsar(bytes)).toBe(_name === 'a pickle of something else');
  });
});

describe('when an archive is damaged in 2,000 ways', () => {
  it('never crashes or hangs, and tells of every member that changed', async () => {
    const seed = buildAsar({
      files: [
        { name: 'dist/a.js', data: 'const a = 1;'.repeat(5) },
        { name: 'dist/b.js', data: 'const b = 2;'.repeat(5) },
        { name: 'native.node', data: 'n', unpacked: true },
        { name: 'l', link: 'dist/a.js' },
      ],
      blockBytes: 32,
    });
    const expected = JSON.stringify(contents(await readAll(asarFormat, seed)));
    const sealedBy = sha256(seed.subarray(16, 16 + seed.readUInt32LE(12)));
    let differing = 0;
    for (const mutant of mutate(seed, 2000, 3)) {
      const started = performance.now();
      const result = await readAll(asarFormat, mutant.bytes, {
        limits: { milliseconds: 3000, bytesProduced: 1 << 24 },
      });
      expect(performance.now() - started, mutant.description).toBeLessThan(3500);
      if (JSON.stringify(contents(result)) === expected) continue;
      differing += 1;
      // The header is sealed from outside only: a name, or a seal taken away, changes nothing but its digest.
      const isToldByDigest = !facts(result, 'headerDigest').includes(sealedBy);
      expect(result.faults > 0 || isToldByDigest, mutant.description).toBe(true);
    }
    expect(differing).toBeGreaterThan(300);
  });
});
