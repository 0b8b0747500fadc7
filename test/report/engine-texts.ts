import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'rolldown/experimental';

/*
 * The texts that the engine makes, read off its source: every literal in which words stand. A template becomes text
 * with numbered holes (`{0}`), a concatenation one text, and a condition between literals one text for each side.
 */

const source = fileURLToPath(new URL('../../src/', import.meta.url));

/** Folders whose texts become part of a result. */
const folders = ['bytes', 'platform', 'formats', 'authenticity', 'scan', 'verdict', 'jobs'] as const;

/** Files of those folders that say nothing in a result: what they complain of goes to standard error, in English. */
const silentFiles: ReadonlySet<string> = new Set([
  'verdict/policy-file.ts',
  'jobs/goodware.ts',
  'jobs/description.ts',
  'platform/kept-databases.ts',
  'platform/compiled-code.ts',
  'platform/database-files.ts',
  'platform/database-pack.ts',
  'platform/database-references.ts',
  'platform/signing-keys.ts',
  // What they complain of is read with 7-Zip, which says what is wrong.
  'formats/hfsplus/catalog.ts',
  'formats/hfsplus/volume.ts',
  'formats/sevenz/header.ts',
  'formats/xz/layout.ts',
  // Its wording has a translation of its own.
  'verdict/headline.ts',
  'platform/shipped.ts',
  // Tables of identifiers, and a language of Apple's that stays as it is.
  'formats/inno/layouts.ts',
  'formats/macho/requirement.ts',
  'formats/pe/ordinals.ts',
]);

/** Names of fields and parameters whose texts are shown even when they are of one word. */
const shownFields: ReadonlySet<string> = new Set(['title', 'message', 'consequence', 'reason', 'detail']);

/** Names of fields that say nothing in a result: data for the documents, and identifiers. */
const silentFields: ReadonlySet<string> = new Set([
  'limitations',
  'references',
  'extensions',
  'name',
  'value',
  'region',
  'kind',
  'relation',
]);

/** More sides than these are not written out; the condition becomes a hole, and its sides texts of their own. */
const sidesLimit = 8;

/** One English text of the engine. */
export interface EngineText {
  /** With `{0}`, `{1}`… where something is put in. */
  readonly template: string;
  /** `formats/zip.ts:95` */
  readonly place: string;
}

/** A node of a syntax tree, as ESTree has it. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

/** Every text of the engine, in the order of files and lines; the same one once. */
export function listEngineTexts(): readonly EngineText[] {
  const found = new Map<string, EngineText>();
  for (const folder of folders) {
    const files = readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name}`)
      .filter((name) => name.endsWith('.ts') && !silentFiles.has(name))
      .sort();
    for (const file of files) {
      const text = readFileSync(join(source, file), 'utf8');
      for (const { template, start } of listTemplates(file, text)) {
        const place = `${file}:${text.slice(0, start).split('\n').length}`;
        if (!found.has(template)) found.set(template, { template, place });
      }
    }
  }
  return [...found.values()];
}

interface FoundTemplate {
  readonly template: string;
  readonly start: number;
}

/** The texts of one file. */
export function listTemplates(file: string, text: string): readonly FoundTemplate[] {
  const { program, errors } = parseSync(file, text, { lang: 'ts' });
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message}`);
  const found: FoundTemplate[] = [];
  for (const statement of program.body) visit({ ...statement }, false, found);
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function toNodes(value: unknown): readonly Node[] {
  if (Array.isArray(value)) return value.filter(isNode);
  return isNode(value) ? [value] : [];
}

function visit(node: Node, isShown: boolean, found: FoundTemplate[]): void {
  if (isSilent(node)) return;
  const sides = toSides(node);
  if (sides !== undefined) {
    for (const text of sides) {
      if (isWorded(text) || (isShown && /[a-z]{2}/i.test(text.replaceAll(/\{\d+\}/g, '')))) {
        found.push({ template: text, start: node.start });
      }
    }
    for (const hole of listHoles(node)) visit(hole, false, found);
    return;
  }
  const key = node['key'];
  const name = isNode(key) && key.type === 'Identifier' ? key['name'] : undefined;
  if (node.type === 'Property' && typeof name === 'string' && silentFields.has(name)) return;
  if (node.type === 'VariableDeclarator' && isLimitations(node['id'])) return;
  for (const [field, value] of Object.entries(node)) {
    if (node.type === 'Property' && field === 'key') continue;
    const shown =
      (typeof name === 'string' && shownFields.has(name)) ||
      (isShown && (node.type === 'ConditionalExpression' || node.type === 'ParenthesizedExpression'));
    for (const child of toNodes(value)) visit(child, shown, found);
  }
}

/** Limitations of formats stand in the documents alone. */
function isLimitations(id: unknown): boolean {
  return isNode(id) && /limitations$/i.test(String(id['name']));
}

/** What is no text of a result: types, imports, and errors that are thrown for faults of ours or of the command line. */
function isSilent(node: Node): boolean {
  if (node.type.startsWith('TS') && !/^TS(?:As|NonNull|Satisfies)/.test(node.type)) return true;
  if (/^(?:Import|ExportAll)/.test(node.type)) return true;
  const callee = node['callee'];
  if (node.type === 'NewExpression' && isNode(callee)) {
    const [code] = toNodes(node['arguments']);
    return callee['name'] === 'Error' || (code !== undefined && String(code['value']).startsWith('usage/'));
  }
  // The tests of conditions compare with data, not with texts.
  return node.type === 'BinaryExpression' && node['operator'] !== '+';
}

/** A text of a result has at least two words. */
function isWorded(text: string): boolean {
  return /\s/.test(text.trim()) && /(?:^|[\s"(,;:-])[a-z]{2}/.test(text.replaceAll(/\{\d+\}/g, ''));
}

/** The texts that an expression can be, its holes numbered; undefined where it is no text. */
function toSides(node: Node): readonly string[] | undefined {
  const parts = toParts(node);
  if (parts === undefined || parts.every((sides) => sides === null)) return undefined;
  let sides = [''];
  let hole = 0;
  for (const part of parts) {
    if (part === null) {
      sides = sides.map((text) => `${text}{${hole}}`);
      hole += 1;
    } else {
      sides = sides.flatMap((text) => part.map((side) => text + side));
    }
  }
  return sides;
}

/** Pieces of a text: what may stand there, or null for a hole. */
type Part = readonly string[] | null;

function toParts(node: Node): readonly Part[] | undefined {
  if (node.type === 'ParenthesizedExpression') return toNodes(node['expression']).map(toParts)[0];
  if (node.type === 'Literal') {
    const value = node['value'];
    return typeof value === 'string' ? [[value]] : undefined;
  }
  if (node.type === 'TemplateLiteral') {
    const quasis = toNodes(node['quasis']);
    const expressions = toNodes(node['expressions']);
    let sides = 1;
    return quasis.flatMap((quasi, index) => {
      const value = quasi['value'] as { readonly cooked: string };
      const expression = expressions[index];
      const text: Part = [value.cooked];
      if (expression === undefined) return [text];
      const given = toLiteralSides(expression);
      if (given === undefined || sides * given.length > sidesLimit) return [text, null];
      sides *= given.length;
      return [text, given];
    });
  }
  if (node.type === 'BinaryExpression' && node['operator'] === '+') {
    const [left, right] = [node['left'], node['right']].map((side) =>
      isNode(side) ? (toParts(side) ?? toConditionParts(side)) : undefined,
    );
    if (left === undefined && right === undefined) return undefined;
    return [...(left ?? [null]), ...(right ?? [null])];
  }
  return undefined;
}

function toConditionParts(node: Node): readonly Part[] | undefined {
  const sides = toLiteralSides(node);
  return sides === undefined ? undefined : [sides];
}

/** The sides of a condition, when all of them are literals. */
function toLiteralSides(node: Node): readonly string[] | undefined {
  if (node.type === 'ParenthesizedExpression') return toNodes(node['expression']).map(toLiteralSides)[0];
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? [node['value']] : undefined;
  if (node.type !== 'ConditionalExpression') return undefined;
  const [first, second] = [node['consequent'], node['alternate']].map((side) =>
    isNode(side) ? toLiteralSides(side) : undefined,
  );
  return first === undefined || second === undefined ? undefined : [...first, ...second];
}

/** What is put into a text, where further texts may stand. */
function listHoles(node: Node): readonly Node[] {
  if (node.type === 'TemplateLiteral') {
    return toNodes(node['expressions']).filter((one) => toLiteralSides(one) === undefined);
  }
  if (node.type !== 'BinaryExpression') return [];
  return [node['left'], node['right']].flatMap((side) => {
    if (!isNode(side)) return [];
    if (toParts(side) !== undefined) return listHoles(side);
    return toLiteralSides(side) === undefined ? [side] : [];
  });
}

/**
 * Literals with words that are no sentences of a result: names of regions, members and facts, which are the same in
 * every language, texts that are looked for in files, and pieces that are put together anew (`rewrittenTexts`).
 */
export const technicalTexts: ReadonlySet<string> = new Set([
  // formats/apk/index.ts
  'source stamp',
  // formats/apk/signing-block.ts
  'source stamp v1',
  'source stamp v2',
  'dependency list of Google Play',
  'metadata of Google Play',
  // formats/cfb/compound-file.ts
  'free sectors',
  'sectors of no stream',
  // formats/cfb/streams.ts
  'stream {0}',
  // formats/elf.ts
  'relocatable object',
  'shared object',
  'core dump',
  'SystemTap probes',
  'position-independent executable',
  'rustc version ',
  // formats/inno/header.ts
  '[7-Zip library]',
  // formats/inno/index.ts
  'Inno Setup offset table',
  'Inno Setup program',
  'Inno Setup files',
  '[setup data]',
  // formats/macho/index.ts
  'code signature',
  '[unlisted at 0x{0}]',
  // formats/macho/parse.ts
  'fixed library',
  'dynamic library',
  'dynamic linker',
  'library stub',
  'debug symbols',
  'kernel extension',
  'file set',
  'tvOS Simulator',
  'watchOS Simulator',
  'visionOS Simulator',
  'type {0}',
  'platform {0}',
  // formats/msi.ts
  'Transforms are not read: what the patch changes in an installed product is not known.',
  // formats/msi/content.ts
  'DLL in the package',
  'program in the package',
  'JScript in the package',
  'VBScript in the package',
  'installs another package',
  'DLL that was installed',
  'program that was installed',
  'error message',
  'JScript that was installed',
  'VBScript that was installed',
  'installs another package from the medium',
  'command line in a folder',
  'sets a folder',
  'JScript in the table',
  'VBScript in the table',
  'installs a product that is advertised',
  'program named by a property',
  'sets a property',
  'JScript in a property',
  'VBScript in a property',
  // formats/pe/index.ts
  'certificate table',
  'behind certificate table',
  '[behind certificate table]',
  // formats/pe/parse.ts
  'This program cannot be run in DOS mode',
  'This program must be run under Win32',
  'This program must be run under Win64',
  'This program requires Win32',
  // formats/rpm.ts
  '[header and payload]',
  // formats/sevenzip/program.ts
  'called before its start',
  'exception {0}',
  // formats/sevenzip/unpacking.ts
  "Can't allocate required memory",
  // formats/shapes/burn.ts
  'ux container',
  'attached container',
  'attached container {0}',
  // formats/sklg.ts
  'offset table',
  // formats/upx.ts
  'number {0}',
  // formats/zip/directory.ts
  'signing block',
  // formats/msi.ts: a limitation
  'Transforms inside the package are members, their changes are not applied.',
  // Put together anew.
  'By its {0} signature ',
  'but the ',
]);
