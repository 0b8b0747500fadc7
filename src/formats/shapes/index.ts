import type { Format } from '../model.ts';
import { burnManifestFormat } from './burn.ts';
import { debControlFormat } from './deb-control.ts';
import { flatPackageFormat } from './flat-package.ts';
import { flatpakMetadataFormat } from './flatpak-metadata.ts';
import { nuspecFormat } from './nuspec.ts';
import { portableAppsInfoFormat } from './portableapps-info.ts';
import { snapMetadataFormat } from './snap-metadata.ts';
import { squirrelReleasesFormat } from './squirrel-releases.ts';

/**
 * Small text files that say what the package around them is. Each is told by its content, so that a name proves
 * nothing; in probing order before plain text.
 */
export const shapeFormats: readonly Format[] = [
  nuspecFormat,
  burnManifestFormat,
  flatPackageFormat,
  squirrelReleasesFormat,
  portableAppsInfoFormat,
  flatpakMetadataFormat,
  snapMetadataFormat,
  debControlFormat,
];
