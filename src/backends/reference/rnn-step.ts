import { CELLS, type CellName } from "../../model/cells.js";
import type { FloatArray, Workspace } from "../workspace.js";
import { CELL_STEPS } from "./cells.js";
import { addProduct, fillRows } from "./matrix.js";
import { lookUpInputGates } from "./token-input.js";

export interface StreamArrays {
  /** `[streams]` */
  readonly tokens: Int32Array;
  /** `[layers, streams, hidden]`: overwritten by the state after the step. */
  readonly hidden: FloatArray;
  /** `[layers, streams, hidden]`: likewise; empty but for an LSTM. */
  readonly cellState: FloatArray;
  /** `[streams, vocabulary]`: overwritten. */
  readonly logits: FloatArray;
}

/**
 * One step of the whole model for each of several streams.
 *
 * @param parameter gives a parameter by its PyTorch name
 */
export function stepStreams(
  sizes: { cell: CellName; layers: number; hiddenSize: number; embeddingSize: number },
  arrays: StreamArrays,
  parameter: (name: string) => FloatArray,
  work: Workspace,
): void {
  const { layers, hiddenSize, embeddingSize } = sizes;
  const { tokens, hidden, cellState, logits } = arrays;
  const streams = tokens.length;
  const vocabulary = logits.length / streams;
  const steps = CELL_STEPS[sizes.cell];
  const gates = CELLS[sizes.cell].gates.length * hiddenSize;
  const units = streams * hiddenSize;
  const cellUnits = CELLS[sizes.cell].hasCellState ? units : 0;
  const inputGates = work.floats("input gates", streams * gates);
  const hiddenGates = work.floats("hidden gates", streams * gates);
  const previous = work.floats("previous hidden", units);
  const previousCell = work.floats("previous cell", cellUnits);
  let below: FloatArray | undefined;
  for (let layer = 0; layer < layers; layer++) {
    const layerHidden = hidden.subarray(layer * units, (layer + 1) * units);
    const layerCell = cellState.subarray(layer * cellUnits, (layer + 1) * cellUnits);
    previous.set(layerHidden);
    previousCell.set(layerCell);
    const weightIh = parameter(`rnn.weight_ih_l${layer}`);
    const biasIh = parameter(`rnn.bias_ih_l${layer}`);
    if (below) {
      fillRows(inputGates, biasIh, streams);
      addProduct(inputGates, below, weightIh, streams, gates, hiddenSize);
    } else {
      const embedding = embeddingSize > 0 ? parameter("encoder.weight") : undefined;
      const inputSize = embeddingSize || vocabulary;
      lookUpInputGates(inputGates, { tokens, embedding, weightIh, biasIh, gates, inputSize }, work);
    }
    fillRows(hiddenGates, parameter(`rnn.bias_hh_l${layer}`), streams);
    const weightHh = parameter(`rnn.weight_hh_l${layer}`);
    addProduct(hiddenGates, previous, weightHh, streams, gates, hiddenSize);
    steps.forward({
      batch: streams,
      hiddenSize,
      inputGates,
      hiddenGates,
      saved: work.floats("saved", units * steps.savedSize),
      previousHidden: previous,
      previousCell,
      hidden: layerHidden,
      cell: layerCell,
    });
    below = layerHidden;
  }
  fillRows(logits, parameter("decoder.bias"), streams);
  addProduct(
    logits,
    below as FloatArray,
    parameter("decoder.weight"),
    streams,
    vocabulary,
    hiddenSize,
  );
}
