import { CELL_NAMES, CELLS, type CellName } from "../../config/cells.js";
import { layerMethod } from "./layers.js";
import type { Id, Operations } from "./operations.js";

const SIZES = { time: 3, batch: 2, hiddenSize: 5 };
const INPUT_SIZE = 4;

/**
 * The relative difference above which two results can't be the same sums in another order: far above what a
 * graphics processor loses when it multiplies with 10 bits after the point, and far below the effect of two
 * exchanged gates.
 */
const TOLERANCE = 0.01;

/** How the addon begins what it says of an operation that has no kernel here. */
const NOT_FOUND = "Invalid TF_Status: 5\n";

/** Whether layers use cuDNN's operations. */
export interface Cudnn {
  readonly usable: boolean;
  /** What is wrong with them where TensorFlow has them, a part of a sentence. */
  readonly fault?: string;
}

/**
 * Compares cuDNN's layers with layers of TensorFlow's other operations: a small one of each cell, forward and
 * backward.
 */
export function tryCudnn(ops: Operations): Cudnn {
  try {
    const wrong = CELL_NAMES.find((cell) => !agrees(ops, cell));
    if (wrong === undefined) return { usable: true };
    const { title } = CELLS[wrong];
    return { usable: false, fault: `a ${title} gives other numbers than without them` };
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith(NOT_FOUND)) return { usable: false };
    return { usable: false, fault: /^Message: (.*)/m.exec(message)?.[1] ?? message };
  }
}

function agrees(ops: Operations, cell: CellName): boolean {
  const [cudnn, expected] = [true, false].map((cudnn) => resultsOf(ops, cell, cudnn));
  return expected.every((numbers, i) => {
    const distance = Math.hypot(...numbers.map((number, j) => number - cudnn[i][j]));
    // A result that is not a number is not near any other.
    return distance <= TOLERANCE * Math.hypot(...numbers);
  });
}

/** All that a layer gives, forward and backward. */
function resultsOf(ops: Operations, cell: CellName, cudnn: boolean): Float32Array[] {
  const { time, batch, hiddenSize } = SIZES;
  const { gates, hasCellState } = CELLS[cell];
  const rows = gates.length * hiddenSize;
  let made = 0;
  const numbers = (...shape: number[]): Id => {
    const size = shape.reduce((a, b) => a * b);
    return ops.tensor(
      shape,
      "float32",
      Float32Array.from({ length: size }, () => Math.sin(++made)),
    );
  };
  const weights = {
    weightIh: numbers(rows, INPUT_SIZE),
    weightHh: numbers(rows, hiddenSize),
    biasIh: numbers(rows),
    biasHh: numbers(rows),
  };
  const vectors = numbers(time, batch, INPUT_SIZE);
  const input = {
    kind: "vectors",
    time,
    batch,
    size: INPUT_SIZE,
    vectors,
    mask: undefined,
  } as const;
  const state = {
    hidden: numbers(batch, hiddenSize),
    cellState: hasCellState ? numbers(batch, hiddenSize) : undefined,
  };
  const method = layerMethod(cell, { masked: false, cudnn });
  const prepared = method.prepare(ops, weights, false, hiddenSize);
  const { saved, ...outputs } = method.forward(ops, prepared, input, state, SIZES);
  const gradientOutput = numbers(time, batch, hiddenSize);
  const gradients = method.backward(ops, weights, input, state, SIZES, saved, gradientOutput);
  const tensors: Partial<Record<string, Id>>[] = [{ ...outputs }, { ...gradients }];
  return tensors.flatMap((named) =>
    Object.keys(named)
      .sort()
      .map((name) => ops.floats(named[name] as Id)),
  );
}
