/** Long work in short pieces, so that timers, signals and other work of the process get their turn. */

/** Milliseconds of work between two turns. */
const MAX_WORK_MILLISECONDS = 20;
/** Tokens in a piece of a long loop: some milliseconds of work. */
const PIECE = 1 << 20;

/** The code of the error with which a kernel ends when a signal of the system has stopped it. */
const STOPPED = "CHARNN_STOPPED";
/** Node hears of a signal within this many turns. */
const TURNS_UNTIL_HEARD = 4;

/** When the process last had a turn, whoever gave it: so many short calls give one too. */
let lastTurn = performance.now();
/** Those who wait for a turn, the first one first. */
const waiting: (() => void)[] = [];

/** Browsers have no `setImmediate`, and their `setTimeout` waits for milliseconds. */
const inNextTurn: (work: () => void) => void =
  typeof setImmediate === "function" ? setImmediate : byMessage;

function byMessage(work: () => void): void {
  const { port1, port2 } = new MessageChannel();
  // Node's types know another way.
  (port1 as unknown as { onmessage: () => void }).onmessage = () => {
    port1.close();
    work();
  };
  port2.postMessage(undefined);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) inNextTurn(goOn);
  });
}

/** One at a turn: if a thousand went on at once, nothing else would run until the last one had worked. */
function goOn(): void {
  lastTurn = performance.now();
  waiting.shift()?.();
  if (waiting.length > 0) inNextTurn(goOn);
}

/** Gives other work of the process its turn, for loops that would keep the process to themselves. */
export class Turns {
  constructor(readonly signal?: AbortSignal) {}

  /**
   * To be awaited often: it waits for a turn of the event loop when the last one was 20 ms ago.
   *
   * @throws the signal's reason once it is aborted
   */
  async give(): Promise<void> {
    if (this.isDue()) await this.take();
  }

  /** Whether {@link take} should be awaited: cheaper than {@link give} in a loop of short steps. */
  isDue(): boolean {
    return performance.now() - lastTurn >= MAX_WORK_MILLISECONDS;
  }

  /** @throws the signal's reason once it is aborted */
  async take(): Promise<void> {
    await nextTurn();
    this.signal?.throwIfAborted();
  }

  /**
   * Does some work that runs kernels. Where a signal of the system has stopped one of them and this has no
   * `signal`, the work must be finished, and is done again.
   *
   * @param work changes nothing when a kernel of it is stopped
   * @throws the signal's reason where it was aborted by a signal of the system that stopped a kernel
   */
  async during<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    for (let turn = 0; ; turn++) {
      try {
        return await work();
      } catch (error) {
        if (!isStopped(error) || turn === TURNS_UNTIL_HEARD) throw error;
        await this.take();
      }
    }
  }
}

/** The error of a kernel that a signal of the system has stopped. */
export function stopped(): Error {
  return Object.assign(new Error("A signal has stopped the kernel."), { code: STOPPED });
}

/** Whether an error is that of a kernel which a signal of the system has stopped. */
export function isStopped(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === STOPPED;
}

/**
 * What is promised; undefined where the signal has stopped it.
 *
 * @throws what the promise is rejected with, but for the signal's reason
 */
export async function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return undefined;
    throw error;
  }
}

/** Long work that stops after each of its parts. */
export type Parts<Result> = Generator<void, Result>;

/** Does all parts of a work at once. */
export function atOnce<Result>(parts: Parts<Result>): Result {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/**
 * Does a work with turns of the event loop between its parts.
 *
 * @throws the signal's reason once it is aborted
 */
export async function inTurns<Result>(
  parts: Parts<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const turns = new Turns(signal);
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
    if (turns.isDue()) await turns.take();
  }
}

/**
 * Calls `work` for one piece of a long range after the other, from 0 to `length`, with turns of the event
 * loop between them. It ends early where `work` returns `"stop"`.
 *
 * @throws the signal's reason once it is aborted
 */
export async function inPieces(
  length: number,
  signal: AbortSignal | undefined,
  work: (start: number, end: number) => unknown,
): Promise<void> {
  const turns = new Turns(signal);
  signal?.throwIfAborted();
  for (let start = 0; start < length; start += PIECE) {
    if (work(start, Math.min(start + PIECE, length)) === "stop") return;
    await turns.give();
  }
}

/**
 * What a stream brings, with turns of the event loop between.
 *
 * @throws the signal's reason as soon as it is aborted, whatever the stream waits for
 */
export async function* untilAborted<Value>(
  stream: AsyncIterable<Value>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Value, void> {
  signal?.throwIfAborted();
  const turns = new Turns(signal);
  const iterator = stream[Symbol.asyncIterator]();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
  });
  aborted.catch(() => {});
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), aborted]);
      isOver = done === true;
      if (done) return;
      yield value;
      await turns.give();
    }
  } finally {
    if (stop) signal?.removeEventListener("abort", stop);
    if (!isOver) {
      // Its end may have to wait for what the stream waits for.
      const closed = Promise.resolve(iterator.return?.());
      if (signal?.aborted) closed.catch(() => {});
      else await closed;
    }
  }
}
