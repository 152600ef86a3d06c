/** Long work in short pieces, so that timers, signals and other work of the process get their turn. */

import { setImmediate as nextTurn } from "node:timers/promises";

/** Milliseconds of work between two turns. */
const LONGEST_WORK = 20;
/** Tokens in a piece of a long loop: some milliseconds of work. */
const PIECE = 1 << 20;

/** When the process last had a turn, whoever gave it: so many short calls give one too. */
let lastTurn = performance.now();

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
    return performance.now() - lastTurn >= LONGEST_WORK;
  }

  /** @throws the signal's reason once it is aborted */
  async take(): Promise<void> {
    await nextTurn();
    lastTurn = performance.now();
    this.signal?.throwIfAborted();
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
