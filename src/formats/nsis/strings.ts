/**
 * The table of texts in the header of an NSIS installer: names with variables, folders of the system and texts of the
 * language in them, as codes of two or three units.
 *
 * https://github.com/kichik/nsis/blob/master/Source/exehead/fileform.h (NS_SKIP_CODE and the codes behind it), how they
 * are written out is 7-Zip's way (`CPP/7zip/Archive/Nsis/NsisIn.cpp`).
 */
import { Unfamiliar } from '../sevenzip/in-order.ts';

/** Which codes are in use: those of NSIS 3, or those of NSIS 2, whose oldest versions have fewer variables. */
export type Generation = '3' | '2' | '2.25' | '2.00';

/** Numbers of variables. */
export const variable = {
  r0: 10,
  r4: 14,
  instDir: 21,
  outDir: 22,
  exeDir: 23,
  temp: 25,
  pluginsDir: 26,
  /** Up to NSIS 2.25. */
  oldWindow: 27,
  /** From NSIS 2.04 to 2.25. */
  oldWorkingDir: 29,
  workingDir: 31,
} as const;

const namedVariables = [
  'CMDLINE',
  'INSTDIR',
  'OUTDIR',
  'EXEDIR',
  'LANGUAGE',
  'TEMP',
  'PLUGINSDIR',
  'EXEPATH',
  'EXEFILE',
  'HWNDPARENT',
  '_CLICK',
  '_OUTDIR',
] as const;
/** $0 to $9 and $R0 to $R9 come before. */
const firstNamed = 20;
/** Two variables in the middle came with NSIS 2.26. */
const newerVariables = { from: 27, count: 2 } as const;

const variableCounts: Readonly<Record<Generation, number>> = { '3': 32, '2': 32, '2.25': 30, '2.00': 29 };

/** Folders of the system by their number (CSIDL); one name serves for the user's own and the one of all users. */
const systemFolders: ReadonlyMap<number, string> = new Map(
  (
    [
      ['DESKTOP', 0, 16, 25],
      ['INTERNET', 1],
      ['SMPROGRAMS', 2, 23],
      ['CONTROLS', 3],
      ['PRINTERS', 4],
      ['DOCUMENTS', 5, 46],
      ['FAVORITES', 6, 31],
      ['SMSTARTUP', 7, 24],
      ['RECENT', 8],
      ['SENDTO', 9],
      ['BITBUCKET', 10],
      ['STARTMENU', 11, 22],
      ['MUSIC', 13, 53],
      ['VIDEOS', 14, 55],
      ['DRIVES', 17],
      ['NETWORK', 18],
      ['NETHOOD', 19],
      ['FONTS', 20],
      ['TEMPLATES', 21, 45],
      ['APPDATA', 26, 35],
      ['PRINTHOOD', 27],
      ['LOCALAPPDATA', 28],
      ['ALTSTARTUP', 29, 30],
      ['INTERNET_CACHE', 32],
      ['COOKIES', 33],
      ['HISTORY', 34],
      ['WINDIR', 36],
      ['SYSDIR', 37],
      ['PROGRAM_FILES', 38],
      ['PICTURES', 39, 54],
      ['PROFILE', 40],
      ['SYSTEMX86', 41],
      ['PROGRAM_FILESX86', 42],
      ['PROGRAM_FILES_COMMON', 43],
      ['PROGRAM_FILES_COMMONX8', 44],
      ['ADMINTOOLS', 47, 48],
      ['CONNECTIONS', 49],
      ['RESOURCES', 56],
      ['RESOURCES_LOCALIZED', 57],
      ['COMMON_OEM_LINKS', 58],
      ['CDBURN_AREA', 59],
      ['COMPUTERSNEARME', 61],
    ] as const
  ).flatMap(([name, ...numbers]) => numbers.map((number): [number, string] => [number, name])),
);

/** What a code stands for. */
type Code = 'language' | 'folder' | 'variable' | 'literal';
const newCodes: readonly Code[] = ['language', 'folder', 'variable', 'literal'];
const oldCodes: readonly Code[] = ['literal', 'variable', 'folder', 'language'];
const firstOldCode = 252;

/** A folder that is not fixed: the first number is the place of a name in the registry. */
const registryFlag = 0x80;
const registryFlag64 = 0x40;
const registryNameMask = 0x3f;
const registryFolders: ReadonlyMap<string, string> = new Map([
  ['ProgramFilesDir', '$PROGRAMFILES'],
  ['CommonFilesDir', '$COMMONFILES'],
]);

/** More text than that is not read: a script may name one long text a million times. */
const unitsMax = 4 * 1024 * 1024;
/** A longer text is no name. */
const textUnitsMax = 8192;

/** Texts by their place in the table, which counts units: bytes, or UTF-16 code units. */
export class Strings {
  readonly isUnicode: boolean;
  readonly count: number;
  generation: Generation;
  readonly #units: Uint8Array | Uint16Array;
  #unitsLeft = unitsMax;

  /** @throws Unfamiliar when it is no table */
  constructor(bytes: Uint8Array) {
    if (bytes.length < 2 || bytes.at(-1) !== 0) throw new Unfamiliar();
    // The first text is the empty one.
    this.isUnicode = bytes[0] === 0 && bytes[1] === 0;
    if (this.isUnicode) {
      if (bytes.length % 2 !== 0 || bytes.at(-2) !== 0) throw new Unfamiliar();
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const units = new Uint16Array(bytes.length / 2);
      for (let index = 0; index < units.length; index += 1) units[index] = view.getUint16(index * 2, true);
      this.#units = units;
    } else {
      this.#units = bytes;
    }
    this.count = this.#units.length;
    this.generation = this.#isOfNsis3() ? '3' : '2';
    // Unicode without the codes of NSIS 3 is a fork of NSIS 2, whose codes are others.
    if (this.isUnicode && this.generation !== '3') throw new Unfamiliar();
  }

  /** Whether any text begins with a variable, coded as NSIS 3 does. */
  #isOfNsis3(): boolean {
    const units = this.#units;
    for (let index = 0; index + 2 < this.count; index += 1) {
      if (units[index] !== 0 || units[index + 1] !== 3) continue;
      const next = units[index + 2] ?? 0;
      if (this.isUnicode ? (next & 0x8080) === 0x8080 : (next & 0x80) !== 0) return true;
    }
    return false;
  }

  #at(index: number): number {
    const unit = this.#units[index];
    this.#unitsLeft -= 1;
    if (unit === undefined || this.#unitsLeft < 0) throw new Unfamiliar();
    return unit;
  }

  #toCode(unit: number): Code | undefined {
    return this.generation === '3' ? newCodes[unit - 1] : oldCodes[unit - firstOldCode];
  }

  /**
   * The text at a place, with what is not known before the installer runs as a name: `$INSTDIR`, `$(LSTR_5)`.
   *
   * @throws Unfamiliar when there is none
   */
  read(place: number): string {
    // Texts of the language have negative places.
    if (place >= 0x8000_0000) return `$(LSTR_${0xffff_ffff - place})`;
    let text = '';
    for (let at = place; ; ) {
      const end = this.#findEnd(at, true);
      text += this.#toText(at, end);
      if (text.length > textUnitsMax) throw new Unfamiliar();
      const unit = this.#at(end);
      const code = this.#toCode(unit);
      if (unit === 0 || code === undefined) return text;
      at = end + 1;
      const first = this.#at(at);
      at += 1;
      if (first === 0) return text;
      if (code === 'literal') {
        text += String.fromCharCode(first);
        continue;
      }
      let [low, high] = [first & 0xff, first >> 8];
      if (!this.isUnicode) {
        [low, high] = [first, this.#at(at)];
        at += 1;
        if (high === 0) return text;
      }
      if (code === 'folder') text += this.#toFolder(low, high);
      else {
        const number = (low & 0x7f) | ((high & 0x7f) << 7);
        text += code === 'variable' ? this.#toVariable(number) : `$(LSTR_${number})`;
      }
    }
  }

  #toVariable(number: number): string {
    if (number < firstNamed) return number < 10 ? `$${number}` : `$R${number - 10}`;
    const count = variableCounts[this.generation];
    if (number >= count) return `$_${number - count}_`;
    const isOld = this.generation === '2.25' || this.generation === '2.00';
    const shift = isOld && number >= newerVariables.from ? newerVariables.count : 0;
    return `$${namedVariables[number - firstNamed + shift] ?? ''}`;
  }

  #toFolder(first: number, second: number): string {
    if ((first & registryFlag) !== 0) {
      const folder = registryFolders.get(this.#readPlain(first & registryNameMask));
      if (folder === undefined) throw new Unfamiliar();
      return (first & registryFlag64) === 0 ? folder : `${folder}64`;
    }
    const name = systemFolders.get(first) ?? systemFolders.get(second);
    if (name === undefined) throw new Unfamiliar();
    return `$${name}`;
  }

  /** The text at a place without a look at codes. */
  #readPlain(place: number): string {
    return this.#toText(place, this.#findEnd(place, false));
  }

  /** Where the units end that stand for themselves. */
  #findEnd(place: number, seesCodes: boolean): number {
    const units = this.#units;
    let end = place;
    for (; end < this.count && end - place <= textUnitsMax; end += 1) {
      const unit = units[end] ?? 0;
      if (unit === 0 || (seesCodes && this.#toCode(unit) !== undefined)) break;
    }
    this.#unitsLeft -= end - place;
    return end;
  }

  #toText(from: number, to: number): string {
    if (to - from > textUnitsMax) throw new Unfamiliar();
    return Reflect.apply(String.fromCharCode, undefined, this.#units.subarray(from, to));
  }

  /** Whether a text could begin here: behind the end of another, or behind a backslash. */
  isStart(place: number): boolean {
    if (place >= this.count) return false;
    const before = place === 0 ? 0 : this.#units[place - 1];
    return before === 0 || before === 0x5c;
  }

  /** The number of the variable that a text begins with. */
  tryGetVariable(place: number): number | undefined {
    // 7-Zip wants more room behind it than it takes; a text so near to the end of the table begins with no variable.
    if (place >= this.count || this.count - place < (this.isUnicode ? 6 : 4)) return undefined;
    if (this.#toCode(this.#at(place)) !== 'variable') return undefined;
    const first = this.#at(place + 1);
    if (first === 0) return undefined;
    if (this.isUnicode) return (first & 0x7f) | (((first >> 8) & 0x7f) << 7);
    const second = this.#at(place + 2);
    return second === 0 ? undefined : (first & 0x7f) | ((second & 0x7f) << 7);
  }

  /** Units that the code of a variable takes. */
  get variableUnits(): number {
    return this.isUnicode ? 2 : 3;
  }

  /** Whether a text is a variable and nothing else. */
  isVariable(place: number, number: number): boolean {
    return this.tryGetVariable(place) === number && this.#at(place + this.variableUnits) === 0;
  }

  /** Whether a text is `$INSTDIR\` with the other text behind it. */
  isInInstDir(place: number, other: number): boolean {
    const rest = place + this.variableUnits + 1;
    return (
      this.tryGetVariable(place) === variable.instDir &&
      this.#at(rest - 1) === 0x5c &&
      (rest === other || this.#readPlain(rest) === this.#readPlain(other))
    );
  }
}
