/** Counts turns of the event loop, so that tests of long work don't depend on the speed of the machine. */
import type { TestContext } from "node:test";
import { Turns } from "#src/turns.js";

/** Milliseconds that pass whenever the clock is read: so long may work keep the process to itself. */
const TICK = 20;

/** From now on 20 ms pass whenever the clock of the process is read, so that a turn is due whenever work looks for it. */
export function tickingClock(t: TestContext): void {
  let now = performance.now();
  const { mock } = t.mock.method(performance, "now", () => {
    now += TICK;
    return now;
  });
  t.after(async () => {
    mock.restore();
    // The last turn was, by the clock of the test, in the future.
    await new Turns().take();
  });
}

/** How many turns of the event loop others get while some work is done. */
export async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const take = () => {
    if (isOver) return;
    turns++;
    setImmediate(take);
  };
  setImmediate(take);
  try {
    await work();
  } finally {
    isOver = true;
  }
  return turns;
}

/** Calls `action` after a number of turns of the event loop. */
export function afterTurns(turns: number, action: () => void): void {
  setImmediate(() => (turns > 1 ? afterTurns(turns - 1, action) : action()));
}

/** A signal that is aborted after a number of turns of the event loop. */
export function abortedAfterTurns(turns: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  afterTurns(turns, () => controller.abort(reason));
  return controller.signal;
}
