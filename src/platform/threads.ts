import { MessagePort, parentPort, Worker } from 'node:worker_threads';

/** Another thread of this process, and the line to it. */
export interface Thread<Request> {
  post(message: Request): void;
  /** Ends the thread, whatever it does. */
  end(): Promise<void>;
  /** Whether the process stays alive for it. */
  setBusy(isBusy: boolean): void;
}

/**
 * Starts a thread; it does not keep the process alive until it is told to be busy.
 *
 * @param entry - a module that calls {@link serveThread}
 * @param heard - gets every message of the thread
 * @param ended - called once, when the thread is no more, with the reason
 */
export function startThread<Request, Reply>(
  entry: URL,
  heard: (message: Reply) => void,
  ended: (reason: string) => void,
): Thread<Request> {
  const worker = new Worker(entry);
  let reason: string | undefined;
  worker.on('message', heard);
  worker.on('error', (error) => {
    reason = error.message;
  });
  worker.on('exit', (code) => ended(reason ?? `it ended with code ${code}`));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message, []),
    async end() {
      await worker.terminate();
    },
    setBusy(isBusy) {
      if (isBusy) worker.ref();
      else worker.unref();
    },
  };
}

/**
 * What a thread does: answers messages, one after the other.
 *
 * @param answer - gets a message and a way to send some back
 */
export function serveThread<Request, Reply>(
  answer: (message: Request, post: (reply: Reply) => void) => void,
): void {
  if (!(parentPort instanceof MessagePort)) throw new Error('is not a thread');
  const port = parentPort;
  port.on('message', (message: Request) => answer(message, (reply) => port.postMessage(reply)));
}
