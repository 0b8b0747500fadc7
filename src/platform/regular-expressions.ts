/**
 * Regular expressions in linear time: re2js, a port of RE2. Its tables take longer to load than a small file takes to
 * scan, and many files need no expression at all, so it is loaded when the first one is compiled.
 *
 * https://github.com/le0pard/re2js
 */
import { createRequire } from 'node:module';
import type * as Engine from 're2js';

export type RegularExpression = Engine.RE2JS;

let engine: typeof Engine | undefined;

/**
 * Compiles an expression.
 *
 * @throws Error of re2js when it is none of RE2
 */
export function compileExpression(pattern: string, ignoresCase = false): RegularExpression {
  engine ??= loadEngine();
  const { RE2JS } = engine;
  return RE2JS.compile(pattern, ignoresCase ? RE2JS.CASE_INSENSITIVE : 0);
}

function loadEngine(): typeof Engine {
  const loaded: typeof Engine = createRequire(import.meta.url)('re2js');
  return loaded;
}
