import { describe, expect, it } from 'vitest';
import { buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { toAnnotations } from '../../src/report/github.ts';
import { scanBytes } from '../end-to-end/scan-bytes.ts';
import { scanSamples, toReport } from './sample-report.ts';

/** As the runner reads a line: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs */
function parseCommand(line: string): { kind: string; properties: Record<string, string>; message: string } {
  const [, kind = '', list = '', message = ''] =
    /^::(\w+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line) ?? [];
  const unescape = (text: string): string =>
    text
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%3A', ':')
      .replaceAll('%2C', ',')
      .replaceAll('%25', '%');
  const properties = Object.fromEntries(
    list
      .split(',')
      .filter((part) => part !== '')
      .map((part) => [part.slice(0, part.indexOf('=')), unescape(part.slice(part.indexOf('=') + 1))]),
  );
  return { kind, properties, message: unescape(message) };
}

describe('when a scan is reported to GitHub Actions', () => {
  it('annotates what violates the policy, what was not read and what is not proved', async () => {
    const lines = toAnnotations(toReport(await scanSamples()))
      .trimEnd()
      .split('\n')
      .map(parseCommand);
    expect(
      lines.map(({ kind, properties }) => `${kind} ${properties.file ?? ''} ${properties.title}`),
    ).toEqual([
      'error downloads/skype_cn.zip fail on variant',
      'warning downloads/Skype.exe unverified',
      expect.stringMatching(/^warning downloads\/secret\.zip encrypted\//),
      'notice  telltale',
    ]);
    expect(lines[0]?.message).toMatch(/^variant: TOM-Skype .*host skypetools\.tom\.com/);
    expect(lines.at(-1)?.message).toMatch(
      /^violation: 4 files: 1 variant, 1 unverified, 2 other; 1 not read fully$/,
    );
  });

  it('keeps a name from ending its command', async () => {
    const name = 'a,title=forged::%0A::error::100%, b.exe';
    const [line = ''] = toAnnotations(toReport([await scanBytes(name, buildTomSkype())])).split('\n');
    const { properties } = parseCommand(line);
    expect(properties.title).toBe('fail on variant');
    expect(properties.file).toBe('a,title=forged:\\u{3a}%0A:\\u{3a}error:\\u{3a}100%, b.exe');
  });
});
