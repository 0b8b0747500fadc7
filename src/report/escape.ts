/*
 * Text from scanned files goes to terminals, browsers and other tools. A name may carry escape sequences that rewrite
 * the screen, overrides that turn "exe.gpj" round, or line breaks that forge a line of the report. Nothing of that
 * passes: what is not plainly visible is written as \u{…}.
 *
 * CI systems read commands out of what a program prints: `::set-env …` at the start of a line, `##[…]`, `##vso[…]` and
 * `##teamcity[…]` anywhere in it. One character of each is escaped as well.
 */

// Controls, format characters (bidi, zero-width, tags), line and paragraph separators, lone surrogates, everything that
// fonts are told not to draw, and code points that are no characters.
const unprintable =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/** The only line breaks in JSON text are those of its own layout. */
const unprintableInJson = new RegExp(`(?!\\n)${unprintable.source}`, unprintable.flags);

/** Text that shows exactly what it is, on one line. */
export function toVisible(text: string): string {
  return text
    .replaceAll(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
    .replaceAll('::', ':\\u{3a}')
    .replaceAll('##', '#\\u{23}');
}

const xmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Visible text for the content and the attributes of XML and HTML. */
export function toXmlText(text: string): string {
  return toVisible(text).replaceAll(/[&<>"']/g, (character) => xmlEntities[character] ?? character);
}

/** JSON in which every unprintable character is an escape; the value is the same, the bytes are safe to print. */
export function toSafeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent)
    .replaceAll(unprintableInJson, (character) => {
      let escaped = '';
      for (let at = 0; at < character.length; at += 1) {
        escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
      }
      return escaped;
    })
    .replaceAll('##', '#\\u0023');
}
