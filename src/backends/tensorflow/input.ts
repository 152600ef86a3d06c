import type { Id, Operations } from "./operations.js";

/** What a layer reads, and how many rows of how many numbers it is. */
export type LayerInput = {
  /** Time times batch. */
  readonly rows: number;
  /** Of a vector; one-hot, that of the vocabulary. */
  readonly size: number;
} & (
  | {
      readonly kind: "vectors";
      /** `[time, batch, size]` */
      readonly vectors: Id;
      /** Of the same shape: multiplies them. */
      readonly mask: Id | undefined;
    }
  | { readonly kind: "one-hot" /** `[time, batch]` */; readonly tokens: Id }
  | {
      readonly kind: "embedded";
      readonly tokens: Id;
      /** `[vocabulary, size]` */
      readonly embedding: Id;
      readonly vocabulary: number;
    }
);

/** The gradients by what a layer reads and by the weights that it reads it with. */
export interface InputGradients {
  /** `[gates, size]` */
  readonly weightIh: Id;
  /** `[vocabulary, size]`, of an embedding. */
  readonly embedding?: Id;
  /** `[time * batch, size]`, of vectors. */
  readonly vectors?: Id;
}

/**
 * What the input weights make of each character, `[vocabulary, gates]`, to be looked up.
 *
 * @param embedding undefined: one-hot
 */
export function gateTable(
  ops: Operations,
  weightIh: Id,
  biasIh: Id,
  embedding: Id | undefined,
): Id {
  const table =
    embedding === undefined ? ops.transpose(weightIh) : ops.product(embedding, weightIh, "right");
  return ops.addBias(table, biasIh);
}

/** What vectors make of the gates, `[time * batch, gates]`. */
export function gatesOfVectors(
  ops: Operations,
  input: LayerInput & { kind: "vectors" },
  weightIh: Id,
  biasIh: Id,
): Id {
  return ops.addBias(ops.product(maskedRows(ops, input), weightIh, "right"), biasIh);
}

/** @param byGates `[time * batch, gates]` */
export function inputGradients(
  ops: Operations,
  input: LayerInput,
  weightIh: Id,
  byGates: Id,
): InputGradients {
  if (input.kind === "vectors") {
    const weight = ops.product(byGates, maskedRows(ops, input), "left");
    return { weightIh: weight, vectors: masked(ops, input, ops.product(byGates, weightIh)) };
  }
  const vocabulary = input.kind === "one-hot" ? input.size : input.vocabulary;
  const byTable = ops.sumsByNumber(byGates, ops.reshape(input.tokens, -1), vocabulary);
  if (input.kind === "one-hot") return { weightIh: ops.transpose(byTable) };
  return {
    weightIh: ops.product(byTable, input.embedding, "left"),
    embedding: ops.product(byTable, weightIh),
  };
}

/** What a layer reads as vectors, `[time, batch, size]`. */
export function asVectors(ops: Operations, input: LayerInput): Id {
  if (input.kind === "one-hot") return ops.oneHot(input.tokens, input.size);
  if (input.kind === "embedded") return ops.rows(input.embedding, input.tokens);
  return input.mask === undefined ? input.vectors : ops.multiply(input.vectors, input.mask);
}

/** The gradient by what {@link asVectors} made vectors of, without that by the weights. */
export function gradientOfVectors(
  ops: Operations,
  input: LayerInput,
  byVectors: Id,
): Omit<InputGradients, "weightIh"> {
  if (input.kind === "one-hot") return {};
  const rows = ops.reshape(byVectors, input.rows, input.size);
  if (input.kind === "vectors") return { vectors: masked(ops, input, rows) };
  const numbers = ops.reshape(input.tokens, -1);
  return { embedding: ops.sumsByNumber(rows, numbers, input.vocabulary) };
}

function maskedRows(ops: Operations, input: LayerInput & { kind: "vectors" }): Id {
  return masked(ops, input, ops.reshape(input.vectors, input.rows, input.size));
}

function masked(ops: Operations, { mask, rows, size }: LayerInput & { kind: "vectors" }, all: Id) {
  return mask === undefined ? all : ops.multiply(all, ops.reshape(mask, rows, size));
}
