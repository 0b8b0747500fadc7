/**
 * What was read from a Mach-O file: one program, or one for each of several processors.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import type { Range } from './ranges.ts';

export interface MachOSection {
  readonly segment: string;
  readonly name: string;
  /** In the slice; 0 for one without bytes. */
  readonly offset: number;
  /** Bytes in the file. */
  readonly size: number;
  /** Takes memory, but no bytes in the file. */
  readonly isZeroFilled: boolean;
}

export interface MachOSegment {
  readonly name: string;
  /** In the slice. */
  readonly offset: number;
  readonly fileSize: number;
  readonly virtualSize: bigint;
  readonly sections: readonly MachOSection[];
}

export interface MachOLibrary {
  /** As the loader looks for it: `@executable_path/../Frameworks/…`. */
  readonly name: string;
  readonly how: 'load' | 'weak' | 'reexport' | 'lazy' | 'upward';
  readonly currentVersion: string;
  readonly compatibilityVersion: string;
  /** Of the load command, in the slice. */
  readonly offset: number;
}

/** The oldest system that a program says that it runs on. */
export interface MachOPlatform {
  readonly platform: string;
  readonly minimum: string;
  readonly sdk: string;
}

/** One program for one processor. All offsets count from its start unless they say otherwise. */
export interface MachOImage {
  /** The bytes of this program alone. */
  readonly source: ByteSource;
  /** Where it begins in the file. */
  readonly fileOffset: number;
  /** Bytes that the list of programs promises; more than the source has when the file is cut. */
  readonly declaredSize: number;
  readonly is64: boolean;
  readonly isBigEndian: boolean;
  /** `x86`, `x64`, `arm`, `arm64`, `ppc`, `ppc64`, or the number. */
  readonly machine: string;
  /** As Apple's tools call it: `i386`, `x86_64`, `arm64e`. */
  readonly architecture: string;
  readonly fileType: string;
  readonly flags: number;
  readonly segments: readonly MachOSegment[];
  readonly libraries: readonly MachOLibrary[];
  readonly runPaths: readonly string[];
  /** Its own name, of a library. */
  readonly installName: string | undefined;
  readonly uuid: string | undefined;
  readonly platforms: readonly MachOPlatform[];
  readonly sourceVersion: string | undefined;
  readonly entryOffset: number | undefined;
  /** Bytes that the App Store encrypts; `id` is 0 when they are not. */
  readonly encryption: (Range & { readonly id: number }) | undefined;
  /** Where the load commands put the code signature; there may be fewer bytes. */
  readonly codeSignature: Range | undefined;
  /** End of the header and the load commands. */
  readonly headerEnd: number;
  /** Bytes that segments and signature need. */
  readonly declaredEnd: number;
}

export interface MachOProgram {
  /** The whole file. */
  readonly source: ByteSource;
  readonly isFat: boolean;
  readonly images: readonly MachOImage[];
  /** Programs in the list that could not be read. */
  readonly unreadable: number;
  /** Bytes other than zero between, before or behind the programs of a fat file, in the file. */
  readonly uncovered: readonly Range[];
  /** Whether programs of a fat file share bytes. */
  readonly hasOverlap: boolean;
}
