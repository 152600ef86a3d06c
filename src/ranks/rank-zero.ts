import { alone } from "./alone.js";
import type { Ranks } from "./ranks.js";

/** Rank 0, which decides what all ranks do. */
export interface RankZero<Command> {
  readonly ranks: Ranks;
  /**
   * Does some work in all ranks at the same time: its own here, and in the others what the command tells them. Where
   * there are none, it is only the work.
   *
   * @throws what `work` throws; after a CharnnError, which all ranks throw, they wait for the next command
   */
  inAll<Result>(command: Command, work: () => Result | Promise<Result>): Promise<Result>;
}

/** A process that was started by itself. */
export function rankZeroAlone(): RankZero<unknown> {
  return { ranks: alone(), inAll: async (_, work) => work() };
}
