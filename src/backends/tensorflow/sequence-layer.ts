import type { InputGradients, LayerInput } from "./input.js";
import type { Id, Operations } from "./operations.js";

export interface SequenceSizes {
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
  /** `[vocabulary, input]`, of a layer that reads characters so. */
  readonly embedding?: Id | undefined;
}

export interface LayerState {
  readonly hidden: Id;
  readonly cellState?: Id | undefined;
  /** `[batch, hidden]`: multiplies what the recurrent weights see of the state. */
  readonly mask?: Id | undefined;
}

interface SequenceOutputs<Kept> {
  /** `[time, batch, hidden]` */
  readonly output: Id;
  /** `[batch, hidden]` */
  readonly hidden: Id;
  readonly cellState?: Id;
  /** What forward leaves for backward. */
  readonly kept: Kept;
}

interface SequenceGradients extends InputGradients {
  readonly weightHh: Id;
  readonly biasIh: Id;
  readonly biasHh: Id;
  readonly hidden: Id;
  readonly cellState?: Id;
}

/**
 * A way for a recurrent layer to go over a sequence. What it prepares and keeps holds no numbers but
 * those of tensors.
 */
export interface SequenceLayer<Prepared, Kept> {
  /**
   * What is made of the weights once, however many sequences follow.
   *
   * @param readsTokens or vectors
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
    sizes: SequenceSizes,
  ): SequenceOutputs<Kept>;
  /** Back through time over it, of the gradient by its output, `[time, batch, hidden]`. */
  backward(
    ops: Operations,
    weights: LayerWeights,
    input: LayerInput,
    state: LayerState,
    sizes: SequenceSizes,
    kept: Kept,
    gradientOutput: Id,
  ): SequenceGradients;
}
