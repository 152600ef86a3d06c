import { inputGates, inputGateTable, inputGradients } from "./input.js";
import type { LayerMethod, LayerSizes, LayerState } from "./layer.js";
import type { Id, Operations } from "./operations.js";
import { masked } from "./tensors.js";

interface BackwardSteps {
  /** `[time, batch, hidden]`: the states before each step. */
  readonly before: Id;
  /** Of each step, `[batch, hidden]`: the gradient with respect to its output. */
  readonly gradients: readonly Id[];
  /** The state before the first step. */
  readonly state: LayerState;
}

/** A cell's recurrence, one step after the other. */
export interface Recurrence<Prepared, Saved> {
  /**
   * @param weightHh `[gates, hidden]`
   * @param biasHh `[gates]`
   */
  prepare(ops: Operations, weightHh: Id, biasHh: Id, hiddenSize: number): Prepared;
  /**
   * @param gates W_ih x + b_ih, `[time, batch, gates]`
   * @param state before the first step
   * @returns the states after each step, and what `backward` needs
   */
  forward(
    ops: Operations,
    gates: Id,
    state: LayerState,
    prepared: Prepared,
    sizes: LayerSizes,
  ): { hiddens: Id[]; cells?: Id[]; saved: Saved };
  /**
   * @returns the gradients with respect to W_ih x + b_ih and to W_hh h + b_hh, `[time * batch, gates]`, and
   *   to the state before the first step
   */
  backward(
    ops: Operations,
    weightHh: Id,
    sizes: LayerSizes,
    steps: BackwardSteps,
    saved: Saved,
  ): { inputGates: Id; hiddenGates: Id; hidden: Id; cellState?: Id };
}

interface Prepared<OfRecurrence> {
  readonly weightIh: Id;
  readonly biasIh: Id;
  /** `[vocabulary, gates]`: W_ih x + b_ih of each token, where tokens are read. */
  readonly table: Id | undefined;
  readonly ofRecurrence: OfRecurrence;
}

interface Saved<OfRecurrence> {
  /** The states after each step, `[time, batch, hidden]`. */
  readonly output: Id;
  readonly ofRecurrence: OfRecurrence;
}

export type StepByStep<OfWeights, OfSteps> = LayerMethod<Prepared<OfWeights>, Saved<OfSteps>>;

/**
 * A layer step by step. The input's part of the gates is computed for all steps at once beforehand, and the
 * gradients with respect to the weights at once afterwards.
 */
export function stepByStep<OfWeights, OfSteps>(
  recurrence: Recurrence<OfWeights, OfSteps>,
): StepByStep<OfWeights, OfSteps> {
  return {
    prepare(ops, { weightIh, weightHh, biasIh, biasHh, embedding }, readsTokens, hiddenSize) {
      const table = readsTokens ? inputGateTable(ops, weightIh, biasIh, embedding) : undefined;
      const ofRecurrence = recurrence.prepare(ops, weightHh, biasHh, hiddenSize);
      return { weightIh, biasIh, table, ofRecurrence };
    },

    forward(ops, { weightIh, biasIh, table, ofRecurrence }, input, state, sizes) {
      const { time, batch } = sizes;
      const gates =
        input.kind === "vectors"
          ? ops.reshape(inputGates(ops, input, weightIh, biasIh), time, batch, -1)
          : ops.gather(table as Id, input.tokens);
      const made = recurrence.forward(ops, gates, state, ofRecurrence, sizes);
      const { hiddens, cells, saved } = made;
      const output = ops.stack(hiddens);
      return {
        output,
        hidden: hiddens[time - 1],
        ...(cells && { cellState: cells[time - 1] }),
        saved: { output, ofRecurrence: saved },
      };
    },

    backward(ops, { weightIh, weightHh }, input, state, sizes, saved, gradientOutput) {
      const { time, batch, hiddenSize } = sizes;
      const gradients = ops.unstack(gradientOutput, time);
      const before = ops.statesBefore(saved.output, state.hidden, time, [batch, hiddenSize]);
      const steps = { before, gradients, state };
      const made = recurrence.backward(ops, weightHh, sizes, steps, saved.ofRecurrence);
      const { inputGates, hiddenGates, ...ofState } = made;
      const read = ops.reshape(masked(ops, before, state.mask), time * batch, hiddenSize);
      const biasIh = ops.sumRows(inputGates);
      return {
        ...inputGradients(ops, input, weightIh, inputGates),
        weightHh: ops.matMul(hiddenGates, read, "left"),
        biasIh,
        biasHh: hiddenGates === inputGates ? ops.identity(biasIh) : ops.sumRows(hiddenGates),
        ...ofState,
      };
    },
  };
}

/**
 * The gradients with respect to all states, the last first.
 *
 * @param stepBack from the gradient with respect to the state after a step, the terms whose sum is the gradient
 *   with respect to the state before it
 * @returns those after each step, `[time, batch, hidden]`, and that with respect to the state before the first
 */
export function backThroughTime(
  ops: Operations,
  gradients: readonly Id[],
  stepBack: (dh: Id, t: number) => Id[],
): { all: Id; first: Id } {
  const all: Id[] = [];
  let dh = gradients[gradients.length - 1];
  for (let t = gradients.length - 1; t >= 0; t--) {
    all[t] = dh;
    const after = dh;
    dh = ops.tidy(() => {
      const terms = stepBack(after, t);
      return ops.addN(...(t > 0 ? [...terms, gradients[t - 1]] : terms));
    });
  }
  return { all: ops.stack(all), first: dh };
}
