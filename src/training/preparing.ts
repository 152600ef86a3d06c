import type { PlanOptions } from "../planning/corpus-settings.js";
import type { PreparingEvent } from "./events.js";

/** At most this many events report the reading of a long text, and as many the counting. */
const MAX_EVENTS = 20;

/**
 * Reports the progress of long work, which tells it by a callback.
 *
 * @param work gets the callback, and a signal that is aborted with `signal`, or when nobody waits any more
 * @returns what the work gives; where nobody waits for it, it is closed
 */
export async function* whilePreparing<Result extends { close(): Promise<void> }>(
  work: (options: Pick<PlanOptions, "onPreparing" | "signal">) => Promise<Result>,
  signal: AbortSignal | undefined,
): AsyncGenerator<PreparingEvent, Result> {
  const left = new AbortController();
  const events: PreparingEvent[] = [];
  let wake = () => {};
  const last = { doing: "", part: 0 };
  const onPreparing = (doing: PreparingEvent["doing"], fraction: number) => {
    const part = Math.floor(fraction * MAX_EVENTS);
    if (last.doing === doing && last.part === part) return;
    Object.assign(last, { doing, part });
    events.push({ event: "preparing", doing, share: fraction });
    wake();
  };
  let isOver = false;
  const signals = AbortSignal.any(signal ? [signal, left.signal] : [left.signal]);
  const result = work({ onPreparing, signal: signals }).finally(() => {
    isOver = true;
    wake();
  });
  // It is awaited below.
  result.catch(() => {});
  let isTaken = false;
  try {
    while (!isOver) {
      const event = events.shift();
      if (event) yield event;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (isOver || events.length > 0) resolve();
        });
      }
    }
    isTaken = true;
    return await result;
  } finally {
    left.abort(new Error("Nobody waits for the run any more."));
    if (!isTaken) {
      await result.then(
        (late) => late.close(),
        () => {},
      );
    }
  }
}
