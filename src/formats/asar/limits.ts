/** Size pickle (8), header pickle size (4), length of the JSON (4). */
export const preambleBytes = 16;
/** The largest real ones have a few megabytes: 100 bytes a file, 300 with seals. */
export const headerBytesLimit = 64 * 1024 * 1024;
/** Values in the JSON, which cost far more memory than their text: `[[[[` would be a gigabyte of empty arrays. */
export const headerValuesLimit = 4_000_000;
/** Objects in objects: two for each folder. */
export const headerNestingLimit = 512;
export const braceOpen = 0x7b;
