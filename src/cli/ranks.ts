import { alone } from "../ranks/alone.js";
import type { Ranks } from "../ranks/ranks.js";

/** The commands in which processes work together; in all others each does the same. */
const TOGETHER = ["train", "bench"];

/**
 * The processes that do the work of a command line: those that a launcher of MPI has started with this one, where they
 * work together, and otherwise this one.
 *
 * @throws CharnnError `MPI_UNAVAILABLE`
 */
export async function joinRanks(args: readonly string[]): Promise<Ranks> {
  if (!TOGETHER.includes(args[0])) return alone();
  const { findLauncher } = await import("../ranks/launcher.js");
  const asked = mpiOption(args);
  const launcher = asked === "off" ? undefined : findLauncher(process.env);
  if (!launcher) return alone();
  const { openMpiRanks } = await import("../ranks/mpi-ranks.js");
  const libraries = asked === undefined || asked === "auto" ? launcher.libraries : [asked];
  const { shareCores } = await import("../ranks/cores.js");
  const ranks = openMpiRanks({ ...launcher, libraries });
  return { ...ranks, cores: shareCores(ranks) };
}

/** It is needed before options are read: a process that reads them may find that it has nothing to do. */
function mpiOption(args: readonly string[]): string | undefined {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  const at = options.findLastIndex((arg) => arg === "--mpi" || arg.startsWith("--mpi="));
  if (at < 0) return undefined;
  return options[at] === "--mpi" ? options.at(at + 1) : options[at].slice("--mpi=".length);
}

/** Does the work of a rank above 0 until rank 0 ends. It prints nothing. */
export async function followRankZero(ranks: Ranks): Promise<void> {
  const { follow } = await import("../training/follow.js");
  await follow(ranks);
  ranks.close();
}

/** Lets the other ranks end. */
export async function endRanks(ranks: Ranks): Promise<void> {
  if (ranks.size === 1) return;
  const { endTogether } = await import("../training/lead.js");
  endTogether(ranks);
}
