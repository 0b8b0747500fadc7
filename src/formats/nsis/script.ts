/**
 * The header of an NSIS installer, unpacked: which of its instructions write files, and from where in its data.
 *
 * https://github.com/kichik/nsis/blob/master/Source/exehead/fileform.h (struct header, struct entry, EW_*). Names and
 * their order are those of 7-Zip 24.09 (`CPP/7zip/Archive/Nsis/NsisIn.cpp`), which goes through the instructions from
 * the first to the last without running them.
 */
import { Cursor } from '../../bytes/cursor.ts';
import { Unfamiliar } from '../sevenzip/in-order.ts';
import { Strings, variable } from './strings.ts';

/** A file that the installer writes. */
export interface ScriptFile {
  readonly name: string;
  /** From the start of the data, in bytes; undefined: the file is empty and has no data. */
  readonly position: number | undefined;
  /** An uninstaller: so many bytes of changes to the program come before its own data; else 0. */
  readonly patchBytes: number;
}

const blockCount = 8;
const blockNumber = { entries: 2, strings: 3, languages: 4 } as const;
const parameterCount = 6;
const entryBytes = 4 + parameterCount * 4;
const entriesMax = 1 << 22;

/** Instructions that matter here; the numbers of NSIS 3 and 2. */
const operation = {
  nop: 2,
  setFileAttributes: 10,
  createDir: 11,
  extractFile: 20,
  assignVariable: 25,
  getDialogItem: 35,
  registerDll: 44,
  closeFile: 54,
  openFile: 55,
  findProcess: 74,
  writeUninstaller: 62,
  sectionSet: 63,
  getOsInfo: 65,
  reserved: 66,
  log: 70,
} as const;

/** How many parameters each instruction has at most; the numbers of instructions are told apart by it. */
const parameterCounts = [
  0, 0, 1, 1, 0, 2, 6, 1, 0, 2, 2, 3, 3, 4, 4, 2, 4, 3, 2, 2, 6, 2, 6, 2, 2, 4, 5, 3, 6, 4, 4, 6, 5, 6, 3, 3,
  2, 4, 5, 4, 6, 3, 3, 4, 6, 6, 4, 1, 5, 4, 5, 6, 5, 5, 1, 4, 3, 4, 4, 1, 2, 3, 4, 5, 4, 6, 2, 1, 4, 4, 2, 2,
  2, 2,
] as const;

/** FILE_ATTRIBUTE_DIRECTORY, REPARSE_POINT and those above: not a plain file for 7-Zip. */
const oddAttributes = 0xffff_8410;

const createAlways = 2;
const genericWrite = 0x4000_0000;
/** The macro InstallLib has a name so many instructions before it is used. */
const installLibBack = { new: 28, old: 26 } as const;
const nameCharactersMax = 1024;
/** Characters that are the same everywhere: no controls, no surrogates, nothing for private use. */
const ordinaryName = /^[\u0020-\u007e\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd]+$/u;
const oddParts: ReadonlySet<string> = new Set(['', '.', '..']);
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Name and folder apart, as they are compared. */
interface Item extends Omit<ScriptFile, 'name'> {
  readonly prefix: string | undefined;
  readonly name: string;
}

/**
 * The files of an unpacked header, in the order of their data.
 *
 * @param filesMax - there may be no more of them
 * @throws Unfamiliar or TelltaleError when the header is not one of those that are read here
 */
export function readScript(header: Uint8Array, filesMax: number): readonly ScriptFile[] {
  const blockBytes = isOf64Bits(header) ? 12 : 8;
  const readBlock = (number: number): { readonly offset: number; readonly count: number } => {
    const at = 4 + number * blockBytes;
    return { offset: new Cursor(header, at).u32(), count: new Cursor(header, at + blockBytes - 4).u32() };
  };
  const entries = readBlock(blockNumber.entries);
  const from = readBlock(blockNumber.strings).offset;
  const to = readBlock(blockNumber.languages).offset;
  if (to > header.length || to < from) throw new Unfamiliar();
  if (entries.count > entriesMax || entries.offset + entries.count * entryBytes > header.length)
    throw new Unfamiliar();
  const strings = new Strings(header.subarray(from, to));
  const script = new Script(header, entries.offset, entries.count, strings);
  return arrange(script.readItems(filesMax)).map((item) => ({
    name: toMemberName(item, strings.isUnicode),
    position: item.position,
    patchBytes: item.patchBytes,
  }));
}

/** Offsets of blocks have 64 bits in installers that are programs of 64 bits; the upper half is 0. */
function isOf64Bits(header: Uint8Array): boolean {
  if (header.length < 4 + blockCount * 12) return false;
  for (let block = 0; block < blockCount; block += 1) {
    if (new Cursor(header, 4 + block * 12 + 4).u32() !== 0) return false;
  }
  return true;
}

class Script {
  readonly #view: DataView;
  readonly #offset: number;
  readonly #count: number;
  readonly #strings: Strings;
  #isLogging = false;

  constructor(header: Uint8Array, offset: number, count: number, strings: Strings) {
    this.#view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    this.#offset = offset;
    this.#count = count;
    this.#strings = strings;
    this.#detect();
  }

  #word(entry: number, index: number): number {
    return this.#view.getUint32(this.#offset + entry * entryBytes + index * 4, true);
  }

  #stored(entry: number): number {
    return this.#word(entry, 0);
  }

  #parameter(entry: number, index: number): number {
    return this.#word(entry, 1 + index);
  }

  /** Versions with logging have one instruction more, in the middle. */
  #operation(entry: number): number {
    const stored = this.#stored(entry);
    if (!this.#isLogging || stored < operation.sectionSet) return stored;
    return stored === operation.sectionSet ? operation.log : stored - 1;
  }

  /** Finds out which version it is. @throws Unfamiliar when it is none of those that are known here */
  #detect(): void {
    const strings = this.#strings;
    if (strings.generation === '2') this.#detectOldVariables();
    if (strings.generation === '2' && !this.#hasOrdinaryUninstaller()) throw new Unfamiliar();
    let odd = this.#findOdd();
    if (odd !== undefined && odd >= operation.sectionSet) {
      this.#isLogging = true;
      odd = this.#findOdd();
    }
    if (odd !== undefined) throw new Unfamiliar();
  }

  /** Old versions of NSIS 2 have fewer variables, which shows in what every script does. */
  #detectOldVariables(): void {
    const strings = this.#strings;
    for (let entry = 0; entry < this.#count; entry += 1) {
      const stored = this.#stored(entry);
      if (stored === operation.getDialogItem) {
        if (!strings.isVariable(this.#parameter(entry, 1), variable.oldWindow)) continue;
        strings.generation = '2.25';
        if (this.#parameter(entry, 0) === variable.oldWorkingDir) {
          strings.generation = '2.00';
          return;
        }
      } else if (stored === operation.assignVariable && this.#savesOutDir(entry, variable.oldWorkingDir)) {
        strings.generation = '2.25';
      }
    }
  }

  #savesOutDir(entry: number, target: number): boolean {
    return (
      this.#parameter(entry, 0) === target &&
      this.#parameter(entry, 2) === 0 &&
      this.#parameter(entry, 3) === 0 &&
      this.#strings.isVariable(this.#parameter(entry, 1), variable.outDir)
    );
  }

  /** Forks of NSIS 2 have other numbers: an instruction that writes an uninstaller then has another one. */
  #hasOrdinaryUninstaller(): boolean {
    for (let entry = 0; entry < this.#count; entry += 1) {
      const inserted = this.#stored(entry) - operation.writeUninstaller;
      if (inserted !== 1 && inserted !== 2) continue;
      const [name, other] = [this.#parameter(entry, 0), this.#parameter(entry, 3)];
      if (this.#parameter(entry, 4) !== 0 || this.#parameter(entry, 5) !== 0 || name <= 1 || other <= 1)
        continue;
      const strings = this.#strings;
      if (strings.isStart(name) && strings.isStart(other) && strings.isInInstDir(other, name)) return false;
    }
    return true;
  }

  /** The lowest number of an instruction with parameters that it should not have. */
  #findOdd(): number | undefined {
    let odd: number | undefined;
    const isNew = this.#strings.generation === '3';
    for (let entry = 0; entry < this.#count; entry += 1) {
      const number = this.#operation(entry);
      const count = parameterCounts[number];
      if (count === undefined || (odd !== undefined && number >= odd)) continue;
      let used = parameterCount;
      while (used > 0 && this.#parameter(entry, used - 1) === 0) used -= 1;
      const isMissing =
        number === operation.reserved ||
        (number === operation.getOsInfo && !isNew) ||
        (number === operation.findProcess && used === 0);
      if (isMissing || used > count) odd = number;
    }
    return odd;
  }

  readItems(itemsMax: number): readonly Item[] {
    const strings = this.#strings;
    const isOld = strings.generation === '2.25' || strings.generation === '2.00';
    const workingDir = isOld ? variable.oldWorkingDir : variable.workingDir;
    const items: Item[] = [];
    let outDir = '$INSTDIR';
    let savedOutDir = '';
    for (let entry = 0; entry < this.#count; entry += 1) {
      if (items.length > itemsMax || outDir.length > nameCharactersMax) throw new Unfamiliar();
      const parameter = (index: number): number => this.#parameter(entry, index);
      switch (this.#operation(entry)) {
        case operation.createDir: {
          if (parameter(1) === 0) break;
          const place = parameter(0);
          const first = strings.tryGetVariable(place);
          const rest = (): string => strings.read(place + strings.variableUnits);
          if (first === workingDir) outDir = savedOutDir + rest();
          else outDir = first === variable.outDir ? outDir + rest() : strings.read(place);
          break;
        }
        case operation.assignVariable:
          if (parameter(0) === workingDir) savedOutDir = this.#savesOutDir(entry, workingDir) ? outDir : '';
          break;
        case operation.extractFile:
          items.push({
            ...this.#toName(this.#findNamePlace(entry), outDir),
            position: parameter(2),
            patchBytes: 0,
          });
          break;
        case operation.setFileAttributes:
          if (
            entry > 0 &&
            this.#stored(entry - 1) === operation.extractFile &&
            this.#parameter(entry - 1, 1) === parameter(0) &&
            (parameter(1) & oddAttributes) !== 0
          )
            throw new Unfamiliar();
          break;
        case operation.writeUninstaller: {
          const [place, position, patchBytes, other] = [
            parameter(0),
            parameter(1),
            parameter(2),
            parameter(3),
          ];
          if (place === 0 || !strings.isStart(place)) break;
          const own = this.#toName(place, outDir);
          const { name } = other !== 0 && own.prefix !== undefined ? this.#toName(other, outDir) : own;
          items.push({ name, prefix: undefined, position, patchBytes });
          break;
        }
        case operation.openFile:
          // A file that is made and closed at once stays empty.
          if (
            parameter(1) === genericWrite &&
            parameter(2) === createAlways &&
            entry + 1 < this.#count &&
            this.#stored(entry + 1) === operation.closeFile &&
            this.#parameter(entry + 1, 0) === parameter(0)
          )
            items.push({ ...this.#toName(parameter(3), outDir), position: undefined, patchBytes: 0 });
          break;
        default:
      }
    }
    if (items.length > itemsMax) throw new Unfamiliar();
    return items;
  }

  /** Where the name of an extracted file stands: the macro InstallLib has it in a variable. */
  #findNamePlace(entry: number): number {
    const place = this.#parameter(entry, 1);
    if (!this.#strings.isVariable(place, variable.r0)) return place;
    const isOld = entry > 1 && this.#stored(entry - 1) === operation.nop;
    const back = isOld ? installLibBack.old : installLibBack.new;
    if (entry <= back) return place;
    const set = entry - back;
    return this.#stored(set) === operation.assignVariable &&
      this.#parameter(set, 0) === variable.r4 &&
      this.#parameter(set, 2) === 0 &&
      this.#parameter(set, 3) === 0
      ? this.#parameter(set, 1)
      : place;
  }

  /** The name at a place, and the folder that it is in unless it says so itself. */
  #toName(place: number, outDir: string): Pick<Item, 'name' | 'prefix'> {
    const name = this.#strings.read(place);
    switch (this.#strings.tryGetVariable(place)) {
      case variable.instDir:
      case variable.exeDir:
      case variable.temp:
      case variable.pluginsDir:
        return { name, prefix: undefined };
      default:
        return { name, prefix: /^(?:\/\/|[A-Za-z]:)/.test(name) ? undefined : outDir };
    }
  }
}

/** In the order of their data, and each only once. @throws Unfamiliar when some contradict others */
function arrange(items: readonly Item[]): readonly Item[] {
  const sorted = [...items].sort(compare);
  const kept: Item[] = [];
  for (const item of sorted) {
    const last = kept.at(-1);
    if (last?.position !== undefined && last.position === item.position) {
      // The same data can only be one thing.
      if (last.patchBytes !== item.patchBytes) throw new Unfamiliar();
      if (last.name === item.name && last.prefix === item.prefix) continue;
    }
    kept.push(item);
  }
  return kept;
}

function compare(left: Item, right: Item): number {
  return (
    (left.position ?? 0) - (right.position ?? 0) ||
    Number(right.position === undefined) - Number(left.position === undefined) ||
    compareTexts(left.prefix, right.prefix) ||
    compareTexts(left.name, right.name)
  );
}

function compareTexts(left: string | undefined, right: string | undefined): number {
  if (left === right) return 0;
  if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
  return left < right ? -1 : 1;
}

/** @throws Unfamiliar when it is a name that does not mean the same to all software */
function toMemberName({ prefix = '', name, patchBytes }: Item, isUnicode: boolean): string {
  const folder = prefix === '' || prefix.endsWith('\\') ? prefix : `${prefix}\\`;
  let path = `${folder}${name === '' ? 'file' : name}`;
  if (/^\$INSTDIR\\/i.test(path)) path = path.slice('$INSTDIR\\'.length).replace(/^\\/, '');
  // What follows is the data of the uninstaller alone: its program is the one of the installer, which is not here.
  if (patchBytes > 0) path += '.nsis';
  path = path.replaceAll('\\', '/');
  if (path.length > nameCharactersMax) throw new Unfamiliar();
  // Nothing says which code page it is; the other decoder takes it for UTF-8.
  if (!isUnicode)
    path = utf8.decode(Uint8Array.from({ length: path.length }, (_, index) => path.charCodeAt(index)));
  if (!ordinaryName.test(path) || path.split('/').some((part) => oddParts.has(part))) throw new Unfamiliar();
  return path;
}
