import type { Id, Operations } from "./operations.js";

interface RecurrenceSizes {
  readonly time: number;
  readonly batch: number;
  readonly hiddenSize: number;
}

/** What a recurrence reads. */
interface RecurrenceInputs<Prepared> {
  /** What the input makes of the gates, `[time, batch, gates]`. */
  readonly gates: Id;
  /** The state before the first step, `[batch, hidden]`. */
  readonly hidden: Id;
  /** `[batch, hidden]`: multiplies what the recurrent weights see of the state. */
  readonly stateMask: Id | undefined;
  readonly prepared: Prepared;
}

interface Steps {
  /** The states before the steps, `[time, batch, hidden]`. */
  readonly before: Id;
  /** Of each step `[batch, hidden]`: the gradient by the state after it, but for what later steps have. */
  readonly gradients: readonly Id[];
  readonly stateMask: Id | undefined;
}

/** A cell that TensorFlow has no operation for: its recurrence, one step after the other. */
export interface Recurrence<Prepared, Kept> {
  /**
   * What is made of the weights once, however many sequences follow.
   *
   * @param weightHh `[gates, hidden]`
   * @param biasHh `[gates]`
   */
  prepare(ops: Operations, weightHh: Id, biasHh: Id, hiddenSize: number): Prepared;
  /** @returns the state after each step, and what `backward` needs */
  forward(
    ops: Operations,
    inputs: RecurrenceInputs<Prepared>,
    sizes: RecurrenceSizes,
  ): { hiddens: Id[]; kept: Kept };
  /**
   * @returns the gradients by the gates before their activation, `[time * batch, gates]`, as the
   *   input and as the state make them, and that by the state before the first step
   */
  backward(
    ops: Operations,
    weightHh: Id,
    sizes: RecurrenceSizes,
    steps: Steps,
    kept: Kept,
  ): { inputGates: Id; hiddenGates: Id; hidden: Id };
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
      return ops.sum(...(t > 0 ? [...terms, gradients[t - 1]] : terms));
    });
  }
  return { all: ops.stack(all), first: dh };
}
