import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { buildInno } from '../../fixtures/inno/inno-builder.ts';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { scan } from '../../src/index.ts';
import type { TreeNode } from '../../src/verdict/model.ts';
import { hasTools, makePayload, packings, runTool } from './packing.ts';

const work = mkdtempSync(join(tmpdir(), 'telltale-containers-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const payload = join(work, 'payload');
mkdirSync(payload);
const digests = makePayload(payload);

function* walk(node: TreeNode): Generator<TreeNode> {
  yield node;
  for (const member of node.members) yield* walk(member);
}

describe('when one payload is packed in every way', () => {
  packings.forEach(({ name, tools, pack, renames }, index) => {
    const isPossible = hasTools(tools);
    if (!isPossible) console.warn(`SKIPPED: ${name}, because one of ${tools.join(', ')} is not installed`);
    it.skipIf(!isPossible)(`${name}: the same members, digests and telltales`, async () => {
      const folder = join(work, String(index));
      mkdirSync(folder);
      const packed = pack(payload, folder);
      const [result] = await scan([packed]);
      if (result?.tree === undefined || result.tree === null) throw new Error('no tree');
      const nodes = [...walk(result.tree)];

      for (const [path, digest] of digests) {
        const base = path.slice(path.lastIndexOf('/') + 1);
        const found = nodes.filter(({ sha256 }) => sha256 === digest);
        expect(found, path).not.toEqual([]);
        if (renames === true && !/^[ -~]*$/.test(base)) continue;
        expect(
          found.some((node) => node.name.endsWith(base)),
          `${path} as ${found.map((node) => node.path).join()}`,
        ).toBe(true);
      }
      expect({ verdict: result.verdict, variant: result.variant }).toEqual({
        verdict: 'variant',
        variant: 'tom',
      });
      const places = result.telltales.flatMap(({ variant, evidence }) =>
        variant === 'tom' ? evidence.map((one) => one.path) : [],
      );
      expect(places.some((place) => place.endsWith('Skype.exe'))).toBe(true);
      expect(result.telltales.some(({ variant }) => variant === 'tom-filter')).toBe(true);
      expect(result.problems.filter(({ incomplete }) => incomplete)).toEqual([]);
    });
  });
});

describe('when the data of an installer lies beside it', () => {
  const { installer, slice } = buildInno({
    version: '5.5.7',
    unicode: true,
    compression: 'lzma2',
    slices: true,
    files: [{ destination: '{app}\\Phone\\Skype.exe', content: buildTomSkype() }],
  });

  it('opens it there', async () => {
    const folder = join(work, 'slices');
    mkdirSync(folder);
    writeFileSync(join(folder, 'setup.exe'), installer);
    writeFileSync(join(folder, 'setup-1.bin'), slice);
    const [result] = await scan([join(folder, 'setup.exe')]);
    expect(result).toMatchObject({ verdict: 'variant', variant: 'tom', complete: true });
  });

  it('says that it was not given', async () => {
    const folder = join(work, 'no-slices');
    mkdirSync(folder);
    writeFileSync(join(folder, 'setup.exe'), installer);
    const [result] = await scan([join(folder, 'setup.exe')]);
    expect(result?.complete).toBe(false);
    expect(result?.problems.map(({ message }) => message).join()).toContain('setup-1.bin');
  });
});

describe('when the committed containers are scanned', () => {
  const folder = fileURLToPath(new URL('../../fixtures/containers/', import.meta.url));
  const program = createHash('sha256')
    .update(readFileSync(join(folder, 'payload', 'app.exe')))
    .digest('hex');
  const names = readdirSync(folder).filter((name) => !/\.(?:md|sh|py|ts)$/.test(name) && name !== 'payload');

  it.each(names)('finds the program in %s', async (name) => {
    const [result] = await scan([join(folder, name)]);
    if (result?.tree === undefined || result.tree === null) throw new Error('no tree');
    expect([...walk(result.tree)].some(({ sha256 }) => sha256 === program)).toBe(true);
  });
});

describe('when a package states digests of its files', () => {
  const tools = ['dpkg-deb', 'ar', 'tar', 'sh', 'md5sum', 'cp'];
  const isPossible = hasTools(tools);
  if (!isPossible)
    console.warn(`SKIPPED: digests of a Debian package, because one of ${tools.join(', ')} is not installed`);

  it.skipIf(!isPossible)('is believed as it is, and modified when a file was exchanged', async () => {
    const folder = join(work, 'listed');
    mkdirSync(join(folder, 'root', 'DEBIAN'), { recursive: true });
    mkdirSync(join(folder, 'root', 'usr', 'bin'), { recursive: true });
    const program = join(folder, 'root', 'usr', 'bin', 'skypeforlinux');
    const control =
      'Package: skypeforlinux\nVersion: 8.58.0.93\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: synthetic\n';
    writeFileSync(join(folder, 'root', 'DEBIAN', 'control'), control);
    writeFileSync(program, 'as it was\n');
    runTool('sh', ['-c', 'cd root && md5sum usr/bin/skypeforlinux > DEBIAN/md5sums'], folder);
    runTool('dpkg-deb', ['--root-owner-group', '-Zgzip', '-b', 'root', 'good.deb'], folder);
    writeFileSync(program, 'another one\n');
    runTool('dpkg-deb', ['--root-owner-group', '-Zgzip', '-b', 'root', 'changed.deb'], folder);

    runTool('dpkg-deb', ['--root-owner-group', '-Zxz', '-b', 'root', 'xz.deb'], folder);
    const [xz] = await scan([join(folder, 'xz.deb')]);
    expect(xz).toMatchObject({ verdict: 'unverified', rule: 'carries-product' });

    const [good] = await scan([join(folder, 'good.deb')], { usesKnownBuilds: false });
    expect(good).toMatchObject({ verdict: 'unverified', version: '8.58.0.93', problems: [] });
    const [changed] = await scan([join(folder, 'changed.deb')]);
    expect(changed).toMatchObject({ verdict: 'modified', rule: 'seal-broken', complete: true });
    expect(changed?.problems.map(({ message }) => message).join()).toContain('usr/bin/skypeforlinux');
  });
});
