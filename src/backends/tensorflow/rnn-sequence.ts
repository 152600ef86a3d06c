import type { CellName } from "../../model/cells.js";
import { GRU } from "./gru.js";
import {
  asVectors,
  gatesOfVectors,
  gateTable,
  gradientOfVectors,
  type InputGradients,
  inputGradients,
  type LayerInput,
} from "./input.js";
import { backwardLstm, forwardLstm, type LstmKept, type LstmWeights, lstmWeights } from "./lstm.js";
import { backwardLstmSteps, forwardLstmSteps, type LstmStepsKept } from "./lstm-steps.js";
import type { Id, Operations } from "./operations.js";
import { type Recurrence, seenState } from "./recurrence.js";
import { TANH_RNN } from "./tanh-rnn.js";

/** The cells that go step by step; an LSTM is one operation, but for a mask on its state. */
const RECURRENCES = { gru: GRU, rnn: TANH_RNN } as unknown as Record<
  Exclude<CellName, "lstm">,
  Recurrence<unknown, unknown>
>;

export interface SequenceSizes {
  readonly cell: CellName;
  readonly time: number;
  readonly batch: number;
  readonly hiddenSize: number;
}

/** A layer's weights, in PyTorch's shapes. */
export interface LayerWeights {
  readonly weightIh: Id;
  readonly weightHh: Id;
  readonly biasIh: Id;
  readonly biasHh: Id;
  /** `[vocabulary, input]`, of a layer that reads characters so. */
  readonly embedding?: Id | undefined;
}

/** A layer's weights and what is made of them once, however many sequences follow. */
export type PreparedWeights = LayerWeights &
  (
    | { readonly cell: "lstm"; readonly lstm: LstmWeights }
    | {
        readonly cell: "gru" | "rnn";
        /** Of what reads characters. */
        readonly table: Id | undefined;
        /** What the recurrence made of the weights. */
        readonly prepared: unknown;
      }
  );

export interface LayerState {
  readonly hidden: Id;
  readonly cellState?: Id | undefined;
  /** `[batch, hidden]`: multiplies what the recurrent weights see of the state. */
  readonly mask?: Id | undefined;
}

/** What forward leaves for backward. */
export type SequenceKept =
  | { readonly cell: "lstm"; readonly lstm: LstmKept }
  | { readonly cell: "lstm steps"; readonly lstm: LstmStepsKept }
  | { readonly cell: "gru" | "rnn"; readonly hiddens: readonly Id[]; readonly steps: unknown };

export interface SequenceOutputs {
  /** `[time, batch, hidden]` */
  readonly output: Id;
  /** `[batch, hidden]` */
  readonly hidden: Id;
  readonly cellState?: Id;
  readonly kept: SequenceKept;
}

export interface SequenceGradients extends InputGradients {
  readonly weightHh: Id;
  readonly biasIh: Id;
  readonly biasHh: Id;
  readonly hidden: Id;
  readonly cellState?: Id;
}

/** @param readsTokens or vectors */
export function prepareWeights(
  ops: Operations,
  cell: CellName,
  weights: LayerWeights,
  readsTokens: boolean,
  hiddenSize: number,
): PreparedWeights {
  if (cell === "lstm") return { ...weights, cell, lstm: lstmWeights(ops, weights, hiddenSize) };
  const { weightIh, biasIh, embedding } = weights;
  const table = readsTokens ? gateTable(ops, weightIh, biasIh, embedding) : undefined;
  const { weightHh, biasHh } = weights;
  const prepared = RECURRENCES[cell].prepare(ops, weightHh, biasHh, hiddenSize);
  return { ...weights, cell, table, prepared };
}

/** One recurrent layer over a sequence. */
export function forwardSequence(
  ops: Operations,
  weights: PreparedWeights,
  input: LayerInput,
  { hidden, cellState, mask }: LayerState,
  sizes: SequenceSizes,
): SequenceOutputs {
  const { time, batch, hiddenSize } = sizes;
  if (weights.cell === "lstm" && mask !== undefined) {
    const { weightIh, weightHh, biasIh, biasHh, embedding } = weights;
    const bias = ops.add(biasIh, biasHh);
    const gates = gatesOf(ops, input, { weightIh, bias, embedding }, sizes);
    const state = { hidden, cellState: cellState as Id, mask };
    const lstm = forwardLstmSteps(ops, gates, weightHh, state, time);
    return {
      output: ops.stack(lstm.hiddens),
      hidden: ops.same(lstm.hiddens[time - 1]),
      cellState: ops.same(lstm.cells[time - 1]),
      kept: { cell: "lstm steps", lstm },
    };
  }
  if (weights.cell === "lstm") {
    const state = { hidden, cellState: cellState as Id };
    const lstm = forwardLstm(ops, weights.lstm, asVectors(ops, input), state, time);
    const [, cells, , , , , output] = lstm.made;
    const last = (all: Id) => ops.last(all, time, [batch, hiddenSize]);
    const kept = { cell: weights.cell, lstm };
    return { output: ops.same(output), hidden: last(output), cellState: last(cells), kept };
  }
  const { cell, table, weightIh, biasIh, prepared } = weights;
  const gates = gatesOf(ops, input, { weightIh, bias: biasIh, table }, sizes);
  const inputs = { gates, hidden, stateMask: mask, prepared };
  const { hiddens, kept } = RECURRENCES[cell].forward(ops, inputs, sizes);
  return {
    output: ops.stack(hiddens),
    hidden: ops.same(hiddens[time - 1]),
    kept: { cell, hiddens, steps: kept },
  };
}

/** What the input makes of the gates, with a bias, `[time, batch, gates]`. */
function gatesOf(
  ops: Operations,
  input: LayerInput,
  by: { weightIh: Id; bias: Id; embedding?: Id | undefined; table?: Id | undefined },
  { time, batch }: SequenceSizes,
): Id {
  if (input.kind === "vectors") {
    return ops.reshape(gatesOfVectors(ops, input, by.weightIh, by.bias), time, batch, -1);
  }
  const table = by.table ?? gateTable(ops, by.weightIh, by.bias, by.embedding);
  return ops.rows(table, input.tokens);
}

/** Back through time over it. */
export function backwardSequence(
  ops: Operations,
  { weightIh, weightHh }: LayerWeights,
  input: LayerInput,
  { hidden, cellState, mask }: LayerState,
  sizes: SequenceSizes,
  kept: SequenceKept,
  gradientOutput: Id,
): SequenceGradients {
  const { time, batch, hiddenSize } = sizes;
  if (kept.cell === "lstm") {
    const lstmSizes = { time, inputSize: input.size, hiddenSize };
    const { vectors, bias, ...gradients } = backwardLstm(ops, kept.lstm, gradientOutput, lstmSizes);
    const biases = { biasIh: bias, biasHh: ops.same(bias) };
    return { ...gradients, ...biases, ...gradientOfVectors(ops, input, vectors) };
  }
  const gradients = ops.unstack(gradientOutput, time);
  const hiddens = kept.cell === "lstm steps" ? kept.lstm.hiddens : kept.hiddens;
  const before = ops.stack([hidden, ...hiddens.slice(0, -1)]);
  const states = ops.reshape(seenState(ops, before, mask), time * batch, hiddenSize);
  if (kept.cell === "lstm steps") {
    const state = { hidden, cellState: cellState as Id, mask };
    const by = backwardLstmSteps(ops, weightHh, state, gradients, kept.lstm, hiddenSize);
    const bias = ops.sumOfRows(by.gates);
    return {
      ...inputGradients(ops, input, weightIh, by.gates),
      weightHh: ops.product(by.gates, states, "left"),
      biasIh: bias,
      biasHh: ops.same(bias),
      hidden: by.hidden,
      cellState: by.cellState,
    };
  }
  const steps = { before, gradients, stateMask: mask };
  const by = RECURRENCES[kept.cell].backward(ops, weightHh, sizes, steps, kept.steps);
  return {
    ...inputGradients(ops, input, weightIh, by.inputGates),
    weightHh: ops.product(by.hiddenGates, states, "left"),
    biasIh: ops.sumOfRows(by.inputGates),
    biasHh: ops.sumOfRows(by.hiddenGates),
    hidden: by.hidden,
  };
}
