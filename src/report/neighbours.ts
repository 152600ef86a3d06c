import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { numbersOf } from "../checkpoint/checkpoint-tensors.js";
import { memberCount } from "../config/members.js";
import type { Parts } from "../turns.js";

/** A character of the vocabulary, and those that the model treats as most similar. */
interface Neighbours {
  readonly character: string;
  /** Of the text, where it is known. */
  readonly count: number | undefined;
  readonly nearest: readonly string[];
}

const MAX_CHARACTERS = 500;
const NEAREST = 5;
/** The vector of a character that occurs less often has hardly changed since the beginning. */
export const MIN_COUNT = 5;
/** Vectors that are looked at between two stops. */
const VECTORS_IN_PART = 256;

/** How often each character of a text occurs. */
export type Counts = ReadonlyMap<string, number>;

/** A vocabulary as a report shows it. */
export interface VocabularyView {
  readonly size: number;
  /** How many models the run has; the vectors are those of the first. */
  readonly members: number;
  /** The most frequent first; by code point where nothing says how often each occurs. */
  readonly order: "frequency" | "code point";
  /** Characters that occur too rarely for their vectors to say anything; none of them is a neighbour. */
  readonly rare: number;
  readonly neighbours: readonly Neighbours[];
}

/**
 * The characters of a vocabulary, the first ones of a large one, with the characters whose vectors have the
 * smallest angle to theirs: rows of the embedding, or, where there is none, what the input weights of the
 * first layer make of each.
 *
 * @param counts of the text; where it is left out, all are shown in the order of their code points
 */
export function* vocabularyView(
  { config, vocabulary, tensors }: Checkpoint,
  counts: Counts | undefined,
): Parts<VocabularyView> {
  const { size } = vocabulary;
  const countOf = (index: number) => counts?.get(vocabulary.characterAt(index)) ?? 0;
  const all = Array.from({ length: size }, (_, index) => index);
  const frequent = counts ? all.filter((index) => countOf(index) >= MIN_COUNT) : all;
  if (counts) frequent.sort((a, b) => countOf(b) - countOf(a) || a - b);
  const vectors = yield* unitVectors(config.model.embeddingSize, size, tensors);
  const similarity = (a: Float32Array, b: Float32Array) => {
    let sum = 0;
    for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
    return sum;
  };
  const neighbours: Neighbours[] = [];
  for (const index of frequent.slice(0, MAX_CHARACTERS)) {
    const nearest: Similar[] = [];
    for (const [k, other] of frequent.entries()) {
      if (other !== index) {
        keepNearest(nearest, { other, value: similarity(vectors[index], vectors[other]) });
      }
      if (k % VECTORS_IN_PART === 0) yield;
    }
    neighbours.push({
      character: vocabulary.characterAt(index),
      count: counts && countOf(index),
      nearest: nearest.map(({ other }) => vocabulary.characterAt(other)),
    });
    yield;
  }
  const order = counts ? "frequency" : "code point";
  return { size, members: memberCount(config), order, rare: size - frequent.length, neighbours };
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
