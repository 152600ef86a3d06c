import { CELLS } from "../../config/cells.js";
import type { Streams, StreamsModel } from "../engine.js";
import { type FloatArray, Workspace } from "../workspace.js";
import { CELL_STEPS } from "./cells.js";
import { addProduct, fillRows } from "./matrix.js";
import { lookUpInputGates } from "./token-input.js";

/** Streams whose steps are the reference's plain loops. */
export function openReferenceStreams(model: StreamsModel, streams: number): Streams {
  const { cell, layers, hiddenSize, vocabularySize } = model.config;
  const units = streams * hiddenSize;
  const cellUnits = CELLS[cell].hasCellState ? units : 0;
  const state = Array.from({ length: layers }, () => ({
    hidden: new Float32Array(units),
    cellState: new Float32Array(cellUnits),
  }));
  const logits = new Float32Array(streams * vocabularySize);
  const work = new Workspace();
  return {
    read(tokens) {
      stepStreams(model, tokens, state, logits, work);
      return logits;
    },
    dispose() {},
  };
}

/**
 * One step of the whole model for each of several streams.
 *
 * @param tokens `[streams]`
 * @param state of each layer, `[streams, hidden]`: overwritten by the state after the step
 * @param logits `[streams, vocabulary]`: overwritten
 */
function stepStreams(
  { config, parameters }: StreamsModel,
  tokens: Int32Array,
  state: readonly { hidden: FloatArray; cellState: FloatArray }[],
  logits: FloatArray,
  work: Workspace,
): void {
  const { cell, hiddenSize, embeddingSize, vocabularySize } = config;
  const parameter = (name: string) => parameters.get(name)?.dataSync() as Float32Array;
  const streams = tokens.length;
  const steps = CELL_STEPS[cell];
  const gates = CELLS[cell].gates.length * hiddenSize;
  const units = streams * hiddenSize;
  const inputGates = work.floats("input gates", streams * gates);
  const hiddenGates = work.floats("hidden gates", streams * gates);
  const previous = work.floats("previous hidden", units);
  let below: FloatArray | undefined;
  for (const [layer, { hidden, cellState }] of state.entries()) {
    const previousCell = work.floats("previous cell", cellState.length);
    previous.set(hidden);
    previousCell.set(cellState);
    const weightIh = parameter(`rnn.weight_ih_l${layer}`);
    const biasIh = parameter(`rnn.bias_ih_l${layer}`);
    if (below) {
      fillRows(inputGates, biasIh, streams);
      addProduct(inputGates, below, weightIh, streams, gates, hiddenSize);
    } else {
      const embedding = embeddingSize > 0 ? parameter("encoder.weight") : undefined;
      const inputSize = embeddingSize || vocabularySize;
      const weights = { embedding, weightIh, biasIh, gates, inputSize };
      const input = { tokens, batch: streams, vocabulary: vocabularySize, mask: undefined };
      lookUpInputGates(inputGates, { ...input, ...weights }, work);
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
      hidden,
      cell: cellState,
    });
    below = hidden;
  }
  fillRows(logits, parameter("decoder.bias"), streams);
  const weight = parameter("decoder.weight");
  addProduct(logits, below as FloatArray, weight, streams, vocabularySize, hiddenSize);
}
