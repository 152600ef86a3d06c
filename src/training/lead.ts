/** What rank 0 does with the others, which {@link follow} it. Where there are none, it does nothing. */
import { CharnnError } from "../errors.js";
import type { Score } from "../model/char-rnn.js";
import type { Ranks } from "../ranks/ranks.js";
import { version } from "../version.js";
import { agreeToTrain } from "./agree-to-train.js";
import { announce, type Command, shareCorpus, sharedText } from "./commands.js";
import { evaluateTogether } from "./evaluate-together.js";
import type { Run } from "./run.js";
import { gatherState, secondsToJoin, shareNumbers } from "./shared-run.js";
import { type Step, takeStep } from "./step.js";

/** Those whose processes are in the middle of what rank 0 has announced. */
const busy = new WeakSet<Ranks>();

/** @throws what `work` throws; after a CharnnError, which all ranks throw, they wait for the next command */
async function together<Result>(
  ranks: Ranks,
  command: Command,
  work: () => Result | Promise<Result>,
): Promise<Result> {
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
}

/**
 * Gives all ranks the run that rank 0 has, and finds out how long they take to join gradients.
 *
 * @param threads asked for, of each
 * @throws CharnnError where one of them can't train it
 */
export async function openTogether(run: Run, threads: number | undefined): Promise<void> {
  const { ranks, corpus, config, selected } = run;
  if (ranks.size === 1) return;
  const text = sharedText(corpus);
  const first = { version: version(), backend: selected.backend.name };
  const members = await together(ranks, { kind: "open", config, text, threads, ...first }, () => {
    shareCorpus(ranks, text, corpus);
    return agreeToTrain(ranks, selected, first);
  });
  await loadTogether(run);
  const seconds = await together(ranks, { kind: "time" }, () => secondsToJoin(run));
  const { secondsPerStep } = run.speed;
  run.speed = { ...run.speed, secondsPerStep: secondsPerStep + seconds };
  run.processes = {
    library: ranks.library as string,
    ofMachines: members.map(({ machine, threads }) => ({ machine, threads })),
    exchangeShare: seconds / (secondsPerStep + seconds),
  };
}

/** Gives all ranks the numbers that rank 0 has. */
export function loadTogether(run: Run): Promise<void> {
  return together(run.ranks, { kind: "load" }, () => {
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
  return together(run.ranks, { kind: "step", at: { step, epoch, batch }, learningRate }, () =>
    takeStep(run, learningRate, signal),
  );
}

/** Scores the held-out part in all ranks: see {@link evaluateTogether}. */
export function scoreTogether(
  run: Run,
  signal: AbortSignal | undefined,
): Promise<Score | undefined> {
  const { evalCharacters: most } = run.config.training;
  return together(run.ranks, { kind: "evaluate", most }, () => evaluateTogether(run, most, signal));
}

/** Makes the state of all sequences that of the run, for a checkpoint. */
export function gatherTogether(run: Run): Promise<void> {
  return together(run.ranks, { kind: "state" }, () => {
    if (run.ranks.size > 1) gatherState(run);
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
