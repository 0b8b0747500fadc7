import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildInno, type InnoBuildOptions } from '../../../fixtures/inno/inno-builder.ts';
import { payload } from '../../../fixtures/inno/payload.ts';
import { toByteSource } from '../../../src/bytes/byte-source.ts';
import { openInstaller } from './pouring.ts';

const program = { destination: '{app}\\Skype.exe', content: payload.smallProgram };
const words = { destination: '{app}\\words.txt', content: payload.words };
const readme = { destination: '{app}\\readme.txt', content: payload.readme };
const modern: InnoBuildOptions = {
  version: '6.4.0.1',
  unicode: true,
  compression: 'stored',
  files: [program, words],
};

function build(options: Partial<InnoBuildOptions> = {}): Buffer {
  return Buffer.from(buildInno({ ...modern, ...options }).installer);
}

/** Changes one byte behind a text that occurs once. */
function damage(
  installer: Buffer,
  text: string,
  distance: number,
  encoding: BufferEncoding = 'latin1',
): Buffer {
  const at = installer.indexOf(Buffer.from(text, encoding));
  if (at < 0) throw new Error(`${text} is not there`);
  const changed = Buffer.from(installer);
  changed[at + distance] = (changed[at + distance] ?? 0) ^ 0x20;
  return changed;
}

const setupText = 'Inno Setup Setup Data (';

describe('when a program is no Inno Setup installer', () => {
  it('says nothing', async () => {
    const { setup, findings } = await openInstaller(payload.smallProgram);
    expect(setup).toBeUndefined();
    expect(findings).toEqual([]);
  });
});

describe('when the version is unknown', () => {
  it.each(['6.8.0', '8.0.0', '5.5.9', '0.0.0'])('refuses %s instead of guessing', async (version) => {
    const id = `Inno Setup Setup Data (${version})`;
    const { findings, files, parts } = await openInstaller(build({ id }));
    expect(findings).toMatchObject([
      { code: 'unsupported/version', message: expect.stringContaining(id), incomplete: true },
    ]);
    expect(files).toEqual([]);
    expect(parts.map(({ name }) => name)).toEqual(['[overlay]']);
  });

  it('refuses an unknown offset table', async () => {
    const changed = damage(build(), 'rDlPtS\xcd', 8);
    const { findings, setup } = await openInstaller(changed);
    expect(findings).toMatchObject([{ code: 'unsupported/version', incomplete: true }]);
    expect(setup).toBeUndefined();
  });

  it('refuses an unknown revision of the offset table', async () => {
    const changed = build();
    changed[changed.indexOf('rDlPtS') + 12] = 9;
    const { findings } = await openInstaller(changed);
    expect(findings[0]).toMatchObject({ code: 'unsupported/version', incomplete: true });
  });

  it('refuses setup data for 16-bit Windows', async () => {
    const { findings } = await openInstaller(
      build({ version: '1.2.10', unicode: false, compression: 'zlib', id: 'i1.2.10--16\x1a' }),
    );
    expect(findings).toMatchObject([{ code: 'unsupported/version' }]);
  });
});

describe('when everything is encrypted', () => {
  it('says so', async () => {
    const { findings, parts } = await openInstaller(build({ version: '6.5.2', encryptionUse: 2 }));
    expect(findings).toMatchObject([{ code: 'encrypted/container', incomplete: true }]);
    expect(parts.map(({ name }) => name)).toEqual(['[overlay]']);
  });

  it('reads the list when only the files are', async () => {
    const { findings, files } = await openInstaller(
      build({ version: '6.5.2', encryptionUse: 1, encrypted: true }),
    );
    expect(findings).toEqual([]);
    expect(files.map(({ finding }) => finding?.code)).toEqual(['encrypted/member', 'encrypted/member']);
  });
});

describe('when the offset table is damaged', () => {
  it('says that its checksum does not hold, and uses it', async () => {
    const installer = build();
    const changed = Buffer.from(installer);
    const at = changed.indexOf('rDlPtS') + 40;
    changed[at] = (changed[at] ?? 0) ^ 1;
    const { findings, files } = await openInstaller(changed);
    expect(findings).toMatchObject([{ code: 'malformed/checksum', incomplete: false }]);
    expect(files.map(({ bytes }) => bytes.length)).toEqual([
      payload.smallProgram.length,
      payload.words.length,
    ]);
  });

  it('says that there is no setup data where it points', async () => {
    const installer = build();
    installer.writeUInt32LE(64, installer.indexOf('rDlPtS') + 32);
    const { findings } = await openInstaller(installer);
    expect(findings.map(({ code }) => code)).toEqual(['malformed/checksum', 'malformed/header']);
  });

  it('says that the table is cut off', async () => {
    const { installer } = buildInno({ ...modern, version: '4.1.0', unicode: false, compression: 'zlib' });
    const { findings } = await openInstaller(installer.subarray(0, installer.length - 8));
    expect(findings).toMatchObject([{ code: 'malformed/truncated', incomplete: true }]);
  });
});

describe('when the setup data is damaged', () => {
  it('says that its header does not match its checksum', async () => {
    const { findings, parts } = await openInstaller(damage(build(), setupText, 64 + 5));
    expect(findings).toMatchObject([{ code: 'malformed/checksum', incomplete: true }]);
    expect(parts.map(({ name }) => name)).toEqual(['[overlay]']);
  });

  it('reads on when a piece does not match its checksum', async () => {
    const changed = damage(build(), 'Fixture Publisher', 0, 'utf16le');
    const { findings, files, setup } = await openInstaller(changed);
    expect(findings).toMatchObject([{ code: 'malformed/checksum', incomplete: true }]);
    expect(files).toHaveLength(2);
    expect(setup?.facts.find(({ name }) => name === 'AppPublisher')?.value).toBe('fixture Publisher');
  });

  it('reads the files that it finds when the records end too early', async () => {
    const changed = build();
    // the length of the name of an icon, behind the files
    const at = changed.indexOf(Buffer.from('{group}\\Fixture', 'utf16le')) - 4;
    changed.writeUInt32LE(0x7fff_ffff, at);
    const { findings, files } = await openInstaller(changed);
    expect(findings.map(({ code }) => code)).toEqual(['malformed/checksum', 'malformed/structure']);
    expect(findings.every(({ incomplete }) => incomplete)).toBe(true);
    expect(files.map(({ name }) => name)).toEqual(['{app}/Skype.exe', '{app}/words.txt']);
  });

  it('says how much is missing when the file ends in it', async () => {
    const installer = build();
    const at = installer.indexOf(Buffer.from('{group}\\Fixture', 'utf16le'));
    const { findings, files } = await openInstaller(installer.subarray(0, at));
    expect(findings.map(({ code }) => code)).toContain('malformed/truncated');
    expect(findings.every(({ incomplete }) => incomplete)).toBe(true);
    expect(files).toEqual([]);
  });
});

describe('when the setup data is made to cost much', () => {
  it('stops at a number of records', async () => {
    const started = performance.now();
    const { findings } = await openInstaller(build({ furtherPermissions: 500_000 }));
    expect(findings).toMatchObject([{ code: 'limit/count', incomplete: true }]);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('does not believe a number of records', async () => {
    const installer = build({ version: '5.5.7', unicode: true });
    // the numbers of languages, messages and permissions
    const numbers = installer.indexOf(Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0));
    for (let index = 0; index < 16; index += 1) {
      const changed = Buffer.from(installer);
      changed.writeUInt32LE(0xffff_ffff, numbers + 4 * index);
      const { findings } = await openInstaller(changed);
      expect(findings.map(({ code }) => code)).toEqual([
        'malformed/checksum',
        expect.stringMatching(/structure|count/),
      ]);
    }
  });

  it('does not believe the size of a block', async () => {
    const installer = build();
    const at = installer.indexOf(setupText) + 64;
    const changed = Buffer.from(installer);
    changed.writeUInt32LE(0xffff_fff0, at + 4);
    changed.writeUInt32LE(crc32(changed.subarray(at + 4, at + 9)), at);
    const { findings } = await openInstaller(changed);
    expect(findings.length).toBeGreaterThan(1);
    expect(findings[0]).toMatchObject({ code: 'malformed/truncated', incomplete: true });
  });
});

describe('when the data of a file is damaged', () => {
  it('delivers its bytes and says that they are not what was installed', async () => {
    const changed = damage(build(), 'one,two,three', 0);
    const { findings, files } = await openInstaller(changed);
    expect(findings).toEqual([]);
    expect(files.map(({ finding }) => finding?.code)).toEqual([undefined, 'malformed/checksum']);
    expect(files[1]?.bytes.subarray(0, 4).toString()).toBe('One,');
    expect(files[1]?.bytes).toHaveLength(payload.words.length);
  });

  it.each(['1.3.25', '3.0.5', '4.0.1', '4.2.0', '5.3.9', '6.3.0'])(
    'compares the checksum that %s has',
    async (version) => {
      const unicode = version === '6.3.0';
      const wrong = { ...words, wrongChecksum: true };
      const { files } = await openInstaller(
        build({ version, unicode, compression: 'zlib', files: [program, wrong] }),
      );
      expect(files.map(({ finding }) => finding?.code)).toEqual([undefined, 'malformed/checksum']);
    },
  );

  it.each(['zlib', 'lzma', 'lzma2'] as const)(
    'keeps what comes before the damage in %s',
    async (compression) => {
      const installer = build({ compression, solid: true, files: [program, readme, words] });
      const chunk = installer.indexOf('zlb\x1a', 0, 'latin1');
      const end = installer.indexOf(setupText);
      const changed = Buffer.from(installer);
      changed.fill(0xee, Math.floor(chunk + (end - chunk) * 0.75), end);
      const { files } = await openInstaller(changed);
      expect(files).toHaveLength(3);
      const faults = files.flatMap(({ finding }) => finding ?? []);
      expect(faults.length).toBeGreaterThan(0);
      for (const { code, incomplete } of faults) {
        expect(code).toMatch(/^malformed\//);
        expect(incomplete).toBe(true);
      }
    },
  );

  it('refuses a file whose chunk does not begin as one', async () => {
    const { files } = await openInstaller(damage(build(), 'zlb\x1a', 1));
    expect(files[0]).toMatchObject({
      wasRefused: true,
      finding: { code: 'malformed/header', incomplete: true },
    });
    expect(files[1]?.finding).toBeUndefined();
  });

  it('says that a file ends too early when the data does', async () => {
    const { installer, slice } = buildInno({ ...modern, slices: true });
    const { files } = await openInstaller(installer, {
      openSlice: (name) =>
        name === 'setup-1.bin' ? toByteSource(slice.subarray(0, slice.length - 20)) : undefined,
    });
    expect(files.map(({ finding }) => finding?.code)).toEqual([undefined, 'malformed/truncated']);
    expect(files[1]?.bytes).toHaveLength(payload.words.length - 20);
  });
});

describe('when a chunk goes on in the next slice', () => {
  it.each(['6.4.0.1', '6.5.2'])('reads both slices of %s', async (version) => {
    const { installer, slice } = buildInno({ ...modern, version, slices: true, solid: true });
    const header = slice.subarray(0, version === '6.5.2' ? 16 : 12);
    for (const cut of [header.length + 2, 1000, slice.length - 3]) {
      const slices = new Map([
        ['setup-1.bin', slice.subarray(0, cut)],
        ['setup-2.bin', Buffer.concat([header, slice.subarray(cut)])],
      ]);
      const { files, findings } = await openInstaller(installer, {
        openSlice: (name) => {
          const bytes = slices.get(name);
          return bytes === undefined ? undefined : toByteSource(bytes);
        },
      });
      expect(findings).toEqual([]);
      expect(files.map(({ bytes, finding }) => [bytes.length, finding])).toEqual([
        [payload.smallProgram.length, undefined],
        [payload.words.length, undefined],
      ]);
    }
  });
});

describe('when there is more than the files', () => {
  it('says that a chunk holds bytes of no file', async () => {
    for (const compression of ['stored', 'zlib', 'lzma'] as const) {
      const surplus = Buffer.from('bytes that nobody asked for');
      const { findings, files } = await openInstaller(build({ compression, solid: true, surplus }));
      expect(findings, compression).toMatchObject([{ code: 'malformed/structure', incomplete: true }]);
      expect(files.every(({ finding }) => finding === undefined)).toBe(true);
    }
  });

  it('gives what lies between the parts as parts', async () => {
    const extra = Buffer.from('MZ and so on '.repeat(10));
    const { parts } = await openInstaller(build({ extra }));
    const gap = parts.find(({ name }) => name.startsWith('[overlay+0x'));
    expect(gap?.bytes.equals(extra)).toBe(true);
  });

  it('gives data to which no file points', async () => {
    const hidden = build();
    // the location of the second file becomes that of the first
    const at = hidden.indexOf(Buffer.from('{app}\\words.txt', 'utf16le'));
    const number = hidden.indexOf(Uint8Array.of(1, 0, 0, 0, 0x20, 0, 0, 0), at);
    hidden[number] = 0;
    const { files } = await openInstaller(hidden);
    expect(files.map(({ name }) => name)).toEqual(['{app}/Skype.exe', '{app}/words.txt', '[location 1]']);
    expect(files[2]?.bytes.equals(payload.words)).toBe(true);
  });
});

describe('when the setup program is damaged', () => {
  it('gives it all the same, and says so', async () => {
    const installer = build({ program: payload.readme });
    const whole = await openInstaller(installer);
    expect(whole.parts[0]).toMatchObject({ name: '[setup program]', fault: undefined });
    const changed = Buffer.from(installer);
    const table = changed.indexOf('rDlPtS');
    changed.writeUInt32LE(1234, table + 28);
    const { parts } = await openInstaller(changed);
    expect(parts[0]?.bytes.equals(payload.readme)).toBe(true);
    expect(parts[0]?.fault?.code).toBe('malformed/checksum');
  });
});

describe('when names are in a Chinese code page', () => {
  const gbk = new Map([
    ['中', [0xd6, 0xd0]],
    ['文', [0xce, 0xc4]],
  ]);
  const encode = (text: string): Uint8Array =>
    Uint8Array.from([...text].flatMap((character) => gbk.get(character) ?? [character.charCodeAt(0)]));

  it.each([
    ['5.1.13', { id: 0x0409, codePage: 936 }],
    ['4.0.9', { id: 0x0804, codePage: 0 }],
    ['2.0.8', { id: 0x0804, codePage: 0 }],
  ])('reads them in %s by the language', async (version, language) => {
    const file = { destination: '{app}\\中文.txt', content: payload.words };
    const { files } = await openInstaller(
      build({ version, unicode: false, compression: 'zlib', files: [file], encode, language }),
    );
    expect(files.map(({ name }) => name)).toEqual(['{app}/中文.txt']);
  });
});
