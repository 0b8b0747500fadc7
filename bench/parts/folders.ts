import type { Inputs } from '../inputs/index.ts';
import { measureBytes, listFiles } from '../inputs/recipe.ts';
import { measureAlternately } from '../measure/measured-run.ts';
import type { Comparison } from '../report/results.ts';
import { toChainTools, type Unpacking } from './chain.ts';
import { clamscanTool } from './clamscan.ts';
import { measureScan, showCommand, toChainPeer, toClamscanPeer } from './measured-scan.ts';
import { type Part, type PartContext, toScan } from './part.ts';

const chainAtMost = 0.5;
const clamscanAtMost = 0.2;

export function createSmallFolderPart({ databases, smallFolder }: Inputs): Part {
  const { title } = smallFolder;
  return {
    id: 'folder-small',
    title,
    needs: [databases, smallFolder],
    tools: [...toChainTools('nothing'), clamscanTool],
    rounds: 3,
    run: (context) => ({
      comparisons: [measureFolder(context, 'folder-small', title, context.folderOf(smallFolder), 'nothing')],
      curves: [],
    }),
  };
}

export function createInstallerFolderPart({ databases, installerFolder }: Inputs): Part {
  const { title } = installerFolder;
  return {
    id: 'folder-installers',
    title,
    needs: [databases, installerFolder],
    tools: toChainTools('each-by-its-kind'),
    rounds: 2,
    run(context) {
      const folder = context.folderOf(installerFolder);
      return {
        comparisons: [
          measureFolder(context, 'folder-installers', title, folder, 'each-by-its-kind'),
          measureWorkers(context, title, folder),
        ],
        curves: [],
      };
    },
  };
}

function measureFolder(
  context: PartContext,
  id: string,
  title: string,
  input: string,
  unpacking: Unpacking,
): Comparison {
  const rules = context.exports.everything();
  const isForClamscan = unpacking === 'nothing';
  return measureScan(
    context,
    { id, part: id, title, input },
    rules,
    [
      toChainPeer(unpacking, input, rules, context),
      ...(isForClamscan ? [toClamscanPeer(input, rules, context)] : []),
    ],
    [
      { against: 'chain', atMost: chainAtMost },
      ...(isForClamscan ? [{ against: 'clamscan', atMost: clamscanAtMost }] : []),
    ],
  );
}

/** Two workers against one: what the second processor is worth. */
function measureWorkers(context: PartContext, title: string, input: string): Comparison {
  const { options } = context.exports.everything();
  const two = toScan(context, [...options, '--jobs', '2'], [input], 'workers-2');
  const one = toScan(context, [...options, '--jobs', '1'], [input], 'workers-1');
  const [withTwo = [], withOne = []] = measureAlternately([two, one], () => context.rounds, context.work);
  context.tell('bench: workers measured');
  return {
    id: 'workers',
    part: 'folder-installers',
    title: `${title}: two workers against one`,
    bytes: measureBytes(input),
    files: listFiles(input).length,
    subjects: [
      { name: 'telltale', command: showCommand(context, two), rounds: [...withTwo] },
      {
        name: 'one worker',
        command: showCommand(context, one),
        rounds: [...withOne],
        agreement: { kind: 'none', reason: 'the same program' },
      },
    ],
    targets: [{ against: 'one worker', atMost: 1 / 1.8, text: 'at least 1.8 times as fast' }],
    notes: [],
  };
}
