import { CELLS } from "../../config/cells.js";
import type { DecodeModel, DecodeSession } from "../backend.js";
import { numbersOf } from "../plain-arrays.js";
import { CELL_STEPS } from "./cells.js";
import { addProduct, fillRows } from "./matrix.js";
import { lookUpInputGates } from "./token-input.js";
import { CpuWorkspace } from "./workspace.js";

/** A session whose steps are loops in JavaScript. */
export function openCpuDecodeSession(model: DecodeModel, sequences: number): DecodeSession {
  const { cell, layers, hiddenSize, vocabularySize } = model.config;
  const units = sequences * hiddenSize;
  const cellUnits = CELLS[cell].hasCellState ? units : 0;
  const state = Array.from({ length: layers }, () => ({
    hidden: new Float32Array(units),
    cellState: new Float32Array(cellUnits),
  }));
  const logits = new Float32Array(sequences * vocabularySize);
  const work = new CpuWorkspace();
  return {
    step(tokens) {
      stepModel(model, tokens, state, logits, work);
      return logits;
    },
    dispose() {},
  };
}

/**
 * One step of the whole model for each of several sequences.
 *
 * @param tokens `[sequences]`
 * @param state of each layer, `[sequences, hidden]`: overwritten by the state after the step
 * @param logits `[sequences, vocabulary]`: overwritten
 */
function stepModel(
  { config, parameters }: DecodeModel,
  tokens: Int32Array,
  state: readonly { hidden: Float32Array; cellState: Float32Array }[],
  logits: Float32Array,
  work: CpuWorkspace,
): void {
  const { cell, hiddenSize, embeddingSize, vocabularySize } = config;
  const parameter = (name: string) => numbersOf(parameters.of(name));
  const batch = tokens.length;
  const steps = CELL_STEPS[cell];
  const gates = CELLS[cell].gates.length * hiddenSize;
  const units = batch * hiddenSize;
  const inputGates = work.floats("input gates", batch * gates);
  const hiddenGates = work.floats("hidden gates", batch * gates);
  const previous = work.floats("previous hidden", units);
  let below: Float32Array | undefined;
  for (const [layer, { hidden, cellState }] of state.entries()) {
    const previousCell = work.floats("previous cell", cellState.length);
    previous.set(hidden);
    previousCell.set(cellState);
    const weightIh = parameter(`rnn.weight_ih_l${layer}`);
    const biasIh = parameter(`rnn.bias_ih_l${layer}`);
    if (below) {
      fillRows(inputGates, biasIh, batch);
      addProduct(inputGates, below, weightIh, batch, gates, hiddenSize);
    } else {
      const embedding = embeddingSize > 0 ? parameter("encoder.weight") : undefined;
      const inputSize = embeddingSize || vocabularySize;
      const weights = { embedding, weightIh, biasIh, gates, inputSize };
      const input = { tokens, batch, vocabulary: vocabularySize, mask: undefined };
      lookUpInputGates(inputGates, { ...input, ...weights }, work);
    }
    fillRows(hiddenGates, parameter(`rnn.bias_hh_l${layer}`), batch);
    const weightHh = parameter(`rnn.weight_hh_l${layer}`);
    addProduct(hiddenGates, previous, weightHh, batch, gates, hiddenSize);
    steps.forward({
      batch,
      hiddenSize,
      inputGates,
      hiddenGates,
      saved: work.floats("saved", units * steps.savedSize),
      previousHidden: previous,
      previousCell,
      hidden,
      cell: cellState,
    });
    below = hidden;
  }
  fillRows(logits, parameter("decoder.bias"), batch);
  const weight = parameter("decoder.weight");
  addProduct(logits, below as Float32Array, weight, batch, vocabularySize, hiddenSize);
}
