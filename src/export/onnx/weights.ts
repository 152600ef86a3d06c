import { CELLS, type CellName } from "../../config/cells.js";
import { Turns } from "../../turns.js";

/** The gates in the order in which ONNX stacks their weights: z, r, h of a GRU, and i, o, f, c of an LSTM. */
const GATE_ORDER: Readonly<Record<CellName, readonly string[]>> = {
  gru: ["update", "reset", "new"],
  lstm: ["input", "output", "forget", "cell"],
  rnn: ["new"],
};

/** Weights or biases of all gates, in ONNX's order in place of PyTorch's. */
export function inGateOrder(cell: CellName, values: Float32Array): Float32Array {
  const { gates } = CELLS[cell];
  const length = values.length / gates.length;
  const ordered = new Float32Array(values.length);
  for (const [to, gate] of GATE_ORDER[cell].entries()) {
    const from = gates.indexOf(gate);
    ordered.set(values.subarray(from * length, (from + 1) * length), to * length);
  }
  return ordered;
}

/**
 * A matrix `[columns, rows]` from one `[rows, columns]`.
 *
 * @throws the signal's reason once it is aborted
 */
export async function transposed(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const result = new Float32Array(values.length);
  const turns = new Turns(signal);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column];
    }
    if (turns.isDue()) await turns.take();
  }
  return result;
}
