import { compileExpression } from '../platform/regular-expressions.ts';

/*
 * Texts that a regular expression matches, made from the expression itself, so that a claim about all its matches can
 * be shown wrong by one of them. Alternatives are tried one by one and repetitions as short as they may be. What is
 * made is only a guess: the caller lets the engine match it.
 *
 * Read are literals, escapes, classes, groups without and with names, alternatives, anchors and repetitions. Anything
 * else (flags inside of the expression, \Q…\E) ends the attempt without an answer.
 */

/** At most so many texts at each level: enough to see each of a handful of alternatives. */
const maxSamples = 64;

/** From which the members of a class are picked; the first ones that it has. Then comes what the class itself names. */
const candidates = [...'x7Z_- .:/\\@!a0Aé中~®™αЯاאあ한\t\n'];

/** Shortest first; empty when the expression holds something that is not read here. */
export function toRegexSamples(pattern: string): readonly string[] {
  try {
    const reader = new SampleReader(pattern);
    return reader.readAll().sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  } catch (error) {
    if (error instanceof NotRead) return [];
    throw error;
  }
}

class NotRead extends Error {}

class SampleReader {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  readAll(): string[] {
    const samples = this.#readAlternatives();
    if (this.#at < this.#pattern.length) throw new NotRead();
    return [...samples];
  }

  #readAlternatives(): readonly string[] {
    const samples = [...this.#readSequence()];
    while (this.#take('|')) samples.push(...this.#readSequence());
    return clip(samples);
  }

  #readSequence(): readonly string[] {
    let samples: readonly string[] = [''];
    while (this.#at < this.#pattern.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const items = this.#readRepeated();
      samples = clip(samples.flatMap((before) => items.map((item) => before + item)));
    }
    return samples;
  }

  #readRepeated(): readonly string[] {
    const items = this.#readAtom();
    const rest = this.#pattern.slice(this.#at);
    const found = /^(?:([*+?])|\{(\d{1,3})(,\d{0,3})?\})\??/.exec(rest);
    if (found === null) return items;
    this.#at += found[0].length;
    const least = found[1] === '+' ? 1 : found[2] === undefined ? 0 : Number(found[2]);
    return least === 0 ? clip(['', ...items]) : items.map((item) => item.repeat(least));
  }

  #readAtom(): readonly string[] {
    const character = this.#pattern[this.#at] ?? '';
    if (character === '(') return this.#readGroup();
    if (character === '[') return this.#readClass();
    if (character === '.') return this.#takeClass('.');
    if (character === '^' || character === '$') {
      this.#at += 1;
      return [''];
    }
    if (character === '\\') return this.#readEscape();
    if ('*+?{'.includes(character)) throw new NotRead();
    const whole = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    this.#at += whole.length;
    return [whole];
  }

  #readGroup(): readonly string[] {
    const head = /^\((?:\?:|\?P?<\w+>|(?!\?))/.exec(this.#pattern.slice(this.#at));
    // Nesting without end would exhaust the stack.
    if (head === null || this.#depth > 50) throw new NotRead();
    this.#at += head[0].length;
    this.#depth += 1;
    const samples = this.#readAlternatives();
    this.#depth -= 1;
    if (!this.#take(')')) throw new NotRead();
    return samples;
  }

  #readClass(): readonly string[] {
    const found = /^\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]/s.exec(this.#pattern.slice(this.#at));
    if (found === null) throw new NotRead();
    return this.#takeClass(found[0]);
  }

  #readEscape(): readonly string[] {
    const rest = this.#pattern.slice(this.#at);
    const boundary = /^\\[bBAz]/.exec(rest);
    if (boundary !== null) {
      this.#at += 2;
      return [''];
    }
    const found =
      /^\\(?:[dDsSwWnrtfv]|[pP](?:\w|\{\^?\w+\})|x(?:[0-9a-fA-F]{2}|\{[0-9a-fA-F]+\})|[^\w\s])/.exec(rest);
    if (found === null) throw new NotRead();
    const own = /^\\([^\w\s])$/.exec(found[0])?.[1];
    if (own === undefined) return this.#takeClass(found[0]);
    this.#at += 2;
    return [own];
  }

  /** The first members of something that stands for one character, by asking the engine. */
  #takeClass(text: string): readonly string[] {
    this.#at += text.length;
    const named = [...text.matchAll(/\\x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/g)]
      .map((found) => Number.parseInt(found[1] ?? found[2] ?? '', 16))
      .filter((code) => code <= 0x10ffff)
      .map((code) => String.fromCodePoint(code));
    const regex = compileExpression(`^(?:${text})$`);
    // A class of letters that are none of the usual ones may hold any ASCII character.
    const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index));
    const members = [...candidates, ...named, ...text, ...ascii].filter((one) => regex.matcher(one).find());
    if (members.length === 0) throw new NotRead();
    return members.slice(0, 2);
  }

  #peek(): string | undefined {
    return this.#pattern[this.#at];
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }
}

function clip(samples: readonly string[]): readonly string[] {
  return [...new Set(samples)].slice(0, maxSamples);
}

/**
 * A text that the expression matches and that does not hold its anchor; undefined when none was found, which proves
 * nothing.
 *
 * @param pattern - a regular expression that compiles
 */
export function tryMatchWithoutAnchor(
  pattern: string,
  anchor: string,
  ignoresCase: boolean,
): string | undefined {
  const regex = compileExpression(pattern, ignoresCase);
  const fold = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  for (const sample of toRegexSamples(pattern)) {
    const matcher = regex.matcher(sample);
    if (!matcher.find()) continue;
    const found = matcher.group() ?? '';
    if (!fold(found).includes(fold(anchor))) return found;
  }
  return undefined;
}

/** Texts that have nothing in common. */
const strangers = ['x', '7', '~~~', '中文', 'C:\\a b\\c.d', '0.0.0.0', '\u0001'];

/** Whether an expression finds something in all of a handful of texts that have nothing in common. */
export function matchesEverything(pattern: string): boolean {
  const regex = compileExpression(pattern);
  return strangers.every((text) => regex.matcher(text).find());
}
