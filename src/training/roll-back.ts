import {
  batchRows,
  firstProgress,
  MAX_ROLLBACKS,
  type Progress,
  type RunConfig,
} from "../config/run.js";
import { evaluationBatches } from "../data/evaluation-batches.js";
import { CharnnError } from "../errors.js";
import { evaluate } from "../evaluation/evaluate.js";
import { presetRecipe } from "../planning/presets.js";
import { truncateMetricsAfter } from "../runs/metrics.js";
import { contentsOf } from "../runs/run-contents.js";
import { isExploded } from "./explosion.js";
import { loadTogether } from "./lead.js";
import type { Run } from "./run.js";
import { restoreRun } from "./snapshot.js";

const RATE_FACTOR = 1 / 3;
/** How much of the training text is scored to see whether weights have exploded. */
const CHARACTERS_TO_TRY = 10_000;
/** The factor from a learning rate with which training has diverged to the one that is advised. */
const NEXT_FACTOR = 1 / 10;

/**
 * Takes a run that has gone wrong back to its best checkpoint, with its average of the weights, and with a lower
 * learning rate. Where nothing is held out, or was scored yet, it goes back to its last checkpoint or its
 * beginning: to its beginning where the loss exploded, and either the weights of that checkpoint have exploded
 * too, or the run has gone back to it before.
 *
 * @param sign what showed it: `the loss is NaN`
 * @returns what happened, in a sentence
 * @throws CharnnError `DIVERGED` when that was of no use before
 */
export async function rollBack(run: Run, sign: string, exploded = false): Promise<string> {
  const { folder, progress } = run;
  const { step, totalSteps, replan, droppedSteps, rollbacks } = progress;
  if (rollbacks >= MAX_ROLLBACKS) throw await diverged(run, sign, exploded);
  await run.lock.check();
  const rateFactor = progress.rateFactor * RATE_FACTOR;
  const contents = await contentsOf(folder);
  const isTrusted = !exploded || (rollbacks === 0 && run.corpus.validation.tokens.length === 0);
  const { bestAside } = run;
  const best = bestAside === undefined ? folder.best : folder.stepFile(bestAside);
  const path = contents?.best ? best : contents?.last && isTrusted ? folder.last : undefined;
  let before = path && (await restore(run, path));
  if (!before || (exploded && path === folder.last && !(await isSound(run)))) {
    before = await restoreBeginning(run);
  }
  const rolledBack = { rateFactor, badSteps: 0, rollbacks: rollbacks + 1 };
  Object.assign(progress, before, { totalSteps, replan, droppedSteps }, rolledBack);
  await loadTogether(run);
  await truncateMetricsAfter(folder.metrics, progress);
  return `At step ${step} ${sign}. Going back to step ${progress.step}, with a third of the learning rate.`;
}

/** @returns where the run stood when the checkpoint was saved */
async function restore(run: Run, path: string): Promise<Progress> {
  clearStates(run);
  return (await restoreRun(run, path)).progress;
}

/** @returns where the run stands then */
async function restoreBeginning(run: Run): Promise<Progress> {
  const firstWeights = await run.firstWeights();
  clearStates(run);
  for (const [index, { learner }] of run.members.entries()) {
    const { model, average, optimizer } = learner;
    const first = firstWeights[index];
    for (const array of [model.parameters, average]) array?.write(first);
    for (const moment of optimizer.moments.values()) moment.write(new Float32Array(first.length));
  }
  return firstProgress();
}

function clearStates({ members, config }: Run): void {
  for (const member of members) {
    member.state = member.learner.model.zeroState(batchRows(config.training));
  }
}

/** Whether the weights are not those of a step by which the loss exploded. */
async function isSound(run: Run): Promise<boolean> {
  const { train, documents, vocabulary } = run.corpus;
  const some = () =>
    evaluationBatches(train.tokens, documents, vocabulary, { most: CHARACTERS_TO_TRY });
  for (const { learner } of run.members) {
    const score = await evaluate(learner.model, some());
    const loss = score ? score.loss / score.characters : Number.NaN;
    if (!Number.isFinite(loss) || isExploded(loss, run)) return false;
  }
  return true;
}

export async function diverged(
  { folder, progress, config }: Run,
  sign: string,
  exploded = false,
): Promise<CharnnError> {
  const { step, rollbacks } = progress;
  const again = rollbacks > 0 ? `, after going back ${rollbacks} times` : "";
  // No matter what is wrong with the folder: that training has diverged went wrong first.
  const contents = await contentsOf(folder).catch(() => undefined);
  const isBefore = contents?.best || (contents?.last && !exploded);
  const kept = isBefore ? ` The checkpoint in ${folder.path} is from before.` : "";
  return new CharnnError(
    "DIVERGED",
    `At step ${step} ${sign}${again}: training has diverged.${kept}`,
    hintFor(config, progress.rateFactor),
  );
}

/** The preset's learning rate where the run had a higher one: going back has lowered it already, in vain. */
function hintFor({ model, training }: RunConfig, rateFactor: number): string {
  const { preset, clipNorm } = training;
  const usual = presetRecipe(preset ?? "tiny", model.vocabularySize).learningRate;
  const rate = Math.min(usual, training.learningRate * rateFactor * NEXT_FACTOR);
  const clip = clipNorm === 0 ? ", and `clipNorm: 1` to limit the gradient" : "";
  return `Try \`learningRate: ${Number(rate.toPrecision(1))}\`${clip}.`;
}
