import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../src/bytes/budget.ts';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { formats } from '../src/formats/index.ts';
import { shippedDatabase } from '../src/platform/shipped.ts';
import { reportFormats } from '../src/report/reporters.ts';
import { toVariantsDocument } from '../src/report/variants-document.ts';
import { recognisedFormats } from '../src/formats/recognised.ts';
import { loadDatabase } from '../src/signatures/load.ts';
import { diagnosticCodes, toDiagnosticKind } from '../src/signatures/diagnostic.ts';
import { type Language, variantRoles } from '../src/signatures/schema.ts';
import { strengths } from '../src/signatures/vocabulary.ts';
import { decisionTable } from '../src/verdict/judge.ts';

/*
 * Tables in the documents that come from code or data. UPDATE_DOCS=1 writes them; without it this test says which one
 * is out of date.
 */

/** What is neither only recognised nor, as Symbian's files, read only in its header. */
const opened = formats.filter(
  (format) => !recognisedFormats.includes(format) && !['data', 'symbian-sis'].includes(format.id),
);
const escapeCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function toExitCodes(): string {
  const rows = Object.values(exitCodes).map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return ['| exit code | meaning |', '|---|---|', ...rows].join('\n');
}

function toOpenedList(): string {
  return `Opened: ${opened.map(({ title }) => title).join(', ')}. Programs packed with UPX and Inno Setup installers are opened as portable executables.`;
}

function toFormatTable(): string {
  const rows = formats.map((format) => {
    const isOpened = !recognisedFormats.includes(format);
    const cells = [
      `\`${format.id}\``,
      format.title,
      isOpened ? 'read' : 'recognised only',
      format.nature,
      format.extensions.map((extension) => `.${extension}`).join(' '),
      format.limitations.join(' '),
    ];
    return `| ${cells.map(escapeCell).join(' | ')} |`;
  });
  return [
    '| id | format | how far | nature | usual extensions | what is not read |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function toReferences(): string {
  return formats
    .filter(({ references }) => references.length > 0)
    .map(({ title, references }) => `- ${title}: ${references.join(', ')}`)
    .join('\n');
}

/** These pages are about one product; the database may hold others. */
function loadSkype() {
  const found = loadDatabase([shippedDatabase]).products.find(({ product }) => product.id === 'skype');
  if (found === undefined) throw new Error('no product');
  return found;
}

function toVariantTable(): string {
  const { variants, knownBuilds } = loadSkype();
  const rows = variants
    .toSorted((a, b) => variantRoles.indexOf(a.role) - variantRoles.indexOf(b.role) || (a.id < b.id ? -1 : 1))
    .map(({ id, name, role, indicators }) => {
      const counts = strengths.map(
        (strength) => indicators.filter((one) => one.strength === strength).length,
      );
      const builds = knownBuilds.statistics().byVariant[id] ?? 0;
      return `| [\`${id}\`](docs/variants.md#${id}) | ${escapeCell(name)} | ${role} | ${counts.join(' / ')} | ${builds === 0 ? '' : builds} |`;
    });
  return [
    '| id | edition | role | indicators (decisive / strong / suggestive) | known builds |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function toVariantsPage(language: Language, otherPage: string): string {
  return toVariantsDocument(loadSkype(), language, otherPage);
}

function toDecisionTable(): string {
  return [
    '| rule | verdict | because |',
    '|---|---|---|',
    ...decisionTable.map(
      ({ id, verdict, reason }) =>
        `| \`${id}\` | ${verdict === 'as-member' ? 'that of the gravest member' : `\`${verdict}\``} | ${reason} |`,
    ),
  ].join('\n');
}

function toLimits(): string {
  const rows = [
    ['unpacked bytes', defaultLimits.bytesProduced.toLocaleString('en-US'), '--max-bytes'],
    [
      'unpacked bytes over the size of the file',
      `${defaultLimits.expansionRatio} times, above ${defaultLimits.ratioFloorBytes.toLocaleString('en-US')} bytes`,
      '--max-ratio',
    ],
    ['members', defaultLimits.members.toLocaleString('en-US'), '--max-members'],
    ['containers inside containers', String(defaultLimits.depth), '--max-depth'],
    ['wall time', `${defaultLimits.milliseconds / 1000} s`, '--timeout'],
    [
      'unpacked members kept in memory',
      `${defaultLimits.memberBytesInMemory.toLocaleString('en-US')} bytes`,
      '--max-memory',
    ],
  ];
  return [
    '| what, for one file given | limit | option |',
    '|---|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

function toDiagnosticSections(): string {
  const toFamily = (code: string): string => code.split('/')[0] ?? '';
  return [...new Set(diagnosticCodes.map(toFamily))]
    .map((family) => {
      const codes = diagnosticCodes.filter((code) => toFamily(code) === family);
      const rows = codes.map((code) => {
        const { severity, phase, allowable, title, why, help } = toDiagnosticKind(code);
        const kind = [
          severity,
          ...(phase === 'load' ? ['refused'] : []),
          ...(allowable ? ['allowable'] : []),
        ];
        const what = `**${title[0]?.toUpperCase() ?? ''}${title.slice(1)}.** ${why}`;
        return `| \`${code}\` | ${kind.join(', ')} | ${escapeCell(what)} | ${escapeCell(help)} |`;
      });
      return [
        `### ${family}`,
        '',
        '| code | kind | what and why | help |',
        '|---|---|---|---|',
        ...rows,
      ].join('\n');
    })
    .join('\n\n');
}

const blocks: readonly (readonly [string, string, () => string])[] = [
  ['README.md', 'exit-codes', toExitCodes],
  ['README.md', 'formats', toOpenedList],
  ['README.md', 'variants', toVariantTable],
  ['docs/output.md', 'exit-codes', toExitCodes],
  ['docs/output.md', 'decision-table', toDecisionTable],
  ['docs/formats.md', 'formats', toFormatTable],
  ['docs/formats.md', 'references', toReferences],
  ['docs/security.md', 'limits', toLimits],
  ['docs/diagnostics.md', 'diagnostics', toDiagnosticSections],
];

describe('when a document holds a generated table', () => {
  it.each(blocks)('%s: %s', (path, name, make) => {
    const place = new URL(`../${path}`, import.meta.url);
    const text = readFileSync(place, 'utf8');
    const pattern = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- /${name} -->)`);
    expect(text).toMatch(pattern);
    const current = text.replace(pattern, (_, start: string, end: string) => `${start}${make()}\n${end}`);
    if (process.env.UPDATE_DOCS === '1') writeFileSync(place, current);
    else expect(text).toBe(current);
  });
});

const pages: readonly (readonly [string, Language, string])[] = [
  ['docs/variants.md', 'en', 'variants.zh.md'],
  ['docs/variants.zh.md', 'zh', 'variants.md'],
];

describe('when a document is generated as a whole', () => {
  it.each(pages)('%s', (path, language, otherPage) => {
    const place = new URL(`../${path}`, import.meta.url);
    const current = toVariantsPage(language, otherPage);
    if (process.env.UPDATE_DOCS === '1') writeFileSync(place, current);
    expect(readFileSync(place, 'utf8')).toBe(current);
  });

  it.each(pages)('%s has a place for each link into itself', (path) => {
    const text = readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
    const places = new Set([...text.matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, id]) => id));
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, id]) => id);
    expect(links.length).toBeGreaterThan(40);
    expect(links.filter((id) => !places.has(id))).toEqual([]);
  });
});

describe('when the output is described', () => {
  const text = readFileSync(new URL('../docs/output.md', import.meta.url), 'utf8');
  /** The words in code in the first column of the table under a heading. */
  const listFirstColumn = (heading: string): readonly string[] => {
    const [, section = ''] = text.split(`\n## ${heading}\n`);
    const rows = (section.split('\n## ')[0] ?? '')
      .split('\n|---')[1]
      ?.split('\n')
      .filter((line) => line.startsWith('| `'));
    return (rows ?? []).flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
    );
  };

  it('has every form', () => {
    expect([...listFirstColumn('Formats of the report')].sort()).toEqual([...reportFormats].sort());
  });

  it('has every field of a file object', () => {
    const schema: { properties: { files: { items: { properties: Record<string, unknown> } } } } = JSON.parse(
      readFileSync(new URL('../schemas/scan.json', import.meta.url), 'utf8'),
    );
    expect([...listFirstColumn('A file object')].sort()).toEqual(
      Object.keys(schema.properties.files.items.properties).sort(),
    );
  });
});
