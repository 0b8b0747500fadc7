import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildXmlPlist, type PlistRecipe } from '../../fixtures/plist-builder.ts';
import {
  checkSeal,
  type SealCheck,
  type SealedFile,
  type SealOptions,
} from '../../src/authenticity/apple-bundle-seal.ts';
import { Budget } from '../../src/bytes/budget.ts';
import { TelltaleError } from '../../src/bytes/errors.ts';
import { parsePlist } from '../../src/formats/plist.ts';

function digest(algorithm: 'sha1' | 'sha256', text: string): Buffer {
  return createHash(algorithm).update(text).digest();
}

function toFile(text: string): SealedFile {
  return { sha1: digest('sha1', text).toString('hex'), sha256: digest('sha256', text).toString('hex') };
}

function toListed(text: string): { hash: Buffer; hash2: Buffer } {
  return { hash: digest('sha1', text), hash2: digest('sha256', text) };
}

const cdHash = Buffer.alloc(20, 0xab);

/** As Apple's codesign writes them: technote 2206, `--resource-rules` of version 2. */
const rules2 = {
  '.*\\.dSYM($|/)': { weight: 11 },
  '^(.*/)?\\.DS_Store$': { omit: true, weight: 2000 },
  '^(Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|Library/(Automator|Spotlight|LoginItems))/':
    {
      nested: true,
      weight: 10,
    },
  '^.*': true,
  '^Info\\.plist$': { omit: true, weight: 20 },
  '^PkgInfo$': { omit: true, weight: 20 },
  '^Resources/': { weight: 20 },
  '^Resources/.*\\.lproj/': { optional: true, weight: 1000 },
  '^Resources/.*\\.lproj/locversion.plist$': { omit: true, weight: 1100 },
};

const seal = {
  files: { 'Resources/app.asar': digest('sha1', 'asar') },
  files2: {
    'Resources/app.asar': toListed('asar'),
    'Resources/de.lproj/a.strings': { ...toListed('strings'), optional: true },
    'Resources/link': { symlink: 'app.asar' },
    'Frameworks/A.framework': { cdhash: cdHash, requirement: 'anchor apple' },
  },
  rules: { '^Resources/': true },
  rules2,
};

const files: ReadonlyMap<string, SealedFile> = new Map([
  ['Info.plist', toFile('info')],
  ['PkgInfo', toFile('APPL')],
  ['MacOS/Skype', toFile('program')],
  ['_CodeSignature/CodeResources', toFile('seal')],
  ['Resources/app.asar', toFile('asar')],
  ['Resources/de.lproj/a.strings', toFile('strings')],
  ['Resources/.DS_Store', toFile('finder')],
  ['Resources/link', { link: 'app.asar' }],
  ['Frameworks/A.framework/Versions/A/A', toFile('nested')],
]);

function check(
  changes: Readonly<Record<string, SealedFile | undefined>> = {},
  recipe: PlistRecipe = seal,
  options: Partial<SealOptions> = {},
): SealCheck {
  const entries = new Map(files);
  for (const [path, file] of Object.entries(changes)) {
    if (file === undefined) entries.delete(path);
    else entries.set(path, file);
  }
  const budget = new Budget(1 << 20);
  return checkSeal(parsePlist(buildXmlPlist(recipe), budget), entries, {
    executable: 'MacOS/Skype',
    nestedCdHashes: new Map([['Frameworks/A.framework', [cdHash.toString('hex')]]]),
    budget,
    ...options,
  });
}

describe('when a bundle is as it was sealed', () => {
  it('holds', () => {
    expect(check()).toEqual({
      version: 2,
      state: 'holds',
      altered: [],
      missing: [],
      added: [],
      unchecked: [],
      nested: [
        { path: 'Frameworks/A.framework', cdHash: cdHash.toString('hex'), requirement: 'anchor apple' },
      ],
      exchanged: [],
      filesHeld: 4,
      weak: false,
    });
  });

  it('holds without files that may be missing', () => {
    expect(check({ 'Resources/de.lproj/a.strings': undefined }).state).toBe('holds');
  });

  it('is unproved where there is nothing to compare', () => {
    const result = check({ 'Resources/app.asar': {} }, seal, { nestedCdHashes: new Map() });
    expect(result).toMatchObject({
      state: 'unproved',
      unchecked: ['Resources/app.asar', 'Frameworks/A.framework'],
    });
  });

  it('says when SHA-1 is all that there is', () => {
    const { sha1 } = toFile('asar');
    expect(check({ 'Resources/app.asar': { sha1 } })).toMatchObject({ state: 'holds', weak: true });
  });
});

describe('when a bundle was changed', () => {
  it('names what was altered', () => {
    expect(check({ 'Resources/app.asar': toFile('other') })).toMatchObject({
      state: 'broken',
      altered: ['Resources/app.asar'],
    });
    expect(check({ 'Resources/link': { link: '/etc/passwd' } }).altered).toEqual(['Resources/link']);
    expect(check({ 'Resources/link': toFile('asar') }).altered).toEqual(['Resources/link']);
    expect(check({ 'Resources/app.asar': { link: '/tmp/asar' } }).altered).toEqual(['Resources/app.asar']);
  });

  it('is not content with the right SHA-1 alone', () => {
    const forged = { sha1: toFile('asar').sha1, sha256: toFile('collision').sha256 };
    expect(check({ 'Resources/app.asar': forged }).altered).toEqual(['Resources/app.asar']);
  });

  it('names what is missing and what was added', () => {
    expect(check({ 'Resources/app.asar': undefined })).toMatchObject({
      state: 'broken',
      missing: ['Resources/app.asar'],
    });
    expect(check({ 'Resources/extra.js': toFile('x'), 'MacOS/second': toFile('y') })).toMatchObject({
      state: 'broken',
      added: ['Resources/extra.js', 'MacOS/second'],
    });
    expect(check({ 'Frameworks/A.framework/Versions/A/A': undefined }).missing).toEqual([
      'Frameworks/A.framework',
    ]);
  });

  it('names nested code of another build', () => {
    const nestedCdHashes = new Map([['Frameworks/A.framework', ['00'.repeat(20)]]]);
    expect(check({}, seal, { nestedCdHashes })).toMatchObject({
      state: 'broken',
      exchanged: ['Frameworks/A.framework'],
    });
  });
});

describe('when the seal is old', () => {
  const first = { files: seal.files, rules: seal.rules };

  it('reads version 1, which is weak and covers resources only', () => {
    const changes = {
      'Resources/de.lproj/a.strings': undefined,
      'Resources/link': undefined,
      'Resources/.DS_Store': undefined,
    };
    expect(check(changes, first)).toMatchObject({ version: 1, state: 'holds', weak: true });
    expect(check({ ...changes, 'Resources/app.asar': toFile('other') }, first).altered).toEqual([
      'Resources/app.asar',
    ]);
  });
});

describe('when the seal is hostile', () => {
  it('refuses one that lists nothing, has too many rules, or patterns that are none', () => {
    expect(() => check({}, { rules2 })).toThrow(TelltaleError);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`^${index}`, true]));
    expect(() => check({}, { files2: {}, rules2: many })).toThrow(/more than 256 rules/);
    expect(() => check({}, { files2: {}, rules2: { '(': true } })).toThrow(TelltaleError);
  });

  it('is not held up by a pattern that takes other engines forever', () => {
    const started = performance.now();
    const result = check(
      { [`Resources/${'a'.repeat(2000)}`]: toFile('x') },
      { files2: {}, rules2: { '^(.*a)*(.*a)*$x': true } },
    );
    expect(result.added).toEqual([]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('takes an entry that says nothing for altered', () => {
    expect(check({}, { files2: { 'Resources/app.asar': { optional: true } }, rules2 }).altered).toEqual([
      'Resources/app.asar',
    ]);
  });

  it('does not let a rule hide the seal of a file that is listed twice', () => {
    const text = Buffer.from(buildXmlPlist(seal))
      .toString()
      .replace('<key>Resources/link</key>', '<key>Resources/app.asar</key>');
    const budget = new Budget(1 << 20);
    const result = checkSeal(parsePlist(Buffer.from(text), budget), files, { budget });
    expect(result.altered).toContain('Resources/app.asar');
  });
});
