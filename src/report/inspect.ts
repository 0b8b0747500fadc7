import type { Fact } from '../formats/model.ts';
import type { Artifact } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import { toBytes } from './amounts.ts';
import { toSafeJson, toVisible } from './escape.ts';
import type { TextOptions } from './text.ts';
import { padColumns } from './width.ts';

/** The tree with facts, regions and signatures, as JSON `telltale/inspect/1`. */
export function toInspectJson(root: Artifact, toolVersion: string): string {
  const document = {
    schema: 'telltale/inspect/1',
    tool: { name: 'telltale', version: toolVersion },
    root: toNode(root),
  };
  return `${toSafeJson(document, 2)}\n`;
}

function toNode(artifact: Artifact): Readonly<Record<string, unknown>> {
  const {
    path,
    name,
    relation,
    format,
    size,
    declaredSize,
    digests,
    facts,
    regions,
    authenticity,
    problems,
    members,
  } = artifact;
  return {
    path,
    name,
    relation,
    format: format.id,
    formatTitle: format.title,
    size: size ?? null,
    ...(declaredSize === undefined ? {} : { declaredSize }),
    digests,
    facts,
    regions,
    authenticity: authenticity ?? null,
    problems: problems.map(({ path: _path, ...problem }) => problem),
    members: members.map(toNode),
  };
}

/** Facts that say what a file is; the others are shown on request. */
const foremost: ReadonlySet<string> = new Set([
  'versionInfo',
  'packer',
  'manifest',
  'debugPath',
  'moduleName',
  'packageId',
  'bundleId',
  'archiveComment',
  'ambiguous',
  'extensionMismatch',
  'encrypted',
  'installer',
  'createdBy',
  'sealBroken',
]);

/** Of facts that a package has by the hundred, the names of those that say what it is. */
const foremostNames: ReadonlySet<string> = new Set(
  [
    ['ProductName', 'ProductVersion', 'ProductCode', 'UpgradeCode', 'Manufacturer', 'PartnerCode', 'Author'],
    ['AppId', 'AppName', 'AppVersion', 'AppPublisher'],
    ['Version', 'versionName', 'CFBundleShortVersionString', 'Maintainer', 'Publisher', 'Vendor'],
  ].flat(),
);
const namedKinds: ReadonlySet<string> = new Set(['msiProperty', 'installerProperty', 'packageField']);

export function isForemost({ kind, name }: { readonly kind: string; readonly name?: string }): boolean {
  return foremost.has(kind) || (namedKinds.has(kind) && name !== undefined && foremostNames.has(name));
}

/** The tree as people read it: name, size, format, what was not opened and why. */
export function toInspectText(root: Artifact, options: TextOptions): string {
  const lines: string[] = [];
  append(root, '', '', options, lines);
  return `${lines.join('\n')}\n`;
}

function append(
  artifact: Artifact,
  lead: string,
  below: string,
  options: TextOptions,
  lines: string[],
): void {
  const { colour } = options;
  const size =
    artifact.size === undefined
      ? `not read${artifact.declaredSize === undefined ? '' : `, ${toBytes(artifact.declaredSize)} declared`}`
      : toBytes(artifact.size);
  const digest = artifact.digests.sha256;
  const shownDigest =
    digest === undefined ? '' : `  sha256 ${options.isVerbose ? digest : `${digest.slice(0, 8)}…`}`;
  const shown = artifact.relation === 'root' ? toBaseName(artifact.name) : artifact.name;
  // In full: this is what extract wants to be told.
  const name = toVisible(shown);
  lines.push(
    `${lead}${colour.bold(padColumns(name, 28))} ${toVisible(artifact.format.title)}, ${size}${colour.dim(shownDigest)}`,
  );

  const detail = `${below}${artifact.members.length > 0 ? '│' : ' '}   `;
  for (const line of toDetails(artifact, options)) lines.push(detail + line);
  artifact.members.forEach((member, index) => {
    const isLast = index === artifact.members.length - 1;
    append(member, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`, options, lines);
  });
}

function toDetails(artifact: Artifact, { isVerbose, colour }: TextOptions): readonly string[] {
  const lines: string[] = [];
  for (const fact of artifact.facts) {
    if (isVerbose || isForemost(fact)) lines.push(colour.dim(toFactText(fact)));
  }
  const { authenticity } = artifact;
  if (authenticity !== undefined && (isVerbose || authenticity.integrity !== 'unsigned')) {
    lines.push(`${authenticity.integrity}: ${toVisible(authenticity.integrityDetail)}`);
    for (const { signer, signingTime, digestAlgorithm } of authenticity.signatures) {
      if (signer === undefined) continue;
      const time = signingTime === undefined ? 'no verified timestamp' : `timestamp ${signingTime}`;
      lines.push(
        `signature (${digestAlgorithm}): ${toVisible(signer.subject)}, sha1 ${signer.sha1}, ${time}`,
      );
      // What a pin of the certificate asks for.
      if (isVerbose) {
        lines.push(
          `  issued by ${toVisible(signer.issuer)}`,
          `  valid ${toDay(signer.notBefore)} to ${toDay(signer.notAfter)}, serial number ${signer.serial}`,
          `  sha256 ${signer.sha256}`,
        );
      }
    }
  }
  if (isVerbose) {
    for (const { name, offset, size, entropy } of artifact.regions) {
      const measured = entropy === undefined ? '' : `, entropy ${entropy.toFixed(2)}`;
      lines.push(
        colour.dim(`region ${toVisible(name)} at 0x${offset.toString(16)}, ${toBytes(size)}${measured}`),
      );
    }
  }
  for (const { code, offset, message, consequence } of artifact.problems) {
    const place = offset === undefined ? '' : ` at 0x${offset.toString(16)}`;
    lines.push(colour.yellow(`${code}${place}: ${toVisible(message)}; ${toVisible(consequence)}`));
  }
  return lines;
}

function toFactText({ kind, name, value, detail }: Fact): string {
  const extras =
    detail === undefined
      ? ''
      : ` (${Object.entries(detail)
          .map(([key, one]) => `${key} ${one}`)
          .join(', ')})`;
  const shown = typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value);
  return toVisible(`${kind}${name === undefined ? '' : ` ${name}`}: ${shown}${extras}`);
}

/** `2014-05-14` of `2014-05-14T00:00:00Z`. */
function toDay(time: string): string {
  return time.replace(/T.*$/, '');
}
