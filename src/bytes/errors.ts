/**
 * Everything that can go wrong, as one closed list.
 *
 * A code is `family/detail`. The family decides what the person is told and which reason makes a result
 * incomplete; the detail names the exact finding and is stable across versions.
 */
export const errorCodes = [
  // malformed: the bytes contradict the format that they claim
  'malformed/out-of-range',
  'malformed/truncated',
  'malformed/header',
  'malformed/structure',
  'malformed/checksum',
  'malformed/compressed-data',
  'malformed/size-mismatch',
  'malformed/name',
  'malformed/cycle',
  'malformed/overlap',
  'malformed/signature',
  'malformed/encoding',
  // unsupported: a known thing that is not read
  'unsupported/format',
  'unsupported/version',
  'unsupported/method',
  'unsupported/feature',
  // limit: the budget stopped the work
  'limit/bytes',
  'limit/ratio',
  'limit/members',
  'limit/depth',
  'limit/time',
  'limit/memory',
  'limit/count',
  // encrypted: a password or key would be needed
  'encrypted/member',
  'encrypted/container',
  // unreadable: the operating system would not give us the bytes
  'unreadable/missing',
  'unreadable/permission',
  'unreadable/not-a-file',
  'unreadable/changed',
  'unreadable/io',
  // usage: the person asked for something that cannot be done
  'usage/arguments',
  'usage/database',
  // internal: a bug of ours
  'internal/bug',
  'internal/worker',
] as const;

export type ErrorCode = (typeof errorCodes)[number];
export type ErrorFamily =
  | 'malformed'
  | 'unsupported'
  | 'limit'
  | 'encrypted'
  | 'unreadable'
  | 'usage'
  | 'internal';

/** Where in an artifact a fault lies. */
export interface ErrorPlace {
  /** Byte offset from the start of the artifact. */
  readonly offset?: number;
  /** How many bytes were wanted there. */
  readonly wanted?: number;
}

/** The only error type that our own code throws on purpose. */
export class TelltaleError extends Error {
  override readonly name = 'TelltaleError';
  readonly code: ErrorCode;
  readonly offset: number | undefined;
  readonly wanted: number | undefined;

  /**
   * @param code - closed error code
   * @param message - one plain sentence without the path of the artifact
   * @param place - byte offset and wanted length, when known
   */
  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}) {
    super(message);
    this.code = code;
    this.offset = place.offset;
    this.wanted = place.wanted;
  }
}

/** The part of a code before the slash. */
export function toErrorFamily(code: ErrorCode): ErrorFamily {
  return code.slice(0, code.indexOf('/')) as ErrorFamily;
}
