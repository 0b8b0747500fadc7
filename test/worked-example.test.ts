import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mainPath } from './cli/run.ts';

/*
 * The worked example in docs/writing-signatures.md, done as a newcomer does it: in a folder with the sample files alone.
 * The info strings of its code blocks say what happens to them, in their order:
 *
 *   sh run [exit=N]   run by a shell; the last command ends with exit code N, or 0
 *   text output       what the commands before it printed, on both streams; UPDATE_DOCS=1 writes it
 *   LANGUAGE file=P   written to P as it is
 *   diff file=P       the lines with - and without a sign stand in P once, and become those with + and without a sign
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const place = new URL('../docs/writing-signatures.md', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'telltale-example-'));
const samples = join(folder, 'example');

interface Block {
  readonly language: string;
  /** `run`, `output`, and `file=…` or `exit=…`. */
  readonly words: readonly string[];
  readonly content: string;
  /** Of the content, in the document. */
  readonly offset: number;
  readonly line: number;
}

function parseBlocks(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w+)(.*)\n([\s\S]*?)^```$/gm)].map(
    ({ 0: whole, 1: language = '', 2: info = '', 3: content = '', index }) => ({
      language,
      words: info.split(' ').filter((word) => word !== ''),
      content,
      offset: index + whole.indexOf('\n') + 1,
      line: text.slice(0, index).split('\n').length,
    }),
  );
}

function tryValue({ words }: Block, key: string): string | undefined {
  return words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
}

/** What differs from one run to the next, or with a release: keys, what they sign, and versions. */
const still = (text: string): string =>
  text
    .replaceAll(/ed25519:[\w+/=]+/g, 'ed25519:KEY')
    .replaceAll(/(key id +|signed with )[0-9a-f]{64}/g, '$1KEY')
    .replaceAll(/(signed with the key )[0-9a-f]{8}…/g, '$1KEY…')
    .replaceAll(/(sha256 +)[0-9a-f]{64} \(of the pack\)/g, '$1PACK (of the pack)')
    .replaceAll(/telltale \d+\.\d+\.\d+/g, 'telltale VERSION')
    .replaceAll(/skype \d{4}\.\d{2}(?:\.\d+)?/g, 'skype REVISION');

/** Applies the lines of a `diff` block. @throws Error when the old lines do not stand there exactly once */
function applyChange(before: string, change: string): string {
  const lines = change.replace(/\n$/, '').split('\n');
  const toText = (sign: string): string =>
    lines
      .filter((line) => line.startsWith(' ') || line.startsWith(sign))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  const parts = before.split(toText('-'));
  if (parts.length !== 2) throw new Error(`the old lines stand there ${parts.length - 1} times:\n${change}`);
  return parts.join(toText('+'));
}

beforeAll(() => {
  // What `npm run example` does, in folders that no other test writes to.
  const built = join('build', 'worked-example');
  execFileSync('npx', ['tsc', '-p', 'tsconfig.fixtures.json', '--outDir', built], { cwd: root });
  execFileSync(process.execPath, [join(root, built, 'fixtures', 'example.js'), samples]);
  const commands = join(folder, 'commands');
  mkdirSync(commands);
  writeFileSync(join(commands, 'telltale'), `#!/bin/sh\nexec '${process.execPath}' '${mainPath}' "$@"\n`);
  chmodSync(join(commands, 'telltale'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('when a newcomer follows the worked example', () => {
  it('shows what the document shows', () => {
    const text = readFileSync(place, 'utf8');
    const blocks = parseBlocks(text);
    const changes: { readonly block: Block; readonly content: string }[] = [];
    let printed: string | undefined;
    let commands = 0;

    for (const block of blocks) {
      const at = `docs/writing-signatures.md:${block.line}`;
      const path = tryValue(block, 'file');
      if (block.words.includes('run')) {
        expect(printed, `${at}: the output of the commands before it is not shown`).toBeUndefined();
        const { stdout, status } = spawnSync('sh', ['-c', `exec 2>&1\n${block.content}`], {
          cwd: samples,
          encoding: 'utf8',
          env: {
            ...process.env,
            PATH: `${join(folder, 'commands')}${delimiter}${process.env.PATH ?? ''}`,
            COLUMNS: '100',
          },
        });
        expect(status, `${at}:\n${stdout}`).toBe(Number(tryValue(block, 'exit') ?? 0));
        printed = stdout;
        commands += block.content.split('\n').filter((line) => line.startsWith('telltale ')).length;
      } else if (block.words.includes('output')) {
        expect(printed, `${at}: nothing was run`).toBeDefined();
        const content = printed ?? '';
        if (process.env.UPDATE_DOCS !== '1') expect(still(block.content), at).toBe(still(content));
        else if (still(block.content) !== still(content)) changes.push({ block, content });
        printed = undefined;
      } else if (path !== undefined) {
        const target = join(samples, path);
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(
          target,
          block.language === 'diff'
            ? applyChange(readFileSync(target, 'utf8'), block.content)
            : block.content,
        );
      }
    }
    expect(printed, 'the last output is not shown').toBeUndefined();
    expect(commands).toBeGreaterThan(20);

    if (changes.length > 0) {
      let written = text;
      for (const { block, content } of changes.toReversed())
        written =
          written.slice(0, block.offset) + content + written.slice(block.offset + block.content.length);
      writeFileSync(place, written);
    }
  });
});
