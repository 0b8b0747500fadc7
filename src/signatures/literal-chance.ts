/*
 * How likely a literal is to stand by chance in a program that has nothing to do with it.
 *
 * The model is a chain over eight classes of bytes: what a class is followed by, and how often a byte is used within
 * its class. Runs of one byte cost what they cost in programs. Words, hosts and format marks that programs are full of
 * cost what they were counted at, where that is less than the sum of their letters; the cheapest way to write the
 * literal counts. The unit is the bit: a literal of n bits is expected once in 2^n bytes of programs.
 *
 * Measured in November 2026 over 103 different Windows programs (22 MB: stubs of setuptools, distlib and NSIS, the
 * signed stubs and libraries that the tests read) and 712 different ELF files of Debian 12 (201 MB, at most 4 MB of each).
 * Of the two frequencies the higher one was taken, so that a literal must be rare in both kinds. Texts were counted
 * without regard to case, as ASCII and as UTF-16LE.
 */

/** Below this a literal is expected at least once in 1 TiB of programs: more than one computer holds. */
export const leastBits = 40;

/** Below this it is short whatever it holds. */
export const leastBytes = 5;

/** Cost of a class at the start. */
const startBits: readonly number[] = [1.9, 2.7, 3.4, 5.1, 3.1, 3.4, 1.6, 4.4];

/** Cost of a class (column) after a class (row). */
const followBits: readonly (readonly number[])[] = [
  [0.5, 3.7, 4.7, 6.7, 3.2, 3.9, 3.5, 6.9], // zero
  [1.9, 2.1, 3.1, 4.9, 2.8, 3.9, 1.5, 5.0], // control
  [3.3, 2.4, 2.6, 4.6, 2.7, 2.9, 1.4, 6.0], // blank and punctuation
  [3.5, 2.9, 3.3, 3.5, 3.0, 3.5, 1.1, 5.4], // digit
  [2.5, 2.7, 3.1, 4.5, 3.1, 3.7, 1.0, 5.9], // upper case
  [2.9, 2.8, 2.9, 5.3, 3.7, 1.0, 1.9, 6.2], // lower case
  [4.2, 2.3, 3.3, 5.0, 2.8, 3.7, 1.1, 3.9], // 80 to fe
  [6.0, 3.9, 3.9, 4.3, 2.1, 4.5, 1.8, 1.2], // ff
];

/** Cost of one more of the same, after two equal bytes, by class. */
const runBits: readonly number[] = [0.3, 1.1, 1.1, 1.4, 0.6, 1.9, 0.5, 0.5];

/** Cost of a byte within its class. */
// biome-ignore format: sixteen by sixteen, as a byte is written
const byteBits: readonly number[] = [
  0.0, 2.7, 4.0, 4.3, 4.0, 4.2, 4.9, 5.2, 3.9, 5.1, 5.1, 5.5, 4.7, 4.8, 4.5, 3.0,
  4.3, 5.3, 5.8, 5.6, 5.1, 5.2, 5.8, 5.9, 5.2, 5.7, 5.9, 5.8, 5.4, 5.9, 6.0, 5.0,
  3.2, 5.8, 5.7, 5.8, 2.3, 5.2, 5.8, 5.7, 4.1, 5.3, 5.6, 5.3, 5.4, 5.4, 5.0, 5.7,
  2.6, 2.1, 3.4, 2.6, 3.3, 3.6, 3.8, 3.9, 3.1, 2.9, 5.3, 4.8, 5.2, 5.0, 5.5, 5.3,
  4.1, 3.6, 5.0, 4.7, 3.8, 4.0, 4.9, 5.2, 1.6, 4.1, 5.6, 5.6, 3.6, 4.8, 5.0, 5.2,
  4.3, 5.3, 4.9, 4.4, 4.4, 4.8, 5.0, 5.1, 5.2, 5.3, 5.9, 5.4, 5.1, 5.1, 5.3, 3.5,
  5.3, 4.3, 5.5, 4.6, 4.4, 3.6, 3.7, 5.3, 4.6, 4.4, 5.0, 5.4, 4.6, 5.2, 4.3, 4.3,
  4.4, 5.6, 4.2, 4.3, 3.2, 4.0, 5.4, 5.2, 5.2, 5.3, 5.6, 5.6, 5.2, 5.3, 5.7, 5.7,
  6.0, 7.2, 7.5, 5.0, 5.1, 5.1, 7.5, 7.6, 7.0, 3.5, 7.4, 4.0, 7.3, 4.7, 7.7, 7.7,
  6.5, 7.3, 7.7, 7.6, 7.3, 7.6, 7.7, 7.6, 7.5, 7.6, 7.8, 7.7, 7.5, 7.8, 7.8, 7.4,
  7.2, 7.2, 7.5, 7.3, 7.4, 7.4, 7.5, 7.4, 7.0, 7.2, 7.0, 7.5, 7.3, 7.4, 7.5, 7.0,
  7.1, 7.5, 7.4, 7.6, 7.2, 7.4, 7.2, 7.4, 6.9, 7.0, 7.2, 7.6, 7.4, 7.5, 7.1, 7.4,
  5.2, 6.5, 7.0, 6.3, 6.6, 7.3, 6.9, 6.1, 7.0, 6.9, 7.6, 7.5, 5.7, 7.7, 7.4, 7.5,
  6.7, 7.4, 7.0, 7.5, 7.5, 7.6, 7.3, 7.5, 7.0, 7.5, 7.5, 7.4, 7.4, 7.4, 7.6, 6.9,
  6.5, 6.8, 6.9, 6.9, 6.9, 7.3, 7.6, 7.4, 4.5, 5.7, 7.4, 6.6, 6.7, 7.6, 7.2, 6.6,
  6.6, 7.0, 6.4, 6.8, 7.0, 7.4, 6.7, 7.0, 6.4, 6.8, 7.1, 7.1, 6.7, 6.7, 6.0, 0.0,
];

/** Cost of words of programs, of the web and of signatures, in lower case. */
// biome-ignore format: a list of words
const wordBits: Readonly<Record<string, number>> = {
  '%d': 14.1, '%s': 12.4, '.com': 16.3, '.dll': 14.7, '.exe': 17.2, '.html': 20.8, '.ini': 17,
  '.log': 19.1, '.net': 19.9, '.org': 18.4, '.tmp': 20.1, '.txt': 23, '.xml': 23, '0123456789': 17.7,
  '<?xml version="1.0"': 21.2, accept: 16.5, account: 16.5, address: 16.4, adobe: 18.9,
  advapi32: 18.1, android: 17.6, appdata: 20.5, apple: 19.8, application: 15.6, assembly: 17.1,
  begin: 17.8, borland: 22.4, boundary: 20.2, button: 16.3, 'c:\\': 19.1, certificate: 18.3,
  charset: 18.4, class: 14.5, client: 16.6, close: 16.5, 'code signing': 19, color: 16.4,
  comctl32: 18.7, company: 20.1, connect: 15.2, connection: 16, 'content-type': 22.6, control: 16.4,
  copyright: 19.1, create: 14.5, current: 15.5, currentversion: 18.6, data: 13.7, debug: 14.9,
  default: 15, delete: 15.7, delphi: 21.8, dependency: 20.1, desktop: 18.4, dialog: 14.8,
  directory: 16.6, document: 18.7, download: 16.5, error: 13.6, exitprocess: 17.8, explorer: 19.1,
  failed: 14.5, false: 18, file: 13.4, files: 16.5, fileversion: 18.4, folder: 16.8, font: 16.6,
  gdi32: 18.5, getlasterror: 17.9, getmodulehandle: 17.5, getprocaddress: 18.1, glibc: 15.2,
  globalsign: 20.1, google: 17.6, gzip: 21.4, host: 17.3, 'http://': 16.8, 'https://': 18.9,
  icon: 17.5, image: 16.1, index: 15.3, information: 16.6, init: 14.1, install: 15, installer: 17.4,
  internal: 15.5, internet: 17.2, 'internet explorer': 19.3, invalid: 15.5, java: 16.5, kernel32: 17,
  library: 16.7, linux: 16.8, load: 14.8, loadlibrary: 17.7, local: 15.6, login: 19.4, machine: 16.6,
  manifest: 19, menu: 16, message: 13, microsoft: 15.7, mozilla: 20.7, mscoree: 19.3, msvcrt: 19.5,
  name: 13.3, network: 18.8, none: 16.6, ntdll: 21.8, null: 15.7, object: 13.6, ocsp: 18.4,
  ole32: 18.7, open: 15.4, originalfilename: 20.3, 'out of memory': 19.7, password: 18.8, path: 15.5,
  port: 14.4, post: 16.9, privacy: 18.7, processorarchitecture: 20.3, product: 18.4,
  productversion: 20.2, program: 15.8, 'program files': 21.6, proxy: 17.6, publickeytoken: 21.2,
  python: 16.5, read: 13.7, register: 15.7, registry: 17.9, release: 17.1,
  requestedexecutionlevel: 18.6, runtime: 15.3, save: 16.9, schemas: 17.8, security: 14.3,
  server: 15.7, service: 16.4, settings: 13.9, setup: 16.8, shell32: 18.2, signature: 17.7,
  socket: 17.4, software: 16.3, start: 15.4, startup: 17.7, stop: 17.4, string: 13.6,
  stringfileinfo: 20, symantec: 19.3, system: 16.3, temp: 15.1, test: 15.5, thawte: 19.1,
  timestamp: 18.1, true: 17, type: 12.9, uninstall: 18.1, unknown: 13.6, update: 16.5, user32: 17.4,
  username: 20.8, users: 16.7, 'utf-8': 18.4, value: 13.9, verisign: 16.6, version: 14.8,
  virtualalloc: 20.3, 'w3.org': 21.1, warning: 17.2, washington: 18.7, window: 14.3, windows: 16.5,
  wininet: 21.1, write: 15.1, 'www.': 17.8, xmlns: 17.6,
};

/** Not met in what was measured, or too rarely to count; a mark of a format is taken for once in 16 MiB of programs. */
const markBits = 24;

/** Cost of the marks of formats and of the code that compilers write, by bytes in hexadecimal. */
const markBitsByHex: Readonly<Record<string, number>> = {
  '4d5a': 15.5, // MZ
  '4d5a900003000000': 17.8, // the usual head of a portable executable
  '50450000': 15.9, // PE
  '7f454c46': 17.9, // ELF
  '504b0304': 21.1, // ZIP, local header
  '504b0102': 21.1, // ZIP, central directory
  '504b0506': 20.1, // ZIP, end
  '55505821': 21.8, // UPX!
  '2e7465787400': 16.3, // .text
  '2e7273726300': 18.1, // .rsrc
  '558bec': 11.5, // push ebp, mov ebp esp
  '554889e5': 12.5, // push rbp, mov rbp rsp
  '2a864886f70d0101': 16.7, // the object identifier of RSA
  '89504e470d0a1a0a': 19.6, // PNG
  '1f8b08': 23.4, // gzip
  d0cf11e0a1b11ae1: markBits, // OLE compound file
  '255044462d': markBits, // PDF
  '474946383961': markBits, // GIF89a
  '474946383761': markBits, // GIF87a
  ffd8ffe0: markBits, // JPEG
  '377abcaf271c': markBits, // 7z
  '526172211a07': markBits, // RAR
  '4d534346': markBits, // cabinet
  cafebabe: markBits, // Java class, universal Mach-O
  cffaedfe: markBits, // Mach-O, 64 bits
  cefaedfe: markBits, // Mach-O, 32 bits
  '425a6839': markBits, // bzip2
  fd377a585a00: markBits, // xz
  '28b52ffd': markBits, // zstd
  '6465780a303335': markBits, // dex
};

/** Texts of which any part is as common as the whole. */
const phrases: Readonly<Record<string, number>> = {
  'this program cannot be run in dos mode.': 17.8,
  abcdefghijklmnopqrstuvwxyz: 16,
  '0123456789abcdef': 20.2,
  'all rights reserved': 22.4,
  'microsoft corporation': 18.5,
  'http://www.w3.org/': 21.1,
  'software\\microsoft\\windows\\currentversion\\run': 22.1,
};

export interface LiteralChance {
  /** Expected once in two to this power of bytes of programs. */
  readonly bits: number;
  /** The common words that the cheapest way to write it uses, in their order. */
  readonly words: readonly string[];
}

interface Entry {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly bits: number;
}

const words: readonly Entry[] = Object.entries(wordBits).map(([word, bits]) => ({
  label: word,
  bytes: new TextEncoder().encode(word),
  bits,
}));
const marks: readonly Entry[] = Object.entries(markBitsByHex).map(([hex, bits]) => ({
  label: hex,
  bytes: fromHex(hex),
  bits,
}));

/** Lower-case hexadecimal to bytes. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * Estimates how rare a literal is.
 *
 * @param literal - as it stands in files; of a text, its UTF-8
 */
export function toLiteralChance(literal: Uint8Array): LiteralChance {
  const folded = literal.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
  const text = new TextDecoder('latin1').decode(folded);
  // cheapest[n]: the cheapest way to write the first n bytes.
  const cheapest: LiteralChance[] = [{ bits: 0, words: [] }];
  for (let end = 1; end <= literal.length; end += 1) {
    const before = cheapest[end - 1] ?? { bits: 0, words: [] };
    let best: LiteralChance = { bits: before.bits + toByteBits(literal, end - 1), words: before.words };
    const consider = (entry: Entry, bytes: Uint8Array): void => {
      const start = end - entry.bytes.length;
      const base = cheapest[start];
      if (base === undefined || base.bits + entry.bits >= best.bits) return;
      if (entry.bytes.every((byte, index) => bytes[start + index] === byte)) {
        best = { bits: base.bits + entry.bits, words: [...base.words, entry.label] };
      }
    };
    for (const word of words) consider(word, folded);
    for (const mark of marks) consider(mark, literal);
    cheapest.push(best);
  }
  const whole = cheapest.at(-1) ?? { bits: 0, words: [] };
  for (const [phrase, bits] of Object.entries(phrases)) {
    if (text.length >= leastBytes && phrase.includes(text) && bits < whole.bits)
      return { bits, words: [phrase] };
  }
  return whole;
}

/** Cost of the byte at a place of the literal, behind those before it. */
function toByteBits(literal: Uint8Array, at: number): number {
  const byte = literal[at] ?? 0;
  const byteClass = toClass(byte);
  const inClass = byteBits[byte] ?? 8;
  if (at === 0) return (startBits[byteClass] ?? 8) + inClass;
  const follow = (followBits[toClass(literal[at - 1] ?? 0)]?.[byteClass] ?? 8) + inClass;
  const isRun = at > 1 && literal[at - 1] === byte && literal[at - 2] === byte;
  return isRun ? Math.min(follow, runBits[byteClass] ?? 8) : follow;
}

function toClass(byte: number): number {
  if (byte === 0) return 0;
  if (byte < 0x20 || byte === 0x7f) return 1;
  if (byte >= 0x30 && byte <= 0x39) return 3;
  if (byte >= 0x41 && byte <= 0x5a) return 4;
  if (byte >= 0x61 && byte <= 0x7a) return 5;
  if (byte < 0x7f) return 2;
  return byte === 0xff ? 7 : 6;
}
