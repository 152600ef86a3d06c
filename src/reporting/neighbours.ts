import type { Checkpoint } from "../checkpoint/checkpoint.js";

/** A character of the vocabulary, and those that the model takes for the most similar. */
export interface Neighbours {
  readonly character: string;
  /** Of the text, where it is known. */
  readonly count: number | undefined;
  readonly nearest: readonly string[];
}

const MOST_CHARACTERS = 500;
const NEAREST = 5;

/**
 * The characters of a vocabulary, the first ones of a large one, with the characters whose vectors have the
 * smallest angle to theirs: rows of the embedding, or, where there is none, what the input weights of the
 * first layer make of each.
 */
export function neighboursOf(
  { config, vocabulary, tensors }: Checkpoint,
  counts: Float64Array | undefined,
): Neighbours[] {
  const vectors = unitVectors(config.model.embeddingSize, vocabulary.size, tensors);
  const similarity = (a: number, b: number) =>
    vectors[a].reduce((sum, value, k) => sum + value * vectors[b][k], 0);
  return Array.from({ length: Math.min(vocabulary.size, MOST_CHARACTERS) }, (_, index) => {
    const others = Array.from(vectors.keys()).filter((other) => other !== index);
    const similarities = new Map(others.map((other) => [other, similarity(index, other)]));
    const of = (other: number) => similarities.get(other) as number;
    const nearest = others.sort((a, b) => of(b) - of(a) || a - b).slice(0, NEAREST);
    return {
      character: vocabulary.characterAt(index),
      count: counts?.[index],
      nearest: nearest.map((other) => vocabulary.characterAt(other)),
    };
  });
}

/** The vector of each character, of length 1. */
function unitVectors(
  embeddingSize: number,
  vocabularySize: number,
  tensors: Checkpoint["tensors"],
): Float32Array[] {
  const name = embeddingSize > 0 ? "encoder.weight" : "rnn.weight_ih_l0";
  const data = tensors.get(name)?.data as Float32Array;
  return Array.from({ length: vocabularySize }, (_, index) => {
    const vector =
      embeddingSize > 0
        ? data.slice(index * embeddingSize, (index + 1) * embeddingSize)
        : Float32Array.from(
            { length: data.length / vocabularySize },
            (_value, row) => data[row * vocabularySize + index],
          );
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0)) || 1;
    return vector.map((value) => value / length);
  });
}
