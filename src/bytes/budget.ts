import { TelltaleError } from './errors.ts';

/** Limits for everything that one file on the command line may cost. Units are in the names. */
export interface Limits {
  /** Decoded bytes over the whole tree. */
  readonly bytesProduced: number;
  /** Decoded bytes over the size of the file given; acts only above {@link ratioFloorBytes}. */
  readonly expansionRatio: number;
  readonly ratioFloorBytes: number;
  /** Members over the whole tree. */
  readonly members: number;
  /** Containers inside containers; the file itself has depth 0. */
  readonly depth: number;
  /** Wall time for one file. */
  readonly milliseconds: number;
  /** The largest decoded member that is kept in memory for the structure parsers. */
  readonly memberBytesInMemory: number;
}

const MiB = 1024 * 1024;

export const defaultLimits: Limits = {
  bytesProduced: 16_384 * MiB,
  expansionRatio: 200,
  ratioFloorBytes: 512 * MiB,
  members: 100_000,
  depth: 16,
  milliseconds: 300_000,
  memberBytesInMemory: 256 * MiB,
};

/**
 * What one file on the command line may cost, over its whole tree. It is shared by every parser and never
 * reset. Declared sizes lie, so decoders charge what they really produce, while they produce it.
 */
export class Budget {
  readonly limits: Limits;
  readonly #now: () => number;
  readonly #deadline: number;
  readonly #fileBytes: number;
  #bytesProduced = 0;
  #members = 0;

  /**
   * @param fileBytes - size of the file given, the base of the expansion ratio
   * @param limits - in bytes, counts and milliseconds
   * @param now - a clock in milliseconds, monotonic
   */
  constructor(
    fileBytes: number,
    limits: Limits = defaultLimits,
    now: () => number = () => performance.now(),
  ) {
    this.limits = limits;
    this.#fileBytes = fileBytes;
    this.#now = now;
    this.#deadline = now() + limits.milliseconds;
  }

  get bytesProduced(): number {
    return this.#bytesProduced;
  }

  /** What is left, at least 0; never more than the limit, whatever the clock does. */
  get millisecondsLeft(): number {
    return Math.min(this.limits.milliseconds, Math.max(0, this.#deadline - this.#now()));
  }

  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** Whether so many decoded bytes more can be charged. */
  hasRoomFor(length: number): boolean {
    const bytes = this.#bytesProduced + length;
    const { bytesProduced, ratioFloorBytes, expansionRatio } = this.limits;
    return bytes <= bytesProduced && (bytes <= ratioFloorBytes || bytes <= expansionRatio * this.#fileBytes);
  }

  get members(): number {
    return this.#members;
  }

  /**
   * Charges decoded bytes; call it for every chunk before it is kept.
   *
   * @throws TelltaleError `limit/bytes`, `limit/ratio` or `limit/time`
   */
  chargeBytes(length: number): void {
    this.#bytesProduced += length;
    if (this.#bytesProduced > this.limits.bytesProduced) {
      throw new TelltaleError('limit/bytes', `unpacked more than ${this.limits.bytesProduced} bytes in all`);
    }
    if (
      this.#bytesProduced > this.limits.ratioFloorBytes &&
      this.#bytesProduced > this.limits.expansionRatio * this.#fileBytes
    ) {
      throw new TelltaleError(
        'limit/ratio',
        `unpacked more than ${this.limits.expansionRatio} times the size of the file`,
      );
    }
    this.checkTime();
  }

  /**
   * Charges one member.
   *
   * @throws TelltaleError `limit/members` or `limit/time`
   */
  chargeMember(): void {
    this.#members += 1;
    if (this.#members > this.limits.members) {
      throw new TelltaleError('limit/members', `holds more than ${this.limits.members} members in all`);
    }
    this.checkTime();
  }

  /** @throws TelltaleError `limit/depth` */
  checkDepth(depth: number): void {
    if (depth > this.limits.depth) {
      throw new TelltaleError('limit/depth', `nested more than ${this.limits.depth} containers deep`);
    }
  }

  /** Cheap; loops over untrusted counts call it every few thousand turns. @throws TelltaleError `limit/time` */
  checkTime(): void {
    if (this.#now() > this.#deadline) {
      throw new TelltaleError('limit/time', `took more than ${this.limits.milliseconds} ms`);
    }
  }
}
