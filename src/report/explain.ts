import type { SignatureResult } from '../authenticity/model.ts';
import { pathSeparator } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import type { Citation, FileResult, Telltale, TelltaleEvidence } from '../verdict/model.ts';

/** One labelled statement of an explanation, with what supports it below. */
export interface Statement {
  readonly label: string;
  readonly text: string;
  /** Evidence, one line each. */
  readonly support: readonly Support[];
  /** The telltale that it tells, for reports that show one in their own way. */
  readonly telltale?: Telltale;
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
}

/** At most this many problems, and this many telltales, are told unless everything is asked for. */
const problemsToldAtOnce = 5;
const telltalesToldAtOnce = 4;

/** General notes on a variant beyond these are for explain. */
const notesToldAtOnce = 1;

/** Why, what was not seen, and what is worth knowing, in the order in which a person reads it. */
export function explain(file: FileResult, options: ExplainOptions): readonly Statement[] {
  const statements: Statement[] = [];
  const say = (label: string, text: string, support: readonly Support[] = []): void => {
    statements.push({ label, text, support });
  };
  const isTold = file.verdict !== 'other' || file.telltales.length > 0 || options.isVerbose;

  if (file.verdict !== 'other') say('because', file.reason);
  if (file.decidedBy !== null) say('decided by', toShownPath(file.decidedBy, file));
  if (isTold) {
    for (const statement of explainTelltales(file.telltales, file, options)) statements.push(statement);
    for (const statement of explainAuthenticity(file, options)) statements.push(statement);
    for (const statement of explainKnownBuild(file, options)) statements.push(statement);
    for (const statement of explainClosest(file, options)) statements.push(statement);
  }
  for (const statement of explainRules(file, options)) statements.push(statement);
  const notes = options.isVerbose
    ? file.notes
    : file.notes.filter(({ kind }, at) => kind !== 'variant' || at < notesToldAtOnce);
  for (const note of notes) {
    if (note.kind === 'scope') say('scope', note.text.slice(note.text.indexOf(':') + 2));
    else
      say(
        'note',
        note.text,
        options.isVerbose ? note.sources.map(toSourceLine) : toShortSources(note.sources),
      );
  }
  for (const statement of explainProblems(file, options)) statements.push(statement);
  return options.isVerbose ? statements : statements.map(toShortened);
}

function explainTelltales(
  telltales: readonly Telltale[],
  file: FileResult,
  options: ExplainOptions,
): readonly Statement[] {
  const told = telltales.filter(({ strength }) => options.isVerbose || strength !== 'suggestive');
  const shown = options.isVerbose ? told : told.slice(0, telltalesToldAtOnce);
  const statements = shown.map((telltale): Statement => {
    const support: Support[] = [];
    const places = options.isVerbose ? telltale.evidence : toDeepest(telltale.evidence);
    for (const { path, region, bytes, text } of places) {
      const place = toShownPath(path, file);
      support.push({
        kind: 'place',
        text: region === undefined ? place : `${place}${pathSeparator}${region}`,
      });
      support.push({ kind: 'quote', text: bytes === undefined ? text : `"${bytes}"` });
    }
    if (telltale.evidence.length > places.length) {
      support.push({
        kind: 'quote',
        text: `and ${telltale.evidence.length - places.length} more (-v shows all)`,
      });
    }
    support.push(
      ...(options.isVerbose ? telltale.sources.map(toSourceLine) : toShortSources(telltale.sources)),
    );
    const isNamed = telltale.variant === file.variant;
    return {
      label: telltale.strength,
      text: `${telltale.title}${isNamed ? '' : ` (${telltale.variantName})`}`,
      support,
      telltale,
    };
  });
  if (told.length > shown.length) {
    statements.push({
      label: '',
      text: `and ${told.length - shown.length} more telltales (-v shows all)`,
      support: [],
    });
  }
  if (shown.some(({ testedOnRealFile }) => !testedOnRealFile)) {
    const which = shown.every(({ testedOnRealFile }) => !testedOnRealFile)
      ? 'these telltales come'
      : 'some of these telltales come';
    statements.push({
      label: 'untested',
      text: `${which} from the sources named; no real file that carries them was available to us`,
      support: [],
    });
  }
  return statements;
}

/** At most this many rules, and this many places of each, are told unless everything is asked for. */
const rulesToldAtOnce = 8;
const placesToldAtOnce = 3;

function explainRules(file: FileResult, options: ExplainOptions): readonly Statement[] {
  const shown = options.isVerbose ? file.rules : file.rules.slice(0, rulesToldAtOnce);
  const statements = shown.map(({ rule, file: rules, path, matches }): Statement => {
    const told = options.isVerbose ? matches : matches.slice(0, placesToldAtOnce);
    const places = told.map(({ identifier, offset }) => `${identifier} at 0x${offset.toString(16)}`);
    const rest = matches.length - told.length;
    return {
      label: 'rule',
      text: `${rule} (${toBaseName(rules)})`,
      support: [
        { kind: 'place', text: toShownPath(path, file) },
        ...(places.length === 0
          ? []
          : [{ kind: 'quote' as const, text: `${places.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}` }]),
      ],
    };
  });
  if (file.rules.length > shown.length) {
    const text = `and ${file.rules.length - shown.length} more matches of rules (-v shows all)`;
    statements.push({ label: '', text, support: [] });
  }
  return statements;
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
  const statements: Statement[] = [
    {
      label: authenticity.integrity === 'signature-removed' ? 'removed' : authenticity.integrity,
      text: authenticity.integrityDetail,
      support: [],
    },
  ];
  const signatures = options.isVerbose ? authenticity.signatures : authenticity.signatures.slice(0, 1);
  for (const signature of signatures) {
    if (signature.signer === undefined) continue;
    const holds = signature.digestMatches && signature.signatureVerifies;
    statements.push({
      label: holds ? 'signed by' : 'signature of',
      text: toSignerText(signature, options) + (holds ? '' : '; it does not hold over these bytes'),
      support: [],
    });
  }
  if (authenticity.signer !== 'none' && (authenticity.signer !== 'pinned' || options.isVerbose)) {
    statements.push({ label: 'signer', text: authenticity.signerDetail, support: [] });
  }
  const remarks = [...authenticity.problems, ...authenticity.signatures.flatMap(({ problems }) => problems)];
  const seen = new Set<string>();
  for (const { code, message } of remarks) {
    if (seen.has(message) || (!options.isVerbose && quietRemarks.has(code))) continue;
    seen.add(message);
    statements.push({ label: 'signature', text: message, support: [] });
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
  const fingerprint = options.isVerbose ? signer.sha256 : `${signer.sha1.slice(0, 8)}…`;
  const pinned =
    pin === undefined
      ? ''
      : pin.kind === 'leaf'
        ? ' pinned'
        : ` pinned through its issuer ${signer.issuerCommonName}`;
  const period = `${signer.notBefore.slice(0, 7)} to ${signer.notAfter.slice(0, 7)}`;
  const stamp =
    signingTime === undefined
      ? timestamps.length === 0
        ? 'no timestamp'
        : 'timestamp not verified'
      : `timestamp ${signingTime.slice(0, 10)} verified`;
  return `${signer.subjectCommonName === '' ? signer.subject : signer.subjectCommonName}, certificate ${fingerprint}${pinned} (${period}), ${stamp}`;
}

function explainKnownBuild(file: FileResult, options: ExplainOptions): readonly Statement[] {
  const { knownBuild } = file;
  if (knownBuild === null) {
    return file.verdict === 'other'
      ? []
      : [{ label: 'known', text: 'not in the ledger of known builds', support: [] }];
  }
  const sources = options.isVerbose ? knownBuild.sources : knownBuild.sources.slice(0, 2);
  const more = knownBuild.sources.length - sources.length;
  return [
    {
      label: 'known',
      text: `${knownBuild.product} ${knownBuild.version}, ${knownBuild.fileName}, recorded by ${knownBuild.algorithm}${knownBuild.weak ? ' only, which can be forged' : ''} (${knownBuild.grade} confidence)`,
      support: [...sources, ...(more > 0 ? [`and ${more} more sources`] : [])].map((line) => ({
        kind: 'source',
        text: line,
      })),
    },
  ];
}

/** Of a file that is proved, it only informs. */
function explainClosest(file: FileResult, options: ExplainOptions): readonly Statement[] {
  if (file.closest === null || (file.verdict === 'official' && !options.isVerbose)) return [];
  const told = options.isVerbose ? file.closest : file.closest.slice(0, 1);
  return told.map(
    ({ path, product, version, platform, platformName, part, likeness, ...build }): Statement => {
      const inside = part === null ? '' : `${pathSeparator}${part}`;
      const alike = likeness === 100 ? 'the same bytes' : `${likeness} % alike`;
      const measured = `ssdeep ${build.ssdeep}, TLSH distance ${build.tlsh ?? 'unknown'}; ${build.fileName}${inside}, sha256 ${build.sha256}`;
      return {
        label: 'closest to',
        text: `${product} ${version} for ${platformName ?? platform}${inside}, ${alike} (a hint, not proof)`,
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
  const told = options.isVerbose ? problems : problems.filter(({ incomplete }) => incomplete);
  const shown = options.isVerbose ? told : told.slice(0, problemsToldAtOnce);
  const statements = shown.map(
    ({ code, path, offset, message, consequence }): Statement => ({
      label: code.slice(0, code.indexOf('/')),
      text: `${toPlace(toInnerPath(path, file), offset)}${message}; ${consequence}`,
      support: [],
    }),
  );
  if (told.length > shown.length) {
    statements.push({
      label: '',
      text: `and ${told.length - shown.length} more problems (-v shows all)`,
      support: [],
    });
  }
  return statements;
}

function toPlace(path: string, offset: number | undefined): string {
  const place = [
    ...(path === '' ? [] : [path]),
    ...(offset === undefined ? [] : [`at 0x${offset.toString(16)}`]),
  ];
  return place.length === 0 ? '' : `${place.join(' ')}: `;
}

function toSourceLine(citation: Citation): Support {
  const { short, title, link } = citation;
  return {
    kind: 'source',
    citation,
    text: `${short}: ${title}${link === undefined ? ' (cannot be opened by a stranger)' : ` ${link}`}`,
  };
}

function toShortSources(sources: readonly Citation[]): readonly Support[] {
  const names = [...new Set(sources.map(({ short }) => short))];
  return names.length === 0 ? [] : [{ kind: 'source', text: names.join(', ') }];
}
