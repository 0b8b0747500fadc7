import { describe, expect, it } from 'vitest';
import { buildInno, type InnoBuildOptions } from '../../../fixtures/inno/inno-builder.ts';
import { payload } from '../../../fixtures/inno/payload.ts';
import { TelltaleError } from '../../../src/bytes/errors.ts';
import { mutate } from '../../mutation.ts';
import { openInstaller, type OpenedInstaller, toContents } from './pouring.ts';

const longestMilliseconds = 2000;

/** Everything that a person would be told of. */
function countFaults({ findings, files, parts, thrown }: OpenedInstaller): number {
  const inFiles = files.filter(({ finding }) => finding !== undefined).length;
  const inParts = parts.filter(({ fault }) => fault !== undefined).length;
  return findings.length + inFiles + inParts + (thrown === undefined ? 0 : 1);
}

const seeds: readonly (readonly [string, InnoBuildOptions, number])[] = [
  [
    '6.4.0.1, LZMA, solid',
    {
      version: '6.4.0.1',
      unicode: true,
      compression: 'lzma',
      solid: true,
      files: [
        {
          destination: '{app}\\Skype.exe',
          content: payload.smallProgram.subarray(0, 1500),
          filtersCalls: true,
        },
        { destination: '{app}\\words.txt', content: payload.words },
      ],
    },
    41,
  ],
  [
    '2.0.8, zlib',
    {
      version: '2.0.8',
      compression: 'zlib',
      files: [
        { destination: '{app}\\Skype.exe', content: payload.smallProgram.subarray(0, 1500) },
        { destination: '{app}\\words.txt', content: payload.words },
      ],
      program: payload.readme,
    },
    42,
  ],
];

describe('when a good installer is damaged at random', () => {
  it.each(seeds)(
    'survives 2,000 mutants of %s, and is never silently wrong',
    async (_name, options, seed) => {
      const { installer } = buildInno(options);
      const good = await openInstaller(installer);
      expect(countFaults(good)).toBe(0);
      let faulty = 0;
      for (const { bytes, description } of mutateBehind(installer, 2000, seed)) {
        const started = performance.now();
        let opened: OpenedInstaller;
        try {
          opened = await openInstaller(bytes, { limits: { bytesProduced: 1 << 26 } });
        } catch (error) {
          if (error instanceof TelltaleError && !isInnoBehind(bytes)) continue;
          throw new Error(`mutant ${description}`, { cause: error });
        }
        expect(performance.now() - started, description).toBeLessThan(longestMilliseconds);
        if (countFaults(opened) > 0) {
          faulty += 1;
          continue;
        }
        // Without a word of complaint, everything has to be there as it was; or it is no installer any more.
        if (opened.setup !== undefined)
          expect(toContents(opened.files), description).toEqual(toContents(good.files));
      }
      expect(faulty).toBeGreaterThan(1000);
    },
    60_000,
  );
});

/** The headers of the program are for others to damage: here half of the damage goes where Inno Setup's data begins. */
function* mutateBehind(installer: Uint8Array, count: number, seed: number): ReturnType<typeof mutate> {
  const start = Buffer.from(installer).indexOf('zlb\x1a', 0, 'latin1');
  const front = installer.subarray(0, start);
  for (const { bytes, description } of mutate(installer.subarray(start), count, seed)) {
    yield { bytes: Uint8Array.from([...front, ...bytes]), description };
  }
}

function isInnoBehind(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).includes('Inno Setup Setup Data');
}
