import { type Backend, type ParameterArray, SPARSE_GROUP } from "../backends/backend.js";
import { rowsOfNgrams } from "../backends/ngram-vectors.js";
import { numbersOf } from "../backends/plain-arrays.js";
import type { RowSums } from "../backends/row-sums.js";
import type { ModelConfig } from "../config/model.js";
import { ngramTables } from "../config/ngrams.js";
import { embeddingCount } from "../config/parameters.js";
import type { Batch } from "../data/batch.js";
import type { DropoutMasks } from "./dropout.js";
import type { ScratchArrays } from "./scratch-arrays.js";

/** A model with embeddings of n-grams. */
interface NgramModel {
  readonly backend: Backend;
  readonly config: ModelConfig;
  readonly parameters: ParameterArray;
}

/**
 * The different n-grams of a batch and what the first layer reads for each: the sum of the embedding of its last character
 * and those of the n-grams that end with it. The layer sees one small table of these sums in place of the large tables.
 */
export class BatchNgrams {
  /** `[time, batch]`: the row of {@link embedding} that is read at each position. */
  readonly inputs: Int32Array;
  /** `[distinct n-grams, embedding]` */
  readonly embedding: Float32Array;
  /** The rows of the embeddings of characters, of pairs and so on, one table after the other, that each is made of. */
  readonly #sums: RowSums;

  /**
   * @param scratch not to be used for another batch as long as this one is needed
   * @param dropout of the vectors of n-grams, not of those of characters
   */
  constructor(
    batch: Batch,
    { backend, config, parameters }: NgramModel,
    scratch: ScratchArrays,
    dropout?: DropoutMasks["ngrams"],
  ) {
    const terms = config.ngramOrder as number;
    const { inputs, symbols } = distinctNgrams(batch, terms, scratch);
    this.inputs = inputs;
    const rows = rowsOfNgrams(config, symbols);
    if (dropout) dropRows(rows, terms, dropout);
    const tableRows = tablesInOne(config, rows);
    // Larger where some are dropped, so that a sum is on average what it is without dropout.
    const factor = dropout ? 1 / (1 - dropout.rate) : 1;
    this.#sums = { rows, terms, tableRows, factor };
    const count = symbols.length / terms;
    this.embedding = scratch.floats("vectors of n-grams", count * config.embeddingSize);
    backend.sumRows(this.#sums, parameters, this.embedding);
  }

  /**
   * Overwrites the gradients of all embeddings: each row gets the sum of the gradients of all n-grams that use it.
   *
   * @param gradient `[distinct n-grams, embedding]`
   * @param nonzero what it knows of `gradients`, to which nothing else may write; left out: they may be anything
   */
  spread(
    gradient: Float32Array,
    backend: Backend,
    gradients: ParameterArray,
    nonzero?: NonzeroGradients,
  ): void {
    const { rows, terms, tableRows } = this.#sums;
    const { flat } = gradients;
    const size = (gradient.length / rows.length) * terms;
    if (nonzero) nonzero.clear();
    else if (flat instanceof Float32Array) flat.fill(0, 0, tableRows * size);
    backend.spreadRows(this.#sums, gradient, gradients);
    nonzero?.add(rows);
  }
}

/**
 * Numbers rows as if all tables were one.
 *
 * @param rows `[n-grams, tables]`: overwritten; -1 stays
 * @returns how many rows it has
 */
function tablesInOne(config: ModelConfig, rows: Int32Array): number {
  const tables = ngramTables(config);
  const order = tables.length + 1;
  let first = config.vocabularySize;
  for (const [k, table] of tables.entries()) {
    for (let at = k + 1; at < rows.length; at += order) if (rows[at] >= 0) rows[at] += first;
    first += table.rows;
  }
  return first;
}

/**
 * Which gradients of embeddings may differ from zero. A batch reads few rows of large tables; this spares looking at the
 * others, and clearing them.
 */
export class NonzeroGradients {
  /** `[embeddings / SPARSE_GROUP]`: 0 where the gradients of a group are all zero. */
  readonly groups: Uint8Array;
  readonly #gradients: Float32Array;
  /** Of a row. */
  readonly #size: number;
  /** Those that differ from zero; below 0: none. */
  #rows: Int32Array = new Int32Array();

  /** @param gradients all zero; an array */
  constructor(config: ModelConfig, gradients: ParameterArray) {
    this.#gradients = numbersOf(gradients.flat);
    this.#size = config.embeddingSize;
    this.groups = new Uint8Array(Math.floor(embeddingCount(config) / SPARSE_GROUP));
  }

  /** Makes them all zero. */
  clear(): void {
    const size = this.#size;
    for (const row of this.#rows) {
      if (row < 0) continue;
      for (let at = row * size; at < (row + 1) * size; at++) this.#gradients[at] = 0;
    }
    this.#mark(0);
  }

  /** @param rows that are written to, of all tables one after the other; below 0: none */
  add(rows: Int32Array): void {
    this.#rows = rows;
    this.#mark(1);
  }

  #mark(value: 0 | 1): void {
    const size = this.#size;
    for (const row of this.#rows) {
      if (row < 0) continue;
      const last = Math.floor(((row + 1) * size - 1) / SPARSE_GROUP);
      for (let group = Math.floor((row * size) / SPARSE_GROUP); group <= last; group++) {
        this.groups[group] = value;
      }
    }
  }
}

/** Overwrites the rows that are dropped by -1; the first of each n-gram is its character's, which stays. */
function dropRows(
  rows: Int32Array,
  order: number,
  { rate, random }: NonNullable<DropoutMasks["ngrams"]>,
): void {
  for (let at = 0; at < rows.length; at++) {
    if (at % order > 0 && random.uniform() < rate) rows[at] = -1;
  }
}

/**
 * Finds the different n-grams that the characters of a batch end, by a table of their hashes with open addressing.
 *
 * @returns which of them each position has, `[time, batch]`, and their symbols, `[distinct n-grams, order]`
 */
function distinctNgrams(
  { inputs, before, batch }: Batch,
  order: number,
  scratch: ScratchArrays,
): { inputs: Int32Array; symbols: Int32Array } {
  const indices = scratch.integers("indices of n-grams", inputs.length);
  const symbols = scratch.integers("symbols of n-grams", inputs.length * order);
  const mask = 2 ** Math.ceil(Math.log2(2 * inputs.length)) - 1;
  const slots = scratch.integers("slots of n-grams", mask + 1).fill(-1);
  let count = 0;
  for (let at = 0; at < inputs.length; at++) {
    let hash = 0;
    // Written as if it were a new one.
    for (let k = 0; k < order; k++) {
      const from = at - (order - 1 - k) * batch;
      const symbol = (from < 0 ? before[before.length + from] : inputs[from]) + 1;
      symbols[count * order + k] = symbol;
      hash = Math.imul(hash ^ symbol, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    let slot = hash & mask;
    while (slots[slot] >= 0 && !areSame(symbols, slots[slot] * order, count * order, order)) {
      slot = (slot + 1) & mask;
    }
    if (slots[slot] < 0) slots[slot] = count++;
    indices[at] = slots[slot];
  }
  return { inputs: indices, symbols: symbols.subarray(0, count * order) };
}

function areSame(symbols: Int32Array, a: number, b: number, order: number): boolean {
  for (let k = order - 1; k >= 0; k--) if (symbols[a + k] !== symbols[b + k]) return false;
  return true;
}
