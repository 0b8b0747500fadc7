/** Where bytes that somebody wanted to know of stand in an artifact. */
export interface MarkPlaces {
  /** Index among the marks and byte offset from the start of the artifact, in rising order of the offset. */
  readonly found: readonly (readonly [mark: number, offset: number])[];
  /** Nothing was noted from here on, because there was too much; the size or more when all was. */
  readonly end: number;
}

/** Nothing was looked for. */
export const noMarks: MarkPlaces = { found: [], end: 0 };
