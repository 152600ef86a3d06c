import type { CellName } from "../../config/cells.js";
import { cudnnLayer } from "./cudnn.js";
import { GRU } from "./gru.js";
import type { LayerMethod } from "./layer.js";
import { LSTM_BY_STEPS, LSTM_ONE_OPERATION } from "./lstm.js";
import { stepByStep } from "./step-by-step.js";
import { TANH_RNN } from "./tanh-rnn.js";

/** Only the method itself knows what it prepares and saves. */
export type AnyLayerMethod = LayerMethod<unknown, unknown>;

type Methods = Readonly<Record<CellName, AnyLayerMethod>>;

function hidden<Prepared, Saved>(method: LayerMethod<Prepared, Saved>): AnyLayerMethod {
  return method as AnyLayerMethod;
}

/** By small operations for each step: any cell, also where its state is masked. */
const STEP_BY_STEP: Methods = {
  gru: hidden(stepByStep(GRU)),
  lstm: hidden(LSTM_BY_STEPS),
  rnn: hidden(stepByStep(TANH_RNN)),
};

/** By one operation of cuDNN's for the whole sequence. */
const CUDNN: Methods = {
  gru: hidden(cudnnLayer("gru")),
  lstm: hidden(cudnnLayer("lstm")),
  rnn: hidden(cudnnLayer("rnn")),
};

/** The fastest method for a cell. */
export function layerMethod(
  cell: CellName,
  by: {
    /** Whether a mask multiplies what the recurrent weights read of the state. */
    readonly masked: boolean;
    readonly cudnn: boolean;
  },
): AnyLayerMethod {
  if (by.masked) return STEP_BY_STEP[cell];
  if (by.cudnn) return CUDNN[cell];
  return cell === "lstm" ? hidden(LSTM_ONE_OPERATION) : STEP_BY_STEP[cell];
}
