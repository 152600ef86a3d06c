/** The arrays of one time step; each is row-major with one row for each sequence of the batch. */
interface StepArrays {
  readonly batch: number;
  readonly hiddenSize: number;
  /** `[batch, saved]`: what forward leaves for backward. */
  readonly saved: Float32Array;
  /** `[batch, hidden]`: the state before the step. */
  readonly previousHidden: Float32Array;
  /** `[batch, hidden]`: the cell state before and after the step (empty but for an LSTM). */
  readonly previousCell: Float32Array;
  readonly cell: Float32Array;
}

export interface ForwardStep extends StepArrays {
  /** `[batch, gates]`: W_ih x + b_ih. */
  readonly inputGates: Float32Array;
  /** `[batch, gates]`: W_hh h + b_hh. */
  readonly hiddenGates: Float32Array;
  /** `[batch, hidden]`: overwritten by the state after the step. */
  readonly hidden: Float32Array;
}

export interface BackwardStep extends StepArrays {
  /** `[batch, hidden]`: with respect to the state after the step. */
  readonly gradientHidden: Float32Array;
  /** `[batch, hidden]`: with respect to the cell state after the step; overwritten by that before. */
  readonly gradientCell: Float32Array;
  /** `[batch, gates]`: overwritten. */
  readonly gradientInputGates: Float32Array;
  /** `[batch, gates]`: overwritten; the same array as the one above where they are always equal. */
  readonly gradientHiddenGates: Float32Array;
  /** `[batch, hidden]`: with respect to the state before, without the gates; overwritten. */
  readonly gradientPreviousHidden: Float32Array;
}

/** What one cell does after the matrix products of a time step, and the same backwards. */
export interface CellSteps {
  /** How many numbers for each hidden unit backward needs of forward. */
  readonly savedSize: number;
  /** Whether the gates see input and hidden state only in their sum. */
  readonly gatesAreSums: boolean;
  forward(step: ForwardStep): void;
  backward(step: BackwardStep): void;
}
