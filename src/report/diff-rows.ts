import type {
  Carrier,
  FactChange,
  FoundString,
  MemberChange,
  Pairing,
  RegionChange,
  SignatureView,
  SideResult,
  TelltaleChange,
} from '../diff/model.ts';
import type { FactKind } from '../formats/model.ts';
import { pathSeparator } from '../scan/model.ts';
import { toBaseName } from '../scan/names.ts';
import { toGrouped } from '../bytes/amounts.ts';
import { toBytes } from './amounts.ts';
import type { DiffReport } from './diff-model.ts';

/*
 * What the reports for people say of a comparison, before it is laid out. Nothing is escaped yet: text from files is
 * in it.
 */

export type Sign = '+' | '-' | '~' | ' ';

export interface Line {
  readonly sign: Sign;
  readonly text: string;
}

/** Lines under one label, and how many more there are that no report lists. */
export interface Row {
  readonly label: string;
  readonly lines: readonly Line[];
  readonly further: number;
}

export const stateSigns: Readonly<Record<MemberChange['state'], string>> = {
  same: '=',
  changed: '~',
  renamed: '>',
  'renamed-and-changed': '≈',
  added: '+',
  removed: '-',
  unread: '?',
};

export const stateTitles: Readonly<Record<MemberChange['state'], string>> = {
  same: 'same',
  changed: 'changed',
  renamed: 'renamed',
  'renamed-and-changed': 'renamed and changed',
  added: 'added',
  removed: 'removed',
  unread: 'not compared',
};

const pairingTexts: Readonly<Record<Pairing, string>> = {
  root: 'the two that were given',
  path: 'the same path',
  content: 'the same content',
  name: 'the same file name in another place',
  identity: 'the same program by its own name for itself',
  strings: 'the same format and many of the same strings',
  facts: 'the same format and many of the same facts',
  form: 'the unpacked form of one, against the other, which is not packed',
};

/** `12 members: 9 same, 1 changed`. */
export function toSum({ summary }: DiffReport): string {
  const parts = Object.entries(summary.states)
    .filter(([, number]) => number > 0)
    .map(([state, number]) => `${number} ${stateTitles[toState(state)]}`);
  return `${summary.members} member${summary.members === 1 ? '' : 's'}: ${parts.join(', ')}`;
}

function toState(name: string): MemberChange['state'] {
  switch (name) {
    case 'same':
    case 'changed':
    case 'renamed':
    case 'renamed-and-changed':
    case 'added':
    case 'removed':
      return name;
    default:
      return 'unread';
  }
}

/** What the whole comparison comes to, in a sentence. */
export function toOutcome({ differs, complete, before, after }: DiffReport): string {
  if (!differs) {
    if (before.sha256 !== null && before.sha256 === after.sha256)
      return 'the two are identical, byte for byte';
    return complete
      ? 'no difference'
      : 'no difference was found, but something could not be read or compared';
  }
  return complete ? 'the two differ' : 'the two differ, and something could not be read or compared';
}

/** The path of a member for people: without what was given, by its name; both when they differ. */
export function toMemberTitle({ before, after }: MemberChange): string {
  const names = [before, after].flatMap((half) =>
    half === null ? [] : [half.inner === '' ? toBaseName(half.path.replace(/[/\\]+$/, '')) : half.inner],
  );
  return [...new Set(names)].join('  →  ');
}

/** A member that a report shows, or a number of members of which it only says that they are there. */
export type Chosen =
  | { readonly kind: 'member'; readonly member: MemberChange; readonly inside: number }
  | { readonly kind: 'more'; readonly text: string };

const siblingsAtOnce = 10;

/**
 * The members that a report shows unless it shows all: not those that are the same; of what was added or removed as a
 * whole only the outermost, with the number of those in it; and of many that were added to, or removed from, one place
 * only the first. Those that hold addresses are always shown.
 */
export function selectMembers(members: readonly MemberChange[], showsAll: boolean): readonly Chosen[] {
  if (showsAll) return members.map((member) => ({ kind: 'member', member, inside: 0 }));
  const inside = countInside(members);
  const shown = members.filter((member) => member.state !== 'same' && inside.has(member));
  const bySibling = new Map<string, number>();
  const chosen: Chosen[] = [];
  const cut = new Map<string, { count: number; readonly text: string }>();
  for (const member of shown) {
    const { state, strings } = member;
    const isSingle = state === 'added' || state === 'removed';
    const holder = toSinglePath(member).split(pathSeparator).slice(0, -1).join(pathSeparator);
    const key = `${state}\0${holder}`;
    const count = (bySibling.get(key) ?? 0) + 1;
    bySibling.set(key, count);
    const hasAddresses = strings !== null && strings.came.total + strings.went.total > 0;
    if (!isSingle || hasAddresses || count <= siblingsAtOnce) {
      chosen.push({ kind: 'member', member, inside: inside.get(member) ?? 0 });
      continue;
    }
    const entry = cut.get(key) ?? { count: 0, text: `${stateTitles[state]} in ${toBaseName(holder)}` };
    entry.count += 1;
    cut.set(key, entry);
  }
  for (const { count, text } of cut.values())
    chosen.push({ kind: 'more', text: `and ${count} more ${text}` });
  return chosen;
}

/** How many members lie in each that does not lie in another of the same fate. */
function countInside(members: readonly MemberChange[]): ReadonlyMap<MemberChange, number> {
  const single = new Map<string, MemberChange>();
  for (const member of members) {
    if (member.state === 'added' || member.state === 'removed')
      single.set(`${member.state}\0${toSinglePath(member)}`, member);
  }
  const inside = new Map<MemberChange, number>();
  for (const member of members) {
    const parts = toSinglePath(member).split(pathSeparator);
    let outermost: MemberChange | undefined;
    for (let depth = parts.length - 1; depth > 0; depth -= 1)
      outermost = single.get(`${member.state}\0${parts.slice(0, depth).join(pathSeparator)}`) ?? outermost;
    if (outermost === undefined) inside.set(member, inside.get(member) ?? 0);
    else inside.set(outermost, (inside.get(outermost) ?? 0) + 1);
  }
  return inside;
}

function toSinglePath({ before, after }: MemberChange): string {
  return (before ?? after)?.path ?? '';
}

/** Everything that is said of one member. */
export function describeMember(member: MemberChange): readonly Row[] {
  const rows: Row[] = [];
  const add = (label: string, lines: readonly Line[], further = 0): void => {
    if (lines.length + further > 0) rows.push({ label, lines, further });
  };
  const { before, after, pairedBy, strings } = member;
  if (pairedBy !== null && pairedBy !== 'path' && pairedBy !== 'root')
    add('paired by', [same(toPairingText(member))]);
  add('is', toKind(member));
  add('not compared', member.notCompared.map(same));
  for (const group of groups) {
    add(group.label, member.facts.filter(({ kind }) => group.kinds.has(kind)).map(toFactLine));
  }
  add('facts', member.facts.filter(({ kind }) => !grouped.has(kind)).map(toFactLine), member.furtherFacts);
  add('sections', member.regions.filter(({ state }) => state !== 'same').map(toRegionLine));
  const equal = member.regions.filter(({ state }) => state === 'same');
  if (equal.length > 0 && equal.length < member.regions.length)
    add('same sections', [same(equal.map((one) => one.before?.name ?? '').join(', '))]);
  add(
    'resources',
    member.resources.map(({ name, change, before: old, after: now }) => {
      if (change === 'came') return { sign: '+', text: `${name}, ${toBytes(now ?? 0)}` };
      if (change === 'went') return { sign: '-', text: `${name}, ${toBytes(old ?? 0)}` };
      return {
        sign: '~',
        text:
          old === now
            ? `${name}: other content, still ${toBytes(old ?? 0)}`
            : `${name}: ${toSizes(old, now)}`,
      };
    }),
  );
  if (member.signature !== null) add('signature', toSignatureLines(member.signature));
  if (strings !== null) {
    // What was addressed and what is addressed stand together, before all other strings.
    const all = [
      ...strings.went.listed.map((found) => ({ found, sign: '-' as const })),
      ...strings.came.listed.map((found) => ({ found, sign: '+' as const })),
    ];
    const addresses = all.filter(({ found }) => found.kind !== 'text').map(toStringLine);
    add('addresses', addresses);
    const toOthers = (sign: '+' | '-'): readonly Line[] =>
      all.filter((one) => one.found.kind === 'text' && one.sign === sign).map(toStringLine);
    const { came, went } = strings;
    add('strings went', toOthers('-'), went.total - went.listed.length);
    add('strings came', toOthers('+'), came.total - came.listed.length);
    if (strings.cutShort)
      add('note', [same('it has more strings than are compared; what came and went may be wrong')]);
  }
  if (member.bytes !== null && before !== null && after !== null) {
    const { bytes } = member;
    add('bytes', toByteLines(bytes, before.size ?? 0, after.size ?? 0), bytes.total - bytes.ranges.length);
  }
  return rows;
}

function same(text: string): Line {
  return { sign: ' ', text };
}

function toPairingText({ pairedBy, likeness }: MemberChange): string {
  if (pairedBy === null) return '';
  const share = likeness === undefined ? '' : ` (${Math.round(likeness * 100)} of 100)`;
  return pairingTexts[pairedBy] + share;
}

function toKind({ before, after, state }: MemberChange): readonly Line[] {
  const only = before ?? after;
  if (only === null || state === 'same') return [];
  if (before === null || after === null)
    return [same(`${only.formatTitle}${only.size === null ? ', not read' : `, ${toBytes(only.size)}`}`)];
  const lines: Line[] = [];
  if (before.format !== after.format)
    lines.push({ sign: '~', text: `${before.formatTitle} → ${after.formatTitle}` });
  if (before.size !== after.size)
    lines.push({ sign: '~', text: toSizes(before.size ?? undefined, after.size ?? undefined) });
  return lines;
}

const groups: readonly { readonly label: string; readonly kinds: ReadonlySet<FactKind> }[] = [
  {
    label: 'version info',
    kinds: new Set<FactKind>(['versionInfo', 'fileVersion', 'productVersion', 'manifest']),
  },
  {
    label: 'names itself',
    kinds: new Set<FactKind>(['packageId', 'bundleId', 'moduleName', 'programField', 'packageField']),
  },
  {
    label: 'package',
    kinds: new Set<FactKind>([
      'msiProperty',
      'msiTable',
      'msiRow',
      'customAction',
      'createdBy',
      'installer',
      'installerProperty',
    ]),
  },
  { label: 'packer', kinds: new Set<FactKind>(['packer']) },
  {
    label: 'build',
    kinds: new Set<FactKind>([
      'timeDateStamp',
      'linkerVersion',
      'richHeader',
      'debugPath',
      'dotnet',
      'machine',
      'subsystem',
    ]),
  },
  { label: 'imports', kinds: new Set<FactKind>(['importedLibrary', 'importHash']) },
  { label: 'exports', kinds: new Set<FactKind>(['exportedName']) },
];
const grouped: ReadonlySet<FactKind> = new Set(groups.flatMap(({ kinds }) => [...kinds]));

function toFactLine({ kind, name, change, before, after }: FactChange): Line {
  const label = name === undefined ? kind : `${kind} ${name}`;
  switch (change) {
    case 'came':
      return { sign: '+', text: `${label}: ${after ?? ''}` };
    case 'went':
      return { sign: '-', text: `${label}: ${before ?? ''}` };
    case 'changed': {
      // Details that did not change are told once.
      const details = / \([^)]*\)$/.exec(after ?? '')?.[0];
      const isSame = details !== undefined && before?.endsWith(details) === true;
      const old = isSame ? before?.slice(0, before.length - details.length) : before;
      return { sign: '~', text: `${label}: ${old ?? ''} → ${after ?? ''}` };
    }
  }
}

function toRegionLine({ state, before, after }: RegionChange): Line {
  const name = [...new Set([before?.name, after?.name].filter((one) => one !== undefined))].join(' → ');
  switch (state) {
    case 'added':
      return { sign: '+', text: `${name}, ${toBytes(after?.size ?? 0)}${toEntropy(after?.entropy)}` };
    case 'removed':
      return { sign: '-', text: `${name}, ${toBytes(before?.size ?? 0)}${toEntropy(before?.entropy)}` };
    case 'renamed':
      return { sign: '~', text: `${name}: the same content` };
    case 'unknown':
      return { sign: ' ', text: `${name}: as long as before; its bytes were not compared` };
    case 'same':
    case 'changed': {
      const said = [
        before?.size === after?.size
          ? `other content, still ${toBytes(before?.size ?? 0)}`
          : toSizes(before?.size, after?.size),
      ];
      const entropies = [before?.entropy?.toFixed(2), after?.entropy?.toFixed(2)];
      if (entropies[0] !== entropies[1])
        said.push(`entropy ${entropies.map((one) => one ?? '?').join(' → ')}`);
      if (before?.characteristics !== after?.characteristics)
        said.push(`characteristics ${before?.characteristics ?? '?'} → ${after?.characteristics ?? '?'}`);
      return { sign: '~', text: `${name}: ${said.join(', ')}` };
    }
  }
}

function toEntropy(entropy: number | undefined): string {
  return entropy === undefined ? '' : `, entropy ${entropy.toFixed(2)}`;
}

function toSignatureLines({
  before,
  after,
}: {
  readonly before: SignatureView | null;
  readonly after: SignatureView | null;
}): readonly Line[] {
  const left = toSignatureTexts(before);
  const right = toSignatureTexts(after);
  const lines: Line[] = [
    ...left.filter((text) => !right.includes(text)).map((text): Line => ({ sign: '-', text })),
    ...right.filter((text) => !left.includes(text)).map((text): Line => ({ sign: '+', text })),
  ];
  const [was, is] = [before, after].map((view) => view?.integrity ?? 'no signature is read');
  return [was === is ? same(`${was} on both sides`) : { sign: '~', text: `${was} → ${is}` }, ...lines];
}

function toSignatureTexts(view: SignatureView | null): readonly string[] {
  if (view === null) return [];
  const detail = view.integrity === 'intact' ? [] : [view.integrityDetail];
  return [
    ...detail,
    ...view.signatures.map(({ outcome, digestAlgorithm, signer, certificateSha1, signingTime }) =>
      [
        `${digestAlgorithm === '' ? 'signature' : digestAlgorithm} ${outcome}`,
        signer === null ? 'no signer' : `signed by ${signer}`,
        certificateSha1 === null ? undefined : `certificate ${certificateSha1}`,
        signingTime === null ? 'no verified timestamp' : `timestamp ${signingTime}`,
      ]
        .filter((part) => part !== undefined)
        .join(', '),
    ),
  ];
}

function toStringLine({ found, sign }: { readonly found: FoundString; readonly sign: '+' | '-' }): Line {
  const place = found.place ?? `0x${found.offset.toString(16)}`;
  return { sign, text: `"${found.text}"  ${place}${found.encoding === 'utf-16le' ? ', UTF-16' : ''}` };
}

/** Less in common than this share of the shorter member is chance. */
const leastInCommon = 0.05;
const hexDigitsShown = 32;

function toByteLines(
  bytes: NonNullable<MemberChange['bytes']>,
  sizeBefore: number,
  sizeAfter: number,
): readonly Line[] {
  const lines: Line[] = [];
  const common = bytes.commonStart + bytes.commonEnd;
  if (bytes.kind === 'patched') {
    if ((bytes.differing ?? 0) > sizeBefore / 2)
      return [same(`${toGrouped(bytes.differing ?? 0)} of ${toBytes(sizeBefore)} differ`)];
    lines.push(
      same(
        `${toGrouped(bytes.differing ?? 0)} of ${toBytes(sizeBefore)} differ, in ${toGrouped(bytes.total)} ${bytes.total === 1 ? 'range' : 'ranges'}`,
      ),
    );
  } else {
    if (common < leastInCommon * Math.min(sizeBefore, sizeAfter)) return [];
    lines.push(
      same(`the first ${toGrouped(bytes.commonStart)} and the last ${toBytes(bytes.commonEnd)} are the same`),
    );
  }
  for (const { before, after } of bytes.ranges) {
    const place = before.place ?? after.place;
    const offset = `0x${before.offset.toString(16)}`;
    const at = place === undefined ? offset : `${place} (${offset})`;
    if (before.length === 0)
      lines.push({ sign: '+', text: `${toBytes(after.length)} put in at ${at}: ${toHex(after)}` });
    else if (after.length === 0)
      lines.push({ sign: '-', text: `${toBytes(before.length)} gone from ${at}: ${toHex(before)}` });
    else
      lines.push({
        sign: '~',
        text:
          before.length === after.length
            ? `${toBytes(before.length)} at ${at}: ${toHex(before)} → ${toHex(after)}`
            : `${toBytes(before.length)} at ${at} replaced by ${toGrouped(after.length)}: ${toHex(before)} → ${toHex(after)}`,
      });
  }
  return lines;
}

function toHex({ hex, length }: { readonly hex: string; readonly length: number }): string {
  const shown = hex.slice(0, hexDigitsShown);
  return shown.length < length * 2 ? `${shown}…` : shown;
}

const carrierTexts: Readonly<Record<Carrier, string>> = {
  member: 'carried by a member that only this side has',
  bytes: 'carried by bytes that differ',
  region: 'carried by a section that differs',
  fact: 'carried by a fact that differs',
  name: 'carried by names that differ',
  signature: 'carried by the signature, which differs',
  none: 'this place itself did not change; something else that the telltale asks for did',
};

export function toCarrierText(carrier: Carrier): string {
  return carrierTexts[carrier];
}

/** Where a telltale is, what stands there, and what carries it. */
export function toPlaceTexts(
  { path, region, text, bytes, carriedBy }: TelltaleChange['places'][number],
  side: SideResult,
): {
  readonly place: string;
  readonly quote: string;
  readonly carrier: string;
} {
  const inner = path.startsWith(side.path)
    ? toBaseName(side.path.replace(/[/\\]+$/, '')) + path.slice(side.path.length)
    : path;
  return {
    place: region === undefined ? inner : `${inner}${pathSeparator}${region}`,
    quote: bytes === undefined ? text : `"${bytes}"`,
    carrier: toCarrierText(carriedBy),
  };
}

function toSizes(before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined)
    return `${before === undefined ? 'not read' : toBytes(before)} → ${after === undefined ? 'not read' : toBytes(after)}`;
  const more = after - before;
  return `${toGrouped(before)} → ${toBytes(after)} (${more > 0 ? '+' : '-'}${toGrouped(Math.abs(more))})`;
}
