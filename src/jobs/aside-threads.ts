import { readPassing, type ByteSource } from '../bytes/byte-source.ts';
import { TelltaleError } from '../bytes/errors.ts';
import { FoundFault, type Member } from '../formats/model.ts';
import { startThread, type Thread } from '../platform/threads.ts';
import type { AsideDecoder, AsideRequest } from '../scan/aside.ts';
import { DigestThread } from './digest-thread.ts';
import { type PourMessage, type PourRequest, Slots } from './aside-protocol.ts';

/** Smaller containers are decoded before a thread has begun. */
const packedBytesMin = 4 * 1024 * 1024;
/** Smaller files are digested before a thread has begun. */
const digestedBytesMin = 16 * 1024 * 1024;
/** A container that does not stand in a file as it is, is copied for the thread. */
const copiedBytesMax = 64 * 1024 * 1024;
/** One container inside another one that is being decoded has a thread of its own, deeper ones do not. */
const threadsMax = 2;

export interface AsideOptions {
  /** Is told the name of every file beside the container that was asked for. */
  readonly onSibling?: (name: string) => void;
  /** In bytes; {@link packedBytesMin} without. */
  readonly packedBytesMin?: number;
  /** In bytes; {@link digestedBytesMin} without. */
  readonly digestedBytesMin?: number;
}

/** Threads that decode for the walks of one thread; they live as long as it does. */
export class AsideThreads {
  readonly #entry: URL;
  readonly #idle: Decoder[] = [];
  readonly #all = new Set<Decoder>();
  readonly #pieceThreads: number;
  readonly #digestThread: DigestThread;
  /** The one that may have threads of its own: it keeps them for the next container. */
  #withThreads: Decoder | undefined;

  /**
   * @param pieceThreads - further threads, for pieces of containers
   * @param entry - the module that the threads run; without, the one of ours, wherever the build puts this one
   * @param digestThread - one more, for digests
   */
  constructor(
    pieceThreads = 0,
    entry: URL = new URL('../jobs/decoder.js', import.meta.url),
    digestThread = new DigestThread(),
  ) {
    this.#pieceThreads = pieceThreads;
    this.#entry = entry;
    this.#digestThread = digestThread;
  }

  /**
   * Starts a first thread for a file that is about to be read, so that it is there when a container is found in it.
   *
   * @param fileBytes - size of the file
   */
  prepare(fileBytes: number): void {
    if (fileBytes < packedBytesMin || this.#all.size > 0) return;
    const decoder = this.#tryTake();
    if (decoder !== undefined) this.#idle.push(decoder);
  }

  /** A decoder for one walk. */
  toDecoder(options: AsideOptions = {}): AsideDecoder {
    return {
      tryPour: (request) => {
        const { source } = request;
        if (source.size < (options.packedBytesMin ?? packedBytesMin)) return undefined;
        if (source.range === undefined && source.size > copiedBytesMax) return undefined;
        const decoder = this.#tryTake();
        return decoder && this.#pour(decoder, request, options.onSibling ?? (() => undefined));
      },
      tryDigest: (source, algorithms) =>
        source.size < (options.digestedBytesMin ?? digestedBytesMin)
          ? undefined
          : this.#digestThread.tryDigest(source, algorithms),
    };
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await Promise.all([this.#digestThread.close(), ...[...this.#all].map((decoder) => decoder.end())]);
  }

  #tryTake(): Decoder | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#all.size >= threadsMax) return undefined;
    const started = new Decoder(this.#entry, () => {
      this.#all.delete(started);
      if (this.#withThreads === started) this.#withThreads = undefined;
      const place = this.#idle.indexOf(started);
      if (place >= 0) this.#idle.splice(place, 1);
    });
    this.#all.add(started);
    return started;
  }

  async *#pour(
    decoder: Decoder,
    request: AsideRequest,
    onSibling: (name: string) => void,
  ): AsyncGenerator<Member, void, void> {
    let isOver = false;
    const listen: Listen = async () => {
      for (;;) {
        const message = await decoder.next();
        if (message.kind === 'report') request.report(message.finding);
        else if (message.kind === 'sibling') onSibling(message.name);
        else return message;
      }
    };
    try {
      this.#withThreads ??= decoder;
      const pieceThreads = this.#withThreads === decoder ? this.#pieceThreads : 0;
      decoder.start(toRequest(request, decoder.slots.memory, pieceThreads));
      for (;;) {
        const message = await listen();
        switch (message.kind) {
          case 'begin': {
            const { member, declaredSize } = message;
            yield {
              ...member,
              content: {
                kind: 'stream',
                open: () => readMember(listen),
                usesChunksAgain: true,
                ...(declaredSize === undefined ? {} : { declaredSize }),
              },
            };
            break;
          }
          case 'refuse': {
            const { member, finding, declaredSize } = message;
            const declared = declaredSize === undefined ? {} : { declaredSize };
            yield { ...member, content: { kind: 'unreadable', finding, ...declared } };
            break;
          }
          case 'done':
            isOver = true;
            if (message.finding !== undefined) request.report(message.finding);
            return;
          // Of a member that was not read to its end.
          case 'bytes':
          case 'end':
            break;
        }
      }
    } finally {
      if (!isOver) await decoder.cancel();
      if (this.#all.has(decoder)) this.#idle.push(decoder);
    }
  }
}

/** What the thread says, with the bytes that it speaks of: good until the next message is asked for. */
type HeardMessage =
  | Exclude<PourMessage, { readonly kind: 'bytes' }>
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** What is said of members; the rest is told to whoever it is for. */
type MemberMessage = Exclude<HeardMessage, { readonly kind: 'report' | 'sibling' }>;
type Listen = () => Promise<MemberMessage>;

/** The bytes of the member that has begun; throws the finding of a member that is not whole. */
async function* readMember(listen: Listen): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const message = await listen();
    if (message.kind === 'bytes') yield message.bytes;
    else if (message.kind === 'end') {
      if (message.finding !== undefined) throw new FoundFault(message.finding);
      return;
    } else throw new TelltaleError('internal/bug', `the decoder said "${message.kind}" inside a member`);
  }
}

function toRequest(
  { format, source, file, budget }: AsideRequest,
  slots: SharedArrayBuffer,
  pieceThreads: number,
): PourRequest {
  return {
    format: format.id,
    source:
      source.range === undefined
        ? { kind: 'bytes', bytes: toShared(source) }
        : { kind: 'file', range: source.range, size: source.size },
    path: file?.path,
    fileBytes: budget.fileBytes,
    limits: { ...budget.limits, milliseconds: budget.millisecondsLeft },
    slots,
    pieceThreads,
  };
}

function toShared(source: ByteSource): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(source.size));
  let filled = 0;
  for (const chunk of readPassing(source)) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

/** One thread and what it said. */
class Decoder {
  readonly slots = new Slots();
  readonly #thread: Thread<PourRequest>;
  readonly #messages: PourMessage[] = [];
  #taken = 0;
  /** Slots that were read. */
  #turn = 0;
  /** The slot that was handed out is free when the next message is asked for. */
  #isReading = false;
  #wake: (() => void) | undefined;
  #endReason: string | undefined;

  constructor(entry: URL, ended: () => void) {
    this.#thread = startThread<PourRequest, PourMessage>(
      entry,
      (message) => {
        this.#messages.push(message);
        this.#wake?.();
      },
      (reason) => {
        this.#endReason = reason;
        ended();
        this.#wake?.();
      },
    );
  }

  start(request: PourRequest): void {
    this.#messages.length = 0;
    this.#taken = 0;
    this.slots.reset();
    this.#turn = 0;
    this.#thread.setBusy(true);
    this.#thread.post(request);
  }

  /** What it says next. @throws TelltaleError `internal/bug` when the thread is no more */
  async next(): Promise<HeardMessage> {
    if (this.#isReading) {
      this.slots.free(this.#turn - 1);
      this.#isReading = false;
    }
    for (;;) {
      const message = this.#messages[this.#taken];
      if (message !== undefined) {
        this.#take();
        if (message.kind === 'bytes') {
          const bytes = this.slots.at(this.#turn, message.length);
          this.#turn += 1;
          this.#isReading = true;
          return { kind: 'bytes', bytes };
        }
        if (message.kind === 'done') this.#thread.setBusy(false);
        return message;
      }
      if (this.#endReason !== undefined)
        throw new TelltaleError('internal/bug', `the decoder failed (${this.#endReason})`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** Tells it to stop, and waits until it has. */
  async cancel(): Promise<void> {
    this.slots.cancel();
    while (this.#endReason === undefined && (await this.next()).kind !== 'done');
  }

  async end(): Promise<void> {
    await this.#thread.end();
  }

  /** Messages leave the list now and then, not one by one. */
  #take(): void {
    this.#taken += 1;
    if (this.#taken < 256) return;
    this.#messages.splice(0, this.#taken);
    this.#taken = 0;
  }
}
