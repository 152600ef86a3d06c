import { CELLS } from "../../config/cells.js";
import type { ModelConfig } from "../../config/model.js";
import { REGULARIZERS } from "../../config/optimization.js";
import type { RunConfig } from "../../config/run.js";
import { bitsPerCharacter, counted, formatCount, spaced } from "../../text.js";

/** What a result is judged by; losses in nats/character. */
interface Result {
  readonly bestLoss: number;
  readonly trainingLoss: number | undefined;
  readonly counting?: { readonly order: number; readonly loss: number } | undefined;
  readonly characters: number;
  readonly validationCharacters: number;
}

/** One line that says how good a result is. */
export function summaryLine(result: Result): string {
  const { bestLoss, trainingLoss, counting, characters, validationCharacters } = result;
  const share = `${formatCount(validationCharacters)} of ${formatCount(characters)} characters`;
  const facts = [`validation loss ${inUnits(bestLoss)}, held out ${share}`];
  if (trainingLoss !== undefined) facts.push(`training loss ${trainingLoss.toFixed(3)}`);
  if (counting) {
    facts.push(`${strings(counting)} ${counting.loss.toFixed(3)}`);
  }
  return facts.join("; ");
}

/**
 * A sentence for a model that lost to the n-gram baseline.
 *
 * @returns undefined for a model that beats it, and where there is no baseline
 */
export function lossToBaseline({
  bestLoss,
  counting,
}: Pick<Result, "bestLoss" | "counting">): string | undefined {
  if (!counting || bestLoss < counting.loss) return undefined;
  const losses = `${bestLoss.toFixed(3)} against ${counting.loss.toFixed(3)} nats/char`;
  return `The model predicts the held-out part no better than the n-gram baseline (${losses}). Longer training or more text may help.`;
}

/** `5-gram baseline` */
function strings({ order }: { readonly order: number }): string {
  return `${order}-gram baseline`;
}

/** `1.500 nats/char (2.164 bits/char)` */
export function inUnits(loss: number): string {
  return `${loss.toFixed(3)} nats/char (${bitsPerCharacter(loss).toFixed(3)} bits/char)`;
}

/** `dropout 0.3`, `weight decay 0.1` ...: what keeps a run from learning its text by heart. */
export function regularization(training: RunConfig["training"]): string[] {
  return REGULARIZERS.filter((name) => training[name] > 0).map(
    (name) => `${spaced(name)} ${training[name]}`,
  );
}

/** `GRU, 1 layer of 128, embedding of 32: 74,000 parameters` */
export function modelLine(model: ModelConfig, parameters: number): string {
  const layers = `${counted(model.layers, "layer")} of ${formatCount(model.hiddenSize)}`;
  const facts = [CELLS[model.cell].title, layers];
  facts.push(model.embeddingSize > 0 ? `embedding of ${model.embeddingSize}` : "one-hot input");
  return `${facts.join(", ")}: ${formatCount(parameters)} parameters`;
}
