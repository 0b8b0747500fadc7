import { join } from 'node:path';
import { oneInstaller } from '../inputs/folders.ts';
import type { Inputs } from '../inputs/index.ts';
import { measureBytes } from '../inputs/recipe.ts';
import { type Command, measureAlternately } from '../measure/measured-run.ts';
import { toMedian } from '../measure/statistics.ts';
import type { Comparison } from '../report/results.ts';
import { showCommand } from './measured-scan.ts';
import { type Part, toScan } from './part.ts';

/** Cold start: a process of its own each time, files in the page cache. */
export function createStartupPart({ installerFolder }: Inputs): Part {
  return {
    id: 'startup',
    title: 'Cold start',
    needs: [installerFolder],
    tools: [],
    rounds: 15,
    run(context) {
      const installer = join(context.folderOf(installerFolder), oneInstaller);
      const version: Command = { name: 'version', argv: [...context.telltale, '--version'], goodExits: [0] };
      const scan = toScan(context, [], [installer], 'scan');
      const node: Command = { name: 'node', argv: [process.execPath, '-e', '0'], goodExits: [0] };
      const [versions = [], scans = [], nodes = []] = measureAlternately(
        [version, scan, node],
        () => context.rounds,
        context.work,
      );
      context.tell('bench: startup measured');
      const nodeSubject = {
        name: 'node',
        command: 'node -e 0',
        rounds: [...nodes],
        agreement: { kind: 'none', reason: 'it scans nothing' } as const,
      };
      const limit = 0.35;
      const nodeSeconds = toMedian(nodes.map(({ wallSeconds }) => wallSeconds));
      const comparisons: Comparison[] = [
        {
          id: 'startup-version',
          part: 'startup',
          title: 'telltale --version',
          bytes: 0,
          files: 0,
          subjects: [
            { name: 'telltale', command: showCommand(context, version), rounds: [...versions] },
            nodeSubject,
          ],
          targets: [{ against: 'node', atMost: 1.6 }],
          notes: [],
        },
        {
          id: 'startup-installer',
          part: 'startup',
          title: 'one installer of about 1 MB, the database that ships',
          bytes: measureBytes(installer),
          files: 1,
          subjects: [
            { name: 'telltale', command: showCommand(context, scan), rounds: [...scans] },
            nodeSubject,
          ],
          // Whichever of the two is easier on this machine.
          targets: [
            {
              against: 'node',
              atMost: Math.max(3, limit / nodeSeconds),
              text: `at most ${limit} s, or 3 times as long`,
            },
          ],
          notes: [],
        },
      ];
      return { comparisons, curves: [] };
    },
  };
}
