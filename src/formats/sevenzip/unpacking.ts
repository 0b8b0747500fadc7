/** Lists and unpacks one container with 7-Zip: what is listed is claimed, what is unpacked is there. */
import type { ByteSource } from '../../bytes/byte-source.ts';
import { type ErrorCode, TelltaleError } from '../../bytes/errors.ts';
import { crc32 } from '../../platform/inflate.ts';
import type { CompiledProgram } from '../../platform/sevenzip-module.ts';
import type { MemberInflow, MemberSink, ReadContext } from '../model.ts';
import {
  type Fault,
  isHarmlessComplaint,
  parseComplaint,
  toFault,
  toMemberFinding,
  tryToContainerFault,
  tryToRefusedLink,
} from './faults.ts';
import { type ListedItem, type Listing, ListingParser } from './listing.ts';
import { type OutputFile, runSevenZip, type SevenZipOutcome } from './program.ts';

/** What is opened, and as what. */
export interface Container {
  readonly program: CompiledProgram;
  readonly source: ByteSource;
  /** The type that 7-Zip is told; undefined: it finds out by itself, through several levels. */
  readonly type: string | undefined;
  /** The name that 7-Zip sees. */
  readonly archiveName: string;
  /** What the only member is called, in formats that are one stream. */
  readonly soleName?: string;
  /** Sizes in the list are guesses, and contradict nothing. */
  readonly guessesSizes?: boolean;
}

/** A listing with everything that went wrong while it was made. */
export interface ListingResult {
  readonly listing: Listing;
  /** In order, each once. */
  readonly faults: readonly Fault[];
  /** Files beside the container that it asks for, in order: other volumes. */
  readonly missing: readonly string[];
}

/** A password that nobody has: without one the program would ask for it. */
const passwordArgument = '-p?';
const missingNamesMax = 16;
const complaintsMax = 4096;
const containerFaultsMax = 32;
/** How far the list is searched for a member that was unpacked. */
const lookAheadItems = 1024;

function toArguments(container: Container, command: readonly string[]): readonly string[] {
  const type = container.type === undefined ? [] : [`-t${container.type}`];
  return [
    ...command,
    passwordArgument,
    '-y',
    '-bd',
    '-bsp0',
    '-sccUTF-8',
    // Streams beside the content, as resource forks, are members of their own.
    '-sns',
    ...type,
    '--',
    `/archive/${container.archiveName}`,
  ];
}

const outOfMemory = toFault("Can't allocate required memory");

/** More was listed than wanted. */
class EnoughListed extends Error {}

/**
 * Lists a container.
 *
 * @throws TelltaleError `limit/time`
 */
export function listContainer(container: Container, context: ReadContext): ListingResult {
  const { budget } = context;
  const parser = new ListingParser(budget.limits.members);
  const faults = new Map<string, Fault>();
  const missing = new Set<string>();
  const add = (fault: Fault): void => {
    if (faults.size < containerFaultsMax) faults.set(fault.message, fault);
  };
  let outcome: SevenZipOutcome | undefined;
  try {
    outcome = runSevenZip(container.program, {
      args: toArguments(container, ['l', '-slt']),
      source: container.source,
      archiveName: container.archiveName,
      tick: () => budget.checkTime(),
      print(chunk) {
        parser.update(chunk);
        if (parser.isCut) throw new EnoughListed();
      },
      complain(line) {
        const fault = tryToContainerFault(line);
        if (fault !== undefined) add(fault);
      },
      miss(name) {
        if (name !== '' && missing.size < missingNamesMax) missing.add(name);
      },
    });
  } catch (error) {
    if (!(error instanceof EnoughListed)) throw error;
  }
  const listing = parser.finish();
  for (const { faults: words } of listing.levels) for (const one of words) add(toFault(one));
  if (outcome !== undefined) {
    if (outcome.wantedMemory) add(outOfMemory);
    else if (outcome.exitCode === undefined) {
      add({ code: 'malformed/structure', message: 'has headers on which the decoder breaks off' });
    } else if (outcome.exitCode > 1 && faults.size === 0) {
      add({ code: 'malformed/structure', message: 'has headers that the decoder refuses' });
    }
  }
  return { listing, faults: [...faults.values()], missing: [...missing] };
}

/** Ends a run on purpose. */
class Stop extends Error {
  readonly next: number | undefined;
  constructor(next: number | undefined) {
    super('stop');
    this.next = next;
  }
}

/** A member that is being unpacked, or was and may still be complained about. */
interface Current {
  readonly inflow: MemberInflow;
  readonly item: ListedItem | undefined;
  readonly number: number;
  written: number;
  crc: number;
  fault: Fault | undefined;
}

/** One pass over the members. */
class Pass {
  readonly #container: Container;
  readonly #items: readonly ListedItem[];
  /** Names of the items as they are compared. */
  readonly #comparable: readonly string[];
  readonly #sink: MemberSink;
  readonly #from: number;
  /** Index of the first listed item that was not unpacked yet. */
  #next = 0;
  /** Number that the next member gets. */
  #number = 0;
  #current: Current | undefined;
  /** Path of the link that was begun as a file and is about to be made. */
  #linkPath: string | undefined;
  readonly #complaints = new Map<string, Fault>();
  /** Faults that are of no member. */
  readonly containerFaults = new Map<string, Fault>();
  /** Some member was said to be faulty. */
  hasComplaints = false;

  constructor(container: Container, items: readonly ListedItem[], sink: MemberSink, from: number) {
    this.#container = container;
    this.#items = items;
    this.#comparable = items.map(({ name }) => toComparable(name));
    this.#sink = sink;
    this.#from = from;
  }

  /** A member has begun, and nothing of it has come. */
  get isAtStartOfMember(): boolean {
    return this.#current?.written === 0;
  }

  create(path: string): OutputFile | undefined {
    this.endCurrent();
    this.#linkPath = undefined;
    const index = this.#find(path);
    const item = index === undefined ? undefined : this.#items[index];
    if (index !== undefined) {
      this.#refuseUpTo(index);
      this.#next = index + 1;
    }
    if (item?.kind !== 'link') return this.#begin(item, path);
    this.#linkPath = path;
    return this.#toLinkFile(item, path);
  }

  /** A link is made: nothing to unpack, but its place in the list is passed. */
  link(path: string): void {
    this.endCurrent();
    const comparable = toComparable(path);
    this.#passLink((_item, name) => name === comparable);
  }

  #passLink(isMeant: (item: ListedItem, comparable: string) => boolean): void {
    const isBegun = this.#linkPath !== undefined;
    this.#linkPath = undefined;
    if (isBegun) return;
    const end = Math.min(this.#items.length, this.#next + lookAheadItems);
    for (let index = this.#next; index < end; index += 1) {
      const item = this.#items[index];
      if (item?.kind !== 'link' || !isMeant(item, this.#comparable[index] ?? '')) continue;
      this.#refuseUpTo(index);
      this.#next = index + 1;
      return;
    }
  }

  /** A link is named, not yielded, unless it has more in it than a path. */
  #toLinkFile(item: ListedItem, path: string): OutputFile | undefined {
    let file: OutputFile | undefined;
    let isSkipped = false;
    return {
      write: (chunk) => {
        if (file === undefined && !isSkipped) {
          file = this.#begin(item, path);
          isSkipped = file === undefined;
        }
        file?.write(chunk);
      },
      close: () => file?.close(),
    };
  }

  #begin(item: ListedItem | undefined, path: string): OutputFile | undefined {
    const number = this.#number;
    this.#number += 1;
    if (number < this.#from) return undefined;
    const name = this.#container.soleName ?? toName(item, path);
    const inflow = this.#sink.begin({ name, relation: 'file' }, item?.size);
    if (inflow === 'later' || inflow === 'stop') throw new Stop(number);
    const current: Current = { inflow, item, number, written: 0, crc: 0, fault: undefined };
    this.#current = current;
    return {
      write(chunk) {
        current.written += chunk.length;
        if (item?.crc32 !== undefined) current.crc = crc32(chunk, current.crc);
        if (!inflow.write(chunk)) throw new Stop(number + 1);
      },
      close() {},
    };
  }

  complain(line: string): void {
    if (isHarmlessComplaint(line)) {
      this.hasComplaints = true;
      const link = tryToRefusedLink(line);
      if (link !== undefined) this.#passLink((item) => link.startsWith(`${item.name} : `));
      return;
    }
    const complaint = parseComplaint(line);
    if (complaint === undefined) {
      const fault = tryToContainerFault(line);
      if (fault !== undefined) this.#addContainerFault(fault);
      return;
    }
    this.hasComplaints = true;
    const fault = toFault(complaint.words);
    if (complaint.name.startsWith('/archive/')) {
      this.#addContainerFault(fault);
      return;
    }
    // It complains about a member after its last bytes and before the next one begins.
    const current = this.#current;
    if (current !== undefined && this.#isAbout(current, complaint.name)) current.fault ??= fault;
    else if (this.#complaints.size < complaintsMax) this.#complaints.set(toComparable(complaint.name), fault);
  }

  /** The decoder comes to a place of the container that cannot be read. */
  damage({ code, message }: TelltaleError): void {
    const current = this.#current;
    if (current === undefined) this.#addContainerFault({ code, message });
    else current.fault ??= { code, message };
  }

  #isAbout(current: Current, name: string): boolean {
    return (
      current.item === undefined || this.#container.soleName !== undefined || isSame(current.item.name, name)
    );
  }

  #addContainerFault(fault: Fault): void {
    if (this.containerFaults.size < containerFaultsMax) this.containerFaults.set(fault.message, fault);
  }

  /** Ends the member that was unpacked last; its faults are known by now. */
  endCurrent(fault?: Fault): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    const found = current.fault ?? fault ?? findContradiction(current, this.#container.guessesSizes === true);
    if (found === undefined) current.inflow.end();
    else current.inflow.end(toMemberFinding(found));
  }

  /** Ends the member without a word: whoever takes the bytes knows why. */
  abandon(): void {
    this.#current?.inflow.end();
    this.#current = undefined;
  }

  /** What was listed and never unpacked. */
  finish(fault?: Fault): void {
    this.endCurrent(fault);
    this.#refuseUpTo(this.#items.length, fault);
  }

  #refuseUpTo(end: number, fault?: Fault): void {
    for (; this.#next < end; this.#next += 1) {
      const item = this.#items[this.#next];
      if (item === undefined || item.kind !== 'file') continue;
      const number = this.#number;
      this.#number += 1;
      if (number < this.#from) continue;
      const known = this.#complaints.get(this.#comparable[this.#next] ?? '');
      const reason: Fault = known ??
        (item.isEncrypted ? { code: 'encrypted/member', message: 'is encrypted' } : undefined) ??
        fault ?? { code: 'malformed/structure', message: 'is listed, but could not be unpacked' };
      const name = this.#container.soleName ?? item.name;
      this.#sink.refuse({ name, relation: 'file' }, toMemberFinding(reason), item.size);
    }
  }

  /** Which listed item is unpacked to a path; the list and the members come in the same order. */
  #find(path: string): number | undefined {
    const end = Math.min(this.#items.length, this.#next + lookAheadItems);
    const comparable = toComparable(path);
    const isSole = this.#container.soleName !== undefined;
    for (let index = this.#next; index < end; index += 1) {
      if (this.#items[index]?.kind === 'folder') continue;
      if (isSole || this.#comparable[index] === comparable) return index;
    }
    return undefined;
  }
}

/** 7-Zip says that all is well: does it agree with what was listed? */
function findContradiction({ item, written, crc }: Current, guessesSizes: boolean): Fault | undefined {
  if (!guessesSizes && item?.size !== undefined && item.size !== written) {
    return {
      code: 'malformed/size-mismatch',
      message: `should have ${item.size} bytes and unpacks to ${written}`,
    };
  }
  if (item?.crc32 !== undefined && item.crc32 !== crc && written > 0) {
    return { code: 'malformed/checksum', message: 'does not have the checksum that the container states' };
  }
  return undefined;
}

/** The last part of a name, as it survives the listing and the cleaning of names for a disk. */
function toComparable(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1);
  return base.replaceAll(/[\u0000-\u001f\u007f]/g, '_');
}

function isSame(listed: string, unpacked: string): boolean {
  return toComparable(listed) === toComparable(unpacked);
}

/** The name as it is in the container: the list has replaced control characters, the path has dropped what climbs. */
function toName(item: ListedItem | undefined, path: string): string {
  if (item === undefined) return path;
  const cleaned = path.replaceAll(/[\u0000-\u001f\u007f]/g, '_');
  return cleaned === item.name ? path : item.name;
}

/**
 * Unpacks the members from number `from` on into the sink, in stored order. A fault of the container is reported in
 * the first pass only.
 *
 * @returns the number of the first member that was not delivered, or undefined when all were
 */
export function pourContainer(
  container: Container,
  { listing: { items }, faults: known }: ListingResult,
  context: ReadContext,
  sink: MemberSink,
  from: number,
): number | undefined {
  const reported = new Set(known.map(({ message }) => message));
  const report = ({ code, message }: Fault): void => {
    if (from > 0 || reported.has(message)) return;
    reported.add(message);
    context.report({
      code: toContainerCode(code),
      message,
      consequence: 'members that are not there or not whole were not looked at',
      incomplete: true,
    });
  };
  const pass = new Pass(container, items, sink, from);
  let outcome: SevenZipOutcome;
  try {
    outcome = runSevenZip(container.program, {
      args: toArguments(container, ['x', '-o/out']),
      source: container.source,
      archiveName: container.archiveName,
      tick: () => context.budget.checkTime(),
      print: () => {},
      complain: (line) => pass.complain(line),
      damage: (fault) => pass.damage(fault),
      create: (path) => pass.create(path),
      link: (path) => pass.link(path),
    });
  } catch (error) {
    if (error instanceof Stop) {
      pass.abandon();
      return error.next;
    }
    if (!(error instanceof TelltaleError)) throw error;
    // What was poured before stays; the caller keeps it only when this function returns.
    pass.endCurrent({ code: error.code, message: error.message });
    context.report({
      code: error.code,
      message: error.message,
      consequence: 'the members from there on were not looked at',
      incomplete: true,
    });
    return undefined;
  }
  if (outcome.exitCode === undefined) {
    const fault: Fault = outcome.wantedMemory
      ? outOfMemory
      : { code: 'malformed/compressed-data', message: 'has data on which the decoder breaks off' };
    pass.finish(fault);
    report(fault);
    return undefined;
  }
  if (outcome.wantedMemory) {
    report(outOfMemory);
    if (pass.isAtStartOfMember) pass.endCurrent(outOfMemory);
  }
  pass.finish();
  for (const fault of pass.containerFaults.values()) report(fault);
  if (outcome.exitCode > 1 && !pass.hasComplaints && pass.containerFaults.size + known.length === 0) {
    report({ code: 'malformed/structure', message: 'is not unpacked without faults' });
  }
  return undefined;
}

/** The code of a fault when it is the container that has it. */
export function toContainerCode(code: ErrorCode): ErrorCode {
  return code === 'encrypted/member' ? 'encrypted/container' : code;
}
