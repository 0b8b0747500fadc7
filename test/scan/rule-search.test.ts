import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { RuleSet } from '../../src/platform/yara-rules.ts';
import type { Artifact } from '../../src/scan/model.ts';
import { RuleSearch } from '../../src/scan/rule-search.ts';
import { hasYaraX } from '../yara-x.ts';

const folder = mkdtempSync(join(tmpdir(), 'telltale-rule-search-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load(text: string): Promise<RuleSet> {
  const path = join(folder, 'rules.yar');
  writeFileSync(path, text);
  return await RuleSet.load([path]);
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Feeds an artifact in pieces from one buffer that is used again, as decoders do. */
function feed(search: RuleSearch, path: string, text: string, bytesPerPiece = 3): void {
  const tap = search.begin(path);
  const bytes = encode(text);
  const buffer = new Uint8Array(bytesPerPiece);
  for (let at = 0; at < bytes.length; at += bytesPerPiece) {
    const piece = bytes.subarray(at, at + bytesPerPiece);
    buffer.set(piece);
    tap.update(buffer.subarray(0, piece.length));
  }
  tap.finish();
}

const root: Artifact = {
  path: 'a',
  name: 'a',
  relation: 'root',
  format: { id: 'data', title: 'data', nature: 'passive' },
  size: 1,
  digests: {},
  facts: [],
  regions: [],
  authenticity: undefined,
  observations: [],
  problems: [],
  members: [],
};

describe.skipIf(!hasYaraX)('when rules are run over the artifacts of a walk', () => {
  it('sees each as a whole, in whatever pieces it comes', async () => {
    const rules = await load('rule whole { strings: $a = "one piece" condition: $a and filesize == 15 }');
    const search = new RuleSearch(rules, 100);
    feed(search, 'a » b', 'it is one piece');
    expect(search.findings).toMatchObject([
      { rule: 'whole', path: 'a » b', matches: [{ identifier: '$a', offset: 6, length: 9 }] },
    ]);
    expect(search.listProblems(root)).toEqual([]);
  });

  it('knows names', async () => {
    const search = new RuleSearch(
      await load(
        'rule named { condition: filename == "b.EXE" and extension == ".EXE" and filepath == "a » c/b.EXE" }',
      ),
      100,
    );
    feed(search, 'a » c/b.EXE', 'x');
    feed(search, 'a » c/c.EXE', 'x');
    expect(search.findings.map(({ path }) => path)).toEqual(['a » c/b.EXE']);
  });

  it('says what was too large, and what was not at hand', async () => {
    const search = new RuleSearch(await load('rule every { condition: true }'), 8);
    feed(search, 'a', '12345678');
    feed(search, 'b', '123456789');
    expect(search.findings.map(({ path }) => path)).toEqual(['a']);
    const unread: Artifact = {
      ...root,
      path: 'a » c',
      format: { id: 'unread', title: 'not read', nature: 'passive' },
      problems: [
        { code: 'encrypted/member', path: 'a » c', message: 'm', consequence: 'c', incomplete: true },
      ],
    };
    expect(search.listProblems({ ...root, members: [unread] })).toMatchObject([
      { code: 'limit/memory', path: 'b', incomplete: true },
      { code: 'encrypted/member', path: 'a » c', incomplete: true, message: 'was not at hand as a whole' },
    ]);
  });

  it('does not keep matches without end, and says so once', async () => {
    const search = new RuleSearch(await load('rule every { condition: true }'), 8);
    for (let number = 0; number < 10_005; number += 1) feed(search, `a${number}`, 'x');
    expect(search.findings).toHaveLength(10_000);
    expect(search.listProblems(root).map(({ code }) => code)).toEqual(['limit/count']);
  });

  it('tells 100 places of a pattern', async () => {
    const search = new RuleSearch(await load('rule many { strings: $a = "x" condition: $a }'), 10_000);
    feed(search, 'a', 'x'.repeat(5000), 999);
    expect(search.findings[0]?.matches).toHaveLength(100);
  });
});
