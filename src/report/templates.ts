/*
 * Finds the translation of a text by templates. A template is a text with holes, `{0} of {1} pages`; what stands in a
 * hole of the text is put into the same hole of the translation. `{0!}` in a translation is a hole whose content is
 * translated in turn. A template that ends in a space is the beginning of a text, whose rest is translated in turn.
 *
 * What stands in a hole may come from a scanned file, and may read like a part of a template. It can then end up in
 * another hole of the translation, as it can deceive a reader of the English text; it cannot become anything but text,
 * and no text takes more than a fixed number of steps.
 */

/** How often a text may lie in a hole of a text. */
const depthLimit = 6;

/** Ways that are tried to tell the holes of one text apart. */
const splitsTried = 24;

/** Longer texts are not looked at; no sentence of ours is near it. */
const charactersLimit = 16_384;

/** Texts that are told apart in one hole. */
const partsLimit = 16;

/** Characters of the beginning of a template by which it is found. */
const keyCharacters = 4;

interface Template {
  /** What stands before the first hole, between the holes, and behind the last. */
  readonly literals: readonly string[];
  /** Number of the hole behind each literal but the last. */
  readonly holes: readonly number[];
  /** The translation, in pieces: text, or a hole. */
  readonly pieces: readonly Piece[];
  readonly weight: number;
}

type Piece = string | { readonly hole: number; readonly isText: boolean };

/** Texts and templates with their translations. */
export class TemplateCatalogue {
  readonly #texts = new Map<string, string>();
  /** By the first characters of the template; those that begin with a hole or with less stand under ''. */
  readonly #templates = new Map<string, Template[]>();

  constructor(translations: Readonly<Record<string, string>>) {
    for (const [english, translation] of Object.entries(translations)) {
      const isBeginning = english.endsWith(' ');
      if (!isBeginning && !/\{\d+\}/.test(english)) {
        this.#texts.set(english, translation);
        continue;
      }
      const rest = listHoles(english).length;
      const template = parseTemplate(
        isBeginning ? `${english}{${rest}}` : english,
        isBeginning ? `${translation}{${rest}!}` : translation,
      );
      const key = toKey(template.literals[0] ?? '');
      this.#templates.set(key, [...(this.#templates.get(key) ?? []), template]);
    }
    // What says more of itself is asked first: of two that fit it is the one that was meant.
    for (const templates of this.#templates.values()) templates.sort((a, b) => b.weight - a.weight);
  }

  /** The translation of a text; undefined when no template fits. */
  tryTranslate(text: string): string | undefined {
    return text.length > charactersLimit ? undefined : this.#tryTranslate(text, 0);
  }

  #tryTranslate(text: string, depth: number): string | undefined {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (depth > depthLimit) return undefined;
    return this.#tryTemplates(text, depth) ?? this.#tryRewritten(text, depth);
  }

  #tryTemplates(text: string, depth: number): string | undefined {
    const templates = [...(this.#templates.get(toKey(text)) ?? []), ...(this.#templates.get('') ?? [])];
    for (const template of templates) {
      let first: string | undefined;
      for (const contents of listSplits(text, template)) {
        const filled = this.#fill(template, contents, depth);
        if (filled.isWhole) return filled.text;
        first ??= filled.text;
      }
      if (first !== undefined) return first;
    }
    return undefined;
  }

  #fill(
    { pieces }: Template,
    contents: ReadonlyMap<number, string>,
    depth: number,
  ): { readonly text: string; readonly isWhole: boolean } {
    let isWhole = true;
    const text = pieces.map((piece) => {
      if (typeof piece === 'string') return piece;
      const content = contents.get(piece.hole) ?? '';
      if (!piece.isText || content === '') return content;
      const translated = this.#tryTranslate(content, depth + 1) ?? this.#tryList(content, depth + 1);
      if (translated === undefined) isWhole = false;
      return translated ?? content;
    });
    return { text: text.join(''), isWhole };
  }

  /** Several texts may stand in one hole; what is no text of ours stays. */
  #tryList(text: string, depth: number): string | undefined {
    const parts = text.split(/, | and /);
    if (parts.length < 2 || parts.length > partsLimit) return undefined;
    const translated = parts.map((part) => this.#tryTranslate(part, depth));
    return translated.every((part) => part === undefined)
      ? undefined
      : parts.map((part, index) => translated[index] ?? part).join('、');
  }

  /** A text of ours may have been made a sentence, and two sentences may follow each other. */
  #tryRewritten(text: string, depth: number): string | undefined {
    const lower = text.charAt(0).toLowerCase() + text.slice(1);
    if (lower !== text) {
      const translated = this.#texts.get(lower) ?? this.#tryTemplates(lower, depth + 1);
      if (translated !== undefined) return translated;
    }
    if (text.endsWith('.')) {
      const translated = this.#tryTranslate(text.slice(0, -1), depth + 1);
      if (translated !== undefined) return `${translated}。`;
    }
    for (let end = text.indexOf('. '), tried = 0; end >= 0 && tried < 4; tried += 1) {
      const first = this.#tryTranslate(text.slice(0, end + 1), depthLimit);
      if (first !== undefined) {
        const rest = this.#tryTranslate(text.slice(end + 2), depth + 1);
        if (rest !== undefined) return first + rest;
      }
      end = text.indexOf('. ', end + 1);
    }
    return undefined;
  }
}

/** The holes of a template or a translation, in their order. */
export function listHoles(template: string): readonly number[] {
  return [...template.matchAll(/\{(\d+)!?\}/g)].map(([, number]) => Number(number));
}

function toKey(literal: string): string {
  return literal.length < keyCharacters ? '' : literal.slice(0, keyCharacters);
}

function parseTemplate(english: string, translation: string): Template {
  const literals = english.split(/\{\d+\}/);
  const pieces = translation.split(/(\{\d+!?\})/).map((part): Piece => {
    const hole = /^\{(\d+)(!?)\}$/.exec(part);
    return hole === null ? part : { hole: Number(hole[1]), isText: hole[2] === '!' };
  });
  return {
    literals,
    holes: listHoles(english),
    pieces,
    weight: literals.reduce((sum, literal) => sum + literal.length, 0),
  };
}

/** What can stand in the holes, the shortest first; at most a fixed number of ways. */
function* listSplits(text: string, { literals, holes }: Template): Generator<ReadonlyMap<number, string>> {
  const first = literals[0] ?? '';
  const last = literals.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return;
  const end = text.length - last.length;
  let steps = splitsTried;
  const contents = new Map<number, string>();
  function* place(index: number, from: number): Generator<ReadonlyMap<number, string>> {
    const hole = holes[index] ?? 0;
    if (index === holes.length - 1) {
      contents.set(hole, text.slice(from, end));
      yield contents;
      return;
    }
    const literal = literals[index + 1] ?? '';
    for (let at = text.indexOf(literal, from); at >= 0 && at + literal.length <= end; ) {
      if (steps <= 0) return;
      steps -= 1;
      contents.set(hole, text.slice(from, at));
      yield* place(index + 1, at + literal.length);
      at = text.indexOf(literal, at + 1);
    }
  }
  yield* place(0, first.length);
}
