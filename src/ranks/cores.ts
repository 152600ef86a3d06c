/** How processes share the cores of a machine. */
import { availableParallelism } from "node:os";
import { thisProcess } from "../processes.js";
import { allowedProcessors, packagesOf } from "../processors.js";
import { counted } from "../text.js";
import { agree } from "./agreement.js";
import type { Launcher } from "./launcher.js";
import { namesOf } from "./machine-names.js";
import type { Ranks } from "./ranks.js";

/** What a process tells the others. */
export interface CoresOfRank {
  readonly machine: string;
  /** The same for all containers of a machine, and another for each machine, even where these have one name. */
  readonly system: string;
  /** Processors that it may run on, by number. */
  readonly allowed: readonly number[];
  /** Those in which they are. */
  readonly packages: readonly number[];
  /** How many its launcher may use. */
  readonly ofLauncher: number;
}

/** What follows for each. */
export interface SharedCores {
  /** Into how many parts the cores that this process may use are divided: one for each process that may use them too. */
  readonly sharers: number;
  /** How many processes share the memory of this process's machine. */
  readonly here: number;
  /** What costs time, in plain sentences. */
  readonly warnings: readonly string[];
}

/** Finds out how the processes share the cores of their machines. All ranks call it at the same time. */
export function shareCores(ranks: Ranks, command: Launcher["command"]): SharedCores {
  const allowed = allowedProcessors("self") ?? numbersBelow(availableParallelism());
  const ofLauncher = allowedProcessors(process.ppid)?.length ?? allowed.length;
  const { machine } = ranks;
  const { boot: system = machine } = thisProcess();
  const packages = packagesOf(allowed);
  const all = agree<CoresOfRank>(ranks, { machine, system, allowed, packages, ofLauncher });
  return sharedCores(all, ranks.rank, command);
}

/**
 * @param all in the order of ranks
 * @param command that has started them
 */
export function sharedCores(
  all: readonly CoresOfRank[],
  rank: number,
  command: Launcher["command"],
): SharedCores {
  const own = all[rank];
  const isShared = (other: CoresOfRank) =>
    other.system === own.system && other.allowed.some((core) => own.allowed.includes(core));
  // Containers of one machine, which have names of their own, may have memory of their own too.
  const isHere = ({ system, machine }: CoresOfRank) =>
    system === own.system && machine === own.machine;
  const systems = [...new Set(all.map(({ system }) => system))];
  return {
    sharers: all.filter(isShared).length,
    here: all.filter(isHere).length,
    warnings: [...boundWarnings(all, systems, command), ...nearWarning(all)],
  };
}

/** A launcher that binds each process to few cores leaves the others unused: a sentence for machines of one kind. */
function boundWarnings(
  all: readonly CoresOfRank[],
  systems: readonly string[],
  command: Launcher["command"],
): string[] {
  const found = systems.map((system) => coresOf(all, system)).filter((x) => x.used < x.free);
  const kindOf = ({ used, free, bound }: CoresOfMachine) => `${used} ${free} ${bound}`;
  return [...new Set(found.map(kindOf))].map((kind) => {
    const machines = found.filter((each) => kindOf(each) === kind);
    const [{ used, free, bound }] = machines;
    const names = namesOf(machines.map(({ machine }) => machine));
    const where = machines.length > 1 ? `each of ${names}` : names;
    return command === "srun"
      ? `srun gives each task ${bound} of ${counted(free, "core")} on ${where}. Start it as srun --cpus-per-task=${free}.`
      : `mpirun binds each process to ${counted(bound, "core")}, which leaves ${free - used} of ${counted(free, "core")} unused on ${where}. Start it as mpirun --bind-to none.`;
  });
}

interface CoresOfMachine {
  readonly machine: string;
  /** How many its processes use together. */
  readonly used: number;
  /** How many they could use. */
  readonly free: number;
  /** How many the first of them may use. */
  readonly bound: number;
}

function coresOf(all: readonly CoresOfRank[], system: string): CoresOfMachine {
  const here = all.filter((each) => each.system === system);
  const [{ machine, allowed }] = here;
  return {
    machine,
    used: new Set(here.flatMap((each) => each.allowed)).size,
    free: here.reduce((most, { ofLauncher }) => Math.max(most, ofLauncher), 0),
    bound: allowed.length,
  };
}

/** Processes beside each other only share what one process has too, unless each has a package to itself. */
function nearWarning(all: readonly CoresOfRank[]): string[] {
  const systems = new Set(all.map(({ system }) => system));
  const packages = new Set(all.flatMap((each) => each.packages));
  if (all.length === 1 || systems.size > 1 || packages.size > 1) return [];
  return [
    `All ${all.length} processes run on one machine: a single process with as many workers trains the same model, and is as fast.`,
  ];
}

function numbersBelow(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
