import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = new URL('../README.md', import.meta.url);

/** Keys are made anew each time, and with them fingerprints, digests and places. */
const still = (text: string): string =>
  text
    .replaceAll(/\b[0-9a-f]{8}…/g, '########…')
    .replaceAll(/offset \d+/g, 'offset N')
    .replaceAll(/\(Adler-32.*?\)/gs, '(…)');

describe('when a newcomer runs the demonstration', () => {
  it('shows the verdicts that the README shows', () => {
    const { stdout, status, stderr } = spawnSync('npm', ['run', '--silent', 'demo'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, COLUMNS: '100' },
    });
    expect(status, stderr).toBe(0);
    for (const verdict of ['official', 'variant', 'modified', 'damaged', 'unverified', 'other'])
      expect(stdout).toContain(verdict);

    const files = stdout.split(/\n(?= [✔✖!?·…] )/);
    const shown = ['SkypeSetup.exe', 'skype_cn.zip', 'SkypeSetup (1).exe']
      .map((name) => files.find((text) => text.split('\n')[0]?.endsWith(`/${name}`)) ?? '')
      .map((text) => text.replaceAll(/\n policy violated[\s\S]*/g, ''));
    const block = `\`\`\`\n$ telltale scan demo/downloads --database demo/database\n${shown.join('\n')}\n\`\`\``;
    const text = readFileSync(readme, 'utf8');
    const pattern = /(<!-- demo -->\n)([\s\S]*?)\n(<!-- \/demo -->)/;
    const [, , written = ''] = pattern.exec(text) ?? [];
    if (process.env.UPDATE_DOCS === '1')
      writeFileSync(
        readme,
        text.replace(pattern, (_, start: string, __, end: string) => `${start}${block}\n${end}`),
      );
    else expect(still(written)).toBe(still(block));
  });
});
