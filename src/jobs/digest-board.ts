import type { Digests } from '../scan/artifact-digests.ts';
import type { DigestAlgorithm } from '../platform/digests.ts';
import type { SharedSource } from './shared-source.ts';

/** What is to be digested, and where the answer goes. */
export interface DigestTask {
  readonly source: SharedSource;
  readonly algorithms: readonly DigestAlgorithm[];
  readonly board: SharedArrayBuffer;
}

/** `waiting`: no thread has begun, and after a cancellation none will. */
const states = ['waiting', 'running', 'done', 'failed'] as const;

type State = (typeof states)[number];

function toNumber(state: State): number {
  return states.indexOf(state);
}

/** Numbers at the start of the memory; behind them stands the answer as JSON. */
const places = { state: 0, cancelled: 1, steps: 2, answerBytes: 3, numbers: 4 } as const;
const answerAt = places.numbers * Int32Array.BYTES_PER_ELEMENT;
/** Five digests with their names have half of that. */
const answerBytesMax = 1024;
const waitMilliseconds = 100;

/** What passes between a walk and the thread that digests for it: the walk may wait, it cannot turn to messages. */
export class DigestBoard {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Int32Array;

  /** @param memory - of the other side; without, new memory */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(answerAt + answerBytesMax)) {
    this.memory = memory;
    this.#numbers = new Int32Array(memory, 0, places.numbers);
  }

  get isCancelled(): boolean {
    return Atomics.load(this.#numbers, places.cancelled) !== 0;
  }

  cancel(): void {
    Atomics.store(this.#numbers, places.cancelled, 1);
    this.#tryTurn('waiting', 'failed');
  }

  /** Whether the thread shall begin. */
  tryBegin(): boolean {
    return this.#tryTurn('waiting', 'running');
  }

  #tryTurn(from: State, to: State): boolean {
    const number = toNumber(from);
    return Atomics.compareExchange(this.#numbers, places.state, number, toNumber(to)) === number;
  }

  get #state(): State {
    return states[Atomics.load(this.#numbers, places.state)] ?? 'failed';
  }

  /** The thread comes forward. */
  step(): void {
    Atomics.add(this.#numbers, places.steps, 1);
  }

  finish(digests: Digests): void {
    const answer = new TextEncoder().encode(JSON.stringify(digests));
    new Uint8Array(this.memory, answerAt).set(answer);
    Atomics.store(this.#numbers, places.answerBytes, answer.length);
    this.#end('done');
  }

  fail(): void {
    this.#end('failed');
  }

  #end(state: State): void {
    Atomics.store(this.#numbers, places.state, toNumber(state));
    Atomics.notify(this.#numbers, places.state);
  }

  /**
   * Waits for the thread.
   *
   * @param patience - gives up when the thread does not come forward for so many milliseconds
   * @returns whether it has ended
   */
  waitForEnd(patience: number): boolean {
    let steps = -1;
    let still = 0;
    for (;;) {
      const state = this.#state;
      if (state === 'done' || state === 'failed') return true;
      const now = Atomics.load(this.#numbers, places.steps);
      still = now === steps ? still + waitMilliseconds : 0;
      steps = now;
      if (still > patience) return false;
      Atomics.wait(this.#numbers, places.state, toNumber(state), waitMilliseconds);
    }
  }

  /** The digests, once it has ended well. */
  tryReadAnswer(): Digests | undefined {
    if (this.#state !== 'done') return undefined;
    // A decoder of text does not read shared memory.
    const answer = new Uint8Array(this.memory, answerAt, Atomics.load(this.#numbers, places.answerBytes));
    const digests: Digests = JSON.parse(new TextDecoder().decode(answer.slice()));
    return digests;
  }
}
