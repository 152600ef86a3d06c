/** How the models of a checkpoint predict a text, character by character. */

import { nothingBefore, tokensBefore } from "../data/batch.js";
import type { Tokens, Vocabulary } from "../data/vocabulary.js";
import type { CharRnn, ModelState } from "../model/char-rnn.js";
import type { MixtureReader, MixtureState } from "../sampling/mixture-reader.js";
import type { Turns } from "../turns.js";

/** The most characters that are read at once. */
export const WINDOW = 256;
const SHOWN_EXPECTATIONS = 5;

/** A piece of a text that is read at once. */
interface Piece {
  readonly start: number;
  readonly inputs: Int32Array;
  /** The tokens before them, as in a batch of one row. */
  readonly before: Int32Array;
  /** Whether it begins from a state of zero. */
  readonly startsFresh: boolean;
}

/** @param documentEnd where it is given, each document begins from a state of zero */
function* piecesOf(tokens: Tokens, documentEnd: number | undefined): Generator<Piece> {
  for (let start = 0; start < tokens.length; ) {
    const startsFresh = start === 0 || tokens[start] === documentEnd;
    const next = documentEnd === undefined ? -1 : tokens.indexOf(documentEnd, start + 1);
    const end = Math.min(next < 0 ? tokens.length : next, start + WINDOW, tokens.length);
    const before = startsFresh ? nothingBefore(1) : tokensBefore(tokens, start);
    yield { start, inputs: Int32Array.from(tokens.subarray(start, end)), before, startsFresh };
    start = end;
  }
}

/** The activations of each unit, of the lowest layer first, when it has read each token. */
export async function activationsOf(
  model: CharRnn,
  tokens: Tokens,
  documentEnd: number | undefined,
  turns: Turns,
): Promise<Float32Array[]> {
  const { layers, hiddenSize } = model.config;
  const activations = Array.from(
    { length: layers * hiddenSize },
    () => new Float32Array(tokens.length),
  );
  let state: ModelState = model.zeroState(1);
  for (const { start, inputs, before, startsFresh } of piecesOf(tokens, documentEnd)) {
    if (startsFresh) state = model.zeroState(1);
    const time = inputs.length;
    const read = { inputs, targets: inputs, before, time, batch: 1, startsFresh };
    const traced = model.trace(read, state);
    state = traced.state;
    for (const [layer, outputs] of traced.outputs.entries()) {
      for (let unit = 0; unit < hiddenSize; unit++) {
        const own = activations[layer * hiddenSize + unit];
        for (let step = 0; step < time; step++)
          own[start + step] = outputs[step * hiddenSize + unit];
      }
    }
    await turns.give();
  }
  return activations;
}

/** What was expected where a character stands. */
interface Prediction {
  /** Its surprisal; null at the beginning. */
  readonly bits: number | null;
  /** The likeliest characters, the likeliest first. */
  readonly expected: readonly string[];
  readonly probabilities: readonly number[];
}

/** Models that read a text, and how. */
interface Readers {
  readonly reader: MixtureReader;
  readonly vocabulary: Vocabulary;
  /** Where it is given, each document begins from a state of zero. */
  readonly end: number | undefined;
}

/** What all models together expected at the position of each token from one on. */
export async function predictionsOf(
  { reader, vocabulary, end }: Readers,
  tokens: Tokens,
  from: number,
  turns: Turns,
): Promise<Prediction[]> {
  const { size } = vocabulary;
  const predictions: Prediction[] = [];
  if (from === 0) predictions.push({ bits: null, expected: [], probabilities: [] });
  let state: MixtureState = reader.zeroState(1);
  // The last token predicts what is not shown.
  for (const { start, inputs, startsFresh } of piecesOf(tokens.subarray(0, -1), end)) {
    if (startsFresh) state = reader.zeroState(1);
    for await (const predicted of reader.read(inputs, 1, state, turns)) {
      state = predicted.state;
      for (let at = 0; at < predicted.probabilities.length / size; at++) {
        const position = start + predicted.first + at + 1;
        if (position < from) continue;
        const own = predicted.probabilities.subarray(at * size, (at + 1) * size);
        const best = likeliest(own);
        predictions.push({
          bits: Number((-Math.log2(own[tokens[position]])).toFixed(2)),
          expected: best.map((it) => vocabulary.characterAt(it)),
          probabilities: best.map((it) => Number(own[it].toFixed(3))),
        });
      }
    }
  }
  return predictions;
}

/** The indices of the largest numbers, the largest first. */
function likeliest(probabilities: Float64Array): number[] {
  const best: number[] = [];
  for (let index = 0; index < probabilities.length; index++) {
    const rank = best.findIndex((other) => probabilities[other] < probabilities[index]);
    if (rank >= 0) best.splice(rank, 0, index);
    else if (best.length < SHOWN_EXPECTATIONS) best.push(index);
    best.length = Math.min(best.length, SHOWN_EXPECTATIONS);
  }
  return best;
}
