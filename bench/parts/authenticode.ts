import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Agreement, comparePairs } from '../agreement/agreement.ts';
import { fileLine, readVerifiedFiles } from '../agreement/peer-finds.ts';
import { type Command, measureAlternately, runMeasured } from '../measure/measured-run.ts';
import { root } from '../root.ts';
import { measureBytes } from '../inputs/recipe.ts';
import type { Inputs } from '../inputs/index.ts';
import { ownRoot } from '../inputs/signed.ts';
import { showCommand, withAgreement } from './measured-scan.ts';
import { type Part, toReportingScan, toScan } from './part.ts';

/** Real signed programs beside the checkout, where they are there. */
const corpus = join(root, '../shared/corpus');

const reportSchema = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      authenticity: z
        .object({
          signatures: z.array(
            z.object({ signedDigest: z.string().nullable(), actualDigest: z.string().nullable() }),
          ),
        })
        .nullable(),
    }),
  ),
});

export function createAuthenticodePart({ signed }: Inputs): Part {
  return {
    id: 'authenticode',
    title: 'Signatures of a folder of Windows programs',
    needs: [signed],
    tools: [{ program: 'osslsigncode', debianPackage: 'osslsigncode' }],
    rounds: 5,
    run(context) {
      const folder = context.folderOf(signed);
      const files = listSigned(folder);
      const rules: readonly string[] = [];
      const authority = join(folder, ownRoot);
      const oneByOne = toVerifying('osslsigncode', authority, files, 1);
      const twoByTwo = toVerifying('osslsigncode-2', authority, files, 2);
      const report = runMeasured(toReportingScan(context, rules, files), context.work).stdoutPath;
      const verified = runMeasured(oneByOne, context.work).stdoutPath;
      const agreement = compareSignatures(readFileSync(report, 'utf8'), readFileSync(verified, 'utf8'));
      const scan = toScan(context, rules, files);
      const commands = agreement.kind === 'agreed' ? [scan, oneByOne, twoByTwo] : [scan];
      const measured = measureAlternately(commands, () => context.rounds, context.work);
      context.tell('bench: authenticode measured');
      return {
        comparisons: [
          {
            id: 'authenticode',
            part: 'authenticode',
            title: 'folder of signed Windows programs',
            bytes: files.reduce((sum, file) => sum + measureBytes(file), 0),
            files: files.length,
            subjects: [
              {
                name: 'telltale',
                command: showCommand(context, toScan(context, rules, ['FOLDER'])),
                rounds: [...(measured[0] ?? [])],
              },
              {
                name: 'osslsigncode',
                command: 'osslsigncode verify, a process for each file, one after the other',
                rounds: [...(measured[1] ?? [])],
                ...withAgreement(agreement),
              },
              {
                name: 'osslsigncode-2',
                command: 'the same by xargs -P 2, two processes at once',
                rounds: [...(measured[2] ?? [])],
                ...withAgreement(agreement),
              },
            ],
            targets: [{ against: 'osslsigncode', atMost: 0.2 }],
            notes: [],
          },
        ],
        curves: [],
      };
    },
  };
}

/** Programs of the input, and of the corpus where it is there. */
function listSigned(folder: string): readonly string[] {
  const own = ['published', 'own'].flatMap((name) =>
    readdirSync(join(folder, name)).map((file) => join(folder, name, file)),
  );
  const real = existsSync(corpus)
    ? readdirSync(corpus, { recursive: true, encoding: 'utf8' })
        .filter((name) => /windows-stub.*\.exe$/i.test(name) && !name.includes('edited'))
        .map((name) => join(corpus, name))
    : [];
  return [...own, ...real].sort();
}

function toVerifying(name: string, authority: string, files: readonly string[], atOnce: number): Command {
  // A signature that does not hold is no failure of the run; what is printed of it is compared.
  const verify = `${fileLine}; osslsigncode verify -CAfile "$root" -in "$file" || true`;
  const script =
    atOnce === 1
      ? `root=$1; shift; for file; do ${verify}; done`
      : `root=$1; export root; shift; printf '%s\\0' "$@" | xargs -0 -n 1 -P ${atOnce} sh -c 'file=$1; osslsigncode verify -CAfile "$root" -in "$file" || true' verify`;
  return { name, argv: ['sh', '-c', script, 'verify', authority, ...files], goodExits: [0] };
}

/** Whether both read the same digest from each signature and calculate the same for each file. */
export function compareSignatures(report: string, verified: string): Agreement {
  const own = reportSchema.parse(JSON.parse(report)).files.flatMap(({ path, authenticity }) => {
    const first = authenticity?.signatures[0];
    return first === undefined ? [] : [toPair(path, first.signedDigest ?? '', first.actualDigest ?? '')];
  });
  const peer = readVerifiedFiles(verified)
    .filter(({ signed }) => signed !== '')
    .map(({ path, signed, actual }) => toPair(path, signed, actual));
  return comparePairs(own, peer, [], 'signed and calculated digest of each file');
}

function toPair(path: string, signed: string, actual: string): { digest: string; indicator: string } {
  return { digest: path, indicator: `signed ${signed}, calculated ${actual}` };
}
