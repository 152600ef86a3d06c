import type { Run } from "./run.js";

/**
 * Whether a loss is so far above that of guessing that the weights have exploded. A model that has learned
 * another text well can begin with a high loss on this one, so the first loss of a run counts too.
 *
 * @param loss nats/character
 */
export function isExploded(loss: number, run: Pick<Run, "config" | "progress">): boolean {
  const { firstLoss = 0 } = run.progress;
  return loss > Math.max(3 * guessingLoss(run) + 5, 2 * firstLoss);
}

/**
 * The same of a validation loss, which may be high since the held-out part has characters that the model
 * never learns: the training loss must be so too, unless it is beyond what such a text can give.
 */
export function isValidationExploded(loss: number, run: Pick<Run, "config" | "progress">): boolean {
  const { lossSum, lossCharacters } = run.progress;
  if (!isExploded(loss, run)) return false;
  return isExploded(loss / 10, run) || isExploded(lossSum / lossCharacters, run);
}

/** What is said of a loss that shows an explosion: `the loss was far above that of random guessing (52; guessing gives 4.17)` */
export function explosion(name: string, loss: number, run: Pick<Run, "config">): string {
  const shown = (nats: number) => Number(nats.toPrecision(3)).toString();
  return `${name} was far above that of random guessing (${shown(loss)}; guessing gives ${shown(guessingLoss(run))})`;
}

/** Of a model that gives every character the same probability, nats/character. */
function guessingLoss({ config }: Pick<Run, "config">): number {
  return Math.log(config.model.vocabularySize);
}
