import { formatCount } from "../../text.js";
import type { EndEvent } from "../../training/events.js";
import type { FollowedRun } from "./followed-run.js";

/**
 * A model that predicts its training part better than the held-out part by this much has memorized it, in
 * nats/char.
 */
const GAP_OF_MEMORY = 0.5;
/** A held-out loss counts as risen when it is this many times the lowest. */
const RISEN = 1.01;
/** A best step after this fraction of a run means that the model is still improving. */
const LATE = 0.9;

/** What a result means. */
interface Judgement {
  /** A sentence or two, where there is something to say. */
  readonly sentence?: string;
  /** Whether longer training may help. */
  readonly learnsOn: boolean;
}

/** What the losses at the end of a run mean, and what helps. */
export function judgement(event: EndEvent, run: FollowedRun): Judgement {
  const { bestLoss, wholeLoss = bestLoss, loss, validationLoss, bestStep = 0, counting } = event;
  const anyLoss = wholeLoss ?? loss;
  const vocabularySize = run.started?.vocabularySize;
  const over = (sentence: string) => ({ sentence, learnsOn: false });
  if (anyLoss !== undefined && vocabularySize && anyLoss > Math.log(vocabularySize)) {
    return over("The model is worse than guessing: try a lower --learning-rate.");
  }
  if (wholeLoss === undefined) return { learnsOn: true };
  if (loss !== undefined && wholeLoss - loss > GAP_OF_MEMORY) {
    return over(
      "The model has learned its text by heart: it predicts the training part far better than the held-out part. More text helps most; otherwise try a smaller model or a higher --dropout.",
    );
  }
  if (validationLoss !== undefined && validationLoss > RISEN * (bestLoss ?? validationLoss)) {
    return over(
      `The held-out loss has risen since step ${formatCount(bestStep)}, and the model of that step is kept as the best. --patience 5 stops a run that no longer improves.`,
    );
  }
  if (counting && wholeLoss >= counting.loss) {
    return {
      sentence:
        "The model predicts the held-out part no better than the n-gram baseline. Longer training or more text may help.",
      learnsOn: true,
    };
  }
  const learnsOn = bestStep >= LATE * event.step;
  return learnsOn || run.heldOut.length < 3
    ? { learnsOn }
    : over(`The held-out loss has not fallen since step ${formatCount(bestStep)}.`);
}
