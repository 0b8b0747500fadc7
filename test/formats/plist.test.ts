import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { assembleBinaryPlist, buildXmlPlist } from '../../fixtures/plist-builder.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { toByteSource } from '../../src/bytes/byte-source.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import type { Fact, Finding } from '../../src/formats/model.ts';
import {
  parsePlist,
  plistFormat,
  type PlistValue,
  plistValuesLimit,
  provisioningProfileFormat,
  readPlist,
  toPlistFacts,
  tryGet,
} from '../../src/formats/plist.ts';
import { mutate } from '../mutation.ts';

function toBudget(): Budget {
  return new Budget(1 << 20);
}

function parse(bytes: Uint8Array): PlistValue {
  return parsePlist(bytes, toBudget());
}

function codeOf(bytes: Uint8Array): string {
  try {
    parse(bytes);
    return 'none';
  } catch (error) {
    if (error instanceof TelltaleError) return error.code;
    throw error;
  }
}

/** What `plistlib` would give, as JSON: keeps kinds apart. */
function toJson(value: PlistValue): unknown {
  switch (value.kind) {
    case 'array':
      return value.items.map(toJson);
    case 'dictionary':
      return Object.fromEntries([...value.entries].map(([key, entry]) => [key, toJson(entry)]));
    case 'data':
      return { data: Buffer.from(value.value).toString('hex') };
    case 'integer':
      return { integer: String(value.value) };
    case 'uid':
      return { uid: String(value.value) };
    case 'date':
      return { date: value.value };
    case 'null':
      return null;
    default:
      return value.value;
  }
}

const python = '/usr/bin/python3';
const hasPython = spawnSync(python, ['-c', 'import plistlib']).status === 0;
if (!hasPython) console.warn('SKIPPED: property lists against plistlib, because python3 is not installed');

const sample = `
import plistlib, sys, json, datetime
value = {
  'CFBundleIdentifier': 'com.example.app', 'text': 'Grüße 世界 😀', 'small': 7, 'byte': 200, 'word': 40000,
  'long': 3000000000, 'huge': 2**63, 'negative': -5, 'real': 1.5, 'yes': True, 'no': False,
  'when': datetime.datetime(2018, 6, 1, 12, 30, 5), 'data': bytes(range(40)),
  'list': ['a', 'b', ['c', {'d': 1}]], 'many': list(range(300)), 'empty': {}, 'none': [], 'void': '',
  'uid': plistlib.UID(300),
}
if sys.argv[1] == 'xml': value.pop('uid')
sys.stdout.buffer.write(plistlib.dumps(value, fmt=plistlib.FMT_XML if sys.argv[1] == 'xml' else plistlib.FMT_BINARY))
`;

const dump = `
import plistlib, sys, json, datetime
def plain(v):
    if isinstance(v, bool): return v
    if isinstance(v, int): return {'integer': str(v)}
    if isinstance(v, bytes): return {'data': v.hex()}
    if isinstance(v, plistlib.UID): return {'uid': str(v.data)}
    if isinstance(v, datetime.datetime): return {'date': v.isoformat() + 'Z'}
    if isinstance(v, list): return [plain(x) for x in v]
    if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
    return v
print(json.dumps(plain(plistlib.loads(sys.stdin.buffer.read()))))
`;

function runPython(script: string, argument: string, input?: Uint8Array): Buffer {
  const run = spawnSync(python, ['-c', script, argument], { input, maxBuffer: 1 << 26 });
  if (run.status !== 0) throw new Error(run.stderr.toString());
  return run.stdout;
}

describe.skipIf(!hasPython)('when Python reads the same list', () => {
  it.each(['xml', 'binary'])('agrees on every kind of value (%s)', (form) => {
    const bytes = new Uint8Array(runPython(sample, form));
    const expected: unknown = JSON.parse(runPython(dump, '', bytes).toString());
    expect(toJson(parse(bytes))).toEqual(expected);
  });

  it('agrees on what our fixtures write', () => {
    const bytes = buildXmlPlist({ a: [1, true, 'x & <y>'], b: Buffer.from('data'), c: { d: 2.5 } });
    expect(toJson(parse(bytes))).toEqual(JSON.parse(runPython(dump, '', bytes).toString()));
  });
});

describe('when a binary list is hostile', () => {
  it('counts the values that shared containers stand for', () => {
    // Eight levels, each an array with 14 references to the next: 14^8 values from a few hundred bytes.
    const objects = Array.from({ length: 8 }, (_, level) => [
      0xae,
      ...Array.from({ length: 14 }, () => level + 1),
    ]);
    const bytes = assembleBinaryPlist({ objects: [...objects, [0x09]] });
    expect(bytes.length).toBeLessThan(200);
    expect(codeOf(bytes)).toBe('limit/count');
    expect(plistValuesLimit).toBe(500_000);
  });

  it.each<[string, Uint8Array, string]>([
    ['an array in itself', assembleBinaryPlist({ objects: [[0xa1, 0]] }), 'malformed/cycle'],
    [
      'two that hold each other',
      assembleBinaryPlist({
        objects: [
          [0xa1, 1],
          [0xa1, 0],
        ],
      }),
      'malformed/cycle',
    ],
    [
      'a key that is a number',
      assembleBinaryPlist({
        objects: [
          [0xd1, 1, 1],
          [0x10, 5],
        ],
      }),
      'malformed/structure',
    ],
    ['a reference to nothing', assembleBinaryPlist({ objects: [[0xa1, 9]] }), 'malformed/structure'],
    [
      'a huge count',
      assembleBinaryPlist({ objects: [[0xaf, 0x13, 0, 0, 1, 0, 0, 0, 0, 0]] }),
      'malformed/out-of-range',
    ],
    [
      'a huge string',
      assembleBinaryPlist({ objects: [[0x5f, 0x12, 0x7f, 0xff, 0xff, 0xff]] }),
      'malformed/out-of-range',
    ],
    ['an unknown mark', assembleBinaryPlist({ objects: [[0x99]] }), 'malformed/structure'],
    [
      'too many objects stated',
      assembleBinaryPlist({ objects: [[0x09]], stated: { objects: 2 ** 40 } }),
      'malformed/structure',
    ],
    [
      'offsets of no size',
      assembleBinaryPlist({ objects: [[0x09]], stated: { offsetSize: 0 } }),
      'malformed/structure',
    ],
    [
      'a table outside',
      assembleBinaryPlist({ objects: [[0x09]], stated: { table: 2 ** 40 } }),
      'malformed/structure',
    ],
    ['no trailer', Buffer.from('bplist00abc'), 'malformed/truncated'],
    ['a later version', Buffer.from(`bplist15${'x'.repeat(64)}`), 'unsupported/version'],
    ['neither form', Buffer.from('{ a = b; }'), 'malformed/structure'],
    ['XML of another kind', Buffer.from('<html><body/></html>'), 'unsupported/format'],
    ['a value without a key', Buffer.from('<plist><dict><true/></dict></plist>'), 'malformed/structure'],
    ['data that is none', Buffer.from('<plist><data>%%%</data></plist>'), 'malformed/encoding'],
  ])('refuses %s', (_what, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('refuses strings that share bytes without end', () => {
    // 200 strings of 300 bytes, each one byte behind the last.
    const filler = Array.from({ length: 200 }, () => [0x5f, 0x11, 0x01, 0x2c]);
    const text = Array.from({ length: 400 }, () => 0x61);
    const bytes = assembleBinaryPlist({
      objects: [
        [0xaf, 0x10, 200, ...filler.map((_, index) => index + 1)],
        ...filler,
        [0x5f, 0x11, 0x01, 0x90, ...text],
      ],
    });
    expect(codeOf(bytes)).toBe('malformed/overlap');
  });

  it('stops at nesting that is too deep', () => {
    const depth = 200;
    const objects = Array.from({ length: depth }, (_, index) => [0xa1, index + 1]);
    expect(codeOf(assembleBinaryPlist({ objects: [...objects, [0x09]] }))).toBe('limit/count');
    const xml = `<plist>${'<array>'.repeat(5000)}${'</array>'.repeat(5000)}</plist>`;
    expect(codeOf(Buffer.from(xml))).toBe('limit/count');
  });
});

describe('when a list has a key twice', () => {
  it('takes the last value and says so', () => {
    const text = '<plist><dict><key>a</key><true/><key>a</key><false/></dict></plist>';
    const value = parse(Buffer.from(text));
    expect(tryGet(value, 'a')).toEqual({ kind: 'boolean', value: false });
    expect(value.kind === 'dictionary' ? value.repeatedKeys : undefined).toEqual(['a']);
  });
});

async function read(
  format: typeof plistFormat,
  bytes: Uint8Array,
): Promise<{ facts: readonly Fact[]; findings: Finding[] }> {
  const findings: Finding[] = [];
  const context = { budget: toBudget(), report: (finding: Finding) => void findings.push(finding) };
  const { facts } = await format.read(toByteSource(bytes), context);
  return { facts, findings };
}

function valuesOf(facts: readonly Fact[]): Record<string, unknown> {
  return Object.fromEntries(facts.map(({ kind, name, value }) => [name ?? kind, value]));
}

describe('when a list is that of a program', () => {
  it('gives the identifier and the versions', async () => {
    const { facts, findings } = await read(
      plistFormat,
      buildXmlPlist({
        CFBundleIdentifier: 'com.skype.skype',
        CFBundleExecutable: 'Skype',
        CFBundleShortVersionString: '8.23.0',
        CFBundleVersion: '8.23.0.10',
        CFBundleSupportedPlatforms: ['MacOSX'],
        CFBundleURLTypes: [{ CFBundleURLSchemes: ['skype', 'callto'] }],
        ElectronAsarIntegrity: { 'Resources/app.asar': { algorithm: 'SHA256', hash: 'ABCD' } },
      }),
    );
    expect(findings).toEqual([]);
    expect(facts).toContainEqual({ kind: 'bundleId', value: 'com.skype.skype' });
    expect(facts).toContainEqual({ kind: 'packageField', name: 'CFBundleVersion', value: '8.23.0.10' });
    expect(facts).toContainEqual({ kind: 'packageField', name: 'CFBundleURLScheme', value: 'callto' });
    expect(facts).toContainEqual({
      kind: 'packageField',
      name: 'ElectronAsarIntegrity',
      value: 'abcd',
      detail: { file: 'Resources/app.asar', algorithm: 'SHA256' },
    });
  });

  it('keeps what comes before the end of a cut list', async () => {
    const whole = buildXmlPlist({ CFBundleIdentifier: 'com.example.cut', CFBundleName: 'Cut' });
    const { facts, findings } = await read(plistFormat, whole.subarray(0, whole.length - 40));
    expect(facts).toContainEqual({ kind: 'bundleId', value: 'com.example.cut' });
    expect(findings).toHaveLength(1);
    expect(findings[0]?.incomplete).toBe(true);
  });
});

describe('when a list begins with empty lines', () => {
  it('is read all the same, as the entitlements of real programs are', () => {
    const bytes = Buffer.concat([Buffer.from('\n \r\n'), buildXmlPlist({ a: true })]);
    expect(plistFormat.probe(bytes, toByteSource(bytes))).toBe(true);
    expect(tryGet(parse(bytes), 'a')).toEqual({ kind: 'boolean', value: true });
  });
});

describe('when a list is that of the store', () => {
  it('never says who bought the program', async () => {
    const { facts } = await read(
      plistFormat,
      buildXmlPlist({
        itemId: 304878510,
        s: 143441,
        softwareVersionBundleId: 'com.skype.skype',
        itemName: 'Skype for iPhone',
        artistName: 'Skype Communications S.a.r.l',
        appleId: 'buyer@example.com',
        userName: 'A Buyer',
        purchaseDate: new Date('2012-05-05T00:00:00Z'),
        'com.apple.iTunesStore.downloadInfo': {
          accountInfo: { AppleID: 'buyer@example.com', DSPersonID: 4711 },
        },
      }),
    );
    expect(valuesOf(facts)).toEqual({
      bundleId: 'com.skype.skype',
      itemId: 304878510,
      s: 143441,
      softwareVersionBundleId: 'com.skype.skype',
      itemName: 'Skype for iPhone',
      artistName: 'Skype Communications S.a.r.l',
    });
    expect(JSON.stringify(facts)).not.toMatch(/buyer|4711|2012-05-05/i);
  });
});

describe('when a file is a provisioning profile', () => {
  const list = buildXmlPlist({
    Name: 'Fixture Distribution',
    TeamIdentifier: ['AL798K98FX'],
    TeamName: 'Fixture',
    ExpirationDate: new Date('2019-01-01T00:00:00Z'),
    ProvisionedDevices: ['1111', '2222'],
    Entitlements: { 'application-identifier': 'AL798K98FX.com.skype.skype' },
  });
  // ContentInfo { signedData, [0] { version, digests, content } } up to the content, then what follows a content.
  const profile = Buffer.concat([
    Buffer.from(
      '3082ffff06092a864886f70d010702a082ffff3082ffff020101310b300906052b0e03021a05003082ffff06092a864886f70d010701a082ffff0482ffff',
      'hex',
    ),
    list,
    Buffer.from('a0820000', 'hex'),
  ]);

  it('gives team, application and expiry, and counts devices', async () => {
    expect(provisioningProfileFormat.probe(profile.subarray(0, 4096), toByteSource(profile))).toBe(true);
    const { facts } = await read(provisioningProfileFormat, profile);
    expect(valuesOf(facts)).toEqual({
      TeamIdentifier: 'AL798K98FX',
      'application-identifier': 'AL798K98FX.com.skype.skype',
      Name: 'Fixture Distribution',
      TeamName: 'Fixture',
      ExpirationDate: '2019-01-01T00:00:00Z',
      ProvisionedDevices: 2,
    });
  });

  it('does not take any signed data for one', () => {
    const other = profile.subarray(0, 60);
    expect(provisioningProfileFormat.probe(other, toByteSource(other))).toBe(false);
  });
});

describe('when lists are damaged at random', () => {
  const binary = assembleBinaryPlist({
    objects: [
      [0xd2, 1, 2, 3, 4],
      [0x51, 0x61],
      [0x51, 0x62],
      [0xa3, 5, 6, 7],
      [0x44, 1, 2, 3, 4],
      [0x11, 0x12, 0x34],
      [0x33, 0x41, 0xb8, 0x11, 0x12, 0, 0, 0, 0],
      [0x62, 0, 0x41, 0, 0x42],
    ],
  });
  const xml = buildXmlPlist({ CFBundleIdentifier: 'com.example', list: [1, 2.5, true, Buffer.from('x')] });

  it.each([
    ['binary', binary],
    ['XML', xml],
  ])('throws nothing but its own errors (%s)', (_form, seed) => {
    let whole = 0;
    for (const { bytes, description } of mutate(seed, 2_000)) {
      const budget = toBudget();
      const started = performance.now();
      const { value, fault } = readPlist(bytes, budget);
      if (value !== undefined) {
        whole += 1;
        toPlistFacts(value);
      } else {
        expect(fault, description).toBeInstanceOf(TelltaleError);
      }
      expect(performance.now() - started, description).toBeLessThan(5_000);
    }
    expect(whole).toBeGreaterThan(20);
  });
});
