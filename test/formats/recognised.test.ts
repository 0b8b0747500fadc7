import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { type ByteSource, readUpTo, toByteSource } from '../../src/bytes/byte-source.ts';
import { arFormat, debFormat } from '../../src/formats/ar.ts';
import { gzipFormat } from '../../src/formats/gzip.ts';
import type { Format } from '../../src/formats/model.ts';
import { recognisedFormats } from '../../src/formats/recognised.ts';
import { tarFormat } from '../../src/formats/tar.ts';
import { htmlFormat, scriptFormat, textFormat, textFormats, tryDecodeText } from '../../src/formats/text.ts';
import { udifFormat } from '../../src/formats/udif/index.ts';
import { zipFormat } from '../../src/formats/zip.ts';
import { zlibFormat } from '../../src/formats/zlib.ts';
import { openFile } from '../../src/platform/files.ts';
import { corpus } from '../corpus.ts';
import { createRandom, mutate } from '../mutation.ts';
import { readAll } from './reading.ts';
import { sevenZipFormats } from './sevenzip-pouring.ts';

// oxlint-disable no-console -- a skipped test must be heard
const folder = mkdtempSync(join(tmpdir(), 'telltale-recognised-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The table as far as these modules fill it; portable executables are left out. */
const table: readonly Format[] = [
  zipFormat,
  debFormat,
  arFormat,
  ...sevenZipFormats,
  udifFormat,
  ...recognisedFormats,
  gzipFormat,
  tarFormat,
  zlibFormat,
  ...textFormats,
];

function identify(input: ByteSource | Uint8Array): string {
  const source = input instanceof Uint8Array ? toByteSource(input) : input;
  const head = readUpTo(source, 0, 4096);
  return table.find((format) => format.probe(head, source))?.id ?? 'none';
}

function latin(text: string, length = 600): Buffer {
  return Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(length, 0x80)]);
}

/** Magic bytes as their specifications give them, with nothing of meaning behind them. */
const samples: readonly (readonly [string, Uint8Array])[] = [
  ['inno-offsets', latin('rDlPtS\xcd\xe6\xd7\x7b\x0b\x2a')],
  ['inno-data', latin('zlb\x1a')],
  ['java-class', latin('\xca\xfe\xba\xbe\0\0\0\x34')],
  ['java-class', latin('\xca\xfe\xba\xbe\0\x03\0\x2d')],
];

describe('when a format is only recognised', () => {
  it.each(samples)('is called %s and says what was not looked at', async (id, bytes) => {
    expect(identify(bytes)).toBe(id);
    const format = recognisedFormats.find((candidate) => candidate.id === id);
    expect(format).toBeDefined();
    if (format === undefined) return;
    const result = await readAll(format, bytes);
    expect(result.findings).toEqual([
      expect.objectContaining({ code: 'unsupported/format', incomplete: true }),
    ]);
    const isProgram = ['java-class'].includes(id);
    expect(result.findings[0]?.consequence).toBe(
      isProgram
        ? 'strings in it were searched, its structure and signature were not read'
        : 'its members were not looked at',
    );
  });

  it('has a sample for every row, and no two rows of one id', () => {
    const ids = recognisedFormats.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !samples.some(([sampled]) => sampled === id))).toEqual([]);
  });

  it('never throws on short or cut input', () => {
    for (const [, bytes] of samples) {
      for (let length = 0; length < 40; length += 1) {
        for (const format of table) {
          const cut = bytes.subarray(0, length);
          expect(() => format.probe(cut, toByteSource(cut))).not.toThrow();
        }
      }
    }
  });
});

describe('when bytes are chance', () => {
  it('calls 3,000 random artifacts data', () => {
    const random = createRandom(99);
    const names = new Map<string, number>();
    for (let index = 0; index < 3000; index += 1) {
      const bytes = Uint8Array.from({ length: 700 }, () => random(256));
      // Every seventh begins like zlib, to test that two right bytes are not enough.
      if (index % 7 === 0) bytes.set([0x78, 0x9c]);
      const id = identify(bytes);
      names.set(id, (names.get(id) ?? 0) + 1);
    }
    expect([...names]).toEqual([['data', 3000]]);
  });
});

describe('when the bytes are text', () => {
  it.each([
    ['html', '<!DOCTYPE html><html>'],
    ['html', '\ufeff \n<!-- saved from url -->\n<HTML>\n'],
    ['html', Buffer.from('\ufeff<html><body>', 'utf16le')],
    ['script', '#!/bin/sh\necho hi\n'],
    ['script', '@echo off\r\nstart Skype.exe\r\n'],
    ['script', 'rem setup\r\nset A=1\r\n'],
    ['script', '$ErrorActionPreference = "Stop"\n'],
    ['script', 'Option Explicit\r\nDim shell\r\n'],
    ['script', '(function () { return 1; })();'],
    ['script', 'var shell = new ActiveXObject("WScript.Shell");'],
    ['script', 'Windows Registry Editor Version 5.00\r\n'],
    ['text', 'Options are explained here. The var command varies.'],
    ['text', 'set in stone'],
    ['text', '{"json": true}'],
    ['text', Buffer.from('\ufeffUTF-16 text', 'utf16le')],
    ['text', Buffer.from('UTF-16 without a mark', 'utf16le')],
    [
      'text',
      Buffer.from([
        0xc4, 0xfa, 0xba, 0xc3, 0xa3, 0xac, 0xca, 0xc0, 0xbd, 0xe7, 0xa1, 0xa3, 0xc4, 0xfa, 0xba, 0xc3,
      ]),
    ],
    ['data', Buffer.from([1, 2, 3, 4])],
    ['data', Buffer.alloc(0)],
  ])('is %s', (id, content) => {
    expect(identify(Buffer.from(content))).toBe(id);
  });

  it('decodes a head that ends inside a character', () => {
    const bytes = Buffer.from('聊天内容');
    expect(tryDecodeText(bytes.subarray(0, bytes.length - 1))).toBe('聊天内');
  });

  it('reads without facts or findings', async () => {
    for (const format of [htmlFormat, scriptFormat, textFormat]) {
      const result = await readAll(format, Buffer.from('x'));
      expect(result.faults + (result.reading?.facts.length ?? 1)).toBe(0);
    }
  });

  it('stays quick on text made to be slow to match', () => {
    for (const evil of [
      '<!--'.repeat(1000),
      '/*'.repeat(2000),
      "'\n".repeat(2000),
      'rem \n'.repeat(800),
      '//\n'.repeat(1300),
      ' '.repeat(4000),
      '<job'.repeat(1000),
    ]) {
      const started = performance.now();
      identify(Buffer.from(evil));
      expect(performance.now() - started, JSON.stringify(evil.slice(0, 8))).toBeLessThan(500);
    }
  });
});

describe('when the bytes are a compressed stream', () => {
  const text = 'Chat keywords. '.repeat(100);

  it('opens zlib and shows what follows it', async () => {
    const stream = deflateSync(text);
    expect(identify(stream)).toBe('zlib');
    expect(identify(deflateSync(''))).toBe('zlib');
    const result = await readAll(zlibFormat, Buffer.concat([stream, Buffer.from('tail')]));
    expect(result.members.map(({ name, bytes, relation }) => [name, relation, bytes.toString()])).toEqual([
      ['[inflated]', 'part', text],
      ['[trailing]', 'part', 'tail'],
    ]);
    expect(result.reading?.regions).toEqual([{ name: 'trailing data', offset: stream.length, size: 4 }]);
    expect((await readAll(zlibFormat, stream)).faults).toBe(0);
    expect((await readAll(zlibFormat, stream.subarray(0, 20))).members[0]?.fault?.code).toBe(
      'malformed/truncated',
    );
  });

  it('opens gzip, with and without a name', async () => {
    const plain = gzipSync(text);
    expect(identify(plain)).toBe('gzip');
    expect((await readAll(gzipFormat, plain)).members[0]).toMatchObject({
      name: '[gunzipped]',
      relation: 'file',
    });
    const named = Buffer.concat([
      plain.subarray(0, 3),
      Buffer.from([8]),
      plain.subarray(4, 10),
      Buffer.from('../a.tar\0'),
      plain.subarray(10),
    ]);
    const result = await readAll(gzipFormat, named);
    expect(result.members[0]?.name).toBe('../a.tar');
    expect(result.members[0]?.bytes.toString()).toBe(text);
    expect(result.findings[0]?.code).toBe('malformed/name');
  });

  it.each([
    ['zlib', zlibFormat, deflateSync(text)],
    ['gzip', gzipFormat, gzipSync(text)],
  ] as const)(
    'is never silent about other bytes in 2,000 damaged %s streams',
    async (_id, format, seed) => {
      let differing = 0;
      for (const mutant of mutate(seed, 2000, 4)) {
        const result = await readAll(format, mutant.bytes);
        if (result.members.length === 1 && result.members[0]?.bytes.toString() === text) continue;
        differing += 1;
        expect(result.faults, mutant.description).toBeGreaterThan(0);
      }
      expect(differing).toBeGreaterThan(100);
    },
    60_000,
  );
});

const has7zz = (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, '7zz')));
if (!has7zz) console.warn('SKIPPED: containers made by 7zz, because it is not installed');

describe.skipIf(!has7zz)('when 7-Zip wrote the container', () => {
  it.each([
    ['7z', '7z'],
    ['wim', 'wim'],
    ['xz', 'xz'],
    ['bzip2', 'bzip2'],
    ['gzip', 'gzip'],
    ['tar', 'tar'],
    ['zip', 'zip'],
  ])('recognises its %s', (type, id) => {
    const input = join(folder, 'input.txt');
    writeFileSync(input, 'some text\n'.repeat(100));
    const path = join(folder, `made.${type}`);
    execFileSync('7zz', ['a', `-t${type}`, '-bso0', path, input]);
    expect(identify(readFileSync(path))).toBe(id);
  });
});

describe.skipIf(!corpus.available)('when the file is a real one', () => {
  it.each([
    ['linux-deb-8.58.0.93-truncated/skypeforlinux-64.deb', 'deb'],
    ['not-skype-html-named-deb/skype-install.deb', 'html'],
    ['macos-skypeframework-2.6.0.142/skype_framework.dmg', 'udif'],
  ])('%s is %s', (path, id) => {
    const source = openFile(corpus.path(path));
    expect(identify(source)).toBe(id);
    source.close();
  });
});

describe('when a zip stands behind something else', () => {
  it('is a zip only when the archive ends the file', () => {
    const archive = buildZip({ entries: [{ name: 'a', data: 'a' }] });
    expect(identify(Buffer.concat([Buffer.from('junk'), archive]))).toBe('zip');
    expect(identify(Buffer.concat([Buffer.from('junk\u0001'), archive, Buffer.alloc(3, 1)]))).toBe('data');
  });
});
