import type { ByteSource } from '../../bytes/byte-source.ts';

/** A range of the file, in bytes. */
export interface CompoundRange {
  readonly offset: number;
  readonly size: number;
}

/** A range of the file that no stream shows, or that holds one. */
export interface CompoundRegion extends CompoundRange {
  readonly name: string;
}

/** One directory entry: a storage (a folder) or a stream (a file). */
export interface CompoundEntry {
  /** Number of the entry in the directory. */
  readonly id: number;
  readonly kind: 'root' | 'storage' | 'stream';
  /** As stored; control characters are usual (`\x05SummaryInformation`). Escape before printing. */
  readonly name: string;
  /** The name in UTF-16LE without its terminator, as digests and comparisons want it. */
  readonly nameBytes: Uint8Array;
  /** 16 bytes, as stored. */
  readonly clsidBytes: Uint8Array;
  /** `{000C1084-0000-0000-C000-000000000046}`; empty when all bytes are zero. */
  readonly clsid: string;
  readonly stateBits: number;
  /** 100-nanosecond steps since 1601; 0 when not set. */
  readonly created: bigint;
  readonly modified: bigint;
  /** Bytes that the entry promises. */
  readonly declaredSize: number;
  /** Bytes that its chain of sectors really has, at most the promised ones. */
  readonly size: number;
  readonly firstSector: number;
  /** Offset of the 128-byte entry in the file. */
  readonly offset: number;
  /** In the order of the directory tree, which is the order of their names. Empty for streams. */
  readonly children: readonly CompoundEntry[];
}

/** An OLE compound file: a file system in a file. */
export interface CompoundFile {
  readonly source: ByteSource;
  readonly majorVersion: number;
  readonly sectorBytes: number;
  readonly root: CompoundEntry;
  /** Entries that are filled in, but hang on no storage: ordinary software does not show them. */
  readonly orphans: readonly CompoundEntry[];
  /** Free sectors, sectors of no stream, data behind the last sector. */
  readonly regions: readonly CompoundRegion[];
  /** Bytes behind the last sector that is used; undefined when there are none. */
  readonly trailing: CompoundRange | undefined;
  /** Bytes that chains of sectors promise behind the end of the file. */
  readonly missingBytes: number;
  /** The bytes of a stream, by random access over its sectors. A storage has none. */
  openStream(entry: CompoundEntry): ByteSource;
  /** Where the bytes of a stream lie in the file, in their order; at most {@link extentsMax} ranges. */
  locate(entry: CompoundEntry): readonly CompoundRange[];
}

/** Ranges that are told of one stream. */
export const extentsMax = 256;
