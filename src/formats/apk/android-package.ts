import type { ByteSource } from '../../bytes/byte-source.ts';
import type { ZipArchive } from '../zip.ts';
import type { PackageLayout, SigningBlock } from './signing-block.ts';

/** An Android package taken apart, for whoever checks its signatures. */
export interface AndroidPackage {
  readonly source: ByteSource;
  readonly archive: ZipArchive;
  /** Where Android looks, or why it would find nothing; one sentence. */
  readonly layout: PackageLayout | string;
  /** Undefined when there is none before the central directory. */
  readonly signingBlock: SigningBlock | undefined;
}
