import { CELLS, type CellName } from "../../config/cells.js";
import type { ModelConfig } from "../../config/model.js";
import type { Constant, Node } from "./messages.js";
import { byGate } from "./weights.js";

/** A part of the graph. */
export interface Part {
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
}

/** The numbers of a parameter by its PyTorch name. */
export type Weights = (name: string) => Float32Array;

/** What ONNX calls each cell. */
const OPERATIONS = { gru: "GRU", lstm: "LSTM", rnn: "RNN" } as const;

/** The states of a cell by the first letters of their names. */
export function statesOf(cell: CellName): readonly string[] {
  return CELLS[cell].hasCellState ? ["h", "c"] : ["h"];
}

/** From vectors and first states to outputs `[time, batch, hidden]` and last states. */
export function recurrentLayers(
  { cell, layers, hiddenSize, embeddingSize, vocabularySize }: ModelConfig,
  weights: Weights,
): Part & { readonly output: string } {
  const gates = CELLS[cell].gates.length;
  const states = statesOf(cell);
  const names = (state: string, at: string) =>
    Array.from({ length: layers }, (_, layer) =>
      layers === 1 ? state + at : `${state}${at}_l${layer}`,
    );
  const nodes: Node[] = [];
  const constants: Constant[] = [];
  if (layers > 1) {
    const split = Array<number>(layers).fill(1);
    for (const state of states) {
      nodes.push({
        type: "Split",
        inputs: [`${state}0`],
        outputs: names(state, "0"),
        attributes: { axis: 0, split },
      });
    }
  }
  let output = "vectors";
  for (let layer = 0; layer < layers; layer++) {
    const inputSize = layer > 0 ? hiddenSize : embeddingSize || vocabularySize;
    const gatesOf = (name: string) => byGate(cell, weights(`rnn.${name}_l${layer}`));
    const [w, r, b] = ["weight_ih", "weight_hh", "bias"].map((name) => `rnn.${name}_l${layer}`);
    const biases = [...gatesOf("bias_ih"), ...gatesOf("bias_hh")];
    // The first axis is for the directions, of which there is one.
    constants.push(
      { name: w, shape: [1, gates * hiddenSize, inputSize], data: gatesOf("weight_ih") },
      { name: r, shape: [1, gates * hiddenSize, hiddenSize], data: gatesOf("weight_hh") },
      { name: b, shape: [1, 2 * gates * hiddenSize], data: biases },
    );
    const before = states.map((state) => names(state, "0")[layer]);
    const after = states.map((state) => names(state, "n")[layer]);
    const [both, next] = [`directions_l${layer}`, `outputs_l${layer}`];
    nodes.push(
      {
        type: OPERATIONS[cell],
        // Without lengths of sequences: all are as long as the batch.
        inputs: [output, w, r, b, "", ...before],
        outputs: [both, ...after],
        attributes: {
          hidden_size: hiddenSize,
          // The reset gate multiplies the product of the recurrent weights, bias included.
          ...(cell === "gru" && { linear_before_reset: 1 }),
        },
      },
      { type: "Squeeze", inputs: [both], outputs: [next], attributes: { axes: [1] } },
    );
    output = next;
  }
  if (layers > 1) {
    for (const state of states) {
      const inputs = names(state, "n");
      nodes.push({ type: "Concat", inputs, outputs: [`${state}n`], attributes: { axis: 0 } });
    }
  }
  return { nodes, constants, output };
}
