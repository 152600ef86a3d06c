import { CELLS, type CellName } from "../../config/cells.js";
import { string } from "./binding.js";
import { asVectors, gradientOfVectors } from "./input.js";
import type { LayerMethod } from "./layer.js";
import type { Id } from "./operations.js";

/** cuDNN's names of the cells. */
const MODES: Readonly<Record<CellName, string>> = { gru: "gru", lstm: "lstm", rnn: "rnn_tanh" };

interface Saved {
  /** What the operation read. */
  readonly inputs: readonly Id[];
  /** The output, the states after the last step, and what it reserves for backward. */
  readonly outputs: readonly Id[];
}

/**
 * A layer as one operation of cuDNN's (Chetlur et al., "cuDNN: Efficient Primitives for Deep
 * Learning", 2014), on graphics processors. Its equations, the order of its gates and its two biases
 * are PyTorch's; it reads all weights of a layer in one row, first those of the input, then those of
 * the state, then the biases in the same order.
 */
export function cudnnLayer(cell: CellName): LayerMethod<{ parameters: Id }, Saved> {
  const { gates, hasCellState } = CELLS[cell];
  // The rest keeps its default: for training, time as the first axis, one direction.
  const attributes = [string("rnn_mode", MODES[cell])];
  return {
    prepare(ops, { weightIh, weightHh, biasIh, biasHh }) {
      const inRows = [weightIh, weightHh].map((weight) => ops.reshape(weight, -1));
      return { parameters: ops.concat([...inRows, biasIh, biasHh], 0) };
    },

    forward(ops, { parameters }, input, { hidden, cellState }, { time, batch, hiddenSize }) {
      const asLayer = (state: Id) => ops.reshape(state, 1, batch, hiddenSize);
      const inputs = [
        asVectors(ops, input),
        asLayer(hidden),
        hasCellState ? asLayer(cellState as Id) : ops.constants.float(0),
        parameters,
        ops.constants.integers(...Array<number>(batch).fill(time)),
      ];
      const outputs = ops.executeMany("CudnnRNNV3", inputs, 5, attributes);
      const [output, lastHidden, lastCell] = outputs;
      const ofLayer = (state: Id) => ops.reshape(state, batch, hiddenSize);
      return {
        output,
        hidden: ofLayer(lastHidden),
        ...(hasCellState && { cellState: ofLayer(lastCell) }),
        saved: { inputs, outputs },
      };
    },

    backward(ops, _weights, input, _state, { batch, hiddenSize }, saved, gradientOutput) {
      const [output, lastHidden, lastCell, ...reserved] = saved.outputs;
      const gradientLast = [lastHidden, lastCell].map((state) => ops.execute("ZerosLike", [state]));
      const [vectors, hidden, cellState, parameters] = ops.executeMany(
        "CudnnRNNBackpropV3",
        [
          ...saved.inputs,
          output,
          lastHidden,
          lastCell,
          gradientOutput,
          ...gradientLast,
          ...reserved,
        ],
        4,
        attributes,
      );
      const rows = gates.length * hiddenSize;
      const sizes = [rows * input.size, rows * hiddenSize, rows, rows];
      const [weightIh, weightHh, biasIh, biasHh] = ops.splitV(parameters, sizes, 0);
      const ofLayer = (state: Id) => ops.reshape(state, batch, hiddenSize);
      return {
        ...gradientOfVectors(ops, input, vectors),
        weightIh: ops.reshape(weightIh, rows, input.size),
        weightHh: ops.reshape(weightHh, rows, hiddenSize),
        biasIh,
        biasHh,
        hidden: ofLayer(hidden),
        ...(hasCellState && { cellState: ofLayer(cellState) }),
      };
    },
  };
}
