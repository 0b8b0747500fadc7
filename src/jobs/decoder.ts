import { Budget } from '../bytes/budget.ts';
import { type ByteSource, toByteSource } from '../bytes/byte-source.ts';
import { formats } from '../formats/index.ts';
import type { FileOnDisk, Finding, Member, MemberInflow, MemberSink } from '../formats/model.ts';
import { openFile, readOpenFile } from '../platform/files.ts';
import { serveThread } from '../platform/threads.ts';
import { toFinding } from '../scan/finding.ts';
import { bytesUnderWayMax, type PourMessage, type PourRequest, shared } from './aside-protocol.ts';
import { openSibling } from './sibling.ts';

/** Bytes of a member are sent in pieces of this size. */
const pieceBytes = 512 * 1024;
/** How long the decoder waits before it looks again whether it shall stop. */
const waitMilliseconds = 500;

type Send = (message: PourMessage, transfer?: readonly ArrayBuffer[]) => void;

/** Sends members to the walk, and waits for it. */
class Line implements MemberSink {
  readonly #send: Send;
  readonly #shared: Int32Array;

  constructor(send: Send, numbers: SharedArrayBuffer) {
    this.#send = send;
    this.#shared = new Int32Array(numbers);
  }

  get isCancelled(): boolean {
    return Atomics.load(this.#shared, shared.isCancelled) !== 0;
  }

  begin(member: Omit<Member, 'content'>, declaredSize?: number): MemberInflow | 'stop' {
    if (this.isCancelled) return 'stop';
    this.#send({ kind: 'begin', member: toPlain(member), declaredSize });
    let piece = new Uint8Array(0);
    let filled = 0;
    let expected = declaredSize ?? pieceBytes;
    const flush = (): void => {
      if (filled > 0) this.#sendBytes(filled === piece.length ? piece : piece.slice(0, filled));
      expected -= filled;
      filled = 0;
      piece = new Uint8Array(0);
    };
    return {
      write: (chunk) => {
        for (let taken = 0; taken < chunk.length; ) {
          if (piece.length === 0) {
            const wanted = Math.max(expected, chunk.length - taken);
            piece = new Uint8Array(Math.min(pieceBytes, wanted));
          }
          const part = chunk.subarray(taken, taken + piece.length - filled);
          piece.set(part, filled);
          filled += part.length;
          taken += part.length;
          if (filled === piece.length) flush();
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

  #sendBytes(bytes: Uint8Array<ArrayBuffer>): void {
    const { length } = bytes;
    Atomics.add(this.#shared, shared.bytesUnderWay, length);
    this.#send({ kind: 'bytes', bytes }, [bytes.buffer]);
    for (;;) {
      const underWay = Atomics.load(this.#shared, shared.bytesUnderWay);
      if (underWay <= bytesUnderWayMax || this.isCancelled) return;
      Atomics.wait(this.#shared, shared.bytesUnderWay, underWay, waitMilliseconds);
    }
  }
}

/** What a member is called. What pours has no names from the container around it. */
function toPlain({ name, relation, facts }: Omit<Member, 'content'>): Omit<Member, 'content' | 'rename'> {
  return { name, relation, ...(facts === undefined ? {} : { facts }) };
}

function toSource(wanted: PourRequest['source']): ByteSource {
  return wanted.kind === 'file' ? readOpenFile(wanted.range, wanted.size) : toByteSource(wanted.bytes);
}

/** Decodes one container from its start to its end, or until the walk wants no more. */
async function pour(request: PourRequest, send: Send): Promise<void> {
  const line = new Line(send, request.shared);
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
  // What is wrong with the headers was told when the walk itself read them.
  let isPouring = false;
  try {
    const format = formats.find(({ id }) => id === request.format);
    const reading = await format?.read(toSource(request.source), {
      budget: new Budget(request.fileBytes, request.limits, now),
      ...(file === undefined ? {} : { file }),
      report: (finding) => {
        if (isPouring) send({ kind: 'report', finding });
      },
    });
    if (reading?.pour === undefined) throw new Error(`${request.format} does not pour here`);
    isPouring = true;
    const next = await reading.pour(line, 0);
    if (next !== undefined && !line.isCancelled) throw new Error('it stopped without being told to');
    send({ kind: 'done', finding: undefined });
  } catch (error) {
    send({ kind: 'done', finding: toFinding(error, 'the members from there on were not looked at') });
  } finally {
    for (const sibling of siblings) sibling.close();
  }
}

serveThread<PourRequest, PourMessage>((request, send) => void pour(request, send));
