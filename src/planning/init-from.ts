import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { numbersOf } from "../checkpoint/checkpoint-tensors.js";
import { ngramTables } from "../config/ngrams.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Tokens, Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import type { CharRnn } from "../model/char-rnn.js";
import { parameterViews } from "../model/parameters.js";
import { moveNgrams } from "./move-ngrams.js";
import { rateFactor } from "./worker-rate.js";

/** What must be the same in a model and in the one whose weights it begins with. */
const SHAPE = ["cell", "layers", "hiddenSize", "embeddingSize", "ngramOrder", "ngramRows"] as const;

/** The factor on the rate that the weights were trained with: what they know must not be lost at once. */
const RATE_FACTOR = 0.3;

/**
 * The settings of a run that begins with the weights of a checkpoint: the model's shape and number of members are the
 * checkpoint's, and the learning rate is lower than its was, unless one is asked for.
 *
 * @throws CharnnError `INVALID_SETTING` when another shape is asked for
 */
export function settingsFor({ config }: Checkpoint, settings: TrainSettings): TrainSettings {
  const base = config.model;
  for (const name of SHAPE) {
    const asked = settings[name];
    const given = name === "ngramOrder" ? (base.ngramOrder ?? 1) : base[name];
    if (asked === undefined || given === undefined || asked === given) continue;
    throw new CharnnError(
      "INVALID_SETTING",
      `${name} is ${given} in the checkpoint of \`initFrom\`, not ${asked}.`,
      "Leave it out: with `initFrom`, the sizes come from the checkpoint.",
      { setting: name },
    );
  }
  const { cell, layers, hiddenSize, embeddingSize, ngramOrder = 1, ngramRows } = base;
  const { learningRate: before, workers = 1 } = config.training;
  const factor = (RATE_FACTOR * rateFactor(settings.workers ?? 1)) / rateFactor(workers);
  const learningRate = settings.learningRate ?? factor * before;
  const members = settings.members ?? config.training.members;
  const shape = { cell, layers, hiddenSize, embeddingSize, ngramOrder, ngramRows };
  return { ...settings, ...shape, members, learningRate };
}

/**
 * Overwrites a model's first weights by those of a checkpoint, whose characters must all be in the
 * model's vocabulary. What belongs to a character that the checkpoint does not know keeps its first
 * weights, and is as unlikely as the least likely one. In another vocabulary n-grams have other rows: each gets the vector
 * of the first n-gram in the text that has it, and the others begin as zeros.
 *
 * @param text to learn from
 */
export function initFrom(
  model: CharRnn,
  { vocabulary, tokens }: { vocabulary: Vocabulary; tokens: Tokens },
  base: Checkpoint,
): void {
  const values = model.parameters.read().slice();
  const { size } = base.vocabulary;
  const codePoints = [...base.vocabulary.codePoints()];
  const targets = Array.from({ length: size }, (_, index) => {
    if (index === base.vocabulary.unknown) return vocabulary.unknown as number;
    return vocabulary.indexOf(codePoints[index]) as number;
  });
  const hasSameVocabulary =
    vocabulary.size === size && targets.every((target, index) => target === index);
  const tokensBefore: (number | undefined)[] = [];
  for (const [index, target] of targets.entries()) tokensBefore[target] = index;
  const tables = { to: ngramTables(model.config), from: ngramTables(base.config.model) };
  for (const [name, to] of parameterViews(model.config, values)) {
    const data = numbersOf(base.tensors, name);
    if (/^(encoder|decoder)\./.test(name)) {
      if (name === "decoder.bias")
        to.data.fill(data.reduce((least, value) => Math.min(least, value)));
      copyRows(to.data, data, targets, data.length / size);
    } else if (name.startsWith("ngram") && !hasSameVocabulary) {
      const k = tables.to.findIndex((table) => table.name === name);
      const both = { to: tables.to[k], from: tables.from[k] };
      moveNgrams({ to: to.data, from: data }, both, tokens, tokensBefore);
    } else if (name === "rnn.weight_ih_l0" && model.config.embeddingSize === 0) {
      for (let row = 0; row < data.length / size; row++) {
        const ofRow = to.data.subarray(row * vocabulary.size, (row + 1) * vocabulary.size);
        copyRows(ofRow, data.subarray(row * size, (row + 1) * size), targets, 1);
      }
    } else {
      to.data.set(data);
    }
  }
  model.parameters.write(values);
}

/** Row i of `from` becomes row `targets[i]` of `to`. */
function copyRows(
  to: Float32Array,
  from: Float32Array,
  targets: readonly number[],
  columns: number,
): void {
  for (const [row, target] of targets.entries()) {
    to.set(from.subarray(row * columns, (row + 1) * columns), target * columns);
  }
}
