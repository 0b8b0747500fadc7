import { toXmlText } from '../escape.ts';

/*
 * HTML that cannot be broken out of. Whatever is put into the template is escaped, unless it was made by the template
 * itself; there is no other way to make a piece of HTML.
 */

/** A piece of HTML, made by {@link html}. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** For {@link html} alone. */
  static fromTemplate(parts: readonly string[], values: readonly HtmlValue[]): Html {
    return new Html(parts.map((part, index) => part + toText(values[index])).join(''));
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template: text is escaped; of a list every item is put in; undefined is nothing. */
export type HtmlValue = string | number | Html | undefined | readonly HtmlValue[];

/** Makes HTML: `` html`<p title="${text}">${text}</p>` ``. Attribute values must stand in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.fromTemplate(parts, values);
}

function toText(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'string') return toXmlText(value);
  if (typeof value === 'number') return String(value);
  return value.map(toText).join('');
}
