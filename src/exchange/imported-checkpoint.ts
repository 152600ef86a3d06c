import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { NamedTensor } from "../checkpoint/safetensors.js";
import type { ModelConfig } from "../config/model.js";
import { PRESET_NAMES } from "../config/names.js";
import { parameterShapes } from "../config/parameters.js";
import { firstProgress, namesIn, type RunConfig } from "../config/run.js";
import { pick } from "../config/schema.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import { PRESETS, presetRecipe } from "../planning/presets.js";
import type { ForeignWeights } from "./weights-file.js";

/**
 * A checkpoint with the weights of a model of another program.
 *
 * @param characters its code points by their indices there
 * @throws CharnnError `BAD_CHECKPOINT` where n-grams have embeddings and the characters have another order than charnn's
 */
export function importedCheckpoint(
  { model, parameters, digest }: ForeignWeights,
  characters: readonly number[],
): Checkpoint {
  const vocabulary = Vocabulary.fromCodePoints(characters);
  const indices = new Map(characters.map((codePoint, index) => [codePoint, index]));
  const order = Array.from(
    vocabulary.codePoints(),
    (codePoint) => indices.get(codePoint) as number,
  );
  const tensors = new Map<string, NamedTensor>();
  for (const [name, shape] of parameterShapes(model)) {
    const data = parameters.get(name) as Float32Array;
    tensors.set(name, { name, shape, data: inOrder(name, data, model, order) });
  }
  return { config: importedConfig(model, digest), vocabulary, progress: firstProgress(), tensors };
}

/** The numbers of a parameter with those of each character where charnn's vocabulary has it. */
function inOrder(
  name: string,
  data: Float32Array,
  { embeddingSize, vocabularySize }: ModelConfig,
  order: readonly number[],
): Float32Array {
  if (order.every((from, to) => from === to)) return data;
  const moved = new Float32Array(data.length);
  if (/^(?:encoder|decoder)\./.test(name)) {
    const columns = data.length / vocabularySize;
    for (const [to, from] of order.entries()) {
      moved.set(data.subarray(from * columns, (from + 1) * columns), to * columns);
    }
    return moved;
  }
  if (name.startsWith("ngram")) throw otherOrder();
  // With one-hot input each character has a column.
  if (name !== "rnn.weight_ih_l0" || embeddingSize > 0) return data;
  for (let row = 0; row < data.length; row += vocabularySize) {
    for (const [to, from] of order.entries()) moved[row + to] = data[row + from];
  }
  return moved;
}

/** Rows of n-grams can't be moved: several n-grams may share one. */
function otherOrder(): CharnnError {
  return new CharnnError(
    "BAD_CHECKPOINT",
    "The model has embeddings of n-grams, whose rows depend on the order of the characters, and its characters are not in the order of charnn, that of their code points.",
    "Train it again with characters in that order.",
  );
}

/**
 * What is known of a model that was trained elsewhere. How a training goes on from it is what charnn chooses for
 * its size.
 *
 * @param digest of its weights: nobody knows the text, and no other run has learned from it
 */
function importedConfig(model: ModelConfig, digest: string): RunConfig {
  const sizes = PRESET_NAMES.filter((name) => PRESETS[name].hiddenSize >= model.hiddenSize);
  const preset = sizes[0] ?? "large";
  const all = {
    ...TRAIN_DEFAULTS,
    ...presetRecipe(preset, model.vocabularySize),
    preset,
    split: "sequential" as const,
    stride: TRAIN_DEFAULTS.seqLength,
    dropout: 0,
    inputDropout: 0,
    recurrentDropout: 0,
    evalEvery: 1,
  };
  return {
    model,
    text: {
      fingerprint: `imported:${digest}`,
      characters: 0,
      trainCharacters: 0,
      validationCharacters: 0,
      testCharacters: 0,
    },
    training: pick(all, namesIn("training") as (keyof typeof all)[]) as RunConfig["training"],
    limits: { epochs: 1 },
    imported: true,
  };
}
