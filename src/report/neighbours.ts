import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { numbersOf } from "../checkpoint/checkpoint-tensors.js";
import type { Parts } from "../turns.js";

/** A character of the vocabulary, and those that the model takes for the most similar. */
export interface Neighbours {
  readonly character: string;
  /** Of the text, where it is known. */
  readonly count: number | undefined;
  readonly nearest: readonly string[];
}

const MAX_CHARACTERS = 500;
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
  const { size } = vocabulary;
  const vectors = yield* unitVectors(config.model.embeddingSize, size, tensors);
  const similarity = (a: Float32Array, b: Float32Array) => {
    let sum = 0;
    for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
    return sum;
  };
  const neighbours: Neighbours[] = [];
  for (let index = 0; index < Math.min(size, MAX_CHARACTERS); index++) {
    const nearest: Similar[] = [];
    for (let other = 0; other < size; other++) {
      if (other !== index) {
        keepNearest(nearest, { other, value: similarity(vectors[index], vectors[other]) });
      }
      if (other % VECTORS_IN_PART === 0) yield;
    }
    neighbours.push({
      character: vocabulary.characterAt(index),
      count: counts?.[index],
      nearest: nearest.map(({ other }) => vocabulary.characterAt(other)),
    });
    yield;
  }
  return neighbours;
}

/** How similar another character is. */
interface Similar {
  readonly other: number;
  readonly value: number;
}

/** Adds one to the nearest, in order; of equal ones the earlier comes first. */
function keepNearest(nearest: Similar[], one: Similar): void {
  const isFull = nearest.length === NEAREST;
  if (isFull && !(one.value > nearest[NEAREST - 1].value)) return;
  if (isFull) nearest.pop();
  let at = nearest.length;
  while (at > 0 && one.value > nearest[at - 1].value) at--;
  nearest.splice(at, 0, one);
}

/** The vector of each character, of length 1. */
function* unitVectors(
  embeddingSize: number,
  vocabularySize: number,
  tensors: Checkpoint["tensors"],
): Parts<Float32Array[]> {
  const name = embeddingSize > 0 ? "encoder.weight" : "rnn.weight_ih_l0";
  const data = numbersOf(tensors, name);
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
