/**
 * The export directory: the module's own name and the symbols that it offers by name.
 *
 * @see https://learn.microsoft.com/windows/win32/debug/pe-format#the-edata-section-image-only
 */
import type { Budget } from '../../bytes/budget.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { tryMap, tryReadText } from './address.ts';
import { type PeImage, directoryIndex } from './image.ts';
import type { Report } from './parse.ts';

/** Ordinals have 16 bits. More names are not listed; libraries with tens of thousands are in use. */
export const exportedNamesLimit = 65_536;
const nameLimitBytes = 512;
const directoryBytes = 40;

export interface Exports {
  readonly moduleName: string | undefined;
  /** In the order of the file. */
  readonly names: readonly string[];
  /** File offset of the directory. */
  readonly offset: number;
}

/** The exports, or undefined when there is no directory or it cannot be reached. Faults are reported. */
export function tryReadExports(image: PeImage, budget: Budget, report: Report): Exports | undefined {
  const directory = image.directories[directoryIndex.export];
  if (directory === undefined || directory.rva === 0 || directory.size === 0) return undefined;
  const table = tryMap(image, directory.rva);
  if (table === undefined || table.bytes.size < directoryBytes) {
    report({
      code: 'malformed/out-of-range',
      message: `keeps its export directory at address 0x${directory.rva.toString(16)}, which is not in the file`,
      offset: directory.entryOffset,
      consequence: 'exported names were not read',
      incomplete: true,
    });
    return undefined;
  }
  const cursor = new Cursor(table.bytes, 12);
  const nameRva = cursor.u32();
  const nameCount = cursor.skip(8).u32();
  const namesRva = cursor.skip(4).u32();
  const moduleName = tryReadText(image, nameRva, nameLimitBytes);
  const names: string[] = [];
  const addresses = nameCount === 0 ? undefined : tryMap(image, namesRva);
  const stored = addresses === undefined ? 0 : Math.floor(addresses.bytes.size / 4);
  if (nameCount > Math.min(stored, exportedNamesLimit)) {
    const isLimit = stored > exportedNamesLimit;
    report({
      code: isLimit ? 'limit/count' : 'malformed/out-of-range',
      message: isLimit
        ? `claims ${nameCount} exported names; at most ${exportedNamesLimit} are listed`
        : `claims ${nameCount} exported names, but there is room for ${stored}`,
      offset: table.offset + 24,
      consequence: 'the other exported names were not read',
      incomplete: true,
    });
  }
  if (addresses !== undefined) {
    const list = new Cursor(addresses.bytes);
    for (let index = 0; index < Math.min(nameCount, stored, exportedNamesLimit); index += 1) {
      if (index % 1024 === 0) budget.checkTime();
      const name = tryReadText(image, list.u32(), nameLimitBytes);
      if (name !== undefined && name.length > 0) names.push(name);
    }
  }
  return { moduleName: moduleName === '' ? undefined : moduleName, names, offset: table.offset };
}
