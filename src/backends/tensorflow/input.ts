import type { Id, Operations } from "./operations.js";
import { masked } from "./tensors.js";

/** What a layer reads, and its sizes. */
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

/** The tensors of what a layer reads. */
export function tensorsOf(input: LayerInput): (Id | undefined)[] {
  if (input.kind === "vectors") return [input.vectors, input.mask];
  return input.kind === "embedded" ? [input.tokens, input.embedding] : [input.tokens];
}

/** The gradients with respect to what a layer reads and to the weights that it reads it with. */
export interface InputGradients {
  /** `[gates, size]` */
  readonly weightIh: Id;
  /** `[vocabulary, size]`, of an embedding. */
  readonly embedding?: Id;
  /** `[time, batch, size]`, of vectors. */
  readonly vectors?: Id;
}

/**
 * W_ih x + b_ih of each token, `[vocabulary, gates]`, to be looked up.
 *
 * @param embedding undefined: one-hot
 */
export function inputGateTable(
  ops: Operations,
  weightIh: Id,
  biasIh: Id,
  embedding: Id | undefined,
): Id {
  const table =
    embedding === undefined ? ops.transpose(weightIh) : ops.matMul(embedding, weightIh, "right");
  return ops.biasAdd(table, biasIh);
}

/** W_ih x + b_ih of vectors, `[time * batch, gates]`. */
export function inputGates(ops: Operations, input: Vectors, weightIh: Id, biasIh: Id): Id {
  return ops.biasAdd(ops.matMul(maskedRows(ops, input), weightIh, "right"), biasIh);
}

/** @param gradientGates `[time * batch, gates]` */
export function inputGradients(
  ops: Operations,
  input: LayerInput,
  weightIh: Id,
  gradientGates: Id,
): InputGradients {
  if (input.kind === "vectors") {
    const weight = ops.matMul(gradientGates, maskedRows(ops, input), "left");
    return {
      weightIh: weight,
      vectors: ofVectors(ops, input, ops.matMul(gradientGates, weightIh)),
    };
  }
  const vocabulary = input.kind === "one-hot" ? input.size : input.vocabulary;
  const gradientTable = ops.unsortedSegmentSum(
    gradientGates,
    ops.reshape(input.tokens, -1),
    vocabulary,
  );
  if (input.kind === "one-hot") return { weightIh: ops.transpose(gradientTable) };
  return {
    weightIh: ops.matMul(gradientTable, input.embedding, "left"),
    embedding: ops.matMul(gradientTable, weightIh),
  };
}

/** What a layer reads as vectors, `[time, batch, size]`. */
export function asVectors(ops: Operations, input: LayerInput): Id {
  if (input.kind === "one-hot") return ops.oneHot(input.tokens, input.size);
  if (input.kind === "embedded") return ops.gather(input.embedding, input.tokens);
  return masked(ops, input.vectors, input.mask);
}

/** The gradients of what {@link asVectors} read, from that of the vectors. */
export function gradientOfVectors(
  ops: Operations,
  input: LayerInput,
  gradientVectors: Id,
): Omit<InputGradients, "weightIh"> {
  if (input.kind === "one-hot") return {};
  if (input.kind === "vectors") return { vectors: ofVectors(ops, input, gradientVectors) };
  const rows = ops.reshape(gradientVectors, input.time * input.batch, input.size);
  const numbers = ops.reshape(input.tokens, -1);
  return { embedding: ops.unsortedSegmentSum(rows, numbers, input.vocabulary) };
}

type Vectors = LayerInput & { kind: "vectors" };

function maskedRows(ops: Operations, { vectors, mask, time, batch, size }: Vectors): Id {
  return ops.reshape(masked(ops, vectors, mask), time * batch, size);
}

/** The gradient with respect to vectors from that to the masked ones, `[time, batch, size]`. */
function ofVectors(ops: Operations, { mask, time, batch, size }: Vectors, ofMasked: Id): Id {
  return masked(ops, ops.reshape(ofMasked, time, batch, size), mask);
}
