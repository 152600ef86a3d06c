import type { FloatArray, Workspace } from "../workspace.js";
import { addProduct, fillRows, transpose } from "./matrix.js";

/**
 * Tokens as a layer's input. The product of the input weights with a token's vector depends on the
 * token alone, so it is made once for each token that occurs and then looked up: no matrix product
 * over time. Backwards the gradients of equal tokens are added up first.
 */
export interface TokenInput {
  /** int32 `[time, batch]` */
  readonly tokens: Int32Array;
  /** `[vocabulary, input]`; undefined: one-hot. */
  readonly embedding: FloatArray | undefined;
  /** `[gates, input]` */
  readonly weightIh: FloatArray;
  /** `[gates]` */
  readonly biasIh: FloatArray;
  readonly gates: number;
  readonly inputSize: number;
}

/** inputGates[t, b] = W_ih x[t, b] + b_ih, `[time, batch, gates]`. */
export function lookUpInputGates(inputGates: FloatArray, input: TokenInput, work: Workspace): void {
  const { tokens, embedding, weightIh, biasIh, gates, inputSize } = input;
  const { distinct, places } = findDistinct(tokens, work);
  const table = work.floats("token table", distinct.length * gates);
  fillRows(table, biasIh, distinct.length);
  if (embedding) {
    const rows = gatherRows(embedding, distinct, inputSize, work);
    addProduct(table, rows, weightIh, distinct.length, gates, inputSize);
  } else {
    for (let d = 0; d < distinct.length; d++) {
      for (let g = 0; g < gates; g++) table[d * gates + g] += weightIh[g * inputSize + distinct[d]];
    }
  }
  for (let i = 0; i < tokens.length; i++) {
    const row = places[i] * gates;
    for (let g = 0; g < gates; g++) inputGates[i * gates + g] = table[row + g];
  }
}

/** Overwrites the gradients of the input weights and of the embedding, if there is one. */
export function tokenInputGradients(
  gradientWeightIh: FloatArray,
  gradientEmbedding: FloatArray | undefined,
  gradientInputGates: FloatArray,
  input: TokenInput,
  work: Workspace,
): void {
  const { tokens, embedding, weightIh, gates, inputSize } = input;
  const { distinct, places } = findDistinct(tokens, work);
  const sums = work.doubles("token sums", distinct.length * gates).fill(0);
  for (let i = 0; i < tokens.length; i++) {
    const row = places[i] * gates;
    for (let g = 0; g < gates; g++) sums[row + g] += gradientInputGates[i * gates + g];
  }
  gradientWeightIh.fill(0);
  if (embedding && gradientEmbedding) {
    const rows = gatherRows(embedding, distinct, inputSize, work);
    const rowsByInput = work.floats("embedding rows by input", rows.length);
    transpose(rowsByInput, rows, distinct.length, inputSize);
    const sumsByGate = work.doubles("token sums by gate", sums.length);
    transpose(sumsByGate, sums, distinct.length, gates);
    addProduct(gradientWeightIh, sumsByGate, rowsByInput, gates, inputSize, distinct.length);

    const weightByInput = work.floats("weight_ih by input", weightIh.length);
    transpose(weightByInput, weightIh, gates, inputSize);
    const gradientRows = work.floats("gradient rows", rows.length).fill(0);
    addProduct(gradientRows, sums, weightByInput, distinct.length, inputSize, gates);
    gradientEmbedding.fill(0);
    for (let d = 0; d < distinct.length; d++) {
      const row = gradientRows.subarray(d * inputSize, (d + 1) * inputSize);
      gradientEmbedding.set(row, distinct[d] * inputSize);
    }
  } else {
    for (let d = 0; d < distinct.length; d++) {
      for (let g = 0; g < gates; g++) {
        gradientWeightIh[g * inputSize + distinct[d]] = sums[d * gates + g];
      }
    }
  }
}

/** The tokens that occur, in the order in which they first do, and each place's index among them. */
function findDistinct(
  tokens: Int32Array,
  work: Workspace,
): { distinct: Int32Array; places: Int32Array } {
  const places = work.integers("token places", tokens.length);
  const distinct = work.integers("distinct tokens", tokens.length);
  const placeOf = new Map<number, number>();
  for (let i = 0; i < tokens.length; i++) {
    let place = placeOf.get(tokens[i]);
    if (place === undefined) {
      place = placeOf.size;
      placeOf.set(tokens[i], place);
      distinct[place] = tokens[i];
    }
    places[i] = place;
  }
  return { distinct: distinct.subarray(0, placeOf.size), places };
}

function gatherRows(
  matrix: FloatArray,
  rows: Int32Array,
  columns: number,
  work: Workspace,
): FloatArray {
  const gathered = work.floats("embedding rows", rows.length * columns);
  for (let r = 0; r < rows.length; r++) {
    const start = rows[r] * columns;
    gathered.set(matrix.subarray(start, start + columns), r * columns);
  }
  return gathered;
}
