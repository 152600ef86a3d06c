import type { PreparingEvent } from "./events.js";

/** The shares of a long work, as a callback gets them. */
export type OnPreparing = (doing: PreparingEvent["doing"], share: number) => void;

/** Of a long text this many events come at most for reading it, and for counting. */
const MOST_EVENTS = 20;

/**
 * Reports how a work goes on that tells it by a callback.
 *
 * @param work gets the callback, and a signal that is aborted when nobody waits for it any more
 * @returns what it comes to
 */
export async function* whilePreparing<Result>(
  work: (onPreparing: OnPreparing, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<PreparingEvent, Result> {
  const left = new AbortController();
  const events: PreparingEvent[] = [];
  let wake = () => {};
  const last = { doing: "", part: 0 };
  const onPreparing: OnPreparing = (doing, share) => {
    const part = Math.floor(share * MOST_EVENTS);
    if (last.doing === doing && last.part === part) return;
    Object.assign(last, { doing, part });
    events.push({ event: "preparing", doing, share });
    wake();
  };
  let isOver = false;
  const result = work(onPreparing, left.signal).finally(() => {
    isOver = true;
    wake();
  });
  // It is awaited below.
  result.catch(() => {});
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
    return await result;
  } finally {
    left.abort(new Error("Nobody waits for the run any more."));
    await result.catch(() => {});
  }
}
