import * as containers from './containers.ts';
import * as folders from './folders.ts';
import { createDatabases } from './literals.ts';
import * as payloads from './payloads.ts';
import type { Recipe } from './recipe.ts';
import type { Scale } from './scale.ts';
import { createSignedFolder } from './signed.ts';

/** Everything that can be built at one scale. */
export interface Inputs {
  readonly scale: Scale;
  readonly databases: Recipe;
  readonly windowsPayload: Recipe;
  readonly smallPrograms: Recipe;
  readonly zip: Recipe;
  readonly sevenZip: Recipe;
  readonly cab: Recipe;
  readonly msi: Recipe;
  readonly nsis: Recipe;
  readonly inno: Recipe;
  readonly dmg: Recipe;
  readonly deb: Recipe;
  readonly program: Recipe;
  readonly iso: Recipe;
  readonly signed: Recipe;
  readonly smallFolder: Recipe;
  readonly installerFolder: Recipe;
  readonly growingFolders: Recipe;
  readonly growingArchives: Recipe;
  readonly growingSizes: Recipe;
}

export function createInputs(scale: Scale): Inputs {
  const windowsPayload = payloads.createWindowsPayload(scale);
  const smallPrograms = payloads.createSmallPrograms(scale);
  const program = payloads.createProgram(scale);
  return {
    scale,
    databases: createDatabases(scale),
    windowsPayload,
    smallPrograms,
    zip: containers.createZip(scale, windowsPayload),
    sevenZip: containers.createSevenZip(scale, windowsPayload),
    cab: containers.createCab(scale, windowsPayload),
    msi: containers.createMsi(scale, windowsPayload),
    nsis: containers.createNsis(scale, windowsPayload),
    inno: containers.createInno(scale, windowsPayload),
    dmg: containers.createDmg(scale, payloads.createMacPayload(scale)),
    deb: containers.createDeb(scale, payloads.createLinuxPayload(scale)),
    program,
    iso: containers.createIso(scale, program),
    signed: createSignedFolder(scale, smallPrograms, windowsPayload),
    smallFolder: folders.createSmallFolder(scale, smallPrograms),
    installerFolder: folders.createInstallerFolder(scale, smallPrograms),
    growingFolders: folders.createGrowingFolders(scale, smallPrograms),
    growingArchives: folders.createGrowingArchives(scale, smallPrograms),
    growingSizes: folders.createGrowingSizes(scale, smallPrograms),
  };
}
