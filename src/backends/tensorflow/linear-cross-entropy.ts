import { type } from "./binding.js";
import type { Id, Operations } from "./operations.js";

export interface LossInputs {
  /** `[time, batch, hidden]` */
  readonly input: Id;
  /** `[batch, hidden]`: multiplies the input of every step. */
  readonly inputMask: Id | undefined;
  /** `[vocabulary, hidden]` */
  readonly weight: Id;
  readonly bias: Id;
  /** `[time, batch]`; below 0: no target. */
  readonly targets: Int32Array;
}

/** Decoder, softmax and cross-entropy; shapes and meaning are the contract's. */
export function lossAndGradients(
  ops: Operations,
  { input, inputMask, weight, bias, targets }: LossInputs,
  [time, batch, hidden]: readonly [number, number, number],
  vocabulary: number,
  wantsGradients: boolean,
) {
  const rows = time * batch;
  const masked = (all: Id) => (inputMask === undefined ? all : ops.multiply(all, inputMask));
  const features = ops.reshape(masked(input), rows, hidden);
  const logits = ops.addBias(ops.product(features, weight, "right"), bias);
  const scored = targets.reduce((count, target) => count + Number(target >= 0), 0);
  const labels = targets.map((target) => Math.max(target, 0));
  let [losses, byLogits] = ops.softmaxCrossEntropy(
    logits,
    ops.tensor([rows], "int32", labels),
    vocabulary,
  );
  if (scored < rows) {
    const isScored = Float32Array.from(targets, (target) => Number(target >= 0));
    const factors = ops.tensor([rows], "float32", isScored);
    losses = ops.multiply(losses, factors);
    byLogits = ops.multiply(byLogits, ops.reshape(factors, rows, 1));
  }
  const predictions = ops.one(
    "ArgMax",
    [logits, ops.constants.integer(1)],
    [type("output_type", "int32")],
  );
  const outputs = {
    losses: ops.reshape(losses, time, batch),
    predictions: ops.reshape(predictions, time, batch),
  };
  if (!wantsGradients) {
    const factors = Int32Array.from(targets, (target) => Number(target >= 0));
    const isScored = ops.tensor([rows], "int32", factors);
    const ranks = ops.multiply(ranksOf(ops, logits, labels, vocabulary), isScored);
    return { ...outputs, ranks: ops.reshape(ranks, time, batch), gradients: undefined };
  }
  byLogits = ops.multiply(byLogits, ops.number(1 / Math.max(scored, 1)));
  return {
    ...outputs,
    ranks: undefined,
    gradients: {
      input: masked(ops.reshape(ops.product(byLogits, weight), time, batch, hidden)),
      weight: ops.product(byLogits, features, "left"),
      bias: ops.sumOfRows(byLogits),
    },
  };
}

/** How many logits of each row are larger than that of its label, or equal to it and before it. */
function ranksOf(ops: Operations, logits: Id, labels: Int32Array, vocabulary: number): Id {
  const rows = labels.length;
  const targets = ops.tensor([rows], "int32", labels);
  const tokens = ops.tensor(
    [vocabulary],
    "int32",
    Int32Array.from({ length: vocabulary }, (_, token) => token),
  );
  const ownColumn = ops.reshape(ops.atNumbers(logits, targets), rows, 1);
  const isLarger = ops.one("Greater", [logits, ownColumn]);
  const isEqual = ops.one("Equal", [logits, ownColumn]);
  const isBefore = ops.one("Less", [tokens, ops.reshape(targets, rows, 1)]);
  const isAhead = ops.one("LogicalOr", [isLarger, ops.one("LogicalAnd", [isEqual, isBefore])]);
  const ahead = ops.one("Cast", [isAhead], [type("DstT", "int32")]);
  return ops.one("Sum", [ahead, ops.constants.integers(1)]);
}
