/** What rank 0 does with the others, which {@link follow} it. Where there are none, it does nothing. */
import { CharnnError } from "../errors.js";
import type { LossSum } from "../model/char-rnn.js";
import type { RankZero } from "../ranks/rank-zero.js";
import type { Ranks } from "../ranks/ranks.js";
import { temperatureOf } from "./calibration.js";
import { announce, type Command, shareCorpus, sharedText } from "./commands.js";
import { evaluateTogether } from "./evaluate-together.js";
import type { Run } from "./run.js";
import { gatherStates, shareNumbers } from "./shared-run.js";
import { type Step, takeStep } from "./step.js";

/** Those whose processes are in the middle of what rank 0 has announced. */
const busy = new WeakSet<Ranks>();

/** This process, as the one that the others follow. */
export function leading(ranks: Ranks): RankZero<Command> {
  return {
    ranks,
    async inAll(command, work) {
      // After an error that the others do not know of they wait in the middle of something, and end with this process.
      if (busy.has(ranks)) return work();
      busy.add(ranks);
      announce(ranks, command);
      try {
        const result = await work();
        busy.delete(ranks);
        return result;
      } catch (error) {
        if (error instanceof CharnnError) busy.delete(ranks);
        throw error;
      }
    },
  };
}

/** Gives all ranks the run that rank 0 has. */
export async function openTogether(run: Run): Promise<void> {
  const { ranks, corpus, config } = run;
  if (ranks.size === 1) return;
  const text = sharedText(corpus);
  await leading(ranks).inAll({ kind: "open", config, text }, () => {
    shareCorpus(ranks, text, corpus);
  });
  await loadTogether(run);
}

/** Gives all ranks the numbers that rank 0 has. */
export function loadTogether(run: Run): Promise<void> {
  return leading(run.ranks).inAll({ kind: "load" }, () => {
    if (run.ranks.size > 1) shareNumbers(run);
  });
}

/** Takes a step in all ranks: see {@link takeStep}. */
export function stepTogether(
  run: Run,
  learningRate: number,
  signal: AbortSignal | undefined,
): Promise<Step | undefined> {
  const { step, epoch, batch } = run.progress;
  return leading(run.ranks).inAll({ kind: "step", at: { step, epoch, batch }, learningRate }, () =>
    takeStep(run, learningRate, signal),
  );
}

/** How well the models of a run predict what is held out, and the temperature of their logits where it was fitted. */
export interface Evaluation extends LossSum {
  readonly temperature: number | undefined;
}

/**
 * Fits the temperature, in a run that is calibrated, and scores the held-out part in all ranks: see {@link evaluateTogether}.
 *
 * @returns undefined when the signal stopped it
 */
export async function scoreTogether(
  run: Run,
  signal: AbortSignal | undefined,
): Promise<Evaluation | undefined> {
  const { evalCharacters: most } = run.config.training;
  const temperature = await temperatureOf(run, signal);
  if (signal?.aborted) return undefined;
  const command = { kind: "evaluate", most, temperature } as const;
  const score = await leading(run.ranks).inAll(command, () =>
    evaluateTogether(run, command, signal),
  );
  return score && { ...score, temperature };
}

/** Makes the states of all sequences those of the run, for a checkpoint. */
export function gatherTogether(run: Run): Promise<void> {
  return leading(run.ranks).inAll({ kind: "state" }, () => {
    if (run.ranks.size > 1) gatherStates(run);
  });
}

/**
 * Lets the others go. Where an error has left them in the middle of something, they end when this process does: see
 * {@link Ranks.close}.
 */
export function endTogether(ranks: Ranks): void {
  if (busy.has(ranks)) return;
  announce(ranks, { kind: "end" });
  ranks.close();
}
