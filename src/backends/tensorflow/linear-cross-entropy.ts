import type { Decoder, RankedPredictions } from "../backend.js";
import { type } from "./binding.js";
import type { Id, Operations } from "./operations.js";
import { idOf, masked, maskId } from "./tensors.js";

/**
 * The decoder's predictions and their losses, without gradients.
 *
 * @param ofAll overwritten by the logits, where they are wanted
 */
export function scores(
  ops: Operations,
  decoder: Decoder,
  ofAll: Float32Array | undefined,
): RankedPredictions {
  const { targets } = decoder;
  const { labels, logits, ...forward } = forwardPass(ops, decoder);
  ofAll?.set(ops.floats(logits));
  const ranks = ops.integers(ranksOf(ops, logits, labels, decoder.bias.length));
  return { ...read(ops, forward), ranks: ranks.map((rank, i) => (targets[i] < 0 ? 0 : rank)) };
}

/** The same, and the gradients of the mean loss over the positions with a target. */
export function lossAndGradients(ops: Operations, decoder: Decoder) {
  const { time, batch, hiddenSize, targets } = decoder;
  const { features, weight, mask, gradientOfLosses, ...forward } = forwardPass(ops, decoder);
  const scored = targets.reduce((count, target) => count + Number(target >= 0), 0);
  const gradientLogits = ops.multiply(gradientOfLosses, ops.scalar(1 / Math.max(scored, 1)));
  const gradientInput = ops.reshape(ops.matMul(gradientLogits, weight), time, batch, hiddenSize);
  return {
    ...read(ops, forward),
    gradientInput: masked(ops, gradientInput, mask),
    gradientWeight: ops.matMul(gradientLogits, features, "left"),
    gradientBias: ops.sumRows(gradientLogits),
  };
}

function forwardPass(ops: Operations, decoder: Decoder) {
  const { time, batch, hiddenSize, inputMask, targets } = decoder;
  const rows = time * batch;
  const vocabulary = decoder.bias.length;
  const weight = idOf(ops, decoder.weight, [vocabulary, hiddenSize]);
  const mask = inputMask && maskId(ops, inputMask, hiddenSize);
  const input = idOf(ops, decoder.input, [time, batch, hiddenSize]);
  const features = ops.reshape(masked(ops, input, mask), rows, hiddenSize);
  const bias = idOf(ops, decoder.bias, [vocabulary]);
  const logits = ops.biasAdd(ops.matMul(features, weight, "right"), bias);
  const labels = targets.map((target) => Math.max(target, 0));
  let [losses, gradientOfLosses] = ops.sparseSoftmaxCrossEntropy(
    logits,
    ops.tensor([rows], "int32", labels.slice()),
    vocabulary,
  );
  if (targets.some((target) => target < 0)) {
    const isScored = Float32Array.from(targets, (target) => Number(target >= 0));
    const factors = ops.tensor([rows], "float32", isScored);
    losses = ops.multiply(losses, factors);
    gradientOfLosses = ops.multiply(gradientOfLosses, ops.reshape(factors, rows, 1));
  }
  const toInt = [type("output_type", "int32")];
  const predictions = ops.execute("ArgMax", [logits, ops.constants.integer(1)], toInt);
  return { weight, mask, features, logits, labels, losses, gradientOfLosses, predictions };
}

function read(ops: Operations, { losses, predictions }: { losses: Id; predictions: Id }) {
  return { losses: ops.floats(losses), predictions: ops.integers(predictions) };
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
  const ofTarget = ops.reshape(ops.gatherBatch(logits, targets), rows, 1);
  const isLarger = ops.execute("Greater", [logits, ofTarget]);
  const isEqual = ops.execute("Equal", [logits, ofTarget]);
  const isBefore = ops.execute("Less", [tokens, ops.reshape(targets, rows, 1)]);
  const isTie = ops.execute("LogicalAnd", [isEqual, isBefore]);
  const isAhead = ops.execute("LogicalOr", [isLarger, isTie]);
  const ahead = ops.execute("Cast", [isAhead], [type("DstT", "int32")]);
  return ops.execute("Sum", [ahead, ops.constants.integers(1)]);
}
