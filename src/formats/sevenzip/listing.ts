/**
 * What 7-Zip says about an archive without unpacking it: the output of `7zz l -slt`.
 *
 * The output is text with names from the archive in it, so nothing that matters may rest on it: it gives claims
 * (sizes, checksums, attributes), and the unpacking decides what is there. A line of a name cannot begin a line of
 * its own, because 7-Zip replaces control characters; a comment could, and then the claims do not fit what is
 * unpacked, which is reported.
 */

/** One file, folder or link as listed. Sizes in bytes. */
export interface ListedItem {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly size: number | undefined;
  readonly crc32: number | undefined;
  readonly isEncrypted: boolean;
  readonly method: string;
  /** Target of a link, where the listing has it. */
  readonly target: string | undefined;
}

/** One level of a container: a disk image and the volume in it are two. */
export interface ListedLevel {
  readonly type: string;
  /** Properties by the names that 7-Zip gives them. */
  readonly properties: ReadonlyMap<string, string>;
  /** Faults of the container, in 7-Zip's words. */
  readonly faults: readonly string[];
}

export interface Listing {
  readonly levels: readonly ListedLevel[];
  readonly items: readonly ListedItem[];
  /** There were more items than allowed. */
  readonly isCut: boolean;
}

/** A name of 64 KiB is no name; a longer line is cut. */
const lineCharactersMax = 65_536;
const faultsMax = 64;
const levelsMax = 16;

interface OpenLevel {
  type: string;
  readonly properties: Map<string, string>;
  readonly faults: string[];
}

/** Takes the output chunk by chunk. */
export class ListingParser {
  readonly #itemsMax: number;
  readonly #decoder = new TextDecoder();
  readonly #levels: OpenLevel[] = [];
  readonly #items: ListedItem[] = [];
  #rest = '';
  #record = new Map<string, string>();
  #place: 'banner' | 'level' | 'faults' | 'partition' | 'items' | 'comment' = 'banner';
  #placeBeforeComment: 'level' | 'items' | 'partition' = 'level';
  #lastKey = '';
  #isCut = false;

  /** @param itemsMax - the parser wants no more than so many items */
  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax;
  }

  /** More items were listed than wanted: the program can be stopped. */
  get isCut(): boolean {
    return this.#isCut;
  }

  update(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, lineCharactersMax);
    for (const line of lines) this.#take(line);
  }

  finish(): Listing {
    this.#take(this.#rest);
    this.#closeRecord();
    return { levels: this.#levels, items: this.#items, isCut: this.#isCut };
  }

  #take(line: string): void {
    if (this.#place === 'comment') {
      if (line === '}') this.#place = this.#placeBeforeComment;
      return;
    }
    if (this.#place === 'items') {
      if (line === '') this.#closeRecord();
      else this.#takeProperty(line, this.#record);
      return;
    }
    if (line === '----------') this.#place = 'items';
    else if (line === '----') this.#place = 'partition';
    else if (line === '--') {
      this.#place = 'level';
      if (this.#levels.length < levelsMax) {
        this.#levels.push({ type: '', properties: new Map(), faults: [] });
      }
    } else if (this.#place !== 'banner' && /^(?:ERRORS|WARNINGS):$/.test(line)) this.#place = 'faults';
    else this.#takeHeader(line);
  }

  #takeHeader(line: string): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    if (this.#place === 'faults') {
      if (!line.includes(' = ')) {
        if (line !== '' && level.faults.length < faultsMax) level.faults.push(line);
        return;
      }
      this.#place = 'level';
    }
    if (this.#place !== 'level' && this.#place !== 'partition') return;
    // Properties of the member that is opened as the next level are not of interest.
    this.#takeProperty(line, this.#place === 'level' ? level.properties : new Map());
    const fault = /^(?:ERROR|WARNING) = (.+)$/.exec(line)?.[1];
    if (fault !== undefined && level.faults.length < faultsMax) level.faults.push(fault);
    level.type = level.properties.get('Type') ?? '';
  }

  #takeProperty(line: string, properties: Map<string, string>): void {
    if (line === '{' && this.#lastKey !== '' && this.#place !== 'faults' && this.#place !== 'banner') {
      this.#placeBeforeComment = this.#place === 'comment' ? 'level' : this.#place;
      this.#place = 'comment';
      this.#lastKey = '';
      return;
    }
    const split = line.indexOf(' = ');
    const key = split < 0 ? line.replace(/ =\s*$/, '') : line.slice(0, split);
    const value = split < 0 ? '' : line.slice(split + 3);
    // A property with several lines begins with an empty one.
    this.#lastKey = value.trim() === '' ? key : '';
    if (!properties.has(key) && properties.size < 64) properties.set(key, value);
  }

  #closeRecord(): void {
    const record = this.#record;
    const name = record.get('Path');
    this.#record = new Map();
    this.#lastKey = '';
    if (name === undefined || this.#place !== 'items') return;
    if (this.#items.length >= this.#itemsMax) {
      this.#isCut = true;
      return;
    }
    this.#items.push(toItem(name, record));
  }
}

function toItem(name: string, record: ReadonlyMap<string, string>): ListedItem {
  const attributes = record.get('Attributes') ?? '';
  const mode = record.get('Mode') ?? /[-dlbcps](?:[-r][-w][-xsStT]){3}/.exec(attributes)?.[0] ?? '';
  const target = record.get('Symbolic Link') || undefined;
  // Letters in the order of their bits: read-only, hidden and system come before the one of folders.
  const isFolder = record.get('Folder') === '+' || /^R?H?S?D/.test(attributes) || mode.startsWith('d');
  const isLink = mode.startsWith('l') || target !== undefined;
  const size = record.get('Size') ?? '';
  const crc = record.get('CRC') ?? '';
  return {
    name,
    kind: isFolder ? 'folder' : isLink ? 'link' : 'file',
    size: /^\d{1,15}$/.test(size) ? Number(size) : undefined,
    crc32: /^[0-9A-F]{8}$/.test(crc) ? Number.parseInt(crc, 16) : undefined,
    isEncrypted: record.get('Encrypted') === '+',
    method: record.get('Method') ?? '',
    target,
  };
}
