/*
 * What a file says of itself, beside its bytes: version blocks, resources, imports, ids, properties, names, signers,
 * and whole members that come again byte for byte.
 */
import type { Fact, FactKind } from '../formats/model.ts';
import { type Artifact, pathSeparator } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import type { Condition } from '../signatures/schema.ts';
import type { Feature, LearntKind, Sighting, Specificity } from './model.ts';
import { changeDigest, changeLetter, oneLetter } from './near-miss.ts';
import { judgeName, judgeText } from './specificity.ts';

export interface SeenFeature {
  readonly feature: Feature;
  readonly sighting: Sighting;
}

const longestValueCharacters = 200;
const smallestMemberBytes = 64;
const shortestName = 5;

/** Everything that a file and its members say of themselves. */
export function* listFactFeatures(root: Artifact): Generator<SeenFeature> {
  for (const { artifact, format, container } of listPlaced(root)) {
    const place: Sighting = { path: artifact.path, format };
    for (const fact of artifact.facts) {
      for (const feature of toFactFeatures(fact)) yield { feature, sighting: toPlace(place, fact) };
    }
    for (const feature of toSignerFeatures(artifact)) yield { feature, sighting: place };
    const digest = toDigestFeature(artifact);
    if (digest !== undefined) yield { feature: digest, sighting: place };
    const name = toNameFeature(artifact, container);
    if (name !== undefined) yield { feature: name.feature, sighting: { ...place, ...name.place } };
  }
}

interface Placed {
  readonly artifact: Artifact;
  /** Id of the format by which an indicator reaches it: a part of a program counts as that program. */
  readonly format: string;
  readonly container: Artifact | undefined;
}

/** The artifact and everything inside it, with the format by which each is reached. */
export function* listPlaced(
  artifact: Artifact,
  programs: readonly string[] = [],
  container?: Artifact,
): Generator<Placed> {
  const isPart = artifact.relation === 'part' || artifact.relation === 'image';
  const program = isPart && artifact.format.nature !== 'acting' ? programs.at(-1) : undefined;
  yield { artifact, format: program ?? artifact.format.id, container };
  const inner = artifact.format.nature === 'acting' ? [...programs, artifact.format.id] : programs;
  for (const member of artifact.members) yield* listPlaced(member, inner, artifact);
}

function toPlace(place: Sighting, { region, offset }: Fact): Sighting {
  return {
    ...place,
    ...(region === undefined ? {} : { region }),
    ...(offset === undefined ? {} : { offset }),
  };
}

/** Text that can stand in a database as it is; undefined when it is empty, too long or not plainly visible. */
function tryToPlain(value: Fact['value']): string | undefined {
  const text = String(value).trim();
  return text === '' || text.length > longestValueCharacters || /[\p{C}\p{Zl}\p{Zp}\ufffd]/u.test(text)
    ? undefined
    : text;
}

// -------------------------------------------------------------------------------------------------- facts

interface Rule {
  readonly kind: LearntKind;
  /** Whether the name, the value or both make the feature. */
  readonly by: 'value' | 'name' | 'both';
  readonly score: number;
  readonly reason: string;
}

const rules: Partial<Record<FactKind, Rule>> = {
  manifest: { kind: 'fact', by: 'value', score: 42, reason: 'the name in a manifest' },
  importedLibrary: { kind: 'import', by: 'value', score: 40, reason: 'a library that is imported' },
  importHash: { kind: 'import', by: 'value', score: 62, reason: 'the digest over all imports' },
  exportedName: { kind: 'export', by: 'value', score: 46, reason: 'an exported name' },
  moduleName: {
    kind: 'export',
    by: 'value',
    score: 52,
    reason: 'the name of the module in its export table',
  },
  richHeader: { kind: 'fact', by: 'value', score: 54, reason: 'the digest of what it was linked from' },
  debugPath: { kind: 'fact', by: 'value', score: 80, reason: 'a path of the build machine' },
  section: { kind: 'fact', by: 'name', score: 34, reason: 'the name of a section' },
  resource: { kind: 'resource', by: 'name', score: 52, reason: 'a resource of a name of its own' },
  archiveComment: { kind: 'fact', by: 'value', score: 60, reason: 'the comment of an archive' },
  packageId: { kind: 'identity', by: 'value', score: 88, reason: 'the id of a package' },
  bundleId: { kind: 'identity', by: 'value', score: 88, reason: 'the id of a bundle' },
  packageField: { kind: 'identity', by: 'both', score: 50, reason: 'a field of a package' },
  msiProperty: { kind: 'identity', by: 'both', score: 56, reason: 'a property of an installer package' },
  msiRow: { kind: 'fact', by: 'both', score: 40, reason: 'a row of an installer package' },
  customAction: { kind: 'fact', by: 'name', score: 46, reason: 'an action of an installer package' },
  createdBy: { kind: 'fact', by: 'value', score: 15, reason: 'the tool that made the file' },
  signatureKey: { kind: 'fact', by: 'value', score: 70, reason: 'the id of a key' },
  installer: { kind: 'fact', by: 'value', score: 15, reason: 'the tool that made the installer' },
  installerProperty: { kind: 'identity', by: 'both', score: 52, reason: 'a property of an installer' },
  programField: { kind: 'fact', by: 'both', score: 36, reason: 'a field of a program' },
  codeSignature: { kind: 'fact', by: 'both', score: 48, reason: 'a field of a code signature' },
};

/** Names whose values are made to be unlike any other. */
const identityNames =
  /^(?:UpgradeCode|ProductCode|PackageCode|AppId|RevisionNumber|teamId|identifier|uuid)$/i;
const titleNames =
  /^(?:ProductName|CompanyName|Manufacturer|AppName|AppPublisher|AppURL|Subject|Author|Maintainer)$/i;
const versionNames = /version|language|codepage|charset|size|date|schema|platform|template/i;
const commonSections =
  /^(?:\.(?:text|data|rdata|rsrc|reloc|bss|idata|edata|pdata|tls|crt|debug|ndata|itext|didata|gfids|00cfg|shstrtab|comment|symtab|strtab|dynamic|dynsym|dynstr|init|fini|plt|got|rodata|eh_frame|note|hash|interp|upx\w+)[\w.-]*|UPX\d|CODE|DATA|BSS)$/i;
const standardResource =
  /^(?:CURSOR|BITMAP|ICON|MENU|DIALOG|STRING|FONT|FONTDIR|ACCELERATOR|GROUP_CURSOR|GROUP_ICON|MESSAGETABLE|VERSION|MANIFEST|RCDATA|HTML)\/\d+\//;

function* toFactFeatures(fact: Fact): Generator<Feature> {
  if (fact.kind === 'versionInfo') {
    const feature = toVersionField(fact);
    if (feature !== undefined) yield feature;
    return;
  }
  if (fact.kind === 'fileVersion') {
    yield* toVersionFeatures(fact);
    return;
  }
  const rule = rules[fact.kind];
  const value = tryToPlain(fact.value);
  const name = fact.name === undefined ? undefined : tryToPlain(fact.name);
  if (rule === undefined || value === undefined || (fact.name !== undefined && name === undefined)) return;
  if (rule.by !== 'value' && name === undefined) return;
  const specificity = judgeFact(fact.kind, rule, name, value);
  // Where the name is the feature, any value will do.
  const is = rule.by === 'name' ? { matches: '.' } : { equals: value };
  const asked = rule.by === 'value' ? undefined : name;
  const hit = { kind: fact.kind, ...(asked === undefined ? {} : { name: asked }), value };
  const miss =
    rule.by === 'name' && asked !== undefined
      ? { ...hit, name: changeLetter(asked) }
      : { ...hit, value: changeLetter(value) };
  const shown = rule.by === 'name' ? (name ?? '') : value;
  yield {
    kind: rule.kind,
    key: [fact.kind, asked ?? '', rule.by === 'name' ? '' : value.toLowerCase()].join('\0'),
    title: [toWords(fact.kind), ...(rule.by === 'both' ? [name ?? ''] : []), shown].join(' '),
    value: shown,
    when: toCondition(fact.kind, asked, is),
    hit: { facts: [hit] },
    nearMisses: [{ why: oneLetter, facts: [miss] }],
    specificity,
  };
}

function toCondition(
  kind: FactKind,
  name: string | undefined,
  is: { readonly equals: string } | { readonly matches: string },
): Condition {
  if (kind === 'packageId') return { packageId: is };
  if (kind === 'bundleId') return { bundleId: is };
  if (kind === 'msiProperty' && name !== undefined) return { msiProperty: { name, is } };
  return { fact: kind, ...(name === undefined ? {} : { name }), is };
}

/** `exportedName` as `exported name`. */
function toWords(kind: FactKind): string {
  return kind.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function judgeFact(kind: FactKind, rule: Rule, name: string | undefined, value: string): Specificity {
  const { score, reason } = rule;
  switch (kind) {
    case 'section':
      return commonSections.test(name ?? '') ? { score: 5, reason: 'a usual section' } : { score, reason };
    case 'resource':
      return standardResource.test(name ?? '') || /^\d+\/\d+\//.test(name ?? '')
        ? { score: 20, reason: 'a resource that has but a number' }
        : { score, reason };
    case 'importedLibrary':
    case 'exportedName':
    case 'moduleName': {
      const text = judgeText(value);
      return text.score <= leastTelling ? text : { score, reason };
    }
    case 'msiProperty':
    case 'installerProperty':
    case 'packageField':
    case 'programField':
    case 'codeSignature':
      if (identityNames.test(name ?? '')) return { score: 86, reason: `${reason} that is made to be unique` };
      if (titleNames.test(name ?? '')) return { score: 68, reason };
      if (versionNames.test(name ?? '') || value.length < 4) return { score: 22, reason };
      return { score, reason };
    default:
      return { score, reason };
  }
}

/** Texts up to this score are those of libraries and frameworks. */
const leastTelling = 14;

// ----------------------------------------------------------------------------------------------- versions

function toVersionField(fact: Fact): Feature | undefined {
  const value = tryToPlain(fact.value);
  const field = fact.name === undefined ? undefined : tryToPlain(fact.name);
  if (value === undefined || field === undefined) return undefined;
  return {
    kind: 'versionInfo',
    key: ['versionInfo', field.toLowerCase(), value.toLowerCase()].join('\0'),
    title: `version field ${field}: ${value}`,
    value,
    when: { versionInfo: { field, is: { equals: value } } },
    hit: { facts: [{ kind: 'versionInfo', name: field, value }] },
    nearMisses: [
      { why: oneLetter, facts: [{ kind: 'versionInfo', name: field, value: changeLetter(value) }] },
    ],
    specificity: judgeVersionField(field, value),
  };
}

function judgeVersionField(field: string, value: string): Specificity {
  if (/^[\d.,\s]+$/.test(value)) return { score: 40, reason: 'a number in the version block' };
  if (value.length < 4) return { score: 20, reason: 'a short word in the version block' };
  if (titleNames.test(field)) return { score: 66, reason: 'a name in the version block' };
  if (/^(?:FileDescription|InternalName|OriginalFilename|Comments)$/i.test(field))
    return { score: 62, reason: 'a text in the version block' };
  if (/copyright|trademark/i.test(field)) return { score: 50, reason: 'a text in the version block' };
  // PrivateBuild, SpecialBuild, and fields of the makers' own.
  return { score: 70, reason: 'a field that few version blocks have' };
}

const places = ['first', 'second', 'third', 'fourth'] as const;

function* toVersionFeatures(fact: Fact): Generator<Feature> {
  const numbers = String(fact.value).split('.').map(Number);
  if (numbers.length !== places.length || !numbers.every(Number.isSafeInteger)) return;
  const value = numbers.join('.');
  const make = (
    key: string,
    title: string,
    version: (number | null)[],
    at: number,
    score: number,
  ): Feature => ({
    kind: 'version',
    key: `version\0${key}`,
    title,
    value: key,
    when: { version },
    hit: { facts: [{ kind: 'fileVersion', value }] },
    nearMisses: [
      {
        why: 'another number',
        facts: [{ kind: 'fileVersion', value: numbers.with(at, (numbers[at] ?? 0) + 1).join('.') }],
      },
    ],
    specificity: {
      score,
      reason: score > 30 ? 'the whole version' : 'a number of the version, which others may have too',
    },
  });
  yield make(value, `version ${value}`, numbers, 3, 46);
  for (const [at, place] of places.entries()) {
    const number = numbers[at] ?? 0;
    if (at === 0 || number === 0) continue;
    const version = [...Array.from({ length: at }, () => null), number];
    yield make(`${place} ${number}`, `version with the ${place} number ${number}`, version, at, 26);
  }
}

// ---------------------------------------------------------------------------------- signers, digests, names

function* toSignerFeatures({ authenticity }: Artifact): Generator<Feature> {
  for (const { signer } of authenticity?.signatures ?? []) {
    if (signer === undefined) continue;
    const commonName = tryToPlain(signer.subjectCommonName);
    const shown = commonName ?? 'a signer without a plain name';
    const hit = { status: 'other', commonName: shown, sha256: signer.sha256 } as const;
    yield {
      kind: 'signer',
      key: `signer\0${signer.sha256}`,
      title: `signed by ${shown}, certificate ${signer.sha256.slice(0, 8)}`,
      value: signer.sha256,
      when: { signer: { sha256: signer.sha256 } },
      hit: { signer: hit },
      nearMisses: [
        { why: 'another certificate of that name', signer: { ...hit, sha256: changeDigest(signer.sha256) } },
      ],
      specificity: { score: 92, reason: 'the fingerprint of a certificate' },
    };
    if (commonName === undefined) continue;
    yield {
      kind: 'signer',
      key: `signer name\0${commonName.toLowerCase()}`,
      title: `signed by ${commonName}`,
      value: commonName,
      when: { signer: { commonName: { equals: commonName } } },
      hit: { signer: { status: 'other', commonName } },
      nearMisses: [{ why: oneLetter, signer: { status: 'other', commonName: changeLetter(commonName) } }],
      specificity: { score: 44, reason: 'the name of a signer, which anybody can put into a certificate' },
    };
  }
}

function toDigestFeature({ relation, digests, size, format, problems, name }: Artifact): Feature | undefined {
  const { sha256 } = digests;
  const isWhole = !problems.some(({ code }) => code.startsWith('malformed/') || code.startsWith('limit/'));
  if (
    relation === 'root' ||
    sha256 === undefined ||
    size === undefined ||
    size < smallestMemberBytes ||
    !isWhole
  )
    return undefined;
  const shown = tryToPlain(toBaseName(name)) ?? 'a member';
  return {
    kind: 'digest',
    key: `digest\0${sha256}`,
    title: `${shown} with the SHA-256 ${sha256.slice(0, 8)}`,
    value: sha256,
    when: { digest: [sha256] },
    hit: { sha256 },
    nearMisses: [{ why: 'another file', sha256: changeDigest(sha256) }],
    specificity:
      relation === 'file' && format.nature === 'acting'
        ? { score: 64, reason: 'a program that comes again byte for byte' }
        : { score: relation === 'file' ? 46 : 36, reason: 'a member that comes again byte for byte' },
  };
}

function toNameFeature(
  { relation, name, format, path }: Artifact,
  container: Artifact | undefined,
): { readonly feature: Feature; readonly place: Partial<Sighting> } | undefined {
  if (relation !== 'file' && relation !== 'root') return undefined;
  const base = tryToPlain(toBaseName(name));
  if (base === undefined || base.includes('*') || base.length < shortestName) return undefined;
  const { score, reason } = judgeName(base, relation === 'root');
  const feature = {
    kind: 'name',
    value: base,
    specificity: { score, reason },
  } as const;
  // Of a member that could not be read only its container knows the name.
  if (format.id === 'unread' && container !== undefined) {
    return {
      feature: {
        ...feature,
        key: `memberName\0${base.toLowerCase()}`,
        title: `contains ${base}`,
        when: { memberName: base },
        hit: { memberNames: [base] },
        nearMisses: [{ why: 'a longer name', memberNames: [`x${base}`, `${base}x`] }],
      },
      place: { path: path.slice(0, path.lastIndexOf(pathSeparator)), format: container.format.id },
    };
  }
  return {
    feature: {
      ...feature,
      key: `fileName\0${base.toLowerCase()}`,
      title: `file name ${base}`,
      when: { fileName: base },
      hit: { fileName: base },
      nearMisses: [{ why: 'a longer name', fileName: `x${base}` }],
    },
    place: {},
  };
}
