import type { Id, Operations } from "./operations.js";
import type { LayerState, SequenceSizes } from "./sequence-layer.js";

interface Steps {
  /** The states before the steps, `[time, batch, hidden]`. */
  readonly before: Id;
  /** Of each step `[batch, hidden]`: the gradient by the state after it, but for what later steps have. */
  readonly gradients: readonly Id[];
  /** The state before the first step. */
  readonly state: LayerState;
}

/** A cell's recurrence, one step after the other. */
export interface Recurrence<Prepared, Kept> {
  /**
   * What is made of the weights once, however many sequences follow.
   *
   * @param weightHh `[gates, hidden]`
   * @param biasHh `[gates]`
   */
  prepare(ops: Operations, weightHh: Id, biasHh: Id, hiddenSize: number): Prepared;
  /**
   * @param gates what the input makes of them, `[time, batch, gates]`
   * @param state before the first step
   * @returns the states after each step, and what `backward` needs
   */
  forward(
    ops: Operations,
    gates: Id,
    state: LayerState,
    prepared: Prepared,
    sizes: SequenceSizes,
  ): { hiddens: Id[]; cells?: Id[]; kept: Kept };
  /**
   * @returns the gradients by the gates before their activation, `[time * batch, gates]`, as the
   *   input and as the state make them, and those by the state before the first step
   */
  backward(
    ops: Operations,
    weightHh: Id,
    sizes: SequenceSizes,
    steps: Steps,
    kept: Kept,
  ): { inputGates: Id; hiddenGates: Id; hidden: Id; cellState?: Id };
}

/** The state as the recurrent weights see it, or the gradient by that as one by the state. */
export function seenState(ops: Operations, state: Id, mask: Id | undefined): Id {
  return mask === undefined ? state : ops.multiply(state, mask);
}

/**
 * The gradients by all states, the last first.
 *
 * @param goBack gives the terms of the gradient by the state before a step, of that by the one after
 * @returns those after each step, `[time, batch, hidden]`, and that by the state before the first
 */
export function goBackInTime(
  ops: Operations,
  gradients: readonly Id[],
  goBack: (dh: Id, t: number) => Id[],
): { all: Id; first: Id } {
  const all: Id[] = [];
  let dh = gradients[gradients.length - 1];
  for (let t = gradients.length - 1; t >= 0; t--) {
    all[t] = dh;
    const after = dh;
    dh = ops.tidy(() => {
      const terms = goBack(after, t);
      return ops.addN(...(t > 0 ? [...terms, gradients[t - 1]] : terms));
    });
  }
  return { all: ops.stack(all), first: dh };
}
