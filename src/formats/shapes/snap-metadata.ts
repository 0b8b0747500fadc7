/**
 * `meta/snap.yaml` of a Snap package.
 *
 * Specification: https://snapcraft.io/docs/snap-format, https://yaml.org/spec/1.2.2/
 * A small part of YAML is read: scalars and plain lists at the top level, in the plain, quoted and block styles that
 * snapcraft writes. Anchors, tags and flow mappings are not; a value that uses them is left out and told.
 */
import type { ByteSource } from '../../bytes/byte-source.ts';
import type { Fact, Format, ReadContext, Reading } from '../model.ts';
import { tryDecodeText } from '../text.ts';
import { readMetadataText } from './metadata-text.ts';

const linesLimit = 20_000;
const valueCharactersLimit = 8192;
const listLimit = 64;

const told = [
  'name',
  'version',
  'title',
  'summary',
  'description',
  'type',
  'base',
  'grade',
  'confinement',
  'architectures',
] as const;

/** What no other kind of file with a name and a version has at its top level. */
const typicalKeys = [
  'apps',
  'confinement',
  'grade',
  'base',
  'architectures',
  'assumes',
  'plugs',
  'slots',
  'type',
] as const;

export const snapMetadataFormat: Format = {
  id: 'snap-metadata',
  title: 'description of a Snap package (snap.yaml)',
  nature: 'passive',
  extensions: [],
  references: ['https://snapcraft.io/docs/snap-format', 'https://yaml.org/spec/1.2.2/'],
  limitations: [
    'Of YAML only scalars and plain lists at the top level are read; apps, plugs and slots are searched as text.',
  ],
  probe(head) {
    const text = tryDecodeText(head);
    if (text === undefined || /^\s*[{<[]/.test(text)) return false;
    const { values, keys } = readTopLevel(text);
    const name = values.get('name')?.[0] ?? '';
    return (
      /^[a-z0-9](?:-?[a-z0-9])*$/.test(name) &&
      /[a-z]/.test(name) &&
      values.has('version') &&
      typicalKeys.filter((key) => keys.has(key)).length >= 2
    );
  },
  read,
};

function read(source: ByteSource, context: ReadContext): Reading {
  const { values, unread } = readTopLevel(readMetadataText(source, context));
  const facts: Fact[] = [];
  for (const name of told) {
    for (const value of values.get(name) ?? []) {
      if (name === 'name') facts.push({ kind: 'packageId', value });
      facts.push({ kind: 'packageField', name, value });
    }
  }
  const missed = unread.filter((name) => told.some((wanted) => wanted === name));
  if (missed.length > 0) {
    context.report({
      code: 'unsupported/feature',
      message: `writes ${missed.join(', ')} in a style of YAML that is not read`,
      consequence: 'these fields were searched as text, not read',
      incomplete: true,
    });
  }
  return { facts, regions: [] };
}

interface TopLevel {
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Every key, those of mappings too. */
  readonly keys: ReadonlySet<string>;
  readonly unread: readonly string[];
}

function readTopLevel(text: string): TopLevel {
  const values = new Map<string, readonly string[]>();
  const keys = new Set<string>();
  const unread: string[] = [];
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/, linesLimit);
  for (let i = 0; i < lines.length; i += 1) {
    const [, key, rest] = /^([A-Za-z][\w-]{0,63}):(?:[ \t]+(.*))?$/.exec(lines[i] ?? '') ?? [];
    if (key === undefined || keys.has(key)) continue;
    keys.add(key);
    const inner: string[] = [];
    while (i + 1 < lines.length && isInner(lines[i + 1] ?? '')) {
      i += 1;
      inner.push(lines[i] ?? '');
    }
    const value = tryReadValue(stripComment(rest ?? ''), inner);
    if (value === undefined) unread.push(key);
    else if (value.length > 0) values.set(key, value);
  }
  return { values, keys, unread };
}

/** Lines of the value above: those that are indented, blank or items of a list. */
function isInner(line: string): boolean {
  return line === '' || /^[ \t]|^-(?: |$)/.test(line);
}

function stripComment(value: string): string {
  return (
    /^(?:"(?:\\.|[^"\\])*"|'(?:''|[^'])*')/.exec(value)?.[0] ?? value.replace(/(?:^|\s)#.*$/, '')
  ).trim();
}

/** One scalar, or the scalars of a list; empty for a mapping; undefined for what is not read. */
function tryReadValue(first: string, inner: readonly string[]): readonly string[] | undefined {
  const lines = inner.map((line) => line.trim()).filter((line) => line !== '');
  if (/^[|>][+-]?\d?$/.test(first)) {
    return [lines.join(first.startsWith('|') ? '\n' : ' ').slice(0, valueCharactersLimit)];
  }
  if (first === '') {
    if (lines.length === 0 || !lines.every((line) => /^-(?: |$)/.test(line))) return [];
    return toScalars(lines.map((line) => stripComment(line.slice(1).trim())));
  }
  if (first.startsWith('[')) {
    const list = /^\[([^[\]{}"']*)\]$/.exec(first)?.[1];
    return list === undefined ? undefined : toScalars(list.split(',').map((item) => item.trim()));
  }
  // A plain scalar goes on in the indented lines below.
  return toScalars([[first, ...(/^["']/.test(first) ? [] : lines)].join(' ')]);
}

function toScalars(items: readonly string[]): readonly string[] | undefined {
  const scalars: string[] = [];
  for (const item of items.slice(0, listLimit)) {
    const single = /^'((?:''|[^'])*)'$/.exec(item)?.[1];
    const double = /^"((?:\\.|[^"\\])*)"$/.exec(item)?.[1];
    if (single !== undefined) scalars.push(single.replaceAll("''", "'"));
    else if (double !== undefined)
      scalars.push(double.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)));
    else if (/^[&*!{}[\]%@`|>"']/.test(item)) return undefined;
    else if (item !== '') scalars.push(item);
  }
  return scalars.map((scalar) => scalar.slice(0, valueCharactersLimit));
}
