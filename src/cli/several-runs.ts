import path from "node:path";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { EVALUATE } from "../config/evaluate.js";
import { CharnnError } from "../errors.js";
import type { Terminal } from "./terminal/terminal.js";
import { warnIfUntrained } from "./untrained.js";

/** A run that was asked for. */
export interface OpenRun {
  /** The name of its folder. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

/** A run of a mixture, with its share of each probability: those of all add up to 1. */
export interface MixtureMember {
  readonly run: string;
  readonly share: number;
}

/** Runs that predict together. */
export interface OpenMixture {
  /** `night + day` */
  readonly name: string;
  readonly members: readonly MixtureMember[];
}

interface OpenOptions {
  readonly out: string | undefined;
  readonly signal: AbortSignal;
  /** Whether the weights of each are enough. Default: true. */
  readonly weightsOnly?: boolean;
}

/**
 * Loads the runs that were asked for, and names each by its folder, or by its path where another has
 * that name. Warns of those that may have learned nothing.
 */
export async function openRuns(
  asked: readonly string[],
  terminal: Pick<Terminal, "warn">,
  { out, signal, weightsOnly = true }: OpenOptions,
): Promise<OpenRun[]> {
  const { loadCheckpoint } = await import("../runs/load-checkpoint.js");
  const runs: OpenRun[] = [];
  const paths = new Set<string>();
  for (const run of asked) {
    const checkpoint = await loadCheckpoint(run, { out, signal, weightsOnly });
    const file = path.resolve(checkpoint.path);
    if (paths.has(file)) {
      throw new CharnnError("INVALID_SETTING", `${run} is asked for twice.`, "Name each run once.");
    }
    paths.add(file);
    await warnIfUntrained(terminal, checkpoint);
    const folder = path.basename(path.dirname(file));
    const isTaken = runs.some(({ name }) => name === folder);
    runs.push({ name: isTaken ? checkpoint.path : folder, checkpoint });
  }
  return runs;
}

/**
 * Makes runs one model, in which each counts as much as its share says.
 *
 * @throws CharnnError `INVALID_SETTING` for shares that don't fit the runs, and for runs that can't predict together
 */
export async function mixtureOf(
  runs: readonly OpenRun[],
  mix: number | readonly number[],
): Promise<OpenMixture> {
  const { checked, settingsSchema } = await import("../config/schema.js");
  const { refuseUnlike, weightsOf } = await import("../sampling/mixture.js");
  checked(settingsSchema({ mix: EVALUATE.mix }), { mix });
  const weights = weightsOf(runs.length, mix);
  refuseUnlike(runs.map(({ checkpoint }) => checkpoint));
  return {
    name: runs.map(({ name }) => name).join(" + "),
    members: runs.map(({ name }, k) => ({ run: name, share: weights[k] })),
  };
}
