import { Budget } from '../bytes/budget.ts';
import { formats } from '../formats/index.ts';
import type { FileOnDisk, Finding, Member, MemberInflow, MemberSink } from '../formats/model.ts';
import { openFile } from '../platform/files.ts';
import { serveThread } from '../platform/threads.ts';
import { toFinding } from '../scan/finding.ts';
import { type PourMessage, type PourRequest, Slots } from './aside-protocol.ts';
import { PieceThreads } from './piece-threads.ts';
import { openShared } from './shared-source.ts';
import { openSibling } from './sibling.ts';

type Send = (message: PourMessage) => void;

/** Sends members to the walk, and waits for it. */
class Line implements MemberSink {
  readonly #send: Send;
  readonly #slots: Slots;
  #turn = 0;

  constructor(send: Send, slots: Slots) {
    this.#send = send;
    this.#slots = slots;
  }

  get isCancelled(): boolean {
    return this.#slots.isCancelled;
  }

  begin(member: Omit<Member, 'content'>, declaredSize?: number): MemberInflow | 'stop' {
    if (this.isCancelled) return 'stop';
    this.#send({ kind: 'begin', member: toPlain(member), declaredSize });
    let slot: Uint8Array | undefined;
    let filled = 0;
    const flush = (): void => {
      if (slot === undefined) return;
      this.#slots.take(this.#turn);
      this.#turn += 1;
      this.#send({ kind: 'bytes', length: filled });
      slot = undefined;
      filled = 0;
    };
    return {
      write: (chunk) => {
        for (let taken = 0; taken < chunk.length && !this.isCancelled; ) {
          if (slot === undefined) {
            this.#slots.waitFor(this.#turn);
            slot = this.#slots.at(this.#turn);
          }
          const part = chunk.subarray(taken, taken + slot.length - filled);
          slot.set(part, filled);
          filled += part.length;
          taken += part.length;
          if (filled === slot.length) flush();
        }
        return !this.isCancelled;
      },
      end: (finding) => {
        flush();
        this.#send({ kind: 'end', finding });
      },
    };
  }

  refuse(member: Omit<Member, 'content'>, finding: Finding, declaredSize?: number): void {
    if (!this.isCancelled) this.#send({ kind: 'refuse', member: toPlain(member), finding, declaredSize });
  }
}

/** What a member is called. What pours has no names from the container around it. */
function toPlain({ name, relation, facts }: Omit<Member, 'content'>): Omit<Member, 'content' | 'rename'> {
  return { name, relation, ...(facts === undefined ? {} : { facts }) };
}

const pieceThreads = new PieceThreads();

/** Decodes one container from its start to its end, or until the walk wants no more. */
async function pour(request: PourRequest, send: Send): Promise<void> {
  const line = new Line(send, new Slots(request.slots));
  // Time is up as well when nobody waits for the result.
  const now = (): number => (line.isCancelled ? Number.POSITIVE_INFINITY : performance.now());
  const siblings: { close(): void }[] = [];
  const { path } = request;
  const file: FileOnDisk | undefined =
    path === undefined
      ? undefined
      : {
          path,
          openSibling: (name) => {
            send({ kind: 'sibling', name });
            const sibling = openSibling(path, name, openFile);
            if (sibling !== undefined) siblings.push(sibling);
            return sibling;
          },
        };
  const budget = new Budget(request.fileBytes, request.limits, now);
  // What is wrong with the headers was told when the walk itself read them.
  let isPouring = false;
  let finding: Finding | undefined;
  try {
    const format = formats.find(({ id }) => id === request.format);
    const reading = await format?.read(openShared(request.source), {
      budget,
      ...(file === undefined ? {} : { file }),
      unpackers: pieceThreads.toUnpackers(request.pieceThreads, () => budget.millisecondsLeft === 0),
      report: (found) => {
        if (isPouring) send({ kind: 'report', finding: found });
      },
    });
    if (reading?.pour === undefined) throw new Error(`${request.format} does not pour here`);
    isPouring = true;
    const next = await reading.pour(line, 0);
    if (next !== undefined && !line.isCancelled) throw new Error('it stopped without being told to');
  } catch (error) {
    finding = toFinding(error, 'the members from there on were not looked at');
  } finally {
    // The walk closes the file when it hears that all is done.
    await pieceThreads.settle();
    for (const sibling of siblings) sibling.close();
  }
  send({ kind: 'done', finding });
}

serveThread<PourRequest, PourMessage>((request, send) => void pour(request, send));
