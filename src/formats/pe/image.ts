import type { ByteSource } from '../../bytes/byte-source.ts';

/** A section as its header states it; sizes and offsets in bytes, unverified. */
export interface PeSection {
  /** Escaped to printable text by the report, not here. */
  readonly name: string;
  readonly virtualAddress: number;
  readonly virtualSize: number;
  readonly rawOffset: number;
  readonly rawSize: number;
  readonly characteristics: number;
  /** Offset of the 40-byte section header in the file. */
  readonly headerOffset: number;
}

/** An entry of the optional header's data directory table. For the certificate table, `rva` is a file offset. */
export interface PeDirectory {
  readonly rva: number;
  readonly size: number;
  /** Offset of the 8-byte entry in the file. */
  readonly entryOffset: number;
}

/** The skeleton of a portable executable: headers only, everything else is read from it. */
export interface PeImage {
  readonly source: ByteSource;
  /** Offset of the `PE\0\0` signature. */
  readonly peOffset: number;
  readonly machine: number;
  readonly characteristics: number;
  readonly timeDateStamp: number;
  readonly isPe32Plus: boolean;
  readonly optionalHeaderOffset: number;
  readonly sizeOfOptionalHeader: number;
  readonly linkerVersion: string;
  readonly entryPointRva: number;
  readonly imageBase: bigint;
  readonly sectionAlignment: number;
  readonly fileAlignment: number;
  readonly sizeOfImage: number;
  readonly sizeOfHeaders: number;
  readonly subsystem: number;
  readonly checksum: number;
  /** Offset of the 4-byte CheckSum field: left out of the Authenticode digest. */
  readonly checksumOffset: number;
  /** All entries that the optional header has, at most 16, in their order. */
  readonly directories: readonly PeDirectory[];
  readonly sections: readonly PeSection[];
  /** What the headers promise: the end of the last section's raw data and of the certificate table. */
  readonly declaredEnd: number;
  /** Bytes behind the last section's raw data that are not the certificate table; undefined when there are none. */
  readonly overlay: { readonly offset: number; readonly size: number } | undefined;
  /** Bytes behind the certificate table: no Authenticode digest covers them. The overlay itself when it is the only one. */
  readonly trailing?: { readonly offset: number; readonly size: number };
  /** File offset of a relative virtual address, or undefined when no section or header holds it in the file. */
  toOffset(rva: number): number | undefined;
}

/** Indexes into {@link PeImage.directories}. */
export const directoryIndex = {
  export: 0,
  import: 1,
  resource: 2,
  exception: 3,
  certificate: 4,
  relocation: 5,
  debug: 6,
  tls: 9,
  loadConfig: 10,
  boundImport: 11,
  importAddress: 12,
  delayImport: 13,
  clr: 14,
} as const;
