import type { Id, Operations } from "./operations.js";

/** What a layer reads, and of which sizes. */
export type LayerInput = {
  readonly time: number;
  readonly batch: number;
  /** Of a vector; one-hot, that of the vocabulary. */
  readonly size: number;
} & (
  | {
      readonly kind: "vectors";
      /** `[time, batch, size]` */
      readonly vectors: Id;
      /** `[batch, size]`: multiplies those of every step. */
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
  /** `[time, batch, size]`, of vectors. */
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
export function gatesOfVectors(ops: Operations, input: Vectors, weightIh: Id, biasIh: Id): Id {
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
    return { weightIh: weight, vectors: ofVectors(ops, input, ops.product(byGates, weightIh)) };
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
  return masked(ops, input, input.vectors);
}

/** The gradient by what {@link asVectors} made vectors of, without that by the weights. */
export function gradientOfVectors(
  ops: Operations,
  input: LayerInput,
  byVectors: Id,
): Omit<InputGradients, "weightIh"> {
  if (input.kind === "one-hot") return {};
  if (input.kind === "vectors") return { vectors: ofVectors(ops, input, byVectors) };
  const rows = ops.reshape(byVectors, input.time * input.batch, input.size);
  const numbers = ops.reshape(input.tokens, -1);
  return { embedding: ops.sumsByNumber(rows, numbers, input.vocabulary) };
}

type Vectors = LayerInput & { kind: "vectors" };

function maskedRows(ops: Operations, input: Vectors): Id {
  return ops.reshape(masked(ops, input, input.vectors), input.time * input.batch, input.size);
}

/** The gradient by vectors of that by what is left of them, `[time, batch, size]`. */
function ofVectors(ops: Operations, input: Vectors, byMasked: Id): Id {
  return masked(ops, input, ops.reshape(byMasked, input.time, input.batch, input.size));
}

/** @param all `[time, batch, size]` */
function masked(ops: Operations, { mask }: Vectors, all: Id): Id {
  return mask === undefined ? all : ops.multiply(all, mask);
}
