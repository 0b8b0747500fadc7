import type { ByteSource } from '../../bytes/byte-source.ts';
import type { ErrorCode } from '../../bytes/errors.ts';
import type { ZipArchive, ZipEntry } from '../zip.ts';

/** Files that every package may have beside its payload, by the role that they play in its signature. */
export type FootprintRole = 'signature' | 'contentTypes' | 'blockMap' | 'codeIntegrity' | 'manifest';

/** A file of a package that is needed whole. */
export interface FootprintFile {
  readonly entry: ZipEntry;
  /** Unpacked; undefined when it could not be unpacked whole. */
  readonly bytes: Uint8Array | undefined;
  /** Why it could not, in plain words without a subject. */
  readonly fault: { readonly code: ErrorCode; readonly message: string } | undefined;
}

/** How a package differs from its block map. */
export interface BlockMapDifference {
  /**
   * - `changed`: a block, or the size of the file, is not that of the map.
   * - `header`: the size of the local header is not that of the map.
   * - `missing`: in the map, not in the package. `unlisted`: the other way round.
   * - `unreadable`: could not be unpacked, so that it was not compared to its end.
   * - `repeated`: the map has it twice.
   */
  readonly kind: 'changed' | 'header' | 'missing' | 'unlisted' | 'unreadable' | 'repeated';
  /** Name of the member in the package, or as the map writes it. */
  readonly name: string;
  /** Number of the first block that differs, from 0. */
  readonly block?: number;
  /** Lower-case hexadecimal. */
  readonly expected?: string;
  readonly actual?: string;
  /** Byte offset of the member in the package. */
  readonly offset?: number;
}

/** What comparing a package with its block map gave. */
export interface BlockMapCheck {
  readonly algorithm: 'sha256' | 'sha384' | 'sha512';
  /** Files and blocks that were compared. */
  readonly files: number;
  readonly blocks: number;
  /** The first of them. */
  readonly differences: readonly BlockMapDifference[];
  /** How many there are in all. */
  readonly differenceCount: number;
}

/** A Windows package taken apart, for whoever checks its signature. */
export interface AppxPackage {
  readonly source: ByteSource;
  readonly archive: ZipArchive;
  readonly kind: 'package' | 'bundle';
  /** As the manifest names it; undefined when that could not be read. */
  readonly publisher: string | undefined;
  readonly footprint: ReadonlyMap<FootprintRole, FootprintFile>;
  /** Undefined when there is no map, or none that could be read. */
  readonly blockMap: BlockMapCheck | undefined;
}
