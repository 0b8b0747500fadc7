import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDemoPublisher } from '../../fixtures/demo-publisher.ts';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import {
  knownBuildHeader,
  product,
  sources,
  toIndicator,
  toVariant,
} from '../signatures/database-fixture.ts';
import { type Ended, mainPath, runTelltale } from './run.ts';

const { stdout: opensslVersion, error: noOpenssl } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
const hasOpenssl = noOpenssl === undefined && /^OpenSSL (?:[3-9]|\d\d)\./.test(opensslVersion);
if (!hasOpenssl)
  console.warn('SKIPPED: signatures of packs against openssl, because version 3 is not installed');

let folder = '';
let withPassphrase: Readonly<Record<string, string>> = {};
const at = (name: string): string => join(folder, name);
const run = (...args: readonly string[]): Ended => runTelltale(args, { cwd: folder, env: withPassphrase });
const text = (name: string): string => readFileSync(at(name), 'latin1');
const idOf = (name: string): string =>
  JSON.parse(run('db', 'verify', '--format', 'json', name).stdout).signedBy;

const put = (name: string, content: unknown): void => {
  mkdirSync(join(at(name), '..'), { recursive: true });
  writeFileSync(at(name), JSON.stringify(content));
};
const mark = {
  tests: {
    hit: [{ format: 'pe', content: ['a mark of it'] }],
    nearMiss: [{ format: 'pe', content: ['a mark'] }],
  },
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'telltale-packs-'));
  mkdirSync(at('downloads'));
  writeFileSync(at('downloads/Tom.exe'), buildTomSkype());
  writeFileSync(at('downloads/Plain.exe'), buildPlainSkype());
  cpSync(shippedDatabase, at('my-signatures'), { recursive: true });
  mkdirSync(at('addition/skype'), { recursive: true });
  const publisher = createDemoPublisher();
  writeFileSync(at('addition/skype/publishers.json'), publisher.toPinFile());
  writeFileSync(at('addition/skype/sources.json'), publisher.toSourceFile());
  put('small/demo/product.json', product);
  put('small/demo/sources.json', sources);
  put('small/demo/variants/tom.json', toVariant('tom', [toIndicator({ text: 'a mark of it' }, mark)]));
  for (const name of ['ours', 'theirs']) expect(run('db', 'keygen', '--output', name).code).toBe(0);
  const pack = (from: string, output: string, ...rest: readonly string[]): void => {
    const { code, stderr } = run('db', 'pack', from, '--output', output, ...rest);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  };
  pack('my-signatures', 'skype.telltale', '--key', 'ours.key');
  pack('small', 'demo.telltale', '--key', 'ours.key');
  pack('small', 'theirs.telltale', '--key', 'theirs.key');
  pack('small', 'unsigned.telltale', '--unsigned');
  pack('addition', 'addition.telltale', '--key', 'ours.key');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('when a key pair is made', () => {
  it('writes both halves, the private one for its owner alone', () => {
    expect(text('ours.key')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(text('ours.pub')).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect(statSync(at('ours.key')).mode & 0o777).toBe(0o600);
  });

  it('prints the key id and the one line', () => {
    const { stdout } = run('db', 'keygen', '--output', 'printed');
    const [, id = ''] = /key id +([0-9a-f]{64})\n/.exec(stdout) ?? [];
    const [, line = ''] = /one line +(ed25519:\S+)\n/.exec(stdout) ?? [];
    expect(stdout).toMatch(/not encrypted; whoever has it can sign/);
    run('db', 'pack', 'small', '--key', 'printed.key', '--output', 'printed.telltale');
    expect(idOf('printed.telltale')).toBe(id);
    expect(run('db', 'verify', 'printed.telltale', '--trust', line).code).toBe(0);
    expect(stdout).not.toContain(text('printed.key').split('\n')[1]);
  });

  it('never writes over a file, and leaves no half', () => {
    const before = text('ours.key');
    expect(run('db', 'keygen', '--output', 'ours')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'telltale: ours.key is there already; a key is never written over: choose another name\n',
    });
    expect(text('ours.key')).toBe(before);
    writeFileSync(at('half.pub'), '');
    expect(run('db', 'keygen', '--output', 'half').code).toBe(2);
    expect(existsSync(at('half.key'))).toBe(false);
    expect(run('db', 'keygen', '--output', 'nowhere/key')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nowhere/key.key cannot be written'),
    });
    expect(run('db', 'keygen').code).toBe(2);
  });

  it('encrypts with a passphrase from a file or the environment, and never asks', () => {
    writeFileSync(at('words.txt'), 'correct horse\nsecond line\n');
    const made = run(
      'db',
      'keygen',
      '--output',
      'secret',
      '--passphrase-file',
      'words.txt',
      '--format',
      'json',
    );
    expect(JSON.parse(made.stdout)).toMatchObject({ privateKey: 'secret.key', encrypted: true });
    expect(text('secret.key')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    expect(statSync(at('secret.key')).mode & 0o777).toBe(0o600);
    const sign = (...rest: readonly string[]): Ended =>
      run('db', 'pack', 'small', '--key', 'secret.key', '--force', '--output', 'secret.telltale', ...rest);
    expect(sign()).toMatchObject({
      code: 2,
      stderr:
        'telltale: secret.key: is encrypted: its passphrase comes from --passphrase-file FILE or from TELLTALE_PASSPHRASE\n',
    });
    expect(sign('--passphrase-file', 'words.txt').code).toBe(0);
    withPassphrase = { TELLTALE_PASSPHRASE: 'correct horse' };
    expect(sign().code).toBe(0);
    withPassphrase = { TELLTALE_PASSPHRASE: 'wrong' };
    expect(sign().stderr).toBe('telltale: secret.key: cannot be decrypted with this passphrase\n');
    withPassphrase = {};
    writeFileSync(at('empty.txt'), '\n');
    expect(sign('--passphrase-file', 'empty.txt').stderr).toMatch(
      /empty\.txt: its first line holds no passphrase/,
    );
    expect(sign('--passphrase-file', 'missing.txt').stderr).toMatch(/missing\.txt: does not exist/);
  });
});

describe('when a database is packed', () => {
  it('gives the same bytes for the same files and key', () => {
    const { code } = run('db', 'pack', 'small', '--key', 'ours.key', '--output', 'again.telltale');
    expect(code).toBe(0);
    expect(text('again.telltale') === text('demo.telltale')).toBe(true);
  });

  it('says what was packed, as text and as JSON', () => {
    expect(run('db', 'verify', 'demo.telltale', '--trust', 'ours.pub').stdout).toMatch(
      /^ ✔ demo\.telltale\n +product +demo 2026\.11, 3 files, \d+ bytes\n/,
    );
    const packing = ['db', 'pack', 'small', '--unsigned', '--output', 'json.telltale', '--format', 'json'];
    const document = JSON.parse(run(...packing).stdout);
    const own = ['--only-database', '--database', 'small'];
    expect(document).toMatchObject({
      schema: 'telltale/db-pack/1',
      pack: 'json.telltale',
      database: JSON.parse(run('db', 'stats', '--format', 'json', ...own).stdout).digest,
      signedBy: null,
      trusted: false,
    });
  });

  it('does not write over a file unless told', () => {
    const before = text('demo.telltale');
    const again = ['db', 'pack', 'addition', '--key', 'ours.key', '--output', 'demo.telltale'];
    expect(run(...again)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is there already; --force'),
    });
    expect(text('demo.telltale') === before).toBe(true);
  });

  it('does not pack a database with errors', () => {
    cpSync(at('small'), at('faulty'), { recursive: true });
    const file = at('faulty/demo/variants/tom.json');
    const variant = JSON.parse(readFileSync(file, 'utf8'));
    const pack = (): Ended => run('db', 'pack', 'faulty', '--key', 'ours.key', '--output', 'faulty.telltale');
    writeFileSync(file, JSON.stringify({ ...variant, nmae: 'x' }));
    expect(pack()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/faulty\/demo\/variants\/tom\.json:1:\d+: nmae/),
    });
    const [first, ...others] = variant.indicators;
    const silent = { ...first, tests: { ...first.tests, hit: [{ format: 'pe', content: ['nothing'] }] } };
    writeFileSync(file, JSON.stringify({ ...variant, indicators: [silent, ...others] }));
    expect(pack()).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /1 errors; a database with errors is not packed\n.*does not fire on its hit 1/,
      ),
    });
    expect(existsSync(at('faulty.telltale'))).toBe(false);
  });

  it.each([
    [['small'], /needs --key FILE to be signed with .* or else --unsigned/],
    [['small', '--key', 'ours.key', '--unsigned'], /contradict each other/],
    [['small', '--key', 'ours.pub'], /ours\.pub: is a public key: signing needs the private one/],
    [['small', '--key', 'missing.key'], /missing\.key: does not exist/],
    [['small', 'small/demo', '--key', 'ours.key'], /"demo" is in small\/demo and in small\/demo/],
    [['nowhere', '--key', 'ours.key'], /nowhere: does not exist/],
    [['demo.telltale', '--key', 'ours.key'], /demo\.telltale: is not a folder/],
    [['small', '--key', 'ours.key', '--revision', 'demo=2026.12'], /states its revision itself/],
    [['addition', '--key', 'ours.key', '--revision', 'skipe=2026.12'], /hold no product "skipe"/],
    [['addition', '--key', 'ours.key', '--revision', 'new'], /a product and a revision are needed/],
  ])('refuses %j', (args, complaint) => {
    const { code, stdout, stderr } = run('db', 'pack', ...args, '--output', 'refused.telltale');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(complaint);
    expect(existsSync(at('refused.telltale'))).toBe(false);
  });

  it('refuses a name that no pack may have', () => {
    cpSync(at('small'), at('named'), { recursive: true });
    mkdirSync(at('named/demo/known-builds'));
    writeFileSync(at('named/demo/known-builds/软件.tsv'), `${knownBuildHeader}\n`);
    expect(run('db', 'pack', 'named', '--unsigned', '--output', 'named.telltale')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no file of a pack is called "demo\/known-builds\/软件\.tsv"/),
    });
  });

  it('points out a private key that others can read', () => {
    cpSync(at('ours.key'), at('open.key'));
    chmodSync(at('open.key'), 0o644);
    const { code, stderr } = run('db', 'pack', 'small', '--key', 'open.key', '--output', 'open.telltale');
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'telltale: open.key can be read by other users of this machine: chmod 600 it\n',
    });
  });
});

describe('when a pack is used', () => {
  const scan = (...rest: readonly string[]): Ended =>
    run('scan', '--format', 'json', 'downloads', '--only-database', ...rest);

  it('judges as the folder does, and names who vouches for it', () => {
    const fromFolder = scan('--database', 'my-signatures');
    const fromPack = scan('--database', 'skype.telltale', '--trust', 'ours.pub');
    expect([fromFolder.code, fromPack.code]).toEqual([1, 1]);
    const [folderReport, packReport] = [JSON.parse(fromFolder.stdout), JSON.parse(fromPack.stdout)];
    expect(folderReport.database.packs).toBeUndefined();
    expect(packReport).toEqual({
      ...folderReport,
      database: {
        ...folderReport.database,
        packs: [{ path: 'skype.telltale', signedBy: idOf('skype.telltale'), trusted: true }],
      },
    });
    expect(scan('--database', 'skype.telltale', '--trust', 'ours.pub', '--jobs', '0').stdout).toBe(
      fromPack.stdout,
    );
  });

  it('says when nobody checked who signed it', () => {
    expect(run('scan', 'downloads', '--database', 'skype.telltale').stdout).toMatch(
      /\n database skype\.telltale: signed with the key [0-9a-f]{8}…; whose key that is was not checked \(--trust KEY checks it\)\n/,
    );
    expect(run('scan', 'downloads', '--database', 'unsigned.telltale').stdout).toContain(
      '\n database unsigned.telltale: not signed\n',
    );
    const explained = run('explain', 'tom', '--database', 'demo.telltale', '--only-database');
    expect(explained.code).toBe(0);
    expect(explained.stderr).toMatch(/^telltale: database demo\.telltale: .* was not checked/);
  });

  it.each([
    [0, ['inspect', 'downloads/Tom.exe']],
    [1, ['lookup', 'a'.repeat(64)]],
    [0, ['explain', 'tom']],
    [0, ['db', 'stats']],
    [0, ['scan', 'downloads']],
    [2, ['extract', 'downloads/Tom.exe', 'nothing']],
  ])('is held to --trust (%d) by %j', (expected, args) => {
    const own = ['--only-database', '--database', 'demo.telltale'];
    const accepted = run(...args, ...own, '--trust', 'ours.pub');
    expect(accepted.code).toBe(expected);
    expect(accepted.stderr).not.toContain('demo.telltale');
    const refused = run(...args, ...own, '--trust', 'theirs.pub');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /^telltale: demo\.telltale: signature: was made with the key [0-9a-f]{64}, which is not/,
    );
  });

  it('is held to --trust by db check, which tells it as a finding', () => {
    const check = ['db', 'check', '--only-database', '--database', 'demo.telltale', '--trust'];
    expect(run(...check, 'ours.pub')).toMatchObject({ code: 0, stderr: '' });
    const refused = run(...check, 'theirs.pub');
    expect(refused).toMatchObject({ code: 2, stderr: '' });
    expect(refused.stdout).toMatch(
      /^error\[pack\/untrusted-key\]: demo\.telltale: signature: was made with the key [0-9a-f]{64}, which/,
    );
  });

  it('accepts the keys of a trust file, and several of them', () => {
    const line = `ed25519:${text('demo.telltale').split('\n')[2]?.split(' ')[1]}`;
    writeFileSync(at('trust.txt'), `# both\n${text('theirs.pub')}${line}\nmin demo=2026.01\n`);
    const both = ['--database', 'demo.telltale', '--database', 'theirs.telltale', '--only-database'];
    expect(run('db', 'stats', ...both, '--trust', 'theirs.pub', '--trust', line).code).toBe(0);
    expect(run('db', 'stats', ...both, '--trust', 'trust.txt').code).toBe(0);
    appendFileSync(at('trust.txt'), 'min demo=2031.01\n');
    expect(run('db', 'stats', ...both, '--trust', 'trust.txt').stderr).toMatch(
      /^telltale: demo\.telltale: demo: revision \S+ is older than 2031\.01/,
    );
  });

  it('adds what an addition holds to the database that ships', () => {
    const pins = (...rest: readonly string[]): number =>
      JSON.parse(run('db', 'stats', '--format', 'json', ...rest).stdout).products[0].pins;
    expect(pins('--database', 'addition.telltale', '--trust', 'ours.pub')).toBe(
      pins('--database', 'addition'),
    );
    expect(pins('--database', 'addition')).toBeGreaterThan(pins());
  });

  it.each([
    [['demo.telltale', '--trust', 'ours.pub'], 'demo=2026.11', 1, /^$/],
    [
      ['demo.telltale', '--trust', 'ours.pub'],
      'demo=2026.11.1',
      2,
      /revision 2026\.11 is older than 2026\.11\.1/,
    ],
    [['small'], 'demo=2099.01', 2, /small: demo: revision 2026\.11 is older/],
    [['demo.telltale'], 'demmo=2026.01', 2, /no database speaks of "demmo"/],
    [['demo.telltale'], 'demo', 2, /a product and a revision are needed/],
  ])('holds %j to the smallest revision %s', (database, minimum, expected, complaint) => {
    const args = ['--only-database', '--database', ...database, '--min-revision', minimum];
    const { code, stderr } = run('lookup', 'a'.repeat(64), ...args);
    expect(code).toBe(expected);
    expect(stderr).toMatch(complaint);
  });

  it('holds an addition to the revision that was stated when it was packed', () => {
    const pack = ['db', 'pack', 'addition', '--key', 'ours.key', '--output', 'dated.telltale'];
    expect(run(...pack, '--revision', 'skype=2026.10').code).toBe(0);
    const verify = (name: string, minimum: string): Ended =>
      run('db', 'verify', name, '--trust', 'ours.pub', '--min-revision', `skype=${minimum}`);
    expect(verify('dated.telltale', '2026.10').code).toBe(0);
    expect(verify('dated.telltale', '2026.11').code).toBe(2);
    expect(verify('addition.telltale', '2026.10').stderr).toMatch(/skype: states no revision/);
  });

  const trust = ['--trust', 'ours.pub'];
  it.each([
    [
      'an unsigned pack',
      ['unsigned.telltale', ...trust],
      /unsigned\.telltale: signature: the pack is not signed/,
    ],
    ['a folder', ['small', ...trust], /small: is not a pack, and with --trust/],
    [
      'a folder among packs',
      ['demo.telltale', ...trust, '--database', 'addition'],
      /addition: is not a pack/,
    ],
    [
      'trust in a private key',
      ['demo.telltale', '--trust', 'ours.key'],
      /ours\.key: line 1: is a private key/,
    ],
    ['a missing trust file', ['demo.telltale', '--trust', 'missing.pub'], /missing\.pub: does not exist/],
    ['a file that is no pack', ['downloads/Tom.exe'], /Tom\.exe: line 1: is neither a folder nor a pack/],
  ])('refuses %s', (_, args, complaint) => {
    const { code, stdout, stderr } = run('scan', 'downloads', '--database', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(complaint);
  });

  it('refuses trust without a database that it is about', () => {
    expect(run('scan', 'downloads', ...trust)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('are about databases that --database gives, and none is given'),
    });
  });

  it('refuses an altered pack with trust and without', () => {
    const bytes = readFileSync(at('demo.telltale'));
    bytes[bytes.length - 40] = (bytes.at(-40) ?? 0) ^ 1;
    writeFileSync(at('altered.telltale'), bytes);
    for (const rest of [[], trust]) {
      expect(run('scan', 'downloads', '--database', 'altered.telltale', ...rest)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(
          /^telltale: altered\.telltale: demo\/variants\/tom\.json: at offset \d+: was altered/,
        ),
      });
    }
  });
});

describe('when a pack is verified', () => {
  it.each([
    ['a trusted one', ['demo.telltale', '--trust', 'ours.pub', '--min-revision', 'demo=2026.01'], 0],
    ['an old one', ['demo.telltale', '--trust', 'ours.pub', '--min-revision', 'demo=2099.01'], 2],
    ['one of nobody', ['demo.telltale'], 3],
    ['one without a signature', ['unsigned.telltale'], 3],
    ['one without a signature, with trust', ['unsigned.telltale', '--trust', 'ours.pub'], 2],
    ['another key', ['theirs.telltale', '--trust', 'ours.pub'], 2],
    ['a folder', ['small', '--trust', 'ours.pub'], 2],
    ['nothing', ['missing.telltale'], 2],
  ])('ends as it should for %s', (_, args, expected) => {
    const { code, stdout, stderr } = run('db', 'verify', ...args);
    expect(code).toBe(expected);
    expect(stdout === '').toBe(expected === 2);
    expect(stderr === '').toBe(expected !== 2);
  });

  it.skipIf(!hasOpenssl)('agrees with openssl on signatures, and takes its keys', () => {
    const openssl = (...args: readonly string[]): number | null =>
      spawnSync('openssl', args, { cwd: folder }).status;
    expect(openssl('genpkey', '-algorithm', 'ed25519', '-out', 'made.key')).toBe(0);
    expect(openssl('pkey', '-in', 'made.key', '-pubout', '-out', 'made.pub')).toBe(0);
    writeFileSync(at('made.txt'), 'battery staple');
    expect(
      openssl(
        'pkcs8',
        '-topk8',
        '-scrypt',
        '-in',
        'made.key',
        '-passout',
        'file:made.txt',
        '-out',
        'scrypt.key',
      ),
    ).toBe(0);
    chmodSync(at('scrypt.key'), 0o600);
    const packed = run(
      'db',
      'pack',
      'addition',
      '--key',
      'scrypt.key',
      '--passphrase-file',
      'made.txt',
      '--output',
      'made.telltale',
    );
    expect(packed).toMatchObject({ code: 0, stderr: '' });
    expect(run('db', 'verify', 'made.telltale', '--trust', 'made.pub').code).toBe(0);

    const [first, manifest, seal = ''] = text('made.telltale').split('\n');
    writeFileSync(at('made.sig'), Buffer.from(seal.split(' ')[2] ?? '', 'base64'));
    const verify = (signed: string): number | null => {
      writeFileSync(at('made.signed'), signed, 'latin1');
      return openssl(
        'pkeyutl',
        '-verify',
        '-rawin',
        '-pubin',
        '-inkey',
        'made.pub',
        '-sigfile',
        'made.sig',
        '-in',
        'made.signed',
      );
    };
    expect(verify(`${first}\n${manifest}\n`)).toBe(0);
    expect(verify(`${manifest}\n`)).not.toBe(0);
    expect(verify(`${first}\n${manifest?.replace('sources', 'sourcez')}\n`)).not.toBe(0);
  });
});

describe('when the commands of the document are run', () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/packs.md', import.meta.url)), 'utf8');
  const [makeAndUse = '', checkSignature = '', checkFiles = ''] = [
    ...document.matchAll(/```sh\n([\s\S]*?)```/g),
  ].map(([, commands = '']) => commands);
  const shell = (commands: string): Ended => {
    const telltale = `telltale() { "${process.execPath}" "${mainPath}" "$@"; }`;
    const { status, stdout, stderr } = spawnSync('bash', ['-euc', `${telltale}\n${commands}`], {
      cwd: at('document'),
      encoding: 'utf8',
    });
    return { code: status, stdout, stderr };
  };
  beforeAll(() => {
    mkdirSync(at('document'));
    for (const name of ['my-signatures', 'downloads'])
      cpSync(at(name), at(`document/${name}`), { recursive: true });
  });

  it('they make, check and use a pack', () => {
    const { code, stdout, stderr } = shell(makeAndUse);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/ ✔ a new key pair[\s\S]* ✔ skype\.telltale[\s\S]*✖ variant +downloads\/Tom\.exe/);
    expect(stdout).toMatch(/ database skype\.telltale: signed with the key [0-9a-f]{8}…, which is trusted\n/);
  });

  it.skipIf(!hasOpenssl)('they check it without telltale', () => {
    expect(shell(checkSignature)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Verified Successfully'),
    });
    const lines = shell(checkFiles).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(readFileSync(at('document/signed'), 'utf8').split('"path"').length - 1);
    expect(lines.filter((line) => !line.endsWith(': OK'))).toEqual([]);
    const bytes = readFileSync(at('document/skype.telltale'));
    bytes[bytes.length - 1] = 0;
    writeFileSync(at('document/skype.telltale'), bytes);
    expect(shell(checkFiles).stdout.match(/: ALTERED$/gm)).toHaveLength(1);
  });
});
