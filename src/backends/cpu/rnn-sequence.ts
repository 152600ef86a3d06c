import { CELLS, type CellName } from "../../config/cells.js";
import { CELL_STEPS } from "./cells.js";
import { addWeightGradient, setBiasGradient } from "./linear.js";
import { addProduct, fillRows, multiplyRows, transpose } from "./matrix.js";
import { lookUpInputGates, type TokenInput, tokenInputGradients } from "./token-input.js";
import type { CpuWorkspace } from "./workspace.js";

export interface SequenceSizes {
  readonly cell: CellName;
  readonly time: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
}

/** Of a layer, with shapes as in the contract. */
export interface SequenceArrays {
  readonly input: Float32Array | Int32Array;
  readonly embedding?: Float32Array | undefined;
  readonly inputMask?: Float32Array | undefined;
  readonly weightIh: Float32Array;
  readonly weightHh: Float32Array;
  readonly weightMask?: Float32Array | undefined;
  readonly biasIh: Float32Array;
  readonly biasHh: Float32Array;
  readonly hidden: Float32Array;
  readonly stateMask?: Float32Array | undefined;
  readonly cellState?: Float32Array | undefined;
}

export interface SequenceGradientArrays extends SequenceArrays {
  readonly gradientOutput: Float32Array;
  readonly gradientWeightIh: Float32Array;
  readonly gradientWeightHh: Float32Array;
  readonly gradientBiasIh: Float32Array;
  readonly gradientBiasHh: Float32Array;
  readonly gradientEmbedding?: Float32Array | undefined;
}

/**
 * One layer forward over time.
 *
 * @returns views of the workspace: the states `[time + 1, batch, hidden]` with the initial one
 *   first, and the same of the cell state (empty but for an LSTM).
 */
export function forwardSequence(
  sizes: SequenceSizes,
  arrays: SequenceArrays,
  work: CpuWorkspace,
): { hiddens: Float32Array; cells: Float32Array } {
  const { time, batch, hiddenSize } = sizes;
  const steps = CELL_STEPS[sizes.cell];
  const gates = CELLS[sizes.cell].gates.length * hiddenSize;
  const units = batch * hiddenSize;
  const { inputGates, saved, hiddens, cells, cellUnits } = sequenceBuffers(sizes, work);
  hiddens.set(arrays.hidden);
  if (arrays.cellState) cells.set(arrays.cellState);

  // What does not depend on the state is done for all steps at once.
  const tokens = tokenInput(arrays, gates, sizes);
  if (tokens) {
    lookUpInputGates(inputGates, tokens, work);
  } else {
    const input = maskedInput(arrays, work);
    fillRows(inputGates, arrays.biasIh, time * batch);
    addProduct(inputGates, input, arrays.weightIh, time * batch, gates, sizes.inputSize);
  }

  const weightHh = maskedWeight(arrays, work);
  const seen = seenStates(arrays, time * units, hiddens, work);
  const hiddenGates = work.floats("hidden gates", batch * gates);
  for (let t = 0; t < time; t++) {
    const previousHidden = part(hiddens, t, units);
    const seenState = part(seen, t, units);
    if (arrays.stateMask) multiplyRows(seenState, previousHidden, arrays.stateMask);
    fillRows(hiddenGates, arrays.biasHh, batch);
    addProduct(hiddenGates, seenState, weightHh, batch, gates, hiddenSize);
    steps.forward({
      batch,
      hiddenSize,
      inputGates: part(inputGates, t, batch * gates),
      hiddenGates,
      saved: part(saved, t, units * steps.savedSize),
      previousHidden,
      hidden: part(hiddens, t + 1, units),
      previousCell: part(cells, t, cellUnits),
      cell: part(cells, t + 1, cellUnits),
    });
  }
  return { hiddens, cells };
}

/**
 * The same layer backward over time; the workspace must hold what the forward pass left.
 *
 * Overwrites the gradients of the parameters in `arrays`.
 *
 * @returns views of the workspace: the gradients with respect to the initial state `[batch, hidden]`,
 *   to the initial cell state, and, for vectors, to the input `[time, batch, input]`.
 */
export function backwardSequence(
  sizes: SequenceSizes,
  arrays: SequenceGradientArrays,
  work: CpuWorkspace,
): { hidden: Float32Array; cell: Float32Array; input: Float32Array | undefined } {
  const { time, batch, hiddenSize, inputSize } = sizes;
  const steps = CELL_STEPS[sizes.cell];
  const gates = CELLS[sizes.cell].gates.length * hiddenSize;
  const rows = time * batch;
  const units = batch * hiddenSize;
  const { saved, hiddens, cells, cellUnits } = sequenceBuffers(sizes, work);
  const gradientInputGates = work.floats("gradient input gates", rows * gates);
  const gradientHiddenGates = steps.gatesAreSums
    ? gradientInputGates
    : work.floats("gradient hidden gates", rows * gates);
  const gradientHidden = work.floats("gradient hidden", units);
  const gradientPrevious = work.floats("gradient previous hidden", units).fill(0);
  const gradientCell = work.floats("gradient cell", cellUnits).fill(0);
  const weightByUnit = work.floats("weight_hh by unit", arrays.weightHh.length);
  transpose(weightByUnit, maskedWeight(arrays, work), gates, hiddenSize);
  const gradientSeen = arrays.stateMask ? work.floats("gradient seen", units) : gradientPrevious;

  for (let t = time - 1; t >= 0; t--) {
    const gradientOutput = part(arrays.gradientOutput, t, units);
    for (let i = 0; i < units; i++) gradientHidden[i] = gradientOutput[i] + gradientPrevious[i];
    const gradientStepGates = part(gradientHiddenGates, t, batch * gates);
    steps.backward({
      batch,
      hiddenSize,
      saved: part(saved, t, units * steps.savedSize),
      previousHidden: part(hiddens, t, units),
      previousCell: part(cells, t, cellUnits),
      cell: part(cells, t + 1, cellUnits),
      gradientHidden,
      gradientCell,
      gradientInputGates: part(gradientInputGates, t, batch * gates),
      gradientHiddenGates: gradientStepGates,
      gradientPreviousHidden: gradientPrevious,
    });
    // ah = W_hh (mask h) + b_hh
    if (arrays.stateMask) gradientSeen.fill(0);
    addProduct(gradientSeen, gradientStepGates, weightByUnit, batch, hiddenSize, gates);
    if (!arrays.stateMask) continue;
    multiplyRows(gradientSeen, gradientSeen, arrays.stateMask);
    for (let i = 0; i < units; i++) gradientPrevious[i] += gradientSeen[i];
  }

  // The weights are the same at every step: their gradient is one product over all of them.
  const { gradientWeightHh, weightMask } = arrays;
  const seen = seenStates(arrays, rows * hiddenSize, hiddens, work);
  addWeightGradient(gradientWeightHh.fill(0), gradientHiddenGates, seen, rows, work);
  if (weightMask) multiplyRows(gradientWeightHh, gradientWeightHh, weightMask);
  setBiasGradient(arrays.gradientBiasHh, gradientHiddenGates, rows, work);
  setBiasGradient(arrays.gradientBiasIh, gradientInputGates, rows, work);
  const result = { hidden: gradientPrevious, cell: gradientCell };

  const tokens = tokenInput(arrays, gates, sizes);
  if (tokens) {
    const { gradientWeightIh, gradientEmbedding } = arrays;
    tokenInputGradients(gradientWeightIh, gradientEmbedding, gradientInputGates, tokens, work);
    return { ...result, input: undefined };
  }
  addWeightGradient(
    arrays.gradientWeightIh.fill(0),
    gradientInputGates,
    maskedInput(arrays, work),
    rows,
    work,
  );
  const weightByInput = work.floats("weight_ih by input", arrays.weightIh.length);
  transpose(weightByInput, arrays.weightIh, gates, inputSize);
  const gradientInput = work.floats("gradient input", rows * inputSize).fill(0);
  addProduct(gradientInput, gradientInputGates, weightByInput, rows, inputSize, gates);
  if (arrays.inputMask) multiplyRows(gradientInput, gradientInput, arrays.inputMask);
  return { ...result, input: gradientInput };
}

/** The buffers that forward leaves for backward. */
function sequenceBuffers(sizes: SequenceSizes, work: CpuWorkspace) {
  const { time, batch, hiddenSize } = sizes;
  const { gates, hasCellState } = CELLS[sizes.cell];
  const units = batch * hiddenSize;
  const cellUnits = hasCellState ? units : 0;
  return {
    inputGates: work.floats("input gates", time * units * gates.length),
    saved: work.floats("saved", time * units * CELL_STEPS[sizes.cell].savedSize),
    hiddens: work.floats("hiddens", (time + 1) * units),
    cells: work.floats("cells", (time + 1) * cellUnits),
    cellUnits,
  };
}

function tokenInput(
  arrays: SequenceArrays,
  gates: number,
  { batch, inputSize }: SequenceSizes,
): TokenInput | undefined {
  const { input: tokens, inputMask: mask, embedding, weightIh, biasIh } = arrays;
  if (!(tokens instanceof Int32Array)) return undefined;
  const vocabulary = embedding ? embedding.length / inputSize : inputSize;
  return { tokens, batch, vocabulary, mask, embedding, weightIh, biasIh, gates, inputSize };
}

/** The layer's input after dropout. */
function maskedInput(arrays: SequenceArrays, work: CpuWorkspace): Float32Array {
  const input = arrays.input as Float32Array;
  if (!arrays.inputMask) return input;
  const masked = work.floats("masked input", input.length);
  multiplyRows(masked, input, arrays.inputMask);
  return masked;
}

/** The recurrent weights after dropout. */
function maskedWeight({ weightHh, weightMask }: SequenceArrays, work: CpuWorkspace): Float32Array {
  if (!weightMask) return weightHh;
  const masked = work.floats("masked weight_hh", weightHh.length);
  multiplyRows(masked, weightHh, weightMask);
  return masked;
}

/** The first `length` numbers of the states before each step as the recurrent weights see them. */
function seenStates(
  { stateMask }: SequenceArrays,
  length: number,
  hiddens: Float32Array,
  work: CpuWorkspace,
): Float32Array {
  return stateMask ? work.floats("seen states", length) : hiddens.subarray(0, length);
}

/** Row `index` of an array of rows of `length`. */
function part(array: Float32Array, index: number, length: number): Float32Array {
  return array.subarray(index * length, (index + 1) * length);
}
