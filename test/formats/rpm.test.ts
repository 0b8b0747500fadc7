import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { buildRpm, type RpmRecipe, type RpmTag } from '../../fixtures/rpm-builder.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { toHex } from '../../src/bytes/cursor.ts';
import type { Finding } from '../../src/formats/model.ts';
import { readRpmHeader } from '../../src/formats/rpm/package.ts';
import { rpmFormat } from '../../src/formats/rpm.ts';
import { mutate } from '../mutation.ts';
import { type ReadResult, readAll } from './reading.ts';

// oxlint-disable no-console -- a skipped test must be heard
const folder = mkdtempSync(join(tmpdir(), 'telltale-rpm-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function hasTools(...names: readonly string[]): boolean {
  const paths = (process.env['PATH'] ?? '').split(':');
  const missing = names.filter((name) => !paths.some((path) => existsSync(join(path, name))));
  if (missing.length > 0) {
    console.warn(`SKIPPED: packages made by rpmbuild, because ${missing.join(', ')} is not installed`);
  }
  return missing.length === 0;
}

const tags: readonly RpmTag[] = [
  { tag: 1000, value: { text: 'skype' } },
  { tag: 1001, value: { text: '4.3.0.37' } },
  { tag: 1002, value: { text: 'suse' } },
  { tag: 1006, value: { int32: [1_400_000_000] } },
  { tag: 1007, value: { text: 'build.example' } },
  { tag: 1011, value: { text: 'Skype Technologies' } },
  { tag: 1022, value: { text: 'i586' } },
  { tag: 1023, value: { text: 'echo before' } },
  { tag: 1024, value: { text: '#!/bin/sh\nldconfig\n' } },
  { tag: 1035, value: { texts: ['0'.repeat(64), '', 'A'.repeat(64)] } },
  { tag: 1116, value: { int32: [0, 0, 1] } },
  { tag: 1117, value: { texts: ['skype', 'dir', 'skype.conf'] } },
  { tag: 1118, value: { texts: ['/usr/bin/', '/etc/'] } },
  { tag: 1125, value: { text: 'gzip' } },
  { tag: 5011, value: { int32: [8] } },
];
const payload = gzipSync('cpio archive here');

/** `with`: tags that take the place of those of the same number. */
function build(replacing: readonly RpmTag[] = [], recipe: Partial<RpmRecipe> = {}): Buffer {
  const replaced = new Set(replacing.map(({ tag }) => tag));
  return buildRpm({
    tags: [...tags.filter(({ tag }) => !replaced.has(tag)), ...replacing],
    payload,
    ...recipe,
  });
}
function field(result: ReadResult, wanted: string): unknown {
  return result.reading?.facts.find(({ kind, name }) => kind === 'packageField' && name === wanted)?.value;
}
function facts(result: ReadResult, kind: string): unknown[] {
  return (result.reading?.facts ?? [])
    .filter((fact) => fact.kind === kind)
    .map(({ name, value }) => (name === undefined ? value : [name, value]));
}
function codes(result: ReadResult): string[] {
  return result.findings.map(({ code }) => code);
}

describe('when the package is whole', () => {
  it('gives fields, files and digests as facts, scripts and payload as members', async () => {
    const bytes = build();
    expect(rpmFormat.probe(bytes, toByteSource(bytes))).toBe(true);
    const result = await readAll(rpmFormat, bytes);
    expect(result.faults).toBe(0);
    expect(facts(result, 'packageId')).toEqual(['skype']);
    expect(field(result, 'Vendor')).toBe('Skype Technologies');
    expect(field(result, 'Version')).toBe('4.3.0.37');
    expect(field(result, 'BuildTime')).toBe('2014-05-13T16:53:20Z');
    expect(field(result, 'Type')).toBe('binary');
    expect(facts(result, 'memberName')).toEqual(['/usr/bin/skype', '/usr/bin/dir', '/etc/skype.conf']);
    expect(facts(result, 'listedDigest')).toEqual([
      ['/usr/bin/skype', '0'.repeat(64)],
      ['/etc/skype.conf', 'a'.repeat(64)],
    ]);
    expect(result.members.map(({ name, relation }) => [name, relation])).toEqual([
      ['[prein]', 'part'],
      ['[postin]', 'part'],
      ['[payload]', 'part'],
    ]);
    expect(result.members[1]?.bytes.toString()).toBe('#!/bin/sh\nldconfig\n');
    expect(gunzipSync(result.members[2]?.bytes ?? '').toString()).toBe('cpio archive here');
    for (const { containerOffset, bytes: inner } of result.members) {
      expect(bytes.subarray(containerOffset, (containerOffset ?? 0) + inner.length)).toEqual(inner);
    }
  });

  it('gives payload offset and compressor to whoever unpacks it otherwise', () => {
    const bytes = build();
    const findings: Finding[] = [];
    const header = readRpmHeader(toByteSource(bytes), {
      budget: new Budget(bytes.length),
      report: (finding) => findings.push(finding),
    });
    expect(findings).toEqual([]);
    expect(header.payloadCompressor).toBe('gzip');
    expect(header.payloadOffset).toBe(bytes.length - payload.length);
  });

  it('names the key of a signature, and says so when it cannot', async () => {
    const signature = '8816030500536fa1b0aabbccdd1122334411020000';
    for (const [hex, key] of [
      [signature, 'aabbccdd11223344'],
      [signature.slice(0, 20), 'unknown'],
    ] as const) {
      const signatureTags = [{ tag: 268, value: { bytes: Buffer.from(hex, 'hex') } }];
      const result = await readAll(rpmFormat, build([], { signatureTags }));
      expect(facts(result, 'signatureKey')).toEqual([['RSA over the header', key]]);
    }
  });
});

describe('when the package was changed or is damaged', () => {
  it('tells a header that is not the one that the package states', async () => {
    const bytes = build();
    bytes.write('Skypf', bytes.indexOf('Skype Tech'));
    const result = await readAll(rpmFormat, bytes);
    expect(codes(result)).toEqual(['malformed/checksum']);
    expect(result.findings[0]).toMatchObject({ incomplete: false });
    expect(facts(result, 'sealBroken')).toEqual([['[header]', expect.any(String)]]);
  });

  it('tells a payload that is not the one that the package states', async () => {
    const bytes = build();
    bytes[bytes.length - 1] = 0xff;
    expect(facts(await readAll(rpmFormat, bytes), 'sealBroken')).toEqual([['[payload]', expect.any(String)]]);
  });

  it('says what a package would have held whose payload is cut off, and does not call it changed', async () => {
    const whole = build();
    for (const size of [whole.length - 5, whole.length - payload.length]) {
      const result = await readAll(rpmFormat, whole.subarray(0, size));
      expect(codes(result)).toEqual(['malformed/truncated']);
      expect(facts(result, 'memberName')).toContain('/usr/bin/skype');
      expect(facts(result, 'sealBroken')).toEqual([]);
    }
  });

  it('reads the fields that are there when the header itself is cut off', async () => {
    const whole = build();
    const result = await readAll(rpmFormat, whole.subarray(0, whole.indexOf('build.example')));
    expect(codes(result)).toContain('malformed/truncated');
    expect(facts(result, 'packageId')).toEqual(['skype']);
    expect(result.members.map(({ name }) => name)).not.toContain('[payload]');
  });

  it('tells bytes behind the stated end', async () => {
    const result = await readAll(rpmFormat, Buffer.concat([build(), Buffer.from('more')]));
    expect(codes(result)).toEqual(['malformed/size-mismatch']);
    expect(facts(result, 'unlistedBytes')).toEqual([4]);
  });

  it.each([
    ['is of the wrong type', { tag: 1000, value: { int32: [1] } }],
    ['points outside', { tag: 1000, value: { text: 'x' }, overrides: { offset: 0xffffff } }],
    [
      'promises more texts than there are',
      { tag: 1117, value: { texts: ['a'] }, overrides: { count: 0x7fffffff } },
    ],
    [
      'promises more numbers than there are',
      { tag: 1116, value: { int32: [0] }, overrides: { count: 0xffffffff } },
    ],
    ['has numbers outside', { tag: 1006, value: { int32: [0] }, overrides: { offset: 0xfffffff0 } }],
    ['has numbers as text', { tag: 1116, value: { text: '0' } }],
  ] satisfies readonly (readonly [string, RpmTag])[])('tells a tag that %s', async (_name, tag) => {
    const result = await readAll(rpmFormat, build([tag]));
    expect(result.thrown).toBeUndefined();
    expect(codes(result)).toContain('malformed/structure');
    expect(field(result, 'Version')).toBe('4.3.0.37');
  });

  it('tells files in folders that are not listed, and tags that stand twice', async () => {
    const result = await readAll(
      rpmFormat,
      build([{ tag: 1116, value: { int32: [9, 9, 9] } }], {
        tags: [...tags, { tag: 1000, value: { text: 'other' } }],
      }),
    );
    expect(codes(result)).toEqual(['malformed/structure']);
    expect(facts(result, 'packageId')).toEqual(['skype']);
    const homeless = await readAll(rpmFormat, build([{ tag: 1116, value: { int32: [9, 9, 9] } }]));
    expect(homeless.findings[0]?.message).toContain('3 files in folders');
  });

  it('tells names that climb out of their folder', async () => {
    const result = await readAll(
      rpmFormat,
      build([{ tag: 1118, value: { texts: ['/usr/../../', '/etc/'] } }]),
    );
    expect(codes(result)).toContain('malformed/name');
  });

  it('does not repeat a long folder name without end', async () => {
    const count = 20_000;
    const bytes = build([
      { tag: 1118, value: { texts: ['/'.padEnd(60_000, 'd')] } },
      { tag: 1117, value: { texts: Array.from({ length: count }, () => 'f') } },
      { tag: 1116, value: { int32: Array.from({ length: count }, () => 0) } },
    ]);
    const result = await readAll(rpmFormat, bytes);
    expect(codes(result)).toContain('limit/count');
    expect(facts(result, 'memberName').length).toBeLessThan(300);
  });

  it.each([
    ['nothing behind the lead', (bytes: Buffer) => bytes.subarray(0, 96), 'malformed/truncated'],
    ['no header magic', (bytes: Buffer) => Buffer.from(bytes).fill(0, 96, 100), 'malformed/header'],
    ['too many tags', (bytes: Buffer) => Buffer.from(bytes).fill(0xff, 104, 108), 'limit/count'],
    ['an absurd store', (bytes: Buffer) => Buffer.from(bytes).fill(0xff, 108, 112), 'limit/memory'],
  ])('refuses a package with %s', async (_name, damage, code) => {
    expect((await readAll(rpmFormat, damage(build()))).thrown?.code).toBe(code);
  });
});

describe.skipIf(!hasTools('rpmbuild', 'rpm'))('when the package was made by rpmbuild', () => {
  /** A package of three files, made by the real tool. */
  function buildWithRpm(compressor: string): string {
    const root = join(folder, compressor);
    mkdirSync(join(root, 'files'), { recursive: true });
    writeFileSync(join(root, 'files/demo'), '#!/bin/sh\necho demo\n');
    writeFileSync(join(root, 'files/demo.conf'), 'a=1\n');
    const spec = join(root, 'demo.spec');
    writeFileSync(
      spec,
      `Name: demo
Version: 1.2.3
Release: 4
Epoch: 7
Summary: A demonstration
License: MIT
Vendor: Example Vendor
Packager: Somebody <nobody@example.org>
URL: https://example.org/
BuildArch: noarch
%description
Demo.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc
cp ${root}/files/demo %{buildroot}/usr/bin/demo
cp ${root}/files/demo.conf %{buildroot}/etc/demo.conf
ln -s demo %{buildroot}/usr/bin/demo-link
%post
echo installed
%files
/usr/bin/demo
/usr/bin/demo-link
%config /etc/demo.conf
`,
    );
    execFileSync(
      'rpmbuild',
      ['-bb', '--define', `_topdir ${root}/top`, '--define', `_binary_payload ${compressor}`, spec],
      { stdio: 'pipe' },
    );
    const out = join(root, 'top/RPMS/noarch');
    return join(out, readdirSync(out)[0] ?? '');
  }
  function query(path: string, format: string): string {
    return execFileSync('rpm', ['-qp', '--qf', format, path], {
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  it.each([
    ['w9.gzdio', '1f8b'],
    ['w7.xzdio', 'fd377a585a00'],
    ['w3.zstdio', '28b52ffd'],
    ['w9.bzdio', '425a68'],
  ])('agrees with rpm -qp about a payload of %s', async (compressor, magic) => {
    const path = buildWithRpm(compressor);
    const bytes = readFileSync(path);
    const result = await readAll(rpmFormat, bytes);
    expect(result.findings).toEqual([]);
    const wanted = [
      ['Name', 'NAME'],
      ['Version', 'VERSION'],
      ['Release', 'RELEASE'],
      ['Arch', 'ARCH'],
      ['Vendor', 'VENDOR'],
      ['Packager', 'PACKAGER'],
      ['URL', 'URL'],
      ['Summary', 'SUMMARY'],
      ['License', 'LICENSE'],
      ['BuildHost', 'BUILDHOST'],
      ['SourceRPM', 'SOURCERPM'],
      ['PayloadFormat', 'PAYLOADFORMAT'],
      ['PayloadCompressor', 'PAYLOADCOMPRESSOR'],
      ['Epoch', 'EPOCH'],
    ] as const;
    for (const [name, tag] of wanted)
      expect(String(field(result, name)), name).toBe(query(path, `%{${tag}}`));
    expect(new Date(String(field(result, 'BuildTime'))).getTime() / 1000).toBe(
      Number(query(path, '%{BUILDTIME}')),
    );
    expect(facts(result, 'memberName')).toEqual(query(path, '[%{FILENAMES}\n]').trim().split('\n'));
    const digests = query(path, '[%{FILENAMES} %{FILEDIGESTS}\n]').trim().split('\n');
    const listed = digests.map((line) => line.split(' ')).filter(([, digest = '']) => digest !== '');
    expect(facts(result, 'listedDigest')).toEqual(listed);
    const script = result.members.find(({ name }) => name === '[postin]')?.bytes.toString();
    expect(script).toBe(query(path, '%{POSTIN}'));
    const inner = result.members.find(({ name }) => name === '[payload]')?.bytes ?? Buffer.alloc(0);
    expect(toHex(inner.subarray(0, magic.length / 2))).toBe(magic);
  });

  it('finds a change of one byte anywhere in header or payload that rpm finds too', async () => {
    const path = buildWithRpm('w9.gzdio');
    const bytes = readFileSync(path);
    const whole = readRpmHeader(toByteSource(bytes), { budget: new Budget(bytes.length), report: () => {} });
    const start = (whole.payloadOffset ?? 0) - 1500;
    for (let at = start; at < bytes.length; at += 97) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x20;
      const result = await readAll(rpmFormat, changed);
      expect(facts(result, 'sealBroken').length, `byte ${at}`).toBeGreaterThan(0);
    }
  });

  it.skipIf(!hasTools('gpg', 'rpmsign'))('names the key that signed it', async () => {
    const path = buildWithRpm('w9.gzdio');
    const home = mkdtempSync(join(tmpdir(), 'telltale-gpg-'));
    try {
      const gpg = (...given: string[]): string =>
        execFileSync(
          'gpg',
          ['--homedir', home, '--batch', '--pinentry-mode', 'loopback', '--passphrase', '', ...given],
          {
            encoding: 'utf8',
            stdio: ['pipe', 'pipe', 'pipe'],
          },
        );
      gpg('--quick-generate-key', 'Demo Signer <demo@example.org>', 'rsa2048', 'sign', 'never');
      const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(gpg('--list-keys', '--with-colons'))?.[1] ?? '';
      const define = [
        '--define',
        `_gpg_name ${fingerprint}`,
        '--define',
        `_gpg_path ${home}`,
        '--define',
        '__gpg /usr/bin/gpg',
      ];
      execFileSync('rpmsign', [...define, '--addsign', path], {
        stdio: 'pipe',
        env: { ...process.env, GNUPGHOME: home },
      });
      const result = await readAll(rpmFormat, readFileSync(path));
      const keys = facts(result, 'signatureKey');
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) expect(key).toContain(fingerprint.slice(-16).toLowerCase());
      expect(result.findings).toEqual([]);
    } finally {
      try {
        execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent'], { stdio: 'pipe' });
      } catch {
        // The agent ends by itself when its folder is gone.
      }
      rmSync(home, { recursive: true, force: true });
    }
  });
});

describe('when a package is damaged in 2,000 ways', () => {
  it('never crashes or hangs, and tells of most changes', async () => {
    const seed = build([], {
      signatureTags: [
        { tag: 268, value: { bytes: Buffer.from(`8816030500536fa1b0aabbccdd1122334411020000`, 'hex') } },
      ],
    });
    const toText = (result: ReadResult): string =>
      JSON.stringify([
        result.reading?.facts.filter(({ kind }) => kind !== 'signatureKey'),
        result.members.map(({ name, bytes }) => [name, bytes.toString('latin1')]),
      ]);
    const expected = toText(await readAll(rpmFormat, seed));
    let told = 0;
    for (const mutant of mutate(seed, 2000, 5)) {
      const started = performance.now();
      const result = await readAll(rpmFormat, mutant.bytes, { limits: { milliseconds: 3000 } });
      expect(performance.now() - started, mutant.description).toBeLessThan(3500);
      if (toText(result) === expected) continue;
      if (result.faults > 0) told += 1;
    }
    expect(told).toBeGreaterThan(1000);
  });
});
