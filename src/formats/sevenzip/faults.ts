/**
 * What 7-Zip complains about, as codes of ours. Its words are those of `CPP/7zip/UI/Console/ExtractCallbackConsole.cpp`
 * and `OpenArchive.cpp` of 7-Zip 24.09 (https://github.com/ip7z/7zip).
 */
import type { ErrorCode } from '../../bytes/errors.ts';
import type { Finding } from '../model.ts';
import { heapBytesMax } from './program.ts';

/** A fault without its place. */
export interface Fault {
  readonly code: ErrorCode;
  /** Continues a sentence that begins with the container or the member. */
  readonly message: string;
}

const tailMessage = 'is followed by data that does not belong to it';

/** In order: the first that fits is taken. */
const faults: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/Wrong password|encrypted archive/i, 'encrypted/member', 'is encrypted'],
  [
    /Can't allocate required memory/i,
    'limit/memory',
    `needs more than ${heapBytesMax} bytes of memory to be unpacked`,
  ],
  [
    /CRC (?:Failed|Error)|Checksum/i,
    'malformed/checksum',
    'does not have the checksum that the container states',
  ],
  [/Unexpected end of/i, 'malformed/truncated', 'ends too early'],
  [
    /Missing volume|Can't open volume/i,
    'malformed/truncated',
    'continues in another volume that is not there',
  ],
  [/Unavailable (?:data|start)/i, 'malformed/truncated', 'has parts that are not there'],
  [/Unsupported Method/i, 'unsupported/method', 'is packed with a method that is not read'],
  [/Unsupported feature|E_NOTIMPL/i, 'unsupported/feature', 'uses a feature that is not read'],
  [/data after the end/i, 'malformed/structure', tailMessage],
  [/Data Error/i, 'malformed/compressed-data', 'has damaged compressed data'],
  [/Headers Error/i, 'malformed/header', 'has damaged headers'],
  [/Is not archive|Can ?not open the file/i, 'malformed/header', 'has headers that cannot be read'],
];

/** The code for a complaint; what is not known is a fault of the structure, with its words. */
export function toFault(words: string): Fault {
  for (const [pattern, code, message] of faults) if (pattern.test(words)) return { code, message };
  const known = words.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 80);
  return { code: 'malformed/structure', message: `is refused by the decoder (${known})` };
}

/** What is told of a member that has a fault. */
export function toMemberFinding({ code, message }: Fault): Finding {
  return {
    code,
    message,
    consequence: code.startsWith('encrypted/')
      ? 'its content was not looked at'
      : 'what could be unpacked of it was searched, the rest was not',
    incomplete: true,
  };
}

/** Whether it says that there is data behind the container; the listing has the size of it. */
export function isAboutTail({ message }: Fault): boolean {
  return message === tailMessage;
}

/**
 * Complaints that are about something else than the content: files that were not wanted, and attributes of files that
 * are not on any disk.
 */
const harmless =
  /^ERROR: (?:Cannot open output file|Cannot set |Can not open output file|Dangerous [a-z ]*link|Cannot create (?:symbolic|hard) link)/;

/** Whether a complaint says nothing about the content. */
export function isHarmlessComplaint(line: string): boolean {
  return harmless.test(line);
}

/** Name and target of a link that 7-Zip would not make, because it leads out of the folder: `name : target`. */
export function tryToRefusedLink(line: string): string | undefined {
  return /^ERROR: Dangerous [a-z ]*link path was ignored : ([\s\S]*)$/.exec(line)?.[1];
}

/** A complaint about one member: `ERROR: CRC Failed : name`. */
export function parseComplaint(line: string): { readonly words: string; readonly name: string } | undefined {
  const match = /^ERROR: ([^:/]+?) : ([\s\S]*)$/.exec(line);
  return match === null ? undefined : { words: match[1] ?? '', name: match[2] ?? '' };
}

/** A line about the container; undefined for headings, paths and totals. */
export function tryToContainerFault(line: string): Fault | undefined {
  const words = line.replace(/^(?:Open )?(?:ERROR|WARNING): (?:\/archive\/[^:]* : )?/, '').trim();
  if (words === '' || words.startsWith('/archive/') || /^(?:ERRORS|WARNINGS):$/.test(words)) return undefined;
  const fault = toFault(words);
  // Lines that begin with no known words may be the rest of a name that has a line end in it.
  return fault.code === 'malformed/structure' && line === words && !/data after the end/i.test(words)
    ? undefined
    : fault;
}
