/** In bytes; the lead stands in front of the headers. */
export const leadBytes = 96;
export const leadMagic = 0xedabeedb;
/** Files of a package that are named. */
export const listedFilesLimit = 100_000;
