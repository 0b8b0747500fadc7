import type { Inputs } from '../inputs/index.ts';
import { createAuthenticodePart } from './authenticode.ts';
import { createContainerParts } from './containers.ts';
import { createInstallerFolderPart, createSmallFolderPart } from './folders.ts';
import { createGrowthParts } from './growth.ts';
import { createMatchingPart } from './matching.ts';
import type { Part } from './part.ts';
import { createStartupPart } from './startup.ts';

/** Everything that is measured, in the order in which it is. */
export function createParts(inputs: Inputs): readonly Part[] {
  return [
    createStartupPart(inputs),
    ...createContainerParts(inputs),
    createAuthenticodePart(inputs),
    createMatchingPart(inputs),
    createSmallFolderPart(inputs),
    createInstallerFolderPart(inputs),
    ...createGrowthParts(inputs),
  ];
}
