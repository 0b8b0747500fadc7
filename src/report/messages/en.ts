import { toBytes } from '../amounts.ts';
import type { Integrity } from '../../authenticity/model.ts';
import type { ErrorFamily } from '../../bytes/errors.ts';
import type { sourceKinds, Strength, Variant, VariantRole } from '../../signatures/schema.ts';
import { englishHeadlines } from '../../verdict/headline.ts';
import type { ScanOutcome, Word } from '../model.ts';

/*
 * The English messages. Their shape is that of every language: a message that another language lacks is an error of
 * the compiler. A sentence with something in it is a function; what it is given is plain text and is escaped by
 * whoever prints the sentence.
 */

function toCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

function joinWords(words: readonly string[], last: 'and' | 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}

/** Conditions of the database in plain words. */
const conditions = {
  quote: (text: string) => `"${text}"`,
  text: (text: string) => `text "${text}" in its bytes`,
  regex: (expression: string, anchor: string) =>
    `text in its bytes that matches ${expression} around "${anchor}"`,
  encodings: { ascii: 'in ASCII or UTF-8 only', 'utf-16le': 'in UTF-16LE only' },
  ignoresCase: 'in upper or lower case',
  wholeWord: 'as a whole word',
  withDetails: (text: string, details: readonly string[]) => [text, ...details].join(', '),
  host: (host: string) => `host ${host}, with no further label before it`,
  hostWithSubdomains: (host: string) => `host ${host}, with or without further labels before it`,
  bytes: (pairs: string) => `the bytes ${pairs}`,
  fileName: (pattern: string) => `its own file name is ${pattern}`,
  memberName: (pattern: string) => `something directly inside is named ${pattern}`,
  wildcard: '* stands for anything',
  withRemark: (text: string, remark: string) => `${text} (${remark})`,
  version: (version: string) => `version ${version}`,
  versionStart: (version: string) => `version that begins with ${version}`,
  anyVersion: 'any version',
  versionComponents: (parts: readonly string[]) => `version: ${parts.join(', ')}`,
  versionComponent: (index: number, value: string) =>
    `${['first', 'second', 'third', 'fourth'][index] ?? index + 1} component ${value}`,
  range: (min: number, max: number) => `${min} to ${max}`,
  versionInfo: (field: string, predicate: string) => `${field} of the version block ${predicate}`,
  packageId: (predicate: string) => `package id ${predicate}`,
  bundleId: (predicate: string) => `bundle id ${predicate}`,
  msiProperty: (name: string, predicate: string) => `MSI property ${name} ${predicate}`,
  fact: (kind: string, name: string | undefined, predicate: string) =>
    `fact ${name === undefined ? kind : `${kind} ${name}`} ${predicate}`,
  digest: (digests: readonly string[]) => `SHA-256 ${joinWords(digests, 'or')}`,
  equals: (values: readonly string[]) => `is ${joinWords(values, 'or')}`,
  startsWith: (value: string) => `begins with ${value}`,
  contains: (value: string) => `contains ${value}`,
  matches: (expression: string) => `matches ${expression}`,
  exactly: 'upper and lower case and white space count',
  signature: (parts: readonly string[]) =>
    parts.length === 0 ? 'any signature' : `a signature of which ${joinWords(parts, 'and')}`,
  signerStatus: {
    pinned: 'the certificate is one that the publisher is known to have used',
    claimed: "the certificate bears the publisher's name and is not known to be the publisher's",
    other: 'the signer is somebody else',
  },
  signerPublisher: (publisher: string) => `the publisher is ${publisher}`,
  signerCommonName: (predicate: string) => `the common name of the signer ${predicate}`,
  issuerCommonName: (predicate: string) => `the common name of the issuer ${predicate}`,
  issuerOrganization: (predicate: string) => `the organization of the issuer ${predicate}`,
  certificateDigest: (algorithm: string, digest: string) => `the certificate has the ${algorithm} ${digest}`,
  all: (parts: readonly string[]) => `all of these: ${parts.join('; ')}`,
  any: (parts: readonly string[]) => `at least one of these: ${parts.join('; ')}`,
  none: (parts: readonly string[]) =>
    parts.length === 1 ? `not this: ${parts.join('')}` : `none of these: ${parts.join('; ')}`,
  atLeast: (count: number, parts: readonly string[]) => `at least ${count} of these: ${parts.join('; ')}`,
  nested: (text: string) => `(${text})`,
};

/** The dossiers of `telltale explain`, and the document of variants. */
const explain = {
  labels: {
    role: 'role',
    publisher: 'publisher',
    region: 'region',
    platforms: 'platforms',
    years: 'years',
    summary: 'summary',
    surveillance: 'surveillance',
    note: 'note',
    variant: 'speaks for',
    strength: 'strength',
    artifacts: 'looked for in',
    condition: 'condition',
    tested: 'tested',
    fixtures: 'fixtures',
    hit: 'hit',
    nearMiss: 'near miss',
    indicators: 'indicators',
    realFiles: 'real files',
    knownBuilds: 'known builds',
    kind: 'kind',
    link: 'link',
    accessed: 'accessed',
    product: 'product',
    sources: 'sources',
    citedAs: 'cited as',
    excerpt: 'excerpt',
  },
  sections: {
    documented: 'What is documented',
    notConclude: 'What must not be concluded',
    scope: 'How far the knowledge goes',
    indicators: {
      decisive: 'Decisive indicators: each names it alone',
      strong: 'Strong indicators: two of independent kinds name it together',
      suggestive: 'Suggestive indicators: shown, and never decide',
    },
    sources: 'Sources',
    rests: {
      variants: 'Variants that cite it',
      indicators: 'Indicators that rest on it',
      claims: 'Claims and scopes that rest on it',
      pins: 'Pins that rest on it',
    },
  },
  labelled: (label: string, text: string) => `${label}: ${text}`,
  nothingRests: 'Nothing rests on it.',
  years: (from: number | undefined, to: number | undefined) => {
    if (from !== undefined && to !== undefined) return from === to ? `${from}` : `${from} to ${to}`;
    return from === undefined ? `until ${to ?? '?'}` : `from ${from}`;
  },
  strengthCounts: (counts: Readonly<Record<Strength, number>>) =>
    `${counts.decisive} decisive, ${counts.strong} strong, ${counts.suggestive} suggestive`,
  openYears: (years: string) => `${years}, end not recorded`,
  noIndicators: 'none: nothing of it can be looked for in a file',
  seenInRealFiles: (seen: number, all: number) =>
    `${seen} of ${toCount(all, 'indicator')} seen in a real file${seen === all ? '' : `; ${seen === 0 ? 'tested' : 'the others tested'} on made-up files only`}`,
  testedOnRealFile: 'seen in a real file',
  testedOnFixtures: 'on made-up files only; never seen in a real file',
  fixtures: (hits: number, nearMisses: number) =>
    `fires on ${toCount(hits, 'made-up hit')}, stays silent on ${toCount(nearMisses, 'near miss', 'near misses')}`,
  knownBuilds: (product: string, digests: number, versions: number, oldest: string, newest: string) =>
    versions === 0
      ? `${product}: ${toCount(digests, 'digest')}, no version recorded`
      : `${product}: ${toCount(digests, 'digest')} of ${toCount(versions, 'version')}, ${oldest === newest ? newest : `${oldest} to ${newest}`}`,
  unnamedBuild: 'without a product name',
  knownBuildTotal: (digests: number) => `${toCount(digests, 'digest')} in the ledger`,
  noKnownBuilds: 'none in the ledger',
  ledgerLines: (lines: number) => `${toCount(lines, 'line')} of the ledger`,
  artifacts: { any: 'any file', program: 'every file that can act by itself' },
  formats: (ids: readonly string[]) => `files of the format ${joinWords(ids, 'or')}, and what is part of one`,
  eitherArtifact: (parts: readonly string[]) => joinWords(parts, 'or'),
  claimStrengths: {
    asserts: 'the file says so of itself; signed by somebody else, it is an impostor',
    resembles: 'the file looks like a piece of it, and no more follows than "unverified"',
  },
  claimTitle: 'claim',
  scopeTitle: 'scope',
  unresolved: 'cannot be opened by a stranger; it supports, and never decides',
  fixtureParts: {
    format: 'format',
    fileName: 'file name',
    content: 'text',
    utf16: 'UTF-16 text',
    bytes: 'bytes',
    memberNames: 'members',
    facts: 'facts',
    signer: 'signer',
    sha256: 'SHA-256',
  },
  pinKinds: {
    leaf: 'leaf certificate',
    intermediate: 'intermediate certificate',
    team: 'Apple team',
    appx: 'publisher of Store packages',
    android: 'Android certificate',
    apt: 'key of a package archive',
  },
  list: {
    title: (product: string) => `What the database knows of ${product}`,
    hint: 'telltale explain ID tells everything of one of them, and who says so.',
  },
  document: {
    title: (product: string) => `What is known of the variants of ${product}`,
    generated: 'This page is generated from the database. Change the database, not the page.',
    introduction: (command: string) =>
      `The same dossiers are printed by ${command}. Every statement names its sources, which are listed in full at the end. An indicator says what a file contains. It does not say what the file does.`,
    otherLanguage: '本页的中文版',
    contents: 'Contents',
  },
};

/** The page that `telltale scan --format html` writes. */
const html = {
  title: 'telltale report',
  outcome: {
    ok: 'Nothing violates the policy, and everything was read.',
    incomplete: 'Nothing violates the policy, but something could not be read fully.',
    bug: 'A fault of telltale itself came up. What could be found out is in this report.',
    violation: (files: number) =>
      `${toCount(files, 'file')} ${files === 1 ? 'violates' : 'violate'} the policy.`,
    interrupted: (missing: number) =>
      `The scan was interrupted with ${toCount(missing, 'file')} left to scan.`,
  },
  leftOut: (files: number) => `${toCount(files, 'older file')} not looked at.`,
  verdicts: 'Verdicts',
  meaningTitle: 'What the verdicts mean',
  meanings: {
    impostor: 'it claims to be the product, with proof against it: a forged signer, a documented fake',
    modified: 'it claims to be the product, and a signature in it does not hold for these bytes',
    variant: 'what is inside names another edition; also when the publisher itself signed it',
    damaged: 'it claims to be the product, and bytes that its own headers promise are missing',
    unverified: 'it looks like the product; nothing proves or disproves it',
    incomplete: 'too little of it was read to say what it is',
    official:
      'its digest is recorded, or it is intact and signed by the publisher; nothing names another edition',
    other: 'nothing in it claims to be the product',
  },
  policy: 'Policy',
  policyFiles: (paths: readonly string[]) => `Policy of ${joinWords(paths, 'and')}.`,
  failOn: (verdicts: readonly string[]) => `Verdicts that violate it: ${verdicts.join(', ')}.`,
  noViolations: 'No file violates it.',
  violations: 'Violations',
  exceptions: 'Let through by an exception',
  exception: (reason: string, owner: string, expires: string) => `${reason} (${owner}, until ${expires})`,
  database: (databases: readonly string[], digest: string) =>
    `Database ${databases.join(', ')}, digest ${digest}.`,
  withoutKnownBuilds: 'The ledger of known builds was not used.',
  tool: (version: string) => `telltale ${version}`,
  files: 'Files',
  controls: 'Search and filters',
  search: 'Search',
  searchHint: 'path, product, telltale, member',
  strengths: 'Telltales',
  strengthWords: {
    decisive: 'decisive',
    strong: 'strong',
    suggestive: 'suggestive',
  } satisfies Record<Strength, string>,
  states: 'State',
  violates: 'violates the policy',
  notReadFully: 'not read fully',
  shown: (shown: string, all: string) => `${shown} of ${all} files shown`,
  nothingMatches: 'Nothing matches.',
  clear: 'Clear search and filters',
  expandAll: 'Expand all',
  collapseAll: 'Collapse all',
  theme: (name: string) => `Theme: ${name}`,
  themes: { auto: 'automatic', light: 'light', dark: 'dark' },
  linkHere: (path: string) => `Link to ${path}`,
  why: 'Why, and what lies in it',
  telltales: 'Telltales',
  morePlaces: (count: number) => `${toCount(count, 'further place')}`,
  times: (count: number) => `${count} times there`,
  bytesAt: (offset: string) => `Bytes at ${offset}`,
  sources: 'sources',
  notToOpen: 'cannot be opened by a stranger',
  tree: (members: number) => `What lies in it: ${toCount(members, 'member')}`,
  decided: 'decided the verdict',
  carries: 'carries a telltale',
  problem: 'problem',
  sha256: 'SHA-256',
  size: 'size',
  bytes: (count: number) => toBytes(count),
  more: (count: number) => `and ${count} more; the JSON report has them`,
};

/** What holds for all reports. */
const common = {
  roles: {
    official: "the publisher's own international edition",
    edition: 'another official edition; named in a report, changes no verdict',
    regional: 'an edition for a region; its telltales lead to the verdict "variant"',
    operator: 'an edition for a network operator; its telltales lead to the verdict "variant"',
    companion: 'a program that comes with an edition; its telltales lead to the verdict "variant"',
    'co-brand': "a partner's brand; named in a report, changes no verdict",
    wrapper: 'a launcher, a repack or a changed client; named in a report, changes no verdict',
    unconfirmed: 'of unknown purpose; named in a report, changes no verdict',
    impostor: 'a documented fake; its telltales lead to the verdict "impostor"',
    unrelated: 'a known file that only borrows the name; the verdict is "other"',
  } satisfies Record<VariantRole, string>,
  roleGroups: {
    official: 'Official edition',
    edition: 'Other official editions',
    regional: 'Editions for a region',
    operator: 'Editions for network operators',
    companion: 'Programs that come with an edition',
    'co-brand': "Partners' brands",
    wrapper: 'Launchers, repacks and changed clients',
    unconfirmed: 'Of unknown purpose',
    impostor: 'Documented fakes',
    unrelated: 'Known files that only borrow the name',
  } satisfies Record<VariantRole, string>,
  strengths: {
    decisive: 'decisive: names the variant by itself',
    strong: 'strong: names the variant together with a second one of an independent kind',
    suggestive: 'suggestive: shown, and never decides',
  } satisfies Record<Strength, string>,
  surveillance: {
    documented: 'documented',
    'none-found': 'looked for, none found',
    unknown: 'unknown',
  } satisfies Record<Variant['surveillance']['status'], string>,
  sourceKinds: {
    primary: 'primary',
    vendor: 'vendor',
    press: 'press',
    registry: 'package registry',
    'third-party': 'third party',
    unresolved: 'unresolved',
  } satisfies Record<(typeof sourceKinds)[number], string>,
};

/** The report of a scan: what is said of each file, and at the end. */
const scan = {
  headlines: englishHeadlines,
  /** What stands before a file, as JSON names it. */
  verdict: (word: Word): string => word,
  labels: {
    because: 'because',
    decidedBy: 'decided by',
    untested: 'untested',
    signedBy: 'signed by',
    signatureOf: 'signature of',
    signer: 'signer',
    signature: 'signature',
    known: 'known',
    closest: 'closest to',
    rule: 'rule',
    scope: 'scope',
    note: 'note',
  },
  strengths: {
    decisive: 'decisive',
    strong: 'strong',
    suggestive: 'suggestive',
  } satisfies Record<Strength, string>,
  integrity: {
    intact: 'intact',
    modified: 'modified',
    damaged: 'damaged',
    unsigned: 'unsigned',
    'signature-removed': 'removed',
  } satisfies Record<Integrity, string>,
  families: {
    malformed: 'malformed',
    unsupported: 'unsupported',
    limit: 'limit',
    encrypted: 'encrypted',
    unreadable: 'unreadable',
    usage: 'usage',
    internal: 'internal',
  } satisfies Record<ErrorFamily, string>,
  quote: (text: string) => `"${text}"`,
  evidence: {
    fileName: (name: string) => `file name ${name}`,
    memberName: (name: string) => `contains ${name}`,
    version: (version: string) => `version ${version}`,
    signer: (name: string) => `signed by ${name}`,
  },
  morePlaces: (count: number) => `and ${count} more (-v shows all)`,
  moreTelltales: (count: number) => `and ${toCount(count, 'more telltale')} (-v shows all)`,
  moreProblems: (count: number) => `and ${toCount(count, 'more problem')} (-v shows all)`,
  moreSources: (count: number) => `and ${toCount(count, 'more source')}`,
  ofVariant: (title: string, variant: string) => `${title} (${variant})`,
  untested: (all: boolean) =>
    `${all ? 'these telltales come' : 'some of these telltales come'} from the sources named; no real file that carries them was available to us`,
  signer: (name: string, fingerprint: string, pin: string, from: string, until: string, stamp: string) =>
    `${name}, certificate ${fingerprint}${pin} (${from} to ${until}), ${stamp}`,
  doesNotHold: (signer: string) => `${signer}; it does not hold over these bytes`,
  pinned: ' pinned',
  pinnedThrough: (issuer: string) => ` pinned through its issuer ${issuer}`,
  noTimestamp: 'no timestamp',
  timestampNotVerified: 'timestamp not verified',
  timestampVerified: (day: string) => `timestamp ${day} verified`,
  notKnown: 'not in the ledger of known builds',
  knownBuild: (build: string, fileName: string, algorithm: string, isWeak: boolean, grade: string) =>
    `${build}, ${fileName}, recorded by ${algorithm}${isWeak ? ' only, which can be forged' : ''} (${grade} confidence)`,
  closestBuild: (build: string, platform: string, inside: string, alike: string) =>
    `${build} for ${platform}${inside}, ${alike} (a hint, not proof)`,
  ruleMatch: (identifier: string, offset: string) => `${identifier} at 0x${offset}`,
  ruleMatches: (places: readonly string[], further: number) =>
    `${places.join(', ')}${further > 0 ? ` and ${further} more` : ''}`,
  moreRules: (count: number) => `and ${toCount(count, 'more match', 'more matches')} of rules (-v shows all)`,
  compareWithOriginal: 'where an original is at hand, telltale diff ORIGINAL FILE shows what was changed',
  sameBytes: 'the same bytes',
  alike: (percent: number) => `${percent} % alike`,
  measured: (ssdeep: number, tlsh: number | null, build: string, sha256: string) =>
    `ssdeep ${ssdeep}, TLSH distance ${tlsh ?? 'unknown'}; ${build}, sha256 ${sha256}`,
  problem: (place: string, message: string, consequence: string) =>
    `${place === '' ? '' : `${place}: `}${message}; ${consequence}`,
  offset: (hexadecimal: string) => `at 0x${hexadecimal}`,
  source: (short: string, title: string, link: string | undefined) =>
    `${short}: ${title}${link === undefined ? ' (cannot be opened by a stranger)' : ` ${link}`}`,
  sourceNames: (names: readonly string[]) => names.join(', '),
  summary: {
    files: (count: number, parts: readonly string[]) => `${toCount(count, 'file')}: ${parts.join(', ')}`,
    count: (count: number, word: Word) => `${count} ${word}`,
    partial: (count: number) => `${count} of them not read fully`,
    interrupted: (count: number) => `interrupted with ${count} more to scan`,
    leftOut: (count: number) => `${count} older not looked at`,
  },
  policy: {
    letThrough: (path: string, reason: string, owner: string, expires: string) =>
      `let through   ${path}: ${reason} (${owner}, until ${expires})`,
    violation: (rule: string, path: string, detail: string) => `${rule}: ${path}: ${detail}`,
    of: (origins: readonly string[]) => (origins.length === 0 ? '' : ` of ${origins.join(' and ')}`),
    violated: (of: string, rules: readonly string[], files: number) =>
      `policy${of} violated (${rules.join(', ')}) by ${toCount(files, 'file')}`,
    showsEverything: '; telltale scan -v shows everything',
    met: (of: string) => `policy${of} met`,
  },
  seal: {
    unsigned: (path: string) => `database ${path}: not signed`,
    trusted: (path: string, key: string) => `database ${path}: signed with the key ${key}…, which is trusted`,
    unchecked: (path: string, key: string) =>
      `database ${path}: signed with the key ${key}…; whose key that is was not checked (--trust KEY checks it)`,
  },
  outcomes: {
    interrupted: 'The scan was interrupted; not all files were looked at.',
    violation: 'Files violate the policy.',
    bug: 'A fault of telltale itself was found; the report may lack something.',
    incomplete: 'No file violates the policy, but something could not be read.',
    ok: 'No file violates the policy, and everything was read.',
  } satisfies Record<ScanOutcome, string>,
  markdown: {
    title: (outcome: ScanOutcome) =>
      ({
        interrupted: 'telltale: interrupted',
        violation: 'telltale: policy violated',
        bug: 'telltale: fault of the tool',
        incomplete: 'telltale: not everything was read',
        ok: 'telltale: in order',
      })[outcome],
    columns: { verdict: 'verdict', files: 'files', path: 'file', what: 'what it is', why: 'why' },
    reasons: (parts: readonly string[]) => parts.join('; '),
    notFullyRead: 'not read fully',
    violations: 'Violations of the policy',
    exceptions: 'Let through by an exception',
    exception: (reason: string, owner: string, expires: string) => `${reason} (${owner}, until ${expires})`,
    rule: 'rule',
    detail: 'detail',
    files: 'Files',
    details: 'Details',
    moreRows: (count: number) => `and ${count} more; the JSON report has all`,
    moreDetails: (count: number) =>
      `Details of ${count} more ${count === 1 ? 'file' : 'files'} are left out; the JSON report has all.`,
    cut: (count: number) => `This report was cut at ${count} characters; the JSON report has everything.`,
    madeBy: (tool: string, databases: string) => `${tool}, ${databases}`,
  },
};

export const en = { common, conditions, explain, html, scan };

/** The shape of the messages of a language. */
export type Messages = typeof en;
