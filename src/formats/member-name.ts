/**
 * Names of archive members: which ones could leave the folder that they are unpacked to, or mean different things
 * to different software. Names are never used as paths here; this only describes them.
 */

import type { Finding } from './model.ts';

/** The longest name that is quoted in a message, in characters. */
const quotedCharacters = 120;

/** What makes a name unsafe or ambiguous, as a plain phrase; undefined when nothing does. */
export function tryDescribeUnsafeName(name: string): string | undefined {
  if (name.includes('\0')) return 'holds a NUL character, at which some software cuts it';
  if (/^[A-Za-z]:/.test(name)) return 'begins with a drive letter';
  if (/^[/\\]/.test(name)) return 'is an absolute path';
  if (name.split(/[/\\]/).includes('..')) return 'climbs out of its folder with ".."';
  if (/[\u0001-\u001f\u007f]/.test(name)) return 'holds control characters';
  if (name.includes('\\')) return 'uses backslashes, which are separators only to some software';
  return undefined;
}

/** A name for use in a message: short enough to read. Escaping is up to the report. */
export function toQuotedName(name: string): string {
  return name.length <= quotedCharacters ? `"${name}"` : `"${name.slice(0, quotedCharacters)}…"`;
}

/** A finding about a member whose name is unsafe, or undefined when it is not. @param offset - of the member */
export function tryFindUnsafeName(name: string, offset?: number): Finding | undefined {
  const danger = tryDescribeUnsafeName(name);
  if (danger === undefined) return undefined;
  return {
    code: 'malformed/name',
    message: `holds a member whose name ${danger}: ${toQuotedName(name)}`,
    ...(offset === undefined ? {} : { offset }),
    consequence: unsafeNameConsequence,
    incomplete: false,
  };
}

export const unsafeNameConsequence =
  'nothing is written here, but other software may write outside its folder';
