/** Reading Mach-O files; index.ts says what of them, and by which specification. */
import { type ByteSource, sliceSource } from '../../bytes/byte-source.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { Budget } from '../../bytes/budget.ts';
import { toBoundedReport } from '../bounded-report.ts';
import type { Fact, Member, ReadContext, Reading, Region } from '../model.ts';
import { measureEntropy } from '../pe/entropy.ts';
import { parsePlist, readPlist, toPlistFacts, tryToScalar } from '../plist.ts';
import { type CodeSignature, parseCodeSignature, toFlagNames, toPayload } from './code-signature.ts';
import type { MachOImage, MachOProgram, MachOSection } from './image.ts';
import { parseMachO } from './parse.ts';
import { renderRequirements } from './requirement.ts';

const findingsLimit = 64;
const factsPerKindLimit = 256;
const entitlementsLimit = 128;
/** Of the property list in a section. */
const sectionListBytesLimit = 1024 * 1024;
/** So much of each section is measured. */
const entropyBytesLimit = 4 * 1024 * 1024;

/** Facts of one program. */
function toFacts(image: MachOImage, context: ReadContext): readonly Fact[] {
  const fields: (readonly [string, string | number | undefined])[] = [
    ['fileType', image.fileType],
    ['installName', image.installName],
    ['uuid', image.uuid],
    ['sourceVersion', image.sourceVersion],
    ['entryOffset', image.entryOffset],
    ...image.runPaths.slice(0, factsPerKindLimit).map((path) => ['runPath', path] as const),
  ];
  const facts: Fact[] = [
    { kind: 'machine', value: image.machine, detail: { architecture: image.architecture } },
  ];
  for (const [name, value] of fields) {
    if (value !== undefined) facts.push({ kind: 'programField', name, value });
  }
  for (const { platform, minimum, sdk } of image.platforms.slice(0, factsPerKindLimit)) {
    facts.push({ kind: 'programField', name: 'minimumSystem', value: minimum, detail: { platform, sdk } });
  }
  for (const { name, how, currentVersion, offset } of image.libraries.slice(0, factsPerKindLimit)) {
    facts.push({ kind: 'importedLibrary', value: name, offset, detail: { how, version: currentVersion } });
  }
  facts.push(...toEncryptionFacts(image, context));
  return facts;
}

function toEncryptionFacts({ encryption, fileOffset }: MachOImage, { report }: ReadContext): readonly Fact[] {
  if (encryption === undefined || encryption.id === 0) return [];
  const { offset, size, id } = encryption;
  report({
    code: 'encrypted/container',
    message: `has ${size} bytes of code that the App Store encrypted`,
    offset: fileOffset + offset,
    consequence: 'that code was not searched; only the device of the buyer can decrypt it',
    incomplete: true,
  });
  return [{ kind: 'encrypted', value: 'FairPlay', offset, detail: { bytes: size, cryptid: id } }];
}

/** Sections and segments that have bytes, as far as they lie in the program. */
function toRegions(
  image: MachOImage,
  signature: CodeSignature | undefined,
  budget: Budget,
): readonly Region[] {
  const { size: sourceSize } = image.source;
  const clip = (name: string, offset: number, size: number): Region[] =>
    size > 0 && offset < sourceSize ? [{ name, offset, size: Math.min(size, sourceSize - offset) }] : [];
  // Sections may lie on each other by the thousand; measuring them costs no more than the program is long.
  let measurable = sourceSize;
  const regions = [
    ...clip('header', 0, image.headerEnd),
    ...image.segments.flatMap((segment) =>
      segment.sections.length === 0
        ? clip(segment.name, segment.offset, segment.fileSize)
        : segment.sections.flatMap((section) => clip(toSectionName(section), section.offset, section.size)),
    ),
  ].map((region) => {
    budget.checkTime();
    const cost = Math.min(region.size, entropyBytesLimit);
    if (cost > measurable) return region;
    measurable -= cost;
    return {
      ...region,
      entropy: measureEntropy(sliceSource(image.source, region.offset, region.size), entropyBytesLimit),
    };
  });
  if (image.codeSignature !== undefined) {
    regions.push(
      ...clip('code signature', image.codeSignature.offset, signature?.length ?? image.codeSignature.size),
    );
  }
  return regions;
}

function toSectionName({ segment, name }: MachOSection): string {
  return `${segment},${name}`;
}

function toSectionFacts(image: MachOImage, regions: readonly Region[]): readonly Fact[] {
  const sections = image.segments.flatMap((segment) => segment.sections);
  const byName = new Map(regions.map((region) => [region.name, region]));
  return sections.slice(0, factsPerKindLimit).map((section): Fact => {
    const name = toSectionName(section);
    const region = byName.get(name);
    return {
      kind: 'section',
      name,
      value: region?.entropy ?? 0,
      offset: section.offset,
      detail: { rawSize: section.size },
    };
  });
}

/** The property list that a program without a bundle carries. */
function toCarriedFacts(image: MachOImage, context: ReadContext): readonly Fact[] {
  const section = image.segments
    .flatMap(({ sections }) => sections)
    .find(({ segment, name }) => segment === '__TEXT' && name === '__info_plist');
  if (section === undefined || section.size === 0 || section.size > sectionListBytesLimit) return [];
  try {
    const { value } = readPlist(image.source.read(section.offset, section.size), context.budget);
    const region = toSectionName(section);
    return value === undefined
      ? []
      : toPlistFacts(value).map((fact) => ({ ...fact, region, offset: section.offset }));
  } catch (error) {
    return note(error, 'the property list in the program cannot be read', image, context);
  }
}

/** A fault in a part, as a finding. @throws what is no damage */
function note(error: unknown, what: string, image: MachOImage, { report }: ReadContext): readonly [] {
  if (!(error instanceof TelltaleError) || error.code === 'limit/time') throw error;
  report({
    code: error.code,
    message: `${what}: ${error.message}`,
    offset: image.fileOffset + (error.offset ?? 0),
    consequence: 'what it says was not taken into account',
    incomplete: true,
  });
  return [];
}

function tryParseSignature(image: MachOImage, context: ReadContext): CodeSignature | undefined {
  if (image.codeSignature === undefined) return undefined;
  try {
    return parseCodeSignature(image.source, image.codeSignature);
  } catch (error) {
    note(error, 'the code signature cannot be read', image, context);
    return undefined;
  }
}

function toSignatureFacts(
  signature: CodeSignature,
  image: MachOImage,
  context: ReadContext,
): readonly Fact[] {
  const region = 'code signature';
  const fact = (name: string, value: string | number, detail?: Fact['detail']): Fact => ({
    kind: 'codeSignature',
    name,
    value,
    region,
    ...(detail === undefined ? {} : { detail }),
  });
  const facts: Fact[] = [];
  for (const directory of signature.directories) {
    if (directory.blob.slot === 0) {
      facts.push(fact('identifier', directory.identifier));
      if (directory.teamId !== undefined) facts.push(fact('teamId', directory.teamId));
      for (const flag of toFlagNames(directory.flags)) facts.push(fact('flag', flag));
      if (directory.runtime !== undefined) facts.push(fact('runtimeVersion', directory.runtime));
    }
    if (directory.algorithm !== undefined) {
      facts.push(
        fact('cdHash', directory.cdHash, {
          algorithm: directory.algorithm,
          truncated: directory.hashType === 3,
          slot: directory.blob.slot,
        }),
      );
    }
  }
  if (signature.requirements !== undefined) {
    try {
      for (const { kind, text } of renderRequirements(signature.requirements.bytes)) {
        facts.push(fact('requirement', text, { kind }));
      }
    } catch (error) {
      note(error, 'the code requirements cannot be read', image, context);
    }
  }
  if (signature.entitlements !== undefined) {
    try {
      const value = parsePlist(toPayload(signature.entitlements), context.budget);
      const entries = value.kind === 'dictionary' ? [...value.entries] : [];
      for (const [key, entitlement] of entries.slice(0, entitlementsLimit)) {
        const scalar = tryToScalar(entitlement);
        facts.push(fact('entitlement', key, scalar === undefined ? undefined : { value: scalar }));
      }
    } catch (error) {
      note(error, 'the entitlements cannot be read', image, context);
    }
  }
  return facts;
}

/** Bytes behind everything that the load commands name. */
function toOverlay({ source, declaredEnd }: MachOImage): Region | undefined {
  return declaredEnd < source.size
    ? { name: 'overlay', offset: declaredEnd, size: source.size - declaredEnd }
    : undefined;
}

function readThin(program: MachOProgram, image: MachOImage, context: ReadContext): Reading {
  const signature = tryParseSignature(image, context);
  const regions = toRegions(image, signature, context.budget);
  const overlay = toOverlay(image);
  const facts: Fact[] = [
    ...toFacts(image, context),
    ...toSectionFacts(image, regions),
    ...toCarriedFacts(image, context),
    ...(signature === undefined ? [] : toSignatureFacts(signature, image, context)),
  ];
  if (overlay === undefined) return { facts, regions, signed: { kind: 'macho', program } };
  facts.push({ kind: 'overlay', value: overlay.size, offset: overlay.offset });
  return {
    facts,
    regions: [...regions, overlay],
    signed: { kind: 'macho', program },
    members: () => [toPart('[overlay]', program, overlay.offset, overlay.size)],
  };
}

function toPart(name: string, { source }: MachOProgram, offset: number, size: number): Member {
  return {
    name,
    relation: 'part',
    content: { kind: 'source', source: sliceSource(source, offset, size), containerOffset: offset },
  };
}

/**
 * Facts, regions and parts of a program for one processor.
 *
 * @throws TelltaleError `malformed/header` when it holds no program
 */
export function readMachO(source: ByteSource, given: ReadContext): Reading {
  const context: ReadContext = {
    ...given,
    report: toBoundedReport(given.report.bind(given), findingsLimit),
  };
  const program = parseMachO(source, context);
  const [image] = program.images;
  if (image === undefined) throw new TelltaleError('malformed/header', 'holds no program', { offset: 0 });
  return readThin(program, image, context);
}

/** The programs of a file for several processors. */
export function readFatMachO(source: ByteSource, given: ReadContext): Reading {
  const context: ReadContext = {
    ...given,
    report: toBoundedReport(given.report.bind(given), findingsLimit),
  };
  // Each program is read again as a member and reports its own damage there.
  const program = parseMachO(source, context);
  const facts: Fact[] = program.images.map(({ machine, architecture, fileOffset }) => ({
    kind: 'machine',
    value: machine,
    offset: fileOffset,
    detail: { architecture },
  }));
  const names = program.images.map(({ architecture }) => architecture);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    facts.push({
      kind: 'ambiguous',
      name: 'macho.ambiguous',
      value: `there are several programs for ${repeated}, software may run either`,
    });
  }
  for (const { offset, size } of program.uncovered)
    facts.push({ kind: 'unlistedBytes', value: size, offset });
  return {
    facts,
    regions: program.images.map(({ architecture, fileOffset, source: { size } }) => ({
      name: `[${architecture}]`,
      offset: fileOffset,
      size,
    })),
    signed: { kind: 'macho', program },
    *members(): Generator<Member, void, void> {
      for (const {
        architecture,
        fileOffset,
        source: { size },
      } of program.images) {
        yield toPart(`[${architecture}]`, program, fileOffset, size);
      }
      for (const { offset, size } of program.uncovered) {
        yield toPart(`[unlisted at 0x${offset.toString(16)}]`, program, offset, size);
      }
    },
  };
}
