import type { Budget } from '../bytes/budget.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import type { ErrorCode } from '../bytes/errors.ts';
import type { AndroidPackage } from './apk/android-package.ts';
import type { AppxPackage } from './appx/package.ts';
import type { CompoundFile } from './cfb/model.ts';
import type { MachOProgram } from './macho/image.ts';
import type { PeImage } from './pe/image.ts';
import type { Unpackers } from './pieces.ts';

/** Every kind of observation that a format may make. The signature schema refers to these names. */
export const factKinds = [
  // portable executables
  'versionInfo', // name: string table key ('CompanyName'), value: text, detail.language: hex LANGID + code page
  'fileVersion', // value: 'a.b.c.d' of VS_FIXEDFILEINFO
  'productVersion', // value: 'a.b.c.d' of VS_FIXEDFILEINFO
  'machine', // value: 'x86', 'x64', 'arm64', or hex
  'subsystem',
  'timeDateStamp', // value: ISO date-time of the COFF header
  'linkerVersion',
  'section', // name: section name, value: entropy in bits a byte, detail: virtual and raw sizes
  'resource', // name: 'RCDATA/101/1033', value: size in bytes
  'manifest', // value: the assemblyIdentity name
  'importedLibrary', // value: lower-case library name
  'importHash', // value: md5 hex
  'exportedName', // value: exported symbol
  'moduleName', // value: DLL name in the export directory
  'richHeader', // value: md5 hex of the clear rich header
  'debugPath', // value: PDB path
  'dotnet', // value: CLR runtime version
  'packer', // value: 'UPX', detail.version, detail.method, detail.filter
  'overlay', // value: size in bytes
  // archives
  'archiveComment',
  'memberName', // value: full name of a member in its container
  'ambiguous', // value: what ordinary software would see otherwise (zip.ambiguous)
  'encrypted', // value: how
  'memberLink', // name: full name of a link in its container, value: what it points to
  'unpackedMember', // value: full name of a member that a container lists, but that lies beside the container
  'unlistedBytes', // value: size in bytes of a range of a container that no member covers
  'listedDigest', // name: full name of a file, value: lower-case hex digest that its package states, detail.algorithm
  'headerDigest', // value: sha256 hex of a container's header, which the program around it seals
  'sealBroken', // name: what is sealed (a member), value: digest that it has, detail.expected, detail.algorithm
  // apps and packages
  'packageId',
  'packageField', // name: field of a package's control file ('Maintainer'), value: text
  'bundleId',
  'msiProperty', // name: property, value: text, detail.origin: 'Property', 'summary' or 'ModuleSignature'
  'msiTable', // name: table of an installer package, value: number of rows
  'msiRow', // name: table ('Feature', 'Upgrade', 'Media'), value: its key, detail: further columns
  'customAction', // name: custom action of an installer package, value: what kind it is, detail.type, source, target
  'createdBy', // value: the tool that says that it made the file, name: its short name ('WiX 2.0.5805.0')
  'signatureStream', // name: stream that holds a signature, value: size in bytes
  'signatureKey', // name: where a signature that is not checked here lies, value: key id in hex, or 'unknown'
  'stringTable', // name: language of a table of texts, value: number of texts
  // installers
  'installer', // value: what made it, with the version of its data: 'Inno Setup 5.5.7 (u)'
  'installerProperty', // name: 'AppName', 'AppId', 'Language', 'Run', ..., value: text
  // programs for Apple's systems
  'programField', // name: 'fileType', 'uuid', 'installName', 'runPath', 'minimumSystem', 'sourceVersion', ..., value: text
  'codeSignature', // name: 'identifier', 'teamId', 'cdHash', 'flag', 'requirement', 'entitlement', ..., value: text
  // any artifact
  'extensionMismatch', // value: the format that the name promises
] as const;

export type FactKind = (typeof factKinds)[number];

/** One typed observation about an artifact, with its place. Text is as in the file: escape before printing. */
export interface Fact {
  readonly kind: FactKind;
  readonly name?: string;
  readonly value: string | number | boolean;
  /** Named region in which it was seen. */
  readonly region?: string;
  /** Byte offset from the start of the artifact. */
  readonly offset?: number;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** A named range of an artifact, so that a hit can be addressed as `.data+0x4a10`. */
export interface Region {
  readonly name: string;
  /** Byte offset from the start of the artifact. */
  readonly offset: number;
  readonly size: number;
  /** Shannon entropy in bits a byte, where it was measured. */
  readonly entropy?: number;
}

/** A fault found while reading, before the walker has given it a path. */
export interface Finding {
  readonly code: ErrorCode;
  /** One plain sentence: what is wrong. */
  readonly message: string;
  /** Byte offset from the start of the artifact. */
  readonly offset?: number;
  /** One plain sentence: what was therefore not seen or not proved. */
  readonly consequence: string;
  /** Whether something in the artifact was therefore not looked at. */
  readonly incomplete: boolean;
}

/** Thrown at the end of a member's stream by a decoder that has put the fault into words already. */
export class FoundFault extends Error {
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.message);
    this.finding = finding;
  }
}

/** How the bytes of a member are reached. */
export type MemberContent =
  /** Random access: a stored range, a resource, bytes decoded into memory. */
  | {
      readonly kind: 'source';
      readonly source: ByteSource;
      /** Offset in the container when the bytes lie there as they are. */
      readonly containerOffset?: number;
    }
  /**
   * Decoded on demand, from the start, as often as asked. The decoder charges nothing: whoever consumes the
   * stream charges the budget for each chunk. It throws a TelltaleError at the place where decoding fails, after
   * everything that could be decoded was yielded.
   */
  | {
      readonly kind: 'stream';
      open(): AsyncIterable<Uint8Array>;
      /** A chunk is good only until the next one is asked for. */
      readonly usesChunksAgain?: boolean;
      /** What the container says that it will be, in bytes; a claim, not a fact. */
      readonly declaredSize?: number;
    }
  /** Cannot be read; the finding says why. */
  | { readonly kind: 'unreadable'; readonly finding: Finding; readonly declaredSize?: number };

/** Something with bytes inside another artifact. */
export interface Member {
  /** As shown in the path: `{app}/Phone/Skype.exe`, `.rsrc/RCDATA/101`, `[upx]`, `[overlay]`. */
  readonly name: string;
  /**
   * `file`: a file of its own. `part`: a piece of the container (resource, overlay). `image`: the same program in
   * another form (unpacked); it has no verdict of its own.
   */
  readonly relation: 'file' | 'part' | 'image';
  readonly content: MemberContent;
  readonly facts?: readonly Fact[];
  /**
   * Names of the members inside as the container of this member knows them: a cabinet in an installer package holds
   * files under keys, the package knows their paths. Undefined for a name that the container does not know.
   */
  rename?(name: string): string | undefined;
}

/** A file on disk that is being read. */
export interface FileOnDisk {
  readonly path: string;
  /** A file beside it, by its plain name; undefined when there is none. It is closed with the file itself. */
  openSibling?(name: string): ByteSource | undefined;
}

/** What a format module gets beside the bytes. */
export interface ReadContext {
  readonly budget: Budget;
  /** Set when the source is, byte for byte, a file on disk: for comparing with software that takes only paths. */
  readonly file?: FileOnDisk;
  /** Unpacks pieces of the container in other threads; absent where there are none. */
  readonly unpackers?: Unpackers;
  /** Records a fault; reading goes on. */
  report(finding: Finding): void;
}

/** A member whose bytes are being poured. Chunks are only valid during the call: whoever keeps them copies them. */
export interface MemberInflow {
  /** Takes decoded bytes, charges and checks them. False: the decoder must stop at once. */
  write(chunk: Uint8Array): boolean;
  /** Ends the member; the finding says why it is not whole. */
  end(finding?: Finding): void;
}

/** Where a decoder that cannot be paused pours its members, in stored order. */
export interface MemberSink {
  /**
   * Begins a member. `later`: there is no room for it in this pass, the decoder stops and is called again from there.
   * `stop`: a limit was hit, nothing more is wanted.
   *
   * @param declaredSize - bytes that the container promises
   */
  begin(member: Omit<Member, 'content'>, declaredSize?: number): MemberInflow | 'later' | 'stop';
  /** A member that cannot be decoded. */
  refuse(member: Omit<Member, 'content'>, finding: Finding, declaredSize?: number): void;
}

/** A parsed file of a kind that carries signatures. */
export type Signable =
  | { readonly kind: 'pe'; readonly image: PeImage }
  | { readonly kind: 'msi'; readonly file: CompoundFile }
  | { readonly kind: 'macho'; readonly program: MachOProgram }
  | { readonly kind: 'appx'; readonly package: AppxPackage }
  /** Its members have to be unpacked for checking. */
  | { readonly kind: 'apk'; readonly package: AndroidPackage };

/** What reading an artifact gave. */
export interface Reading {
  readonly facts: readonly Fact[];
  readonly regions: readonly Region[];
  /** Members in stored order; lazily, so that the walker can stop at any time. Absent when there are none. */
  members?(): AsyncIterable<Member> | Iterable<Member>;
  /**
   * For solid archives: decodes members once, in stored order, into the sink, beginning with the member number `from`
   * (0 first). Returns the number of the first member that was not delivered, or undefined when all were. A fault of
   * the container is reported through the context; what was decoded before it has been delivered.
   */
  pour?(sink: MemberSink, from: number): Promise<number | undefined> | number | undefined;
  /** The parsed file, for whoever checks the signature in it. */
  readonly signed?: Signable;
}

/**
 * What a file of this format can do, which decides how its verdict is formed: `acting` files (programs,
 * installers, scripts) answer for themselves, a `transport` takes the gravest verdict among its members.
 */
export type FormatNature = 'acting' | 'transport' | 'passive';

/**
 * How members that lie in a container as they are can be found while its bytes pass, each behind a header that says how
 * long it is. What is found so is a guess: it saves a second look at the bytes of those that `read` finds in the same place.
 */
export interface StoredMembers {
  /** Of the first header, in bytes. */
  readonly start: number;
  readonly headerBytes: number;
  /** How many bytes belong to a header, and how many follow before the next one; undefined when nothing more is found. */
  parse(header: Uint8Array): { readonly memberBytes: number; readonly bytesToNext: number } | undefined;
}

/** One file format, as a data sheet. */
export interface Format {
  /** Short stable id: `pe`, `zip`. */
  readonly id: string;
  readonly title: string;
  readonly nature: FormatNature;
  /** Usual file name extensions, lower case without dot; a different format under such a name is a mismatch. */
  readonly extensions: readonly string[];
  /** Addresses of specifications. */
  readonly references: readonly string[];
  /** What is not read, one sentence each. */
  readonly limitations: readonly string[];
  /**
   * Is this source of this format? Looks at `head` (the first 4,096 bytes or fewer) and, where the magic is
   * elsewhere, at the source. Never throws on short input.
   */
  probe(head: Uint8Array, source: ByteSource): boolean;
  /** For containers whose probe needs no more than the head. */
  readonly storedMembers?: StoredMembers;
  /**
   * Reads what can be read. Damage is reported through the context and reading goes on; it throws a TelltaleError
   * only when nothing could be read.
   */
  read(source: ByteSource, context: ReadContext): Reading | Promise<Reading>;
}
