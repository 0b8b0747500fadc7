/** A pattern for file names: case is ignored, `*` stands for anything, also for nothing. */
export interface NamePattern {
  test(name: string): boolean;
}

/**
 * Compiles a name pattern. Matching goes back to the last `*` only, so that no name from a scanned file can make it
 * slow: at most length of name times length of pattern.
 */
export function toPattern(pattern: string): NamePattern {
  const wanted = pattern.toLowerCase();
  if (!wanted.includes('*')) return { test: (name) => name.toLowerCase() === wanted };
  return { test: (name) => matchesStars(name.toLowerCase(), wanted) };
}

function matchesStars(name: string, pattern: string): boolean {
  let inName = 0;
  let inPattern = 0;
  let star = -1;
  let nameAtStar = 0;
  while (inName < name.length) {
    if (pattern[inPattern] === '*') {
      star = inPattern;
      nameAtStar = inName;
      inPattern += 1;
    } else if (inPattern < pattern.length && pattern[inPattern] === name[inName]) {
      inPattern += 1;
      inName += 1;
    } else if (star >= 0) {
      nameAtStar += 1;
      inName = nameAtStar;
      inPattern = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}

/** The last part of a name, whichever slash it uses. */
export function toLastPart(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
}
