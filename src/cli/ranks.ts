import { setTimeout as delay } from "node:timers/promises";
import { alone } from "../ranks/alone.js";
import type { Launcher } from "../ranks/launcher.js";
import type { Ranks } from "../ranks/ranks.js";
import type { Interruption } from "./terminal/signals.js";

/** The commands in which processes work together; in all others each does the same. */
const TOGETHER = ["train", "bench"];

/** What a process waits before it says why it can't join, where another one of its machine says the same. */
const TURN_OF_FIRST = 2000;

/**
 * The processes that do the work of a command line: those that a launcher of MPI has started with this one, where they
 * work together, and otherwise this one.
 *
 * @throws CharnnError `MPI_UNAVAILABLE`
 */
export async function joinRanks(
  args: readonly string[],
  interruption: Interruption,
): Promise<Ranks> {
  const asked = mpiOption(args);
  if (!TOGETHER.includes(args[0]) || asked === "off") return alone();
  const launcher = await launcherAbove();
  if (!launcher) return alone();
  const libraries = asked === undefined || asked === "auto" ? launcher.libraries : [asked];
  // The others may never come.
  const release = await interruption.endAtOnce();
  try {
    return await joinBy({ ...launcher, libraries });
  } finally {
    release();
  }
}

async function launcherAbove(): Promise<Launcher | undefined> {
  const { findLauncher } = await import("../ranks/launcher.js");
  try {
    return findLauncher(process.env);
  } catch (error) {
    // All tasks of Slurm have it, and the first one says so.
    if (process.env.SLURM_PROCID !== "0") process.exit(1);
    throw error;
  }
}

async function joinBy(launcher: Launcher): Promise<Ranks> {
  const { openMpiRanks } = await import("../ranks/mpi-ranks.js");
  const { shareCores } = await import("../ranks/cores.js");
  try {
    const ranks = openMpiRanks(launcher);
    return { ...ranks, cores: shareCores(ranks, launcher.command) };
  } catch (error) {
    const { endOthers } = await import("../ranks/end-others.js");
    // By then the error is printed.
    process.once("exit", (code) => endOthers(process.env, code));
    // Most launchers end all processes when the first one fails, and the message is seen once.
    if (launcher.localRank !== 0) await delay(TURN_OF_FIRST);
    throw error;
  }
}

/** It is needed before options are read: a process that reads them may find that it has nothing to do. */
function mpiOption(args: readonly string[]): string | undefined {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  const at = options.findLastIndex((arg) => arg === "--mpi" || arg.startsWith("--mpi="));
  if (at < 0) return undefined;
  const value = options[at] === "--mpi" ? options.at(at + 1) : options[at].slice("--mpi=".length);
  // Rank 0 refuses an empty one.
  return value || undefined;
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
