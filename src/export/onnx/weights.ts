import { CELLS, type CellName } from "../../config/cells.js";
import { inPieces, Turns } from "../../turns.js";

/** The gates in the order in which ONNX stacks their weights: z, r, h of a GRU, and i, o, f, c of an LSTM. */
const GATE_ORDER: Readonly<Record<CellName, readonly string[]>> = {
  gru: ["update", "reset", "new"],
  lstm: ["input", "output", "forget", "cell"],
  rnn: ["new"],
};

/** The weights or biases of each gate, in ONNX's order in place of PyTorch's: parts of `values`. */
export function byGate(cell: CellName, values: Float32Array): Float32Array[] {
  const { gates } = CELLS[cell];
  const length = values.length / gates.length;
  return GATE_ORDER[cell].map((gate) => {
    const start = gates.indexOf(gate) * length;
    return values.subarray(start, start + length);
  });
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

/**
 * All pieces, one after the other.
 *
 * @throws the signal's reason once it is aborted
 */
export async function joined(
  pieces: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const piece of pieces) {
    await inPieces(piece.length, signal, (from, to) => {
      bytes.set(piece.subarray(from, to), start + from);
    });
    start += piece.length;
  }
  return bytes;
}
