import { toVisible, toXmlText } from './escape.ts';

/*
 * GitHub markdown that cannot be broken out of. Text is data, from a database or from a scanned file: whatever markdown
 * or HTML would make something of is escaped, and only addresses of the web become links.
 */

/** Text as markdown that shows exactly this text, on one line. */
export function toMarkdownText(text: string): string {
  return (
    toVisible(text)
      .trim()
      .replaceAll(/[\\`*_{}[\]<>#|~&$!@^]/g, (character) =>
        // In HTML blocks a backslash escapes nothing.
        character === '<'
          ? '&lt;'
          : character === '>'
            ? '&gt;'
            : character === '&'
              ? '&amp;'
              : `\\${character}`,
      )
      // What GitHub would make a link of by itself.
      .replaceAll('://', ':\\//')
      .replaceAll(/\bwww\./gi, (start) => `${start.slice(0, -1)}\\.`)
      // What would begin a list or underline a heading at the start of a line.
      .replace(/^([-+=])/, '\\$1')
      .replace(/^(\d+)([.)])/, '$1\\$2')
  );
}

/**
 * As {@link toMarkdownText}, for a comment. There GitHub looks for mentions, references and emoji in the text that the
 * page shows, when escapes are gone already. A space of no width behind the first character is what it does not look
 * past; in code and in links it does not look at all.
 * https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
 */
export function toCommentText(text: string): string {
  const gap = '&ZeroWidthSpace;';
  return toMarkdownText(text)
    .replaceAll(/@(?=[\p{L}\p{N}])/gu, `@${gap}`)
    .replaceAll(/(#|\bgh-)(?=\d)/gi, `$1${gap}`)
    .replaceAll(/:(?=[\w+\\-]+:)/g, `:${gap}`)
    .replaceAll(/\b(mailto|xmpp):/gi, `$1:${gap}`);
}

/** A text in code type, whatever marks stand in it. */
export function toMarkdownCode(text: string): string {
  const visible = toVisible(text);
  const runs = [...visible.matchAll(/`+/g)].map(([run]) => run.length);
  const fence = '`'.repeat(Math.max(0, ...runs) + 1);
  const space = visible === '' || /^[` ]|[` ]$/.test(visible) ? ' ' : '';
  return `${fence}${space}${visible}${space}${fence}`;
}

/** As {@link toMarkdownCode}, in a cell of a table, which a bar would end even in code. */
export function toMarkdownCellCode(text: string): string {
  return text.includes('|') ? `<code>${toCommentText(text)}</code>` : toMarkdownCode(text);
}

/** A text in code type inside of HTML, where markdown is not read: in a `<summary>`. */
export function toHtmlCode(text: string): string {
  return `<code>${toXmlText(text)}</code>`;
}

/** A link; the plain text where there is no address of the web. @param toText - how a plain text is written */
export function toMarkdownLink(
  text: string,
  address: string | undefined,
  toText: (text: string) => string = toMarkdownText,
): string {
  if (address === undefined || !/^https?:\/\//i.test(address)) return toText(text);
  const target = address.replaceAll(
    /[\s<>()"\\`|\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (character) =>
      [...new TextEncoder().encode(character)]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join(''),
  );
  return `[${toMarkdownText(text)}](${target})`;
}
