import type { InputGradients, LayerInput } from "./input.js";
import type { Id, Operations } from "./operations.js";

export interface LayerSizes {
  readonly time: number;
  readonly batch: number;
  readonly hiddenSize: number;
}

/** A layer's weights, in PyTorch's shapes. */
export interface LayerWeights {
  readonly weightIh: Id;
  readonly weightHh: Id;
  readonly biasIh: Id;
  readonly biasHh: Id;
  /** `[vocabulary, input]`, where the layer has an embedding. */
  readonly embedding?: Id | undefined;
}

export interface LayerState {
  /** `[batch, hidden]` */
  readonly hidden: Id;
  /** `[batch, hidden]`, for an LSTM. */
  readonly cellState?: Id | undefined;
  /** `[batch, hidden]`: multiplies what the recurrent weights read of the state. */
  readonly mask?: Id | undefined;
}

interface LayerOutputs<Saved> {
  /** `[time, batch, hidden]` */
  readonly output: Id;
  /** `[batch, hidden]` */
  readonly hidden: Id;
  readonly cellState?: Id | undefined;
  /** What forward leaves for backward. */
  readonly saved: Saved;
}

/** Gradients with respect to weights, input and the state before the first step. */
interface LayerGradients extends InputGradients {
  readonly weightHh: Id;
  readonly biasIh: Id;
  readonly biasHh: Id;
  readonly hidden: Id;
  readonly cellState?: Id | undefined;
}

/**
 * One way to compute a recurrent layer over a sequence. All numbers in what it prepares and saves are
 * those of tensors.
 */
export interface LayerMethod<Prepared, Saved> {
  /**
   * Brings the weights into the form that `forward` takes, once for any number of sequences.
   *
   * @param readsTokens whether the input is tokens, not vectors
   */
  prepare(
    ops: Operations,
    weights: LayerWeights,
    readsTokens: boolean,
    hiddenSize: number,
  ): Prepared;
  forward(
    ops: Operations,
    prepared: Prepared,
    input: LayerInput,
    state: LayerState,
    sizes: LayerSizes,
  ): LayerOutputs<Saved>;
  /** @param gradientOutput `[time, batch, hidden]` */
  backward(
    ops: Operations,
    weights: LayerWeights,
    input: LayerInput,
    state: LayerState,
    sizes: LayerSizes,
    saved: Saved,
    gradientOutput: Id,
  ): LayerGradients;
}
