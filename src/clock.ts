/** Seconds since a run began; it never goes back. */
export type Clock = () => number;

/** The time since this call. */
export function startClock(): Clock {
  const start = performance.now();
  return () => (performance.now() - start) / 1e3;
}
