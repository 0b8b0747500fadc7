import { describe, expect, it } from 'vitest';
import { type Case, decide, decisionTable } from '../../src/verdict/judge.ts';
import type { VerdictName } from '../../src/verdict/model.ts';

/** A program that claims nothing. */
const nothing: Case = {
  nature: 'acting',
  claim: 'none',
  fake: false,
  otherEdition: false,
  unrelated: false,
  knownBuild: 'none',
  knownByWeakDigest: false,
  integrity: 'unsigned',
  signer: 'none',
  bearsPinnedCertificate: false,
  sealBroken: false,
  bytesMissing: false,
  gravestMember: 'other',
};

const official: Partial<Case> = {
  claim: 'asserts',
  integrity: 'intact',
  signer: 'pinned',
  bearsPinnedCertificate: true,
};

const examples: readonly (readonly [string, Partial<Case>, string, VerdictName])[] = [
  ['a documented fake', { fake: true }, 'known-fake', 'impostor'],
  ['a documented fake with a pinned signature', { ...official, fake: true }, 'known-fake', 'impostor'],
  ['telltales of another edition', { claim: 'asserts', otherEdition: true }, 'another-edition', 'variant'],
  [
    'another edition, signed by the publisher',
    { ...official, otherEdition: true },
    'another-edition',
    'variant',
  ],
  ['a known build of another edition', { knownBuild: 'other-edition' }, 'another-edition-known', 'variant'],
  ['a known file that borrows the name', { unrelated: true, claim: 'resembles' }, 'unrelated-file', 'other'],
  ['a known build', { knownBuild: 'official' }, 'known-build', 'official'],
  [
    'a known build by md5',
    { knownBuild: 'official', knownByWeakDigest: true },
    'known-build-weak-digest',
    'official',
  ],
  [
    "the publisher's name without its certificate",
    { claim: 'asserts', integrity: 'intact', signer: 'claimed' },
    'forged-signer',
    'impostor',
  ],
  [
    'a forged name over changed bytes',
    { claim: 'asserts', integrity: 'modified', signer: 'claimed' },
    'forged-signer',
    'impostor',
  ],
  [
    'a genuine certificate over changed bytes',
    { ...official, integrity: 'modified', signer: 'claimed' },
    'seal-broken',
    'modified',
  ],
  [
    'a broken seal of somebody else',
    { claim: 'asserts', integrity: 'modified', signer: 'other' },
    'seal-broken',
    'modified',
  ],
  [
    'a broken seal of the package itself',
    { claim: 'asserts', integrity: undefined, sealBroken: true },
    'seal-broken',
    'modified',
  ],
  ['missing bytes', { claim: 'asserts', integrity: 'damaged' }, 'bytes-missing', 'damaged'],
  [
    'a signature that is gone',
    { claim: 'asserts', integrity: 'signature-removed' },
    'bytes-missing',
    'damaged',
  ],
  [
    'a cut-off package',
    { claim: 'asserts', integrity: undefined, bytesMissing: true },
    'bytes-missing',
    'damaged',
  ],
  ['intact and pinned', official, 'proved', 'official'],
  ['intact and pinned, without a version block', { ...official, claim: 'resembles' }, 'proved', 'official'],
  [
    'intact and pinned, with an unknown thing inside',
    { ...official, gravestMember: 'unverified' },
    'proved',
    'official',
  ],
  [
    'the version block under a foreign signature',
    { claim: 'asserts', integrity: 'intact', signer: 'other' },
    'foreign-signer',
    'impostor',
  ],
  [
    'a look-alike under a foreign signature',
    { claim: 'resembles', integrity: 'intact', signer: 'other' },
    'unproved',
    'unverified',
  ],
  [
    'a transport with an edition inside',
    { nature: 'transport', claim: 'contains', gravestMember: 'variant' },
    'gravest-member',
    'variant',
  ],
  [
    'a transport with an official build inside',
    { nature: 'transport', claim: 'contains', gravestMember: 'official' },
    'gravest-member',
    'official',
  ],
  [
    'a cut-off transport with an impostor inside',
    { nature: 'transport', claim: 'contains', bytesMissing: true, gravestMember: 'impostor' },
    'gravest-member',
    'impostor',
  ],
  [
    'a cut-off transport with an official build inside',
    { nature: 'transport', claim: 'contains', bytesMissing: true, gravestMember: 'official' },
    'bytes-missing',
    'damaged',
  ],
  [
    'a transport with an edition and an impostor',
    { nature: 'transport', claim: 'contains', otherEdition: true, gravestMember: 'impostor' },
    'gravest-member',
    'impostor',
  ],
  [
    'a known disk image with an unsigned member',
    { nature: 'transport', claim: 'contains', knownBuild: 'official', gravestMember: 'unverified' },
    'known-build',
    'official',
  ],
  [
    'a program that carries a modified file',
    { claim: 'contains', gravestMember: 'modified' },
    'carries-worse',
    'modified',
  ],
  [
    'a program that carries a genuine file as cover',
    { claim: 'contains', gravestMember: 'official' },
    'carries-product',
    'unverified',
  ],
  [
    'a foreign signed program with a genuine file as cover',
    { claim: 'contains', integrity: 'intact', signer: 'other', gravestMember: 'official' },
    'carries-product',
    'unverified',
  ],
  ['a copied version block without signature', { claim: 'asserts' }, 'unproved', 'unverified'],
  ['an unsigned component', { claim: 'resembles' }, 'unproved', 'unverified'],
  ['anything else', {}, 'no-claim', 'other'],
  ['a foreign program with a broken seal', { integrity: 'modified', signer: 'other' }, 'no-claim', 'other'],
  ['a damaged foreign file', { integrity: 'damaged', bytesMissing: true }, 'no-claim', 'other'],
];

describe('when the decision table is asked', () => {
  it.each(examples)('%s', (_, given, rule, verdict) => {
    const decision = decide({ ...nothing, ...given });
    expect({ rule: decision.row.id, verdict: decision.verdict }).toEqual({ rule, verdict });
  });

  it('has an example for every row', () => {
    const shown = new Set(examples.map(([, , rule]) => rule));
    expect(decisionTable.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
  });

  it('never calls anything official that is neither known nor proved', () => {
    const states: Case[] = [nothing];
    const spread = <Key extends keyof Case>(key: Key, values: readonly Case[Key][]): void => {
      states.push(...states.flatMap((state) => values.map((value): Case => ({ ...state, [key]: value }))));
    };
    spread('claim', ['asserts', 'resembles', 'contains']);
    spread('integrity', ['intact', 'modified', 'damaged', 'signature-removed', undefined]);
    spread('signer', ['claimed', 'other', 'pinned']);
    spread('bytesMissing', [true]);
    spread('gravestMember', ['impostor', 'variant', 'official', 'unverified']);
    const wrong = states.filter(
      (state) =>
        decide(state).verdict === 'official' && !(state.integrity === 'intact' && state.signer === 'pinned'),
    );
    expect(states.length).toBeGreaterThan(500);
    expect(wrong).toEqual([]);
  });
});
