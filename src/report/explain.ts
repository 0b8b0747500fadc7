import type { SignatureResult } from '../authenticity/model.ts';
import { toErrorFamily } from '../bytes/errors.ts';
import { pathSeparator } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import { toHeadline } from '../verdict/headline.ts';
import type { Citation, FileResult, Telltale, TelltaleEvidence } from '../verdict/model.ts';
import { type Messages, messages } from './messages/index.ts';
import type { Translator } from './translator.ts';

/** One labelled statement of an explanation, with what supports it below. */
export interface Statement {
  readonly label: string;
  readonly text: string;
  /** Evidence, one line each. */
  readonly support: readonly Support[];
  /** The telltale that it tells, for reports that show one in their own way. */
  readonly telltale?: Telltale;
  /** Who says so; the support names them as well. */
  readonly sources?: readonly Citation[];
}

/** A line below a statement: where something is, what stands there, or who says so. */
export interface Support {
  readonly kind: 'place' | 'quote' | 'source';
  readonly text: string;
  /** The source, where the line is about one alone. */
  readonly citation?: Citation;
}

/** How much is told. */
export interface ExplainOptions {
  /** Also suggestive telltales, full digests and every problem. */
  readonly isVerbose: boolean;
  /** Into the language of the reader. */
  readonly translator: Translator;
}

/** At most this many problems, and this many telltales, are told unless everything is asked for. */
const problemsToldAtOnce = 5;
const telltalesToldAtOnce = 4;

/** General notes on a variant beyond these are for explain. */
const notesToldAtOnce = 1;

/** What a language says in the report of a scan. */
function toWords({ translator }: Pick<ExplainOptions, 'translator'>): Messages['scan'] {
  return messages[translator.language].scan;
}

/** The headline in the language of the reader: what it is, or what it says that it is. */
export function toLocalHeadline(file: FileResult, translator: Translator): string {
  return toHeadline(file, toWords({ translator }).headlines, (text) => translator.translate(text));
}

/** Why, what was not seen, and what is worth knowing, in the order in which a person reads it. */
export function explain(file: FileResult, options: ExplainOptions): readonly Statement[] {
  const { labels } = toWords(options);
  const { translator } = options;
  const statements: Statement[] = [];
  const say = (label: string, text: string, support: readonly Support[] = []): void => {
    statements.push({ label, text, support });
  };
  const isTold = file.verdict !== 'other' || file.telltales.length > 0 || options.isVerbose;

  if (file.verdict !== 'other') say(labels.because, translator.translate(file.reason));
  if (file.decidedBy !== null) say(labels.decidedBy, toShownPath(file.decidedBy, file));
  if (isTold) {
    for (const statement of explainTelltales(file.telltales, file, options)) statements.push(statement);
    for (const statement of explainAuthenticity(file, options)) statements.push(statement);
    for (const statement of explainKnownBuild(file, options)) statements.push(statement);
    for (const statement of explainClosest(file, options)) statements.push(statement);
  }
  for (const statement of explainRules(file, options)) statements.push(statement);
  if (file.verdict === 'modified') say(labels.note, toWords(options).compareWithOriginal);
  const notes = options.isVerbose
    ? file.notes
    : file.notes.filter(({ kind }, at) => kind !== 'variant' || at < notesToldAtOnce);
  for (const note of notes) {
    if (note.kind === 'scope') {
      say(labels.scope, translator.translate(note.text.slice(note.text.indexOf(':') + 2)));
    } else {
      const { text, sources } = note;
      const support = toSources(sources, options);
      statements.push({ label: labels.note, text: translator.translate(text), support, sources });
    }
  }
  for (const statement of explainProblems(file, options)) statements.push(statement);
  return options.isVerbose ? statements : statements.map(toShortened);
}

function explainTelltales(
  telltales: readonly Telltale[],
  file: FileResult,
  options: ExplainOptions,
): readonly Statement[] {
  const words = toWords(options);
  const { translator } = options;
  const told = telltales.filter(({ strength }) => options.isVerbose || strength !== 'suggestive');
  const shown = options.isVerbose ? told : told.slice(0, telltalesToldAtOnce);
  const statements = shown.map((telltale): Statement => {
    const support: Support[] = [];
    const places = options.isVerbose ? telltale.evidence : toDeepest(telltale.evidence);
    for (const { kind, path, region, bytes, text } of places) {
      const place = toShownPath(path, file);
      support.push({
        kind: 'place',
        text: region === undefined ? place : `${place}${pathSeparator}${region}`,
      });
      support.push({
        kind: 'quote',
        text: bytes === undefined ? toEvidenceText(kind, text, words) : words.quote(bytes),
      });
    }
    if (telltale.evidence.length > places.length) {
      support.push({
        kind: 'quote',
        text: words.morePlaces(telltale.evidence.length - places.length),
      });
    }
    support.push(...toSources(telltale.sources, options));
    const title = translator.translate(telltale.title);
    const isNamed = telltale.variant === file.variant;
    return {
      label: words.strengths[telltale.strength],
      text: isNamed ? title : words.ofVariant(title, translator.translate(telltale.variantName)),
      support,
      telltale,
      sources: telltale.sources,
    };
  });
  if (told.length > shown.length) {
    statements.push({
      label: '',
      text: words.moreTelltales(told.length - shown.length),
      support: [],
    });
  }
  if (shown.some(({ testedOnRealFile }) => !testedOnRealFile)) {
    statements.push({
      label: words.labels.untested,
      text: words.untested(shown.every(({ testedOnRealFile }) => !testedOnRealFile)),
      support: [],
    });
  }
  return statements;
}

/** At most this many rules, and this many places of each, are told unless everything is asked for. */
const rulesToldAtOnce = 8;
const placesToldAtOnce = 3;

function explainRules(file: FileResult, options: ExplainOptions): readonly Statement[] {
  const words = toWords(options);
  const shown = options.isVerbose ? file.rules : file.rules.slice(0, rulesToldAtOnce);
  const statements = shown.map(({ rule, file: rules, path, matches }): Statement => {
    const told = options.isVerbose ? matches : matches.slice(0, placesToldAtOnce);
    const places = told.map(({ identifier, offset }) => words.ruleMatch(identifier, offset.toString(16)));
    const rest = matches.length - told.length;
    return {
      label: words.labels.rule,
      text: `${rule} (${toBaseName(rules)})`,
      support: [
        { kind: 'place', text: toShownPath(path, file) },
        ...(places.length === 0 ? [] : [{ kind: 'quote' as const, text: words.ruleMatches(places, rest) }]),
      ],
    };
  });
  if (file.rules.length > shown.length) {
    const text = words.moreRules(file.rules.length - shown.length);
    statements.push({ label: '', text, support: [] });
  }
  return statements;
}

/** How evidence that is no bytes begins in a result. */
const evidenceStarts = {
  fileName: 'file name ',
  memberName: 'contains ',
  version: 'version ',
  signer: 'signed by ',
} as const;

/** What was found, where no bytes are quoted: a name or a value behind what it is. */
function toEvidenceText(kind: string, text: string, { evidence }: Messages['scan']): string {
  for (const known of ['fileName', 'memberName', 'version', 'signer'] as const) {
    const start = evidenceStarts[known];
    if (kind === known && text.startsWith(start)) return evidence[known](text.slice(start.length));
  }
  return text;
}

function toDepth({ path }: TelltaleEvidence): number {
  return path.split(pathSeparator).length;
}

/** The innermost place: what was unpacked says more than the packed bytes around it. */
function toDeepest(evidence: readonly TelltaleEvidence[]): readonly TelltaleEvidence[] {
  const deepest = evidence.reduce<TelltaleEvidence | undefined>(
    (best, one) => (best === undefined || toDepth(one) > toDepth(best) ? one : best),
    undefined,
  );
  return deepest === undefined ? [] : [deepest];
}

function explainAuthenticity({ authenticity }: FileResult, options: ExplainOptions): readonly Statement[] {
  if (authenticity === null) return [];
  const words = toWords(options);
  const { translator } = options;
  const statements: Statement[] = [
    {
      label: words.integrity[authenticity.integrity],
      text: translator.translate(authenticity.integrityDetail),
      support: [],
    },
  ];
  const signatures = options.isVerbose ? authenticity.signatures : authenticity.signatures.slice(0, 1);
  for (const signature of signatures) {
    if (signature.signer === undefined) continue;
    const holds = signature.digestMatches && signature.signatureVerifies;
    const signer = toSignerText(signature, options);
    statements.push({
      label: holds ? words.labels.signedBy : words.labels.signatureOf,
      text: holds ? signer : words.doesNotHold(signer),
      support: [],
    });
  }
  if (authenticity.signer !== 'none' && (authenticity.signer !== 'pinned' || options.isVerbose)) {
    statements.push({
      label: words.labels.signer,
      text: translator.translate(authenticity.signerDetail),
      support: [],
    });
  }
  const remarks = [...authenticity.problems, ...authenticity.signatures.flatMap(({ problems }) => problems)];
  const seen = new Set<string>();
  for (const { code, message } of remarks) {
    if (seen.has(message) || (!options.isVerbose && quietRemarks.has(code))) continue;
    seen.add(message);
    statements.push({ label: words.labels.signature, text: translator.translate(message), support: [] });
  }
  return statements;
}

/** Remarks that the statements above say already, or that only a specialist wants. */
const quietRemarks: ReadonlySet<string> = new Set([
  'digest-mismatch',
  'unused-certificates',
  'certificate-table',
  'stray-signature',
]);

function toSignerText(
  { signer, timestamps, pin, signingTime }: SignatureResult,
  options: ExplainOptions,
): string {
  if (signer === undefined) return '';
  const words = toWords(options);
  const fingerprint = options.isVerbose ? signer.sha256 : `${signer.sha1.slice(0, 8)}…`;
  const pinned =
    pin === undefined
      ? ''
      : pin.kind === 'leaf'
        ? words.pinned
        : words.pinnedThrough(signer.issuerCommonName);
  const stamp =
    signingTime === undefined
      ? timestamps.length === 0
        ? words.noTimestamp
        : words.timestampNotVerified
      : words.timestampVerified(signingTime.slice(0, 10));
  return words.signer(
    signer.subjectCommonName === '' ? signer.subject : signer.subjectCommonName,
    fingerprint,
    pinned,
    signer.notBefore.slice(0, 7),
    signer.notAfter.slice(0, 7),
    stamp,
  );
}

function explainKnownBuild(file: FileResult, options: ExplainOptions): readonly Statement[] {
  const { knownBuild } = file;
  const words = toWords(options);
  const label = words.labels.known;
  if (knownBuild === null) {
    return file.verdict === 'other' ? [] : [{ label, text: words.notKnown, support: [] }];
  }
  const sources = options.isVerbose ? knownBuild.sources : knownBuild.sources.slice(0, 2);
  const more = knownBuild.sources.length - sources.length;
  const { product, version, fileName, algorithm, weak, grade } = knownBuild;
  return [
    {
      label,
      text: words.knownBuild(`${product} ${version}`, fileName, algorithm, weak, grade),
      support: [...sources, ...(more > 0 ? [words.moreSources(more)] : [])].map((line) => ({
        kind: 'source',
        text: line,
      })),
    },
  ];
}

/** Of a file that is proved, it only informs. */
function explainClosest(file: FileResult, options: ExplainOptions): readonly Statement[] {
  if (file.closest === null || (file.verdict === 'official' && !options.isVerbose)) return [];
  const words = toWords(options);
  const told = options.isVerbose ? file.closest : file.closest.slice(0, 1);
  return told.map(
    ({ path, product, version, platform, platformName, part, likeness, ...build }): Statement => {
      const inside = part === null ? '' : `${pathSeparator}${part}`;
      const alike = likeness === 100 ? words.sameBytes : words.alike(likeness);
      const measured = words.measured(build.ssdeep, build.tlsh, `${build.fileName}${inside}`, build.sha256);
      return {
        label: words.labels.closest,
        text: words.closestBuild(`${product} ${version}`, platformName ?? platform, inside, alike),
        support: [
          ...(path === file.path ? [] : [{ kind: 'place' as const, text: toShownPath(path, file) }]),
          ...(options.isVerbose ? [{ kind: 'quote' as const, text: measured }] : []),
        ],
      };
    },
  );
}

/** Digests and fingerprints show eight digits unless everything is asked for. */
function shorten(line: string): string {
  return line.replaceAll(/\b([0-9a-f]{8})[0-9a-f]{24,}\b/gi, '$1…');
}

function toShortened({ text, support, ...statement }: Statement): Statement {
  return {
    ...statement,
    text: shorten(text),
    support: support.map((line) => ({ ...line, text: shorten(line.text) })),
  };
}

/** A nested path that begins with the file's own name; its folder stands in the headline. */
function toShownPath(path: string, file: FileResult): string {
  return path.startsWith(file.path) ? toBaseName(file.path) + path.slice(file.path.length) : path;
}

/** The path inside the file; nothing for the file itself, which stands in the headline. */
function toInnerPath(path: string, file: FileResult): string {
  return path === file.path
    ? ''
    : path.startsWith(file.path + pathSeparator)
      ? path.slice(file.path.length + pathSeparator.length)
      : path;
}

function explainProblems(file: FileResult, options: ExplainOptions): readonly Statement[] {
  const { problems } = file;
  const words = toWords(options);
  const { translator } = options;
  const told = options.isVerbose ? problems : problems.filter(({ incomplete }) => incomplete);
  const shown = options.isVerbose ? told : told.slice(0, problemsToldAtOnce);
  const statements = shown.map(
    ({ code, path, offset, message, consequence }): Statement => ({
      label: words.families[toErrorFamily(code)],
      text: words.problem(
        [toInnerPath(path, file), offset === undefined ? '' : words.offset(offset.toString(16))]
          .filter((part) => part !== '')
          .join(' '),
        translator.translate(message),
        translator.translate(consequence),
      ),
      support: [],
    }),
  );
  if (told.length > shown.length) {
    statements.push({
      label: '',
      text: words.moreProblems(told.length - shown.length),
      support: [],
    });
  }
  return statements;
}

/** Each source on a line of its own, or all of them by their short names. */
function toSources(sources: readonly Citation[], options: ExplainOptions): readonly Support[] {
  const words = toWords(options);
  if (options.isVerbose) {
    return sources.map((citation) => ({
      kind: 'source',
      text: words.source(citation.short, citation.title, citation.link),
      citation,
    }));
  }
  const names = [...new Set(sources.map(({ short }) => short))];
  return names.length === 0 ? [] : [{ kind: 'source', text: words.sourceNames(names) }];
}
