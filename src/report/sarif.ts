import type { Artifact, Location, Log, Notification, ReportingDescriptor, Result, Run } from 'sarif';
import { toHex } from '../bytes/cursor.ts';
import { toDigest } from '../platform/digests.ts';
import { toHeadline } from '../verdict/headline.ts';
import { decisionTable } from '../verdict/judge.ts';
import type {
  FileResult,
  ProblemResult,
  Telltale,
  TelltaleEvidence,
  TreeNode,
  VerdictName,
} from '../verdict/model.ts';
import { toSafeJson, toVisible } from './escape.ts';
import { type ScanReport, toFilesByPath } from './model.ts';

/*
 * SARIF 2.1.0, as code scanning and editors read it.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
 *
 * One rule for each verdict, each telltale and each rule of the policy. A result lies in the file that was given, which
 * is what a reader can open; where in its members a telltale was found is a logical location, and a related location
 * with the byte offset in that member. What was not read is a notification of the run, as well as a result, because a
 * reader that shows results only must not show nothing.
 */

/** What a verdict is to a reader of results; files of the other verdicts are listed as artifacts only. */
const verdictLevels: Readonly<Partial<Record<VerdictName, Result.level>>> = {
  impostor: 'error',
  modified: 'error',
  variant: 'error',
  damaged: 'warning',
  unverified: 'warning',
};

const telltaleLevels: Readonly<Record<Telltale['strength'], Result.level>> = {
  decisive: 'error',
  strong: 'warning',
  suggestive: 'note',
};

export function toSarif(report: ScanReport): string {
  return `${toSafeJson(toLog(report), 2)}\n`;
}

function toLog(report: ScanReport): Log {
  const artifacts = new Artifacts(report.files);
  const rules = new Rules();
  const results = report.files.flatMap((file) => toResults(file, artifacts, rules));
  results.push(...toPolicyResults(report, artifacts, rules));
  const notifications = report.files.flatMap((file) => toNotifications(file, artifacts));
  const run: Run = {
    tool: {
      driver: {
        name: 'telltale',
        version: report.tool.version,
        semanticVersion: report.tool.version,
        rules: rules.list,
        properties: { database: report.database },
      },
    },
    invocations: [
      {
        executionSuccessful: report.outcome !== 'interrupted' && report.outcome !== 'bug',
        toolExecutionNotifications: notifications,
        properties: { outcome: report.outcome, policy: report.policy },
      },
    ],
    columnKind: 'utf16CodeUnits',
    artifacts: artifacts.list,
    results,
  };
  return { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
}

/** The files and those of their members that something is said about. */
class Artifacts {
  readonly list: Artifact[] = [];
  readonly #roots = new Map<FileResult, number>();
  readonly #members = new Map<TreeNode, number>();

  constructor(files: readonly FileResult[]) {
    for (const file of files) {
      this.#roots.set(file, this.list.length);
      this.list.push({
        location: { uri: toUri(file.path) },
        roles: ['analysisTarget'],
        ...(file.size === null ? {} : { length: file.size }),
        ...(file.sha256 === null ? {} : { hashes: { 'sha-256': file.sha256 } }),
        properties: { verdict: file.verdict, variant: file.variant, version: file.version },
      });
    }
  }

  toRootIndex(file: FileResult): number {
    return this.#roots.get(file) ?? -1;
  }

  /** The artifact at a nested path, listed with everything around it. */
  toIndex(file: FileResult, path: string): number {
    const chain = file.tree === null ? undefined : tryFindChain(file.tree, path);
    let parent = this.toRootIndex(file);
    for (const node of chain?.slice(1) ?? []) {
      let index = this.#members.get(node);
      if (index === undefined) {
        index = this.list.length;
        this.#members.set(node, index);
        this.list.push({
          // Relative to what it lies in.
          location: { uri: `/${toUri(node.name)}` },
          parentIndex: parent,
          ...(node.size === null ? {} : { length: node.size }),
          ...(node.sha256 === null ? {} : { hashes: { 'sha-256': node.sha256 } }),
        });
      }
      parent = index;
    }
    return parent;
  }
}

/** The nodes from the root to the one with this path; undefined when there is none. */
function tryFindChain(node: TreeNode, path: string): readonly TreeNode[] | undefined {
  if (node.path === path) return [node];
  for (const member of node.members) {
    // Paths of members begin with that of what they lie in.
    if (!path.startsWith(member.path)) continue;
    const rest = tryFindChain(member, path);
    if (rest !== undefined) return [node, ...rest];
  }
  return undefined;
}

class Rules {
  readonly list: ReportingDescriptor[] = [];
  readonly #indexById = new Map<string, number>();

  /** Index of a rule, which is made when it is first needed. */
  toIndex(id: string, make: () => Omit<ReportingDescriptor, 'id'>): number {
    const known = this.#indexById.get(id);
    if (known !== undefined) return known;
    this.#indexById.set(id, this.list.length);
    this.list.push({ id, ...make() });
    return this.list.length - 1;
  }
}

function toResults(file: FileResult, artifacts: Artifacts, rules: Rules): readonly Result[] {
  const results: Result[] = [];
  const level = verdictLevels[file.verdict];
  if (level !== undefined) {
    const ruleId = `verdict/${file.verdict}`;
    results.push({
      ruleId,
      ruleIndex: rules.toIndex(ruleId, () => toVerdictRule(file.verdict, level)),
      level,
      message: toMessage(`${file.verdict}: ${toHeadline(file)}. Because ${file.reason}.`),
      locations: [toRootLocation(file, artifacts, file.decidedBy ?? file.path)],
      ...toFingerprints(ruleId, file, file.path),
      properties: { rule: file.rule, integrity: file.integrity, signer: file.signer },
    });
  }
  for (const telltale of file.telltales) {
    // What only says that it is the product is no finding.
    if (telltale.role === 'official' || telltale.role === 'edition') continue;
    results.push(toTelltaleResult(telltale, file, artifacts, rules));
  }
  if (!file.complete) {
    const ruleId = 'incomplete';
    results.push({
      ruleId,
      ruleIndex: rules.toIndex(ruleId, () => ({
        shortDescription: { text: 'Something in the file was not read.' },
        fullDescription: {
          text: 'A limit, an encrypted or damaged member, or a format that is not read: what lies there was not looked at, so nothing is said about it.',
        },
        defaultConfiguration: { level: 'warning' },
      })),
      level: 'warning',
      message: toMessage(
        [
          `not read fully (${file.incompleteReasons.join(', ')})`,
          ...file.problems.filter(({ incomplete }) => incomplete).map(toProblemText),
        ].join('; '),
      ),
      locations: [toRootLocation(file, artifacts, file.path)],
      ...toFingerprints(ruleId, file, file.path),
    });
  }
  return results;
}

function toVerdictRule(verdict: VerdictName, level: Result.level): Omit<ReportingDescriptor, 'id'> {
  const rows = decisionTable.filter((row) => row.verdict === verdict);
  const text = rows.map(({ id, reason }) => `${id}: ${reason}.`).join(' ');
  return {
    name: verdict,
    shortDescription: { text: `The verdict is ${verdict}.` },
    fullDescription: { text: text === '' ? `The verdict is ${verdict}.` : text },
    help: {
      text: text === '' ? `The verdict is ${verdict}.` : text,
      markdown: rows.map(({ id, reason }) => `- \`${id}\`: ${reason}`).join('\n'),
    },
    defaultConfiguration: { level },
  };
}

function toTelltaleResult(telltale: Telltale, file: FileResult, artifacts: Artifacts, rules: Rules): Result {
  const ruleId = `telltale/${telltale.id}`;
  const level = telltaleLevels[telltale.strength];
  const [first] = telltale.evidence;
  return {
    ruleId,
    ruleIndex: rules.toIndex(ruleId, () => toTelltaleRule(telltale, level)),
    level,
    message: toMessage(
      `${telltale.strength} for ${telltale.variantName}: ${telltale.title}${first === undefined ? '' : ` in ${first.path}: ${first.bytes ?? first.text}`}`,
    ),
    locations: [toRootLocation(file, artifacts, first?.path ?? file.path, first)],
    relatedLocations: telltale.evidence.map((evidence, index) => ({
      id: index + 1,
      message: toMessage(evidence.bytes ?? evidence.text),
      physicalLocation: {
        artifactLocation: { index: artifacts.toIndex(file, evidence.path) },
        ...toRegion(evidence),
      },
      logicalLocations: [toLogicalLocation(evidence.path, evidence.region)],
    })),
    ...toFingerprints(ruleId, file, first?.path ?? file.path),
  };
}

function toTelltaleRule(telltale: Telltale, level: Result.level): Omit<ReportingDescriptor, 'id'> {
  const { title, variant, variantName, strength, sources, testedOnRealFile, note } = telltale;
  const tested = testedOnRealFile
    ? 'It was seen in a real file.'
    : 'No real file that carries it was available: it rests on the sources.';
  const text = [
    `Speaks for ${variantName} (${variant}), ${strength}.`,
    tested,
    ...(note === undefined ? [] : [note]),
  ];
  const cited = sources.map(
    ({ title: source, link }) => `${source}${link === undefined ? '' : ` (${link})`}`,
  );
  return {
    name: title,
    shortDescription: { text: `${title}: ${variantName}` },
    fullDescription: { text: text.join(' ') },
    help: {
      text: `${text.join(' ')} Sources: ${cited.join('; ')}.`,
      markdown: [
        text.join(' '),
        '',
        ...sources.map(({ title: source, link }) => {
          return link?.startsWith('https://') === true
            ? `- [${source}](${link})`
            : `- ${source} ${link ?? ''}`.trimEnd();
        }),
      ].join('\n'),
    },
    defaultConfiguration: { level },
    properties: { variant, strength, testedOnRealFile },
  };
}

/** What the policy says, also of files that are not there. */
function toPolicyResults(report: ScanReport, artifacts: Artifacts, rules: Rules): readonly Result[] {
  const byPath = toFilesByPath(report.files);
  return report.policy.violations.map(({ path, rule, detail }): Result => {
    const ruleId = `policy/${rule.replaceAll(/[^a-z]+/g, '-')}`;
    const file = byPath.get(path);
    return {
      ruleId,
      ruleIndex: rules.toIndex(ruleId, () => ({
        shortDescription: { text: `The policy is violated: ${rule}` },
        fullDescription: { text: `The policy of this scan does not let the file through: ${rule}.` },
        defaultConfiguration: { level: 'error' },
      })),
      level: 'error',
      message: toMessage(`${rule}: ${detail}`),
      locations: [
        file === undefined
          ? { physicalLocation: { artifactLocation: { uri: toUri(path) } } }
          : toRootLocation(file, artifacts, path),
      ],
      partialFingerprints: { 'telltale/v1': toFingerprint(ruleId, path, path) },
    };
  });
}

function toNotifications(file: FileResult, artifacts: Artifacts): readonly Notification[] {
  return file.problems.map((problem) => ({
    descriptor: { id: problem.code },
    level: problem.incomplete ? 'warning' : 'note',
    message: toMessage(toProblemText(problem)),
    locations: [
      {
        physicalLocation: {
          artifactLocation: { index: artifacts.toIndex(file, problem.path) },
          ...(problem.offset === undefined ? {} : { region: { byteOffset: problem.offset } }),
        },
        logicalLocations: [toLogicalLocation(problem.path)],
      },
    ],
  }));
}

function toProblemText({ code, path, message, consequence }: ProblemResult): string {
  return `${code}: ${path}: ${message}; ${consequence}`;
}

/** The file that was given, with the member as a logical location; a region only where it lies in the file itself. */
function toRootLocation(
  file: FileResult,
  artifacts: Artifacts,
  path: string,
  evidence?: TelltaleEvidence,
): Location {
  const isRoot = path === file.tree?.path || path === file.path;
  return {
    physicalLocation: {
      artifactLocation: { uri: toUri(file.path), index: artifacts.toRootIndex(file) },
      ...(isRoot && evidence !== undefined ? toRegion(evidence) : {}),
    },
    logicalLocations: [toLogicalLocation(path, evidence?.region)],
  };
}

function toRegion({ offset }: TelltaleEvidence): { region?: { byteOffset: number } } {
  return offset === undefined ? {} : { region: { byteOffset: offset } };
}

function toLogicalLocation(
  path: string,
  region?: string,
): { name: string; fullyQualifiedName: string; kind: string } {
  const name = path.split(' » ').at(-1) ?? path;
  return {
    name: toVisible(name),
    fullyQualifiedName: toVisible(region === undefined ? path : `${path} » ${region}`),
    kind: 'member',
  };
}

/** The same finding in a later scan has the same fingerprint, whatever else was found. */
function toFingerprints(
  ruleId: string,
  file: FileResult,
  memberPath: string,
): { partialFingerprints: Record<string, string> } {
  return {
    partialFingerprints: {
      'telltale/v1': toFingerprint(ruleId, file.path, memberPath),
      ...(file.sha256 === null ? {} : { 'fileSha256/v1': file.sha256 }),
    },
  };
}

function toFingerprint(...parts: readonly string[]): string {
  return toHex(toDigest('sha256', new TextEncoder().encode(parts.join('\0'))));
}

/** Square brackets would make links: https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html#_Toc34317467 */
function toMessage(text: string): { text: string } {
  return { text: toVisible(text).replaceAll(/[\\[\]]/g, (character) => `\\${character}`) };
}

/** A path as a relative or file URI; every character that is not plain is percent-encoded. */
function toUri(path: string): string {
  const slashed = path.replaceAll('\\', '/').replace(/^\.\//, '');
  const encoded = slashed
    .split('/')
    .map((part) => encodeURIComponent(part.replaceAll(/\p{Cs}/gu, '\ufffd')))
    .join('/');
  return slashed.startsWith('/') ? `file://${encoded}` : encoded;
}
