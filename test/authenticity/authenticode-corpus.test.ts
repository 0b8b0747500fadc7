import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Authenticity } from '../../src/authenticity/model.ts';
import { openFile } from '../../src/platform/files.ts';
import { corpus } from '../corpus.ts';
import { noPins, skypePins } from './pins.ts';
import { verifySource } from './verify-bytes.ts';

const hasTool = spawnSync('osslsigncode', ['--version']).status === 0;
if (!hasTool)
  console.warn('SKIPPED: digests of real files against osslsigncode, because it is not installed');

interface CorpusFile {
  readonly name: string;
  readonly leaf: string;
  readonly isSkype: boolean;
  /** Time of the primary signature's stamp, to the second. */
  readonly time: string;
}

const signedFiles: readonly CorpusFile[] = !corpus.available
  ? []
  : readFileSync(corpus.path('files.tsv'), 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'))
      .filter((cells) => cells[8] === 'yes')
      .map((cells) => ({
        name: `${cells[0]}/${cells[1]}`,
        leaf: cells[7] ?? '',
        isSkype: /CN=Skype/.test(cells[6] ?? ''),
        time: `${/ts=(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/
          .exec(cells[14] ?? '')
          ?.slice(1)
          .join('T')}`,
      }));

function verifyFile(name: string): Authenticity {
  const file = openFile(corpus.path(name));
  try {
    return verifySource(file, skypePins);
  } finally {
    file.close();
  }
}

describe.skipIf(!corpus.available)('when the file is a real one', () => {
  it('has the signed files that the list names', () => {
    expect(signedFiles.length).toBeGreaterThanOrEqual(9);
  });

  it.each(signedFiles)('$name is intact, with its signer and its time', ({ name, leaf, isSkype, time }) => {
    const authenticity = verifyFile(name);
    expect(authenticity.integrity).toBe('intact');
    expect(authenticity.signer).toBe(isSkype ? 'pinned' : 'other');
    const [primary] = authenticity.signatures;
    expect(primary?.signer?.sha1).toBe(leaf);
    expect(primary?.signingTime?.slice(0, 19)).toBe(time);
    expect(primary?.expiredAtSigning).toBe(false);
    for (const signature of authenticity.signatures) {
      expect(signature.outcome).toBe('holds');
      expect(signature.chain.length).toBeGreaterThanOrEqual(2);
      expect(signature.timestamps.map(({ verified, problem }) => ({ verified, problem }))).toEqual([
        { verified: true, problem: undefined },
      ]);
      expect(signature.pin?.publisher).toBe(isSkype ? 'skype' : undefined);
    }
    if (isSkype)
      expect(primary?.pin).toMatchObject({ kind: 'leaf', algorithm: 'sha1', weak: true, timeProved: true });
  });

  it.skipIf(!hasTool).each(signedFiles)('$name has the digests that osslsigncode prints', ({ name }) => {
    const { stdout } = spawnSync('osslsigncode', ['verify', '-in', corpus.path(name)], { encoding: 'utf8' });
    const read = (label: string): string[] =>
      [...stdout.matchAll(new RegExp(`${label} message digest\\s*: ([0-9A-F]+)`, 'g'))].map((found) =>
        (found[1] ?? '').toLowerCase(),
      );
    const { signatures } = verifyFile(name);
    expect(signatures.map(({ signedDigest }) => signedDigest)).toEqual(read('Current'));
    expect(signatures.map(({ actualDigest }) => actualDigest)).toEqual(read('Calculated'));
  });

  it('finds the signature block of the edited installer at its own place', () => {
    const authenticity = verifyFile('windows-stub-6.3.0.105-edited/SkypeSetup.exe');
    expect(authenticity.integrity).toBe('damaged');
    expect(authenticity.foundElsewhere).toEqual({ offset: 1331712 - 1074 });
    expect(authenticity.signer).toBe('claimed');
    const [signature] = authenticity.signatures;
    expect(signature).toMatchObject({
      digestMatches: false,
      signatureVerifies: true,
      signedDigest: 'a551e3ad9066d4c5799cbef4f223a669acd01071',
      pin: { publisher: 'skype' },
    });
    expect(authenticity.integrityDetail).toContain('a551e3ad9066d4c5799cbef4f223a669acd01071');
  });

  it('says unsigned where the headers name no table', () => {
    expect(verifyFile('windows-unsigned-media-dll-7.41/VideoN.dll')).toMatchObject({
      integrity: 'unsigned',
      signer: 'none',
    });
    expect(verifyFile('not-skype-ps2exe-wrapper/Skype.exe')).toMatchObject({
      integrity: 'unsigned',
      signer: 'none',
    });
  });

  it('names nobody without pins', () => {
    const file = openFile(corpus.path('windows-stub-7.40.66.104/SkypeSetup.exe'));
    const authenticity = verifySource(file, noPins);
    file.close();
    expect(authenticity).toMatchObject({ integrity: 'intact', signer: 'other', weakDigestOnly: false });
    expect(authenticity.signatures[0]).toMatchObject({
      programName: 'Skype',
      url: 'http://www.microsoft.com',
    });
  });
});
