/**
 * Inno Setup: installers that are a Windows program (the loader) with, behind its sections, a setup program, the
 * compiled script ("setup data") and the files in compressed chunks. https://jrsoftware.org/isinfo.php
 *
 * Read are setup data of the versions in `version.ts`: 1.2.10 to 7.0, ANSI and Unicode, and My Inno Setup Extensions.
 * There is no specification but the source: https://github.com/jrsoftware/issrc. Layouts in `layouts.ts`.
 *
 * An installer is a portable executable, so the format of those opens it and asks here.
 */
import type { ReadContext } from '../model.ts';
import type { PeImage } from '../pe/image.ts';
import { type PeResource, resourceType } from '../pe/resources.ts';
import type { InnoOptions, InnoSetup } from './installer.ts';
import { offsetTableResource, tryFindPointedTable, tryReadOffsetTable } from './offset-table.ts';

export type { InnoOptions, InnoSetup } from './installer.ts';

export const innoLimitations: readonly string[] = [
  'Inno Setup installers that are encrypted are listed, not decrypted.',
  'Inno Setup data in files beside the installer (setup-1.bin) is not looked for.',
  'Inno Setup installers for 16-bit Windows are not read.',
  'The compiled Pascal script of an Inno Setup installer is searched as bytes, not decompiled.',
  'The layouts of Inno Setup data 6.4.2 and later are known from its source and other readers, not from real installers.',
];

/**
 * Opens an Inno Setup installer. What is damaged, unknown or encrypted is reported through the context.
 *
 * @param resources - of the image; the offset table has been one since 5.1.5
 * @returns undefined when the program is no Inno Setup installer
 */
export function tryOpenInno(
  image: PeImage,
  resources: readonly PeResource[],
  context: ReadContext,
  options: InnoOptions = {},
): Promise<InnoSetup> | undefined {
  const resource = resources.find(
    ({ type, name, offset }) =>
      type === resourceType.rcdata && name === offsetTableResource && offset !== undefined,
  );
  const offset = tryFindPointedTable(image.source) ?? resource?.offset;
  if (offset === undefined) return undefined;
  const table = tryReadOffsetTable(image.source, offset, context.report);
  if (table === undefined) return undefined;
  const overlay = image.overlay ?? { offset: image.source.size, size: 0 };
  return import('./installer.ts').then(({ openInno }) =>
    openInno(image.source, table, overlay, context, options),
  );
}
