import type { Dossier, Entry, Reference, Section, VariantGroup } from './dossier.ts';
import { toMarkdownCode, toMarkdownLink, toMarkdownText } from './markdown.ts';

/*
 * Dossiers as GitHub markdown. Texts of a database are data: whatever markdown or HTML would make something of is
 * escaped, and only addresses of the web become links.
 */

/**
 * A dossier in markdown.
 *
 * @param level - of its title; sections are one below it
 * @param isListedElsewhere - leaves out the section of sources
 */
export function toDossierMarkdown(
  { id, title, sections }: Dossier,
  level = 1,
  isListedElsewhere = false,
): string {
  const lines = [
    `<a id="${id}"></a>`,
    '',
    `${'#'.repeat(level)} ${toMarkdownText(title)}`,
    '',
    toMarkdownCode(id),
  ];
  for (const section of sections) {
    if (section.kind === 'sources' && isListedElsewhere) continue;
    lines.push('', ...toSectionLines(section, level + 1));
  }
  return `${lines.join('\n')}\n`;
}

/** A section in markdown, its heading of a level. */
export function toSectionLines({ heading, entries }: Section, level: number): readonly string[] {
  return [
    ...(heading === '' ? [] : [`${'#'.repeat(level)} ${toMarkdownText(heading)}`, '']),
    ...entries.flatMap((entry) => toEntryLines(entry, 0)),
  ];
}

function toEntryLines(
  { label, text, id, cites = [], entries = [] }: Entry,
  depth: number,
): readonly string[] {
  const isTitle = label === '' && entries.length > 0;
  const shown = toMarkdownText(text);
  const parts = [
    label === '' ? '' : `**${toMarkdownText(label)}**`,
    isTitle ? `**${shown}**` : shown,
    id === undefined ? '' : toMarkdownCode(id),
    toCitations(cites, text === ''),
  ].filter((part) => part !== '');
  return [
    `${'  '.repeat(depth)}- ${parts.join(' ')}`,
    ...entries.flatMap((entry) => toEntryLines(entry, depth + 1)),
  ];
}

function toCitations(cites: readonly Reference[], isAlone: boolean): string {
  const links = cites.map(({ short, address }) => toMarkdownLink(short, address)).join('; ');
  return links === '' || isAlone ? links : `(${links})`;
}

/** The variants of a product by role, in markdown; each links to where its dossier stands. */
export function toListMarkdown(
  groups: readonly VariantGroup[],
  level: number,
  toTarget?: (id: string) => string,
): string {
  const lines: string[] = [];
  for (const { heading, variants } of groups) {
    lines.push(`${'#'.repeat(level)} ${toMarkdownText(heading)}`, '');
    for (const { id, name, years } of variants) {
      const shown =
        toTarget === undefined ? toMarkdownText(name) : `[${toMarkdownText(name)}](${toTarget(id)})`;
      lines.push(`- ${shown} ${toMarkdownCode(id)}${years === '' ? '' : ` ${toMarkdownText(years)}`}`);
    }
    lines.push('');
  }
  return lines.join('\n');
}
