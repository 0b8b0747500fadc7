import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { createDemoPublisher } from '../../fixtures/demo-publisher.ts';
import { buildPe } from '../../fixtures/pe-builder.ts';
import {
  buildGmfSkype,
  buildPlainSkype,
  buildSkypeLike,
  buildTomSkype,
  skypeVersionInfo,
  toTextSection,
  tomTexts,
} from '../../fixtures/synthetic-skype.ts';
import { packUpx } from '../../fixtures/upx-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { toKnowledge } from '../../src/scan/knowledge.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import type { FileResult } from '../../src/verdict/model.ts';
import { scanBytes } from './scan-bytes.ts';

const inResource = (program: Uint8Array): Uint8Array =>
  buildPe({
    versionInfo: { CompanyName: 'Somebody', ProductName: 'Wrapper' },
    resources: [{ type: 10, name: 101, data: program }],
  });
const inZip = (name: string, data: Uint8Array): Uint8Array => buildZip({ entries: [{ name, data }] });

const folder = mkdtempSync(join(tmpdir(), 'telltale-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const publisher = createDemoPublisher();
const ownDatabase = join(folder, 'database');
mkdirSync(join(ownDatabase, 'skype'), { recursive: true });
writeFileSync(join(ownDatabase, 'skype', 'publishers.json'), publisher.toPinFile());
writeFileSync(join(ownDatabase, 'skype', 'sources.json'), publisher.toSourceFile());
const withOwnPin = toKnowledge(loadDatabase([shippedDatabase, ownDatabase]));

/** Each way in which a program of another edition may be wrapped. */
const wrappings: readonly (readonly [string, string, (program: Uint8Array) => Uint8Array])[] = [
  ['as a bare program', 'setup.exe', (program) => program],
  ['packed with UPX (LZMA)', 'setup.exe', (program) => packUpx(program, { method: 'lzma' })],
  ['packed with UPX (NRV2B)', 'setup.exe', (program) => packUpx(program, { method: 'nrv2b' })],
  ['packed with UPX (NRV2D)', 'setup.exe', (program) => packUpx(program, { method: 'nrv2d' })],
  ['packed with UPX (NRV2E)', 'setup.exe', (program) => packUpx(program, { method: 'nrv2e' })],
  ['in a resource', 'wrapper.exe', inResource],
  ['deflated in a resource', 'wrapper.exe', (program) => inResource(deflateSync(program))],
  ['behind another program', 'wrapper.exe', (program) => buildPe({ overlay: program })],
  ['in a ZIP in a ZIP', 'outer.zip', (program) => inZip('inner.zip', inZip('软件/setup.exe', program))],
  [
    'in a ZIP in a resource of a UPX-packed program',
    'deep.exe',
    (program) =>
      packUpx(buildPe({ resources: [{ type: 'PAYLOAD', name: 'A', data: inZip('x/y.exe', program) }] }), {
        method: 'lzma',
      }),
  ],
];

function expectVariant(result: FileResult, variant: string): void {
  expect({ verdict: result.verdict, variant: result.variant }).toEqual({ verdict: 'variant', variant });
  const decisive = result.telltales.filter(
    (telltale) => telltale.strength === 'decisive' && telltale.variant === variant,
  );
  expect(decisive).not.toEqual([]);
  for (const telltale of decisive) {
    expect(telltale.evidence.length).toBeGreaterThan(0);
    expect(telltale.sources.some(({ link }) => link !== undefined)).toBe(true);
  }
}

describe('when a synthetic TOM-Skype is scanned', () => {
  for (const encoding of ['ascii', 'utf-16le'] as const) {
    it.each(wrappings)(`finds it %s, texts in ${encoding}`, async (_, name, wrap) => {
      const result = await scanBytes(name, wrap(buildTomSkype({ encoding })));
      expectVariant(result, 'tom');
      expect(result.version).toBe(name === 'setup.exe' || name === 'outer.zip' ? '5.1.4.10' : result.version);
    });
  }

  it('finds it also when its own publisher signed it', async () => {
    const result = await scanBytes('SkypeSetup.exe', publisher.sign(buildTomSkype()), {
      knowledge: withOwnPin,
    });
    expectVariant(result, 'tom');
    expect({ integrity: result.integrity, signer: result.signer }).toEqual({
      integrity: 'intact',
      signer: 'pinned',
    });
  });

  it('finds it under a member name in the path of the evidence', async () => {
    const result = await scanBytes(
      'a.zip',
      inZip('软件/setup.exe', packUpx(buildTomSkype(), { method: 'lzma' })),
    );
    const places = result.telltales.flatMap(({ evidence }) =>
      evidence.map(({ path, region }) => `${path} » ${region ?? ''}`),
    );
    expect(places.some((place) => place.startsWith('a.zip » 软件/setup.exe » [upx] » .data+0x'))).toBe(true);
    expect(result.decidedBy).toBe('a.zip » 软件/setup.exe');
  });
});

describe('when a synthetic GMF-Skype is scanned', () => {
  it.each(wrappings)('finds it %s', async (_, name, wrap) => {
    expectVariant(await scanBytes(name, wrap(buildGmfSkype())), 'gmf');
  });

  it('finds it also when its own publisher signed it', async () => {
    const result = await scanBytes('SkypeSetupFull.exe', publisher.sign(buildGmfSkype()), {
      knowledge: withOwnPin,
    });
    expectVariant(result, 'gmf');
    expect(result.signer).toBe('pinned');
  });

  it('does not say that it watches anybody', async () => {
    const result = await scanBytes('SkypeSetupFull.exe', buildGmfSkype());
    const told = result.notes.map(({ text }) => text).join(' ');
    expect(told).toMatch(/did not find any additional/);
  });
});

describe('when something only looks near', () => {
  const html = (body: string): Uint8Array =>
    new TextEncoder().encode(`<!DOCTYPE html><html><body>${body}</body></html>`);

  it.each([
    [
      'a web page with the TOM script',
      'page.html',
      html('<script src="http://skype.tom.com/script/skypeCheck40.js"></script>'),
    ],
    ['a web page that lists the decisive host', 'page.html', html('skypetools.tom.com/agent/keyfile_u')],
    [
      'a text about the decisive host',
      'notes.txt',
      new TextEncoder().encode('the client asks skypetools.tom.com for /agent/keyfile_u\n'),
    ],
    [
      'a spyware-like program that mentions the package',
      'spy.exe',
      buildPe({
        sections: [
          {
            name: '.data',
            data: toTextSection(['com.skype.raider', 'SkypeControlAPIAttach', 'com.whatsapp']),
          },
        ],
      }),
    ],
    [
      'a program with Proverite and pr china',
      'x.exe',
      buildPe({
        sections: [
          {
            name: '.data',
            data: toTextSection(['Proverite', 'pr china', 'pr-china', '_sqlite3PagerOverwrite']),
          },
        ],
      }),
    ],
    [
      'a program with a longer host name',
      'x.exe',
      buildPe({
        sections: [
          {
            name: '.data',
            data: toTextSection(['http://xskypetools.tom.com/', 'skypetools.tom.com.example.org']),
          },
        ],
      }),
    ],
    [
      'another program with third component 4',
      'x.exe',
      buildPe({ versionInfo: { CompanyName: 'Somebody', FileVersion: '5.1.4.10' }, fileVersion: '5.1.4.10' }),
    ],
  ])('does not call %s a product', async (_, name, bytes) => {
    const result = await scanBytes(name, bytes);
    expect({ verdict: result.verdict, product: result.product }).toEqual({ verdict: 'other', product: null });
  });

  it('keeps an official-looking file with those words official', async () => {
    const program = buildPlainSkype({
      texts: ['Proverite', 'pr china', 'cn.msn.com', 'source=lightinstaller'],
    });
    const result = await scanBytes('SkypeSetup.exe', publisher.sign(program), { knowledge: withOwnPin });
    expect({ verdict: result.verdict, rule: result.rule }).toEqual({ verdict: 'official', rule: 'proved' });
  });

  it('does not take the third component alone for TOM-Skype', async () => {
    const result = await scanBytes('Skype.exe', buildSkypeLike({ version: '5.1.4.98' }));
    expect(result.verdict).toBe('unverified');
    expect(result.telltales.map(({ variant, strength }) => ({ variant, strength }))).toContainEqual({
      variant: 'tom',
      strength: 'strong',
    });
  });

  it('does not look at the second component', async () => {
    const result = await scanBytes('Skype.exe', buildSkypeLike({ version: '8.99.0.403' }));
    expect(result.telltales.filter(({ variant }) => variant === 'gmf')).toEqual([]);
  });
});

describe('when a version block was copied', () => {
  it('cannot verify it without a signature', async () => {
    const result = await scanBytes('Skype.exe', buildPlainSkype());
    expect({ verdict: result.verdict, rule: result.rule }).toEqual({
      verdict: 'unverified',
      rule: 'unproved',
    });
  });

  it('calls it an impostor under a foreign signature', async () => {
    const stranger = createDemoPublisher('Somebody Else');
    const result = await scanBytes('Skype.exe', stranger.sign(buildPlainSkype()));
    expect({ verdict: result.verdict, rule: result.rule }).toEqual({
      verdict: 'impostor',
      rule: 'foreign-signer',
    });
  });

  it.each(['Skype Software Sarl', 'Skype Technologies SA'])(
    'calls it an impostor under a home-made certificate named %s',
    async (name) => {
      const result = await scanBytes('Skype.exe', createDemoPublisher(name).sign(buildPlainSkype()));
      expect({ verdict: result.verdict, rule: result.rule, signer: result.signer }).toEqual({
        verdict: 'impostor',
        rule: 'forged-signer',
        signer: 'claimed',
      });
    },
  );
});

describe('when a signed program was changed', () => {
  const signed = publisher.sign(buildPlainSkype());

  it('is official as it was', async () => {
    const result = await scanBytes('SkypeSetup.exe', signed, { knowledge: withOwnPin });
    expect(result).toMatchObject({
      verdict: 'official',
      integrity: 'intact',
      signer: 'pinned',
      complete: true,
    });
  });

  it('is modified with one byte changed', async () => {
    const changed = Uint8Array.from(signed);
    changed[0x400] = (changed[0x400] ?? 0) ^ 1;
    const result = await scanBytes('SkypeSetup.exe', changed, { knowledge: withOwnPin });
    expect(result).toMatchObject({ verdict: 'modified', rule: 'seal-broken', integrity: 'modified' });
  });

  it('is damaged with the end cut off', async () => {
    const result = await scanBytes('SkypeSetup.exe', signed.subarray(0, signed.length - 500), {
      knowledge: withOwnPin,
    });
    expect(result).toMatchObject({ verdict: 'damaged', rule: 'bytes-missing', complete: false });
  });

  it('does not clear the program that carries it', async () => {
    const dropper = buildPe({ resources: [{ type: 10, name: 1, data: signed }] });
    const result = await scanBytes('free-calls.exe', dropper, { knowledge: withOwnPin });
    expect(result).toMatchObject({ verdict: 'unverified', rule: 'carries-product' });
    expect(result.tree?.members.map(({ verdict }) => verdict)).toEqual(['official']);
  });

  it('makes a ZIP official that holds nothing graver', async () => {
    const result = await scanBytes('SkypeSetup.zip', inZip('SkypeSetup.exe', signed), {
      knowledge: withOwnPin,
    });
    expect(result).toMatchObject({
      verdict: 'official',
      rule: 'gravest-member',
      decidedBy: 'SkypeSetup.zip » SkypeSetup.exe',
    });
  });
});

describe('when the texts stand in a program that says nothing else', () => {
  it('still names the edition', async () => {
    const program = buildPe({ sections: [{ name: '.data', data: toTextSection(tomTexts) }] });
    expectVariant(await scanBytes('x.exe', program), 'tom');
  });

  it('names the version block it does not have', async () => {
    const result = await scanBytes(
      'x.exe',
      buildPe({ versionInfo: { ...skypeVersionInfo('4.2.0.187'), FileVersion: '' } }),
    );
    expect(result.verdict).toBe('unverified');
  });
});
