import type { FileResult } from './model.ts';

/** What a headline is made of. */
export interface HeadlineParts {
  /** What it is, or says that it is. */
  readonly title: string;
  readonly version: string | null;
  readonly platform: string | null;
  /** Which edition it is, where that is said. */
  readonly variant: string | null;
  /** Where that edition comes from. */
  readonly origin: string | null;
  /** What kind of piece it is: `web installer`. */
  readonly scope: string | null;
}

/** The sentences of headlines in one language. */
export interface HeadlineWording {
  official(parts: HeadlineParts): string;
  variant(parts: HeadlineParts): string;
  impostor(parts: HeadlineParts): string;
  /** Of what is modified or damaged. */
  claims(parts: HeadlineParts): string;
  unverified(parts: HeadlineParts): string;
  readonly notRead: string;
}

const behind = (text: string | null, start: string, end = ''): string =>
  text === null ? '' : `${start}${text}${end}`;

/** The headlines of results, which are in English. */
export const englishHeadlines: HeadlineWording = {
  official: ({ title, version, platform, scope }) =>
    `${title}${behind(version, ' ')}${behind(platform, ' for ')}${behind(scope, ', ')}`,
  variant: ({ title, version, platform, origin }) =>
    `${title}${behind(version, ' ')}${behind(platform, ' for ')}${behind(origin, ' (', ')')}`,
  impostor: ({ title, version, variant }) =>
    `claims to be ${title}${behind(version, ' ')}${behind(variant, '; documented as: ')}`,
  claims: ({ title, version, platform, scope }) =>
    `claims ${title}${behind(version, ' ')}${behind(platform, ' for ')}${behind(scope, ', ')}`,
  unverified: ({ title, version, variant }) =>
    `looks like ${title}${behind(version, ' (version ', ')')}${behind(variant, '; ')}`,
  notRead: 'not read',
};

/**
 * The headline: what it is, or what it says that it is.
 *
 * @param translate - puts a text of the database or the engine into the language of the wording
 */
export function toHeadline(
  file: FileResult,
  wording: HeadlineWording = englishHeadlines,
  translate: (text: string) => string = (text) => text,
): string {
  const title = file.title ?? file.productName ?? '';
  const scope = toScopeTitle(file);
  const orNull = (text: string | null): string | null => (text === null ? null : translate(text));
  const parts: HeadlineParts = {
    title,
    version: file.version,
    platform: file.platformName,
    variant: orNull(file.variantName),
    origin: orNull(file.variantOrigin),
    scope: orNull(scope),
  };
  switch (file.verdict) {
    case 'official':
      return wording.official(
        file.variant === 'official' || file.variant === null
          ? parts
          : { ...parts, title: parts.variant ?? title },
      );
    case 'variant':
      return wording.variant({ ...parts, title: parts.variant ?? title });
    case 'impostor':
      return wording.impostor(parts);
    case 'modified':
    case 'damaged':
      return wording.claims(parts);
    case 'unverified':
      return wording.unverified(parts);
    case 'other':
      return file.tree === null ? wording.notRead : translate(file.tree.formatTitle);
  }
}

/** The kind of piece that its knowledge ends at, unless its title says so already. */
function toScopeTitle(file: FileResult): string | null {
  const scope = file.notes.find(({ kind }) => kind === 'scope');
  const title = scope?.text.slice(0, scope.text.indexOf(':')) ?? '';
  return title === '' || file.title?.includes(title) === true ? null : title;
}
