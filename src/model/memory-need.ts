/** How much memory a model takes, about: what can't fit is refused before any of it is made. */

import type { Backend } from "../backends/backend.js";
import { CELLS, type CellName } from "../config/cells.js";
import type { ModelConfig } from "../config/model.js";
import type { BackendName } from "../config/names.js";
import { parameterCount } from "../config/parameters.js";

/** What a backend keeps, in floats, beside the weights themselves; measured by `bench/memory.ts`. */
interface Costs {
  /** For each unit of a layer at each position of a window. */
  readonly perUnit: Readonly<Record<CellName, number>>;
  /** For each unit of one layer, since the next layer uses the same memory. */
  readonly once: Readonly<Record<CellName, number>>;
  /** Copies of the weights in another order. */
  readonly weightCopies: number;
}

const NOTHING = { gru: 0, lstm: 0, rnn: 0 };

/** Of the kernels of `native/`, however they were compiled. */
const KERNEL_COSTS = {
  perUnit: { gru: 6, lstm: 7, rnn: 3 },
  once: NOTHING,
  weightCopies: 2,
};

const COSTS: Readonly<Record<BackendName, Costs>> = {
  native: KERNEL_COSTS,
  wasm: KERNEL_COSTS,
  tensorflow: {
    perUnit: { gru: 7, lstm: 8, rnn: 5 },
    once: { gru: 20, lstm: 17, rnn: 4 },
    weightCopies: 3,
  },
};

/**
 * Bytes of each thread beside that of JavaScript. Those of the wasm backend are workers of Node.js; Node.js 20
 * takes 9 MB for each, Node.js 24 takes 12 MB.
 */
const THREAD_BYTES: Readonly<Record<BackendName, number>> = {
  native: 0,
  wasm: 12e6,
  tensorflow: 0,
};

const BYTES_PER_FLOAT = 4;
/** Logits are computed for some positions at a time. */
const MAX_LOGITS = 2 ** 22;
const MIN_POSITIONS = 256;

/** Bytes of one array of all of a model's parameters. */
export function parameterBytes(model: ModelConfig): number {
  return BYTES_PER_FLOAT * parameterCount(model);
}

/** Bytes that a backend takes for its threads. */
export function threadsBytes({ name, threads }: Pick<Backend, "name" | "threads">): number {
  return (threads - 1) * THREAD_BYTES[name];
}

/** How a model reads a text. */
interface Windows {
  readonly time: number;
  readonly batch: number;
  /** How many dropout masks a layer's states are read through: what is read is kept for each. */
  readonly masks?: number;
}

/** Bytes of scratch memory that a model takes to read windows of text, `time` characters in `batch` rows. */
export function windowBytes(
  model: ModelConfig,
  backend: BackendName,
  { time, batch, masks = 0 }: Windows,
): number {
  const { cell, layers, hiddenSize, embeddingSize, vocabularySize } = model;
  const { perUnit, once, weightCopies } = COSTS[backend];
  const gates = CELLS[cell].gates.length;
  const positions = time * batch;
  const states = positions * hiddenSize * (layers * (perUnit[cell] + masks) + once[cell]);
  // What the input weights have for each character, or n-gram, that occurs. Those of n-grams are made of vectors, which
  // have gradients; and the symbols, rows and slots of a batch's n-grams are held too.
  const table = model.ngramOrder
    ? positions * (gates * hiddenSize + 2 * embeddingSize + 2 * model.ngramOrder + 6)
    : Math.min(positions, vocabularySize) * gates * hiddenSize;
  const logits =
    vocabularySize * Math.min(positions, Math.max(MIN_POSITIONS, MAX_LOGITS / vocabularySize));
  return weightCopies * parameterBytes(model) + BYTES_PER_FLOAT * (states + table + logits);
}

/** Bytes that a model takes to write `count` texts side by side, beside its weights. */
export function streamsBytes(model: ModelConfig, count: number): number {
  const { cell, layers, hiddenSize, embeddingSize, vocabularySize } = model;
  const gates = CELLS[cell].gates.length;
  const states = count * hiddenSize * (layers * (gates + 3) + gates);
  const table = model.ngramOrder
    ? gates * hiddenSize * embeddingSize + 2 * count * embeddingSize
    : vocabularySize * gates * hiddenSize;
  const logits = 2 * count * vocabularySize;
  return parameterBytes(model) + BYTES_PER_FLOAT * (states + table + logits);
}
