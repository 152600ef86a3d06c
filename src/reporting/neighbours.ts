import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { Parts } from "../turns.js";

/** A character of the vocabulary, and those that the model takes for the most similar. */
export interface Neighbours {
  readonly character: string;
  /** Of the text, where it is known. */
  readonly count: number | undefined;
  readonly nearest: readonly string[];
}

const MOST_CHARACTERS = 500;
const NEAREST = 5;
/** Vectors that are looked at between two stops. */
const VECTORS_IN_PART = 256;

/**
 * The characters of a vocabulary, the first ones of a large one, with the characters whose vectors have the
 * smallest angle to theirs: rows of the embedding, or, where there is none, what the input weights of the
 * first layer make of each.
 */
export function* neighboursOf(
  { config, vocabulary, tensors }: Checkpoint,
  counts: Float64Array | undefined,
): Parts<Neighbours[]> {
  const vectors = yield* unitVectors(config.model.embeddingSize, vocabulary.size, tensors);
  const similarity = (a: number, b: number) =>
    vectors[a].reduce((sum, value, k) => sum + value * vectors[b][k], 0);
  const neighbours: Neighbours[] = [];
  for (let index = 0; index < Math.min(vocabulary.size, MOST_CHARACTERS); index++) {
    const others: number[] = [];
    const similarities = new Float64Array(vocabulary.size);
    for (let other = 0; other < vocabulary.size; other++) {
      if (other === index) continue;
      others.push(other);
      similarities[other] = similarity(index, other);
      if (other % VECTORS_IN_PART === 0) yield;
    }
    others.sort((a, b) => similarities[b] - similarities[a] || a - b);
    neighbours.push({
      character: vocabulary.characterAt(index),
      count: counts?.[index],
      nearest: others.slice(0, NEAREST).map((other) => vocabulary.characterAt(other)),
    });
    yield;
  }
  return neighbours;
}

/** The vector of each character, of length 1. */
function* unitVectors(
  embeddingSize: number,
  vocabularySize: number,
  tensors: Checkpoint["tensors"],
): Parts<Float32Array[]> {
  const name = embeddingSize > 0 ? "encoder.weight" : "rnn.weight_ih_l0";
  const data = tensors.get(name)?.data as Float32Array;
  const vectors: Float32Array[] = [];
  for (let index = 0; index < vocabularySize; index++) {
    if (index % VECTORS_IN_PART === 0) yield;
    const vector =
      embeddingSize > 0
        ? data.slice(index * embeddingSize, (index + 1) * embeddingSize)
        : Float32Array.from(
            { length: data.length / vocabularySize },
            (_value, row) => data[row * vocabularySize + index],
          );
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0)) || 1;
    vectors.push(vector.map((value) => value / length));
  }
  return vectors;
}
