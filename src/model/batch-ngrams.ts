import { type ParameterArray, SPARSE_GROUP } from "../backends/backend.js";
import { rowsOfNgrams, sumRows, vectorTables } from "../backends/ngram-vectors.js";
import { numbersOf } from "../backends/plain-arrays.js";
import type { ModelConfig } from "../config/model.js";
import type { Batch } from "../data/batch.js";
import type { DropoutMasks } from "./dropout.js";

/**
 * The different n-grams of a batch and what the first layer reads for each: the sum of the embedding of its last character
 * and those of the n-grams that end with it. The layer sees one small table of these sums in place of the large tables.
 */
export class BatchNgrams {
  /** `[time, batch]`: the row of {@link embedding} that is read at each position. */
  readonly inputs: Int32Array;
  /** `[distinct n-grams, embedding]` */
  readonly embedding: Float32Array;
  readonly #names: readonly string[];
  /** `[distinct n-grams, tables]`: -1 where the n-gram's vector is dropped. */
  readonly #rows: Int32Array;
  /** Of the vectors of n-grams that are not dropped, so that their sum is on average what it is without dropout. */
  readonly #factor: number;

  /** @param dropout of the vectors of n-grams, not of those of characters */
  constructor(
    batch: Batch,
    config: ModelConfig,
    parameters: ParameterArray,
    dropout?: DropoutMasks["ngrams"],
  ) {
    this.#names = vectorTables(config);
    const { inputs, symbols } = distinctNgrams(batch, this.#names.length);
    this.inputs = inputs;
    this.#rows = rowsOfNgrams(config, symbols);
    this.#factor = dropout ? 1 / (1 - dropout.rate) : 1;
    if (dropout) dropRows(this.#rows, this.#names.length, dropout);
    const count = symbols.length / this.#names.length;
    this.embedding = new Float32Array(count * config.embeddingSize);
    const tables = this.#names.map((name) => numbersOf(parameters.of(name)));
    sumRows(this.#rows, tables, this.embedding, this.#factor);
  }

  /**
   * Overwrites the gradients of all embeddings: each row gets the sum of the gradients of all n-grams that use it.
   *
   * @param gradient `[distinct n-grams, embedding]`
   * @param nonzero of these gradients, which nothing else has written to; left out: they may be anything
   */
  spread(gradient: Float32Array, gradients: ParameterArray, nonzero?: NonzeroGradients): void {
    nonzero?.clear();
    const order = this.#names.length;
    const size = (gradient.length / this.#rows.length) * order;
    for (const [k, name] of this.#names.entries()) {
      const own = gradients.of(name);
      const values = own instanceof Float32Array ? own : new Float32Array(own.length);
      if (!nonzero && values === own) values.fill(0);
      const factor = k > 0 ? this.#factor : 1;
      for (let from = 0, at = k; at < this.#rows.length; at += order, from += size) {
        const to = this.#rows[at] * size;
        if (to < 0) continue;
        for (let i = 0; i < size; i++) values[to + i] += factor * gradient[from + i];
      }
      if (values !== own) gradients.writeSlice(name, values);
    }
    nonzero?.add(this.#rows);
  }
}

/**
 * Which gradients of embeddings may differ from zero. A batch reads few rows of large tables; this spares looking at the
 * others, and clearing them.
 */
export class NonzeroGradients {
  /**
   * `[embeddings / SPARSE_GROUP]`, of all tables one after the other: 0 where the gradients of a group are all zero.
   */
  readonly groups: Uint8Array;
  readonly #gradients: Float32Array;
  readonly #size: number;
  /** Where each table begins. */
  readonly #begins: number[] = [];
  /** `[n-grams, tables]`: those that differ from zero, by their rows; -1: none. */
  #rows: Int32Array = new Int32Array();

  /** @param gradients all zero; an array */
  constructor(config: ModelConfig, gradients: ParameterArray) {
    this.#gradients = numbersOf(gradients.flat);
    this.#size = config.embeddingSize;
    let begin = 0;
    for (const name of vectorTables(config)) {
      this.#begins.push(begin);
      begin += gradients.of(name).length;
    }
    this.groups = new Uint8Array(Math.floor(begin / SPARSE_GROUP));
  }

  /** Makes them all zero. */
  clear(): void {
    this.#each((begin, end) => {
      for (let at = begin; at < end; at++) this.#gradients[at] = 0;
    }, 0);
    this.#rows = new Int32Array();
  }

  /** @param rows `[n-grams, tables]`: those that are written to; -1: none */
  add(rows: Int32Array): void {
    this.#rows = rows;
    this.#each(() => {}, 1);
  }

  #each(visit: (begin: number, end: number) => void, mark: 0 | 1): void {
    const order = this.#begins.length;
    for (const [k, beginOfTable] of this.#begins.entries()) {
      for (let at = k; at < this.#rows.length; at += order) {
        if (this.#rows[at] < 0) continue;
        const begin = beginOfTable + this.#rows[at] * this.#size;
        const end = begin + this.#size;
        visit(begin, end);
        const last = Math.floor((end - 1) / SPARSE_GROUP);
        for (let group = Math.floor(begin / SPARSE_GROUP); group <= last; group++) {
          this.groups[group] = mark;
        }
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
): { inputs: Int32Array; symbols: Int32Array } {
  const indices = new Int32Array(inputs.length);
  const symbols = new Int32Array(inputs.length * order);
  const mask = 2 ** Math.ceil(Math.log2(2 * inputs.length)) - 1;
  const slots = new Int32Array(mask + 1).fill(-1);
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
