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
import type { Id, Operations } from "./operations.js";
import type { Recurrence } from "./recurrence.js";
import { TANH_RNN } from "./tanh-rnn.js";

/** The cells that go step by step; an LSTM is one operation. */
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
}

/** What forward leaves for backward. */
export type SequenceKept =
  | { readonly cell: "lstm"; readonly lstm: LstmKept }
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
  { hidden, cellState }: LayerState,
  sizes: SequenceSizes,
): SequenceOutputs {
  const { time, batch, hiddenSize } = sizes;
  if (weights.cell === "lstm") {
    const state = { hidden, cellState: cellState as Id };
    const lstm = forwardLstm(ops, weights.lstm, asVectors(ops, input), state, time);
    const [, cells, , , , , output] = lstm.made;
    const last = (all: Id) => ops.last(all, time, [batch, hiddenSize]);
    const kept = { cell: weights.cell, lstm };
    return { output: ops.same(output), hidden: last(output), cellState: last(cells), kept };
  }
  const { cell, table, weightIh, biasIh, prepared } = weights;
  const gates =
    input.kind === "vectors"
      ? ops.reshape(gatesOfVectors(ops, input, weightIh, biasIh), time, batch, -1)
      : ops.rows(table as Id, input.tokens);
  const { hiddens, kept } = RECURRENCES[cell].forward(ops, { gates, hidden, prepared }, sizes);
  return {
    output: ops.stack(hiddens),
    hidden: ops.same(hiddens[time - 1]),
    kept: { cell, hiddens, steps: kept },
  };
}

/** Back through time over it. */
export function backwardSequence(
  ops: Operations,
  { weightIh, weightHh }: LayerWeights,
  input: LayerInput,
  { hidden }: LayerState,
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
  const before = ops.stack([hidden, ...kept.hiddens.slice(0, -1)]);
  const steps = { before, gradients: ops.unstack(gradientOutput, time) };
  const by = RECURRENCES[kept.cell].backward(ops, weightHh, sizes, steps, kept.steps);
  const states = ops.reshape(before, time * batch, hiddenSize);
  return {
    ...inputGradients(ops, input, weightIh, by.inputGates),
    weightHh: ops.product(by.hiddenGates, states, "left"),
    biasIh: ops.sumOfRows(by.inputGates),
    biasHh: ops.sumOfRows(by.hiddenGates),
    hidden: by.hidden,
  };
}
