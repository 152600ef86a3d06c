import type { RankZero } from "./rank-zero.js";

/** What is timed: a whole step, or only what the processes exchange in it. */
export type TimedPart = "step" | "exchange";

/** Steps of training that can be timed. */
export interface Timed {
  run(part: TimedPart): Promise<void>;
  dispose(): void | Promise<void>;
}

/** Tells the other ranks to run a part of what was begun, or to free it. */
export type TimedCommand =
  | { readonly kind: "run"; readonly part: TimedPart }
  | { readonly kind: "dispose" };

/**
 * Begins what is to be timed in all ranks.
 *
 * @param command by which the other ranks begin theirs
 * @returns what this rank has begun; what it runs and frees, all do
 */
export async function timedInAll<Own extends Timed, Command>(
  { inAll }: RankZero<Command | TimedCommand>,
  command: Command,
  begin: () => Own | Promise<Own>,
): Promise<{ readonly own: Own } & Timed> {
  const own = await inAll(command, begin);
  return {
    own,
    run: (part) => inAll({ kind: "run", part }, () => own.run(part)),
    dispose: () => inAll({ kind: "dispose" }, () => own.dispose()),
  };
}
