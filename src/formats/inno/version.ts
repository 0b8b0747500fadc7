/**
 * The 64 bytes in front of Inno Setup's setup data, which name the layout of every record behind them.
 *
 * The number is the version in which the layout last changed, not that of the compiler: Inno Setup 5.5.9 writes
 * `Inno Setup Setup Data (5.5.7) (u)`. Only texts that are known are read; for a few of them more than one layout is
 * in use, because a compiler was released without a new text.
 *
 * @see https://github.com/jrsoftware/issrc `Projects/Src/Shared.Struct.pas` and its history
 * @see https://github.com/dscharrer/innoextract `src/setup/version.cpp`
 */
import { cutAtZero, toLatin1 } from '../../bytes/cursor.ts';

export const setupIdBytes = 64;

/** Which of the known layouts a record has. */
export interface InnoVersion {
  /** As in the file, without `Inno Setup Setup Data`: `5.5.7 (u)`. */
  readonly label: string;
  /** Comparable: see {@link toVersionNumber}. */
  readonly number: number;
  readonly isUnicode: boolean;
  /** My Inno Setup Extensions, a branch that added components and Pascal scripts before Inno Setup did. */
  readonly isIsx: boolean;
}

/** One number for up to four parts of a version, so that versions compare as numbers. */
export function toVersionNumber(text: string): number {
  const [major = 0, minor = 0, patch = 0, revision = 0] = text.split('.').map(Number);
  return ((major * 256 + minor) * 256 + patch) * 256 + revision;
}

/** Layouts that are found under one text, in the order in which they are tried. Most have one. */
const plainTexts: Readonly<Record<string, readonly string[]>> = {
  '1.3.3': ['1.3.3'],
  '1.3.9': ['1.3.9'],
  '1.3.10': ['1.3.10'],
  '1.3.21': ['1.3.21', '1.3.24'],
  '1.3.24': ['1.3.24'],
  '1.3.25': ['1.3.25'],
  '2.0.0': ['2.0.0'],
  '2.0.1': ['2.0.1', '2.0.2'],
  '2.0.2': ['2.0.2'],
  '2.0.5': ['2.0.5'],
  '2.0.6a': ['2.0.6'],
  '2.0.7': ['2.0.7'],
  '2.0.8': ['2.0.8'],
  '2.0.11': ['2.0.11'],
  '2.0.17': ['2.0.17'],
  '2.0.18': ['2.0.18'],
  '3.0.0a': ['3.0.0'],
  '3.0.1': ['3.0.1'],
  '3.0.3': ['3.0.3', '3.0.4'],
  '3.0.4': ['3.0.4'],
  '3.0.5': ['3.0.5'],
  '4.0.0a': ['4.0.0'],
  '4.0.1': ['4.0.1'],
  '4.0.3': ['4.0.3'],
  '4.0.5': ['4.0.5'],
  '4.0.9': ['4.0.9'],
  '4.0.10': ['4.0.10'],
  '4.0.11': ['4.0.11'],
  '4.1.0': ['4.1.0'],
  '4.1.2': ['4.1.2'],
  '4.1.3': ['4.1.3'],
  '4.1.4': ['4.1.4'],
  '4.1.5': ['4.1.5'],
  '4.1.6': ['4.1.6'],
  '4.1.8': ['4.1.8'],
  '4.2.0': ['4.2.0'],
  '4.2.1': ['4.2.1'],
  '4.2.2': ['4.2.2'],
  '4.2.3': ['4.2.3', '4.2.4'],
  '4.2.4': ['4.2.4'],
  '4.2.5': ['4.2.5'],
  '4.2.6': ['4.2.6'],
  '5.0.0': ['5.0.0'],
  '5.0.1': ['5.0.1'],
  '5.0.3': ['5.0.3'],
  '5.0.4': ['5.0.4'],
  '5.1.0': ['5.1.0'],
  '5.1.2': ['5.1.2'],
  '5.1.7': ['5.1.7'],
  '5.1.10': ['5.1.10'],
  '5.1.13': ['5.1.13'],
  '5.2.0': ['5.2.0'],
  '5.2.1': ['5.2.1'],
  '5.2.3': ['5.2.3'],
};

/** Texts that stand alone for the ANSI compiler and with ` (u)` for the Unicode compiler. */
const bothTexts: Readonly<Record<string, readonly string[]>> = {
  '5.2.5': ['5.2.5'],
  '5.3.0': ['5.3.0'],
  '5.3.3': ['5.3.3'],
  '5.3.5': ['5.3.5'],
  '5.3.6': ['5.3.6'],
  '5.3.7': ['5.3.7'],
  '5.3.8': ['5.3.8'],
  '5.3.9': ['5.3.9'],
  '5.3.10': ['5.3.10'],
  // The fourth numbers are not Inno Setup's own: changed compilers write one byte or one text more under its text.
  '5.4.2': ['5.4.2', '5.4.2.1'],
  '5.5.0': ['5.5.0', '5.5.0.1'],
  '5.5.6': ['5.5.6'],
  '5.5.7': ['5.5.7', '5.5.7.1', '5.6.0'],
  '5.6.0': ['5.6.0'],
  '5.6.2': ['5.6.2'],
};

/** From 6.0 on there is only the Unicode compiler; from 6.3 on the text no longer says so. */
const unicodeTexts: Readonly<Record<string, readonly string[]>> = {
  '5.5.8 (u)': ['5.5.7'],
  '6.0.0 (u)': ['6.0.0'],
  '6.1.0 (u)': ['6.1.0'],
  '6.3.0': ['6.3.0'],
  '6.4.0.1': ['6.4.0.1'],
  '6.4.2': ['6.4.2'],
  '6.4.3': ['6.4.3'],
  '6.5.0': ['6.5.0'],
  '6.5.2': ['6.5.2'],
  '6.6.0': ['6.6.0'],
  '6.6.1': ['6.6.1'],
  '6.7.0': ['6.7.0'],
  '7.0.0.3': ['7.0.0.3'],
};

const isxTexts: Readonly<Record<string, readonly string[]>> = {
  'Inno Setup Setup Data (1.3.10) with ISX (1.3.10)': ['1.3.10'],
  'Inno Setup Setup Data (1.3.12) with ISX (1.3.12.1)': ['1.3.12.1'],
  'Inno Setup Setup Data (1.3.21) with ISX (1.3.17)': ['1.3.21', '1.3.24'],
  'Inno Setup Setup Data (1.3.21) with ISX (1.3.24)': ['1.3.24'],
  'Inno Setup Setup Data (1.3.25) with ISX (1.3.25)': ['1.3.25'],
  'Inno Setup Setup Data (2.0.6a) with ISX (2.0.3)': ['2.0.6'],
  'Inno Setup Setup Data (2.0.8) with ISX (2.0.3)': ['2.0.8'],
  'Inno Setup Setup Data (2.0.8) with ISX (2.0.10)': ['2.0.10'],
  'Inno Setup Setup Data (2.0.11) with ISX (2.0.11)': ['2.0.11'],
  'Inno Setup Setup Data (2.0.17) with ISX (2.0.11)': ['2.0.17'],
  'Inno Setup Setup Data (2.0.18) with ISX (2.0.11)': ['2.0.18'],
  'Inno Setup Setup Data (3.0.1) with ISX (3.0.0)': ['3.0.1'],
  'Inno Setup Setup Data (3.0.3) with ISX (3.0.3)': ['3.0.3', '3.0.4'],
  'My Inno Setup Extensions Setup Data (3.0.4)': ['3.0.4'],
  'My Inno Setup Extensions Setup Data (3.0.6.1)': ['3.0.6.1'],
};

/** Before 1.3 the text is 12 bytes long. The layout for 16-bit Windows is another one and is not read. */
const shortText = 'i1.2.10--32\x1a';
export const shortTextBytes = 12;

const known: ReadonlyMap<string, readonly InnoVersion[]> = new Map(listKnown());

function* listKnown(): Generator<[string, readonly InnoVersion[]]> {
  yield [shortText, toVersions('1.2.10', ['1.2.10'], false, false)];
  for (const [text, layouts] of Object.entries(plainTexts)) {
    yield [toSetupText(text), toVersions(text, layouts, false, false)];
  }
  for (const [text, layouts] of Object.entries(bothTexts)) {
    yield [toSetupText(text), toVersions(text, layouts, false, false)];
    yield [toSetupText(`${text} (u)`), toVersions(`${text} (u)`, layouts, true, false)];
  }
  yield ['Inno Setup Setup Data (5.5.7) (U)', toVersions('5.5.7 (U)', bothTexts['5.5.7'] ?? [], true, false)];
  for (const [text, layouts] of Object.entries(unicodeTexts)) {
    yield [toSetupText(text), toVersions(text, layouts, true, false)];
  }
  for (const [text, layouts] of Object.entries(isxTexts)) {
    yield [
      text,
      toVersions(text.replace(/^.*?Setup Data /, '').replaceAll(/[()]/g, ''), layouts, false, true),
    ];
  }
}

function toVersions(
  label: string,
  layouts: readonly string[],
  isUnicode: boolean,
  isIsx: boolean,
): readonly InnoVersion[] {
  return layouts.map((layout) => ({ label, number: toVersionNumber(layout), isUnicode, isIsx }));
}

/** `5.5.7 (u)` as the compiler writes it. */
function toSetupText(label: string): string {
  const isUnicode = label.endsWith(' (u)');
  return `Inno Setup Setup Data (${isUnicode ? label.slice(0, -4) : label})${isUnicode ? ' (u)' : ''}`;
}

/** What stands in front of setup data. */
export interface SetupId {
  /** As in the file, up to its first zero byte. */
  readonly text: string;
  /** How many bytes it takes. */
  readonly size: number;
  /** The layouts in use under this text; none when it is not known. */
  readonly versions: readonly InnoVersion[];
}

/**
 * Reads the text in front of setup data.
 *
 * @param bytes - up to 64 bytes
 * @returns undefined when it is no text of Inno Setup at all
 */
export function tryReadSetupId(bytes: Uint8Array): SetupId | undefined {
  const short = toLatin1(bytes.subarray(0, shortTextBytes));
  if (/^i\d\.\d\.\d\d--(?:16|32)\x1a$/.test(short)) {
    return { text: short.slice(0, -1), size: shortTextBytes, versions: known.get(short) ?? [] };
  }
  if (bytes.length < setupIdBytes) return undefined;
  const text = toLatin1(cutAtZero(bytes));
  if (!/^(?:My )?Inno Setup (?:Extensions )?Setup Data \(/.test(text)) return undefined;
  return { text, size: setupIdBytes, versions: known.get(text) ?? [] };
}

/** Every text that is read, for listing and for tests. */
export function listKnownTexts(): readonly string[] {
  return [...known.keys()];
}
