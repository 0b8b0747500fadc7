import { join } from 'node:path';
import type { Inputs } from '../inputs/index.ts';
import { measureBytes, type Recipe } from '../inputs/recipe.ts';
import { toChainTools, type Unpacking } from './chain.ts';
import { clamscanMaximumBytes, clamscanTool } from './clamscan.ts';
import { measureScan, toChainPeer, toClamscanPeer } from './measured-scan.ts';
import type { Part } from './part.ts';

interface ContainerPart {
  readonly recipe: Recipe;
  readonly file: string;
  readonly unpacking: Unpacking;
  /** Share of the wall time of the chain. */
  readonly atMost: number;
  /** clamscan does not open it. */
  readonly isClosedToClamscan?: boolean;
  readonly peakBytesAtMost?: number;
}

/** What is packed so that the coder decides, and one stream for all. */
const lzmaSolid = 0.8;
const other = 0.5;

function listContainers(inputs: Inputs): readonly ContainerPart[] {
  return [
    { recipe: inputs.zip, file: 'program.zip', unpacking: '7zz', atMost: other },
    { recipe: inputs.cab, file: 'program.cab', unpacking: '7zz', atMost: other },
    { recipe: inputs.msi, file: 'program.msi', unpacking: '7zz', atMost: other },
    { recipe: inputs.dmg, file: 'App.dmg', unpacking: '7zz', atMost: other },
    { recipe: inputs.program, file: inputs.scale.program.as, unpacking: 'nothing', atMost: other },
    { recipe: inputs.sevenZip, file: 'program.7z', unpacking: '7zz', atMost: lzmaSolid },
    { recipe: inputs.nsis, file: 'setup.exe', unpacking: '7zz', atMost: lzmaSolid },
    {
      recipe: inputs.inno,
      file: 'setup.exe',
      unpacking: 'innoextract',
      atMost: lzmaSolid,
      isClosedToClamscan: true,
    },
    {
      recipe: inputs.deb,
      file: 'app.deb',
      unpacking: '7zz-twice',
      atMost: lzmaSolid,
      isClosedToClamscan: true,
    },
  ];
}

const clamscanAtMost = 0.2;

export function createContainerParts(inputs: Inputs): readonly Part[] {
  return [
    ...listContainers(inputs).map((one) => toPart(inputs, one, 5)),
    {
      ...toPart(
        inputs,
        { recipe: inputs.iso, file: 'disc.iso', unpacking: '7zz', atMost: other, peakBytesAtMost: 300e6 },
        1,
      ),
      isLarge: true,
    },
  ];
}

function toPart(
  { databases, scale }: Inputs,
  { recipe, file, unpacking, atMost, isClosedToClamscan = false, peakBytesAtMost }: ContainerPart,
  rounds: number,
): Part {
  const id = recipe.id.slice(scale.prefix.length);
  return {
    id,
    title: recipe.title,
    needs: [databases, recipe],
    tools: [...toChainTools(unpacking), clamscanTool],
    rounds,
    run(context) {
      const input = join(context.folderOf(recipe), file);
      const rules = context.exports.everything();
      const isForClamscan = !isClosedToClamscan && measureBytes(input) <= clamscanMaximumBytes;
      const comparison = measureScan(
        context,
        { id, part: id, title: recipe.title, input },
        rules,
        [
          toChainPeer(unpacking, input, rules, context),
          ...(isForClamscan ? [toClamscanPeer(input, rules, context)] : []),
        ],
        [
          { against: 'chain', atMost },
          ...(isForClamscan ? [{ against: 'clamscan', atMost: clamscanAtMost }] : []),
        ],
      );
      return {
        comparisons: [
          {
            ...comparison,
            ...(peakBytesAtMost === undefined ? {} : { peakBytesAtMost }),
            notes: [
              ...comparison.notes,
              ...(isClosedToClamscan ? ['clamscan does not open it, and is not compared'] : []),
              ...(isForClamscan || isClosedToClamscan
                ? []
                : ['clamscan reads no file of more than 2 GB, and is not compared']),
            ],
          },
        ],
        curves: [],
      };
    },
  };
}
