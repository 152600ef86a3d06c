import { bool } from "./binding.js";
import type { Id, Operations } from "./operations.js";

const NO_PEEPHOLES = [bool("use_peephole", false)];

export interface LstmSizes {
  readonly time: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
}

/** The weights as the operation wants them. */
export interface LstmWeights {
  /** `[input + hidden, gates]` */
  readonly weight: Id;
  /** `[gates]` */
  readonly bias: Id;
  /** Zeros, `[hidden]`: no gate sees the cell. */
  readonly peephole: Id;
}

/** All that the operation makes, each `[time, batch, hidden]`, in its order. */
type Made = readonly [i: Id, cells: Id, f: Id, o: Id, candidates: Id, tanhOfCells: Id, h: Id];

/** What the operation read, and what it made. */
export interface LstmKept {
  readonly inputs: readonly Id[];
  readonly made: Made;
}

export function lstmWeights(
  ops: Operations,
  { weightIh, weightHh, biasIh, biasHh }: Record<"weightIh" | "weightHh" | "biasIh" | "biasHh", Id>,
  hiddenSize: number,
): LstmWeights {
  return {
    weight: ops.join([ops.transpose(weightIh), ops.transpose(weightHh)], 0),
    bias: ops.add(biasIh, biasHh),
    peephole: ops.zeros(hiddenSize),
  };
}

/**
 * The long short-term memory, in PyTorch's form (see `reference/lstm.ts`), as one operation. It wants
 * the gates in the order input, forget, cell, output, which is PyTorch's.
 *
 * @param vectors `[time, batch, input]`
 */
export function forwardLstm(
  ops: Operations,
  { weight, bias, peephole }: LstmWeights,
  vectors: Id,
  { hidden, cellState }: { hidden: Id; cellState: Id },
  time: number,
): LstmKept {
  const peepholes = [peephole, peephole, peephole];
  const steps = ops.constants.long(time);
  const inputs = [steps, vectors, cellState, hidden, weight, ...peepholes, bias];
  const made = ops.many("BlockLSTMV2", inputs, 7, NO_PEEPHOLES);
  return { inputs, made: made as unknown as Made };
}

/** @param gradientOutput `[time, batch, hidden]` */
export function backwardLstm(
  ops: Operations,
  { inputs, made }: LstmKept,
  gradientOutput: Id,
  { inputSize, hiddenSize }: LstmSizes,
) {
  const byCells = ops.one("ZerosLike", [gradientOutput]);
  const all = ops.many(
    "BlockLSTMGradV2",
    [...inputs, ...made, byCells, gradientOutput],
    8,
    NO_PEEPHOLES,
  );
  const [vectors, cellState, hidden, weight, , , , bias] = all;
  const [weightIh, weightHh] = ops
    .splitInto(weight, [inputSize, hiddenSize], 0)
    .map((part) => ops.transpose(part));
  return { vectors, cellState, hidden, weightIh, weightHh, bias };
}
