import { stopHere } from "../stop.js";
import { addProduct, fillRows, ROWS_AT_ONCE, transpose } from "./matrix.js";
import type { CpuWorkspace } from "./workspace.js";

/**
 * Tokens as a layer's input. The product of the input weights with a token's vector depends on the
 * token and its mask alone, so it is made once for each pair of them that occurs and then looked up:
 * no matrix product over time. Backwards the gradients of equal pairs are added up first.
 */
export interface TokenInput {
  /** int32 `[time, batch]` */
  readonly tokens: Int32Array;
  readonly batch: number;
  readonly vocabulary: number;
  /** `[masks, input]`: multiplies the vectors; sequence b of the batch has row b mod masks. */
  readonly mask: Float32Array | undefined;
  /** `[vocabulary, input]`; undefined: one-hot. */
  readonly embedding: Float32Array | undefined;
  /** `[gates, input]` */
  readonly weightIh: Float32Array;
  /** `[gates]` */
  readonly biasIh: Float32Array;
  readonly gates: number;
  readonly inputSize: number;
}

/** inputGates[t, b] = W_ih (mask x[t, b]) + b_ih, `[time, batch, gates]`. */
export function lookUpInputGates(
  inputGates: Float32Array,
  input: TokenInput,
  work: CpuWorkspace,
): void {
  const { tokens, embedding, weightIh, biasIh, gates, inputSize } = input;
  const { pairs, indices } = findPairs(input, work);
  const table = work.floats("token table", pairs.length * gates);
  fillRows(table, biasIh, pairs.length);
  if (embedding) {
    const rows = maskedRows(embedding, pairs, input, work);
    addProduct(table, rows, weightIh, pairs.length, gates, inputSize);
  } else {
    for (let d = 0; d < pairs.length; d++) {
      const { token, mask } = partsOf(pairs[d], input);
      const factor = input.mask ? input.mask[mask + token] : 1;
      for (let g = 0; g < gates; g++) {
        table[d * gates + g] += factor * weightIh[g * inputSize + token];
      }
    }
  }
  for (let i = 0; i < tokens.length; i++) {
    if (i % ROWS_AT_ONCE === 0) stopHere();
    const row = indices[i] * gates;
    for (let g = 0; g < gates; g++) inputGates[i * gates + g] = table[row + g];
  }
}

/** Overwrites the gradients of the input weights and of the embedding, if there is one. */
export function tokenInputGradients(
  gradientWeightIh: Float32Array,
  gradientEmbedding: Float32Array | undefined,
  gradientInputGates: Float32Array,
  input: TokenInput,
  work: CpuWorkspace,
): void {
  const { tokens, embedding, weightIh, gates, inputSize } = input;
  const { pairs, indices } = findPairs(input, work);
  const sums = work.doubles("token sums", pairs.length * gates).fill(0);
  for (let i = 0; i < tokens.length; i++) {
    if (i % ROWS_AT_ONCE === 0) stopHere();
    const row = indices[i] * gates;
    for (let g = 0; g < gates; g++) sums[row + g] += gradientInputGates[i * gates + g];
  }
  gradientWeightIh.fill(0);
  if (embedding && gradientEmbedding) {
    const rows = maskedRows(embedding, pairs, input, work);
    const rowsByInput = work.floats("embedding rows by input", rows.length);
    transpose(rowsByInput, rows, pairs.length, inputSize);
    const sumsByGate = work.doubles("token sums by gate", sums.length);
    transpose(sumsByGate, sums, pairs.length, gates);
    addProduct(gradientWeightIh, sumsByGate, rowsByInput, gates, inputSize, pairs.length);

    const weightByInput = work.floats("weight_ih by input", weightIh.length);
    transpose(weightByInput, weightIh, gates, inputSize);
    const gradientRows = work.floats("gradient rows", rows.length).fill(0);
    addProduct(gradientRows, sums, weightByInput, pairs.length, inputSize, gates);
    gradientEmbedding.fill(0);
    for (let d = 0; d < pairs.length; d++) {
      const { token, mask } = partsOf(pairs[d], input);
      for (let i = 0; i < inputSize; i++) {
        const factor = input.mask ? input.mask[mask + i] : 1;
        gradientEmbedding[token * inputSize + i] += factor * gradientRows[d * inputSize + i];
      }
    }
  } else {
    for (let d = 0; d < pairs.length; d++) {
      const { token, mask } = partsOf(pairs[d], input);
      const factor = input.mask ? input.mask[mask + token] : 1;
      for (let g = 0; g < gates; g++) {
        gradientWeightIh[g * inputSize + token] += factor * sums[d * gates + g];
      }
    }
  }
}

/**
 * The pairs of a mask and a token that occur, in the order in which they first do, and each position's
 * index among them. A pair is one number: the mask's times the vocabulary, plus the token.
 */
function findPairs(
  { tokens, batch, vocabulary, mask, inputSize }: TokenInput,
  work: CpuWorkspace,
): { pairs: Int32Array; indices: Int32Array } {
  const masks = mask ? mask.length / inputSize : 1;
  const indices = work.integers("token indices", tokens.length);
  const pairs = work.integers("token pairs", tokens.length);
  const indexOf = new Map<number, number>();
  for (let i = 0; i < tokens.length; i++) {
    const pair = ((i % batch) % masks) * vocabulary + tokens[i];
    let index = indexOf.get(pair);
    if (index === undefined) {
      index = indexOf.size;
      indexOf.set(pair, index);
      pairs[index] = pair;
    }
    indices[i] = index;
  }
  return { pairs: pairs.subarray(0, indexOf.size), indices };
}

/** A pair's token, and where its mask begins. */
function partsOf(pair: number, { vocabulary, inputSize }: TokenInput) {
  return { token: pair % vocabulary, mask: Math.floor(pair / vocabulary) * inputSize };
}

/** The embedding of each pair's token times its mask, `[pairs, input]`. */
function maskedRows(
  embedding: Float32Array,
  pairs: Int32Array,
  input: TokenInput,
  work: CpuWorkspace,
): Float32Array {
  const { inputSize } = input;
  const rows = work.floats("embedding rows", pairs.length * inputSize);
  for (let d = 0; d < pairs.length; d++) {
    const { token, mask } = partsOf(pairs[d], input);
    for (let i = 0; i < inputSize; i++) {
      const factor = input.mask ? input.mask[mask + i] : 1;
      rows[d * inputSize + i] = factor * embedding[token * inputSize + i];
    }
  }
  return rows;
}
