import type { CellName } from "../../config/cells.js";
import { cudnnLayer } from "./cudnn.js";
import { GRU } from "./gru.js";
import { LSTM, LSTM_BY_STEPS } from "./lstm.js";
import type { SequenceLayer } from "./sequence-layer.js";
import { layerOfSteps } from "./steps.js";
import { TANH_RNN } from "./tanh-rnn.js";

/** What it prepares and keeps is its own. */
type AnyLayer = SequenceLayer<unknown, unknown>;

/** Each cell's ways over a sequence. */
type Ways = Readonly<Record<CellName, AnyLayer>>;

const STEPS = {
  gru: layerOfSteps(GRU),
  lstm: LSTM_BY_STEPS,
  rnn: layerOfSteps(TANH_RNN),
} as Ways;

/** TensorFlow's own operations: it has one of a whole sequence for the LSTM alone. */
const OWN = { ...STEPS, lstm: LSTM } as Ways;

const CUDNN = {
  gru: cudnnLayer("gru"),
  lstm: cudnnLayer("lstm"),
  rnn: cudnnLayer("rnn"),
} as Ways;

/** The fastest way of a cell over a sequence. */
export function sequenceLayer(
  cell: CellName,
  by: {
    /** A mask multiplies what the recurrent weights see of the state: no operation can do so. */
    readonly masked: boolean;
    readonly cudnn: boolean;
  },
): AnyLayer {
  if (by.masked) return STEPS[cell];
  return (by.cudnn ? CUDNN : OWN)[cell];
}
