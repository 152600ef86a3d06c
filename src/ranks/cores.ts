/** How processes share the cores of a machine. */
import { availableParallelism } from "node:os";
import { allowedProcessors } from "../processors.js";
import { counted } from "../text.js";
import { agree } from "./agreement.js";
import type { Ranks } from "./ranks.js";

/** What a process tells the others. */
export interface CoresOfRank {
  readonly machine: string;
  /** Processors that it may run on, by number. */
  readonly allowed: readonly number[];
  /** How many its launcher may use. */
  readonly ofLauncher: number;
}

/** What follows for each. */
export interface SharedCores {
  /** Into how many parts the cores that this process may use are divided: one for each process that may use them too. */
  readonly sharers: number;
  /** What costs time, in plain sentences. */
  readonly warnings: readonly string[];
}

/** Finds out how the processes share the cores of their machines. All ranks call it at the same time. */
export function shareCores(ranks: Ranks): SharedCores {
  const allowed = allowedProcessors("self") ?? numbersBelow(availableParallelism());
  const ofLauncher = allowedProcessors(process.ppid)?.length ?? allowed.length;
  const all = agree<CoresOfRank>(ranks, { machine: ranks.machine, allowed, ofLauncher });
  return sharedCores(all, ranks.rank);
}

/** @param all in the order of ranks */
export function sharedCores(all: readonly CoresOfRank[], rank: number): SharedCores {
  const own = all[rank];
  const isShared = (other: CoresOfRank) =>
    other.machine === own.machine && other.allowed.some((core) => own.allowed.includes(core));
  const machines = [...new Set(all.map(({ machine }) => machine))];
  return {
    sharers: all.filter(isShared).length,
    warnings: machines.flatMap((machine) => boundWarning(all, machine)),
  };
}

/** A launcher that binds each process to few cores leaves the others unused. */
function boundWarning(all: readonly CoresOfRank[], machine: string): string[] {
  const here = all.filter((each) => each.machine === machine);
  const used = new Set(here.flatMap(({ allowed }) => allowed)).size;
  const free = here.reduce((most, { ofLauncher }) => Math.max(most, ofLauncher), 0);
  if (used >= free) return [];
  return [
    `mpirun leaves ${free - used} of ${counted(free, "core")} of ${machine} unused, since it binds each process to ${counted(here[0].allowed.length, "core")}: start it as mpirun --bind-to none.`,
  ];
}

function numbersBelow(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
