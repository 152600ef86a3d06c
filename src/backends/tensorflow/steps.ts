import { gatesOfVectors, gateTable, inputGradients } from "./input.js";
import type { Id } from "./operations.js";
import { type Recurrence, seenState } from "./recurrence.js";
import type { SequenceLayer } from "./sequence-layer.js";

interface Prepared<OfRecurrence> {
  readonly weightIh: Id;
  readonly biasIh: Id;
  /** What each character makes of the gates, where characters are read. */
  readonly table: Id | undefined;
  readonly ofRecurrence: OfRecurrence;
}

interface Kept<OfRecurrence> {
  /** The states after each step, `[time, batch, hidden]`. */
  readonly output: Id;
  readonly ofRecurrence: OfRecurrence;
}

export type LayerOfSteps<OfWeights, OfSteps> = SequenceLayer<Prepared<OfWeights>, Kept<OfSteps>>;

/**
 * A layer that goes step by step: what the input makes of the gates is made at once before, the
 * gradients by the weights at once after.
 */
export function layerOfSteps<OfWeights, OfSteps>(
  recurrence: Recurrence<OfWeights, OfSteps>,
): LayerOfSteps<OfWeights, OfSteps> {
  return {
    prepare(ops, { weightIh, weightHh, biasIh, biasHh, embedding }, readsTokens, hiddenSize) {
      const table = readsTokens ? gateTable(ops, weightIh, biasIh, embedding) : undefined;
      const ofRecurrence = recurrence.prepare(ops, weightHh, biasHh, hiddenSize);
      return { weightIh, biasIh, table, ofRecurrence };
    },

    forward(ops, { weightIh, biasIh, table, ofRecurrence }, input, state, sizes) {
      const { time, batch } = sizes;
      const gates =
        input.kind === "vectors"
          ? ops.reshape(gatesOfVectors(ops, input, weightIh, biasIh), time, batch, -1)
          : ops.gather(table as Id, input.tokens);
      const made = recurrence.forward(ops, gates, state, ofRecurrence, sizes);
      const { hiddens, cells, kept } = made;
      const output = ops.stack(hiddens);
      return {
        output: ops.identity(output),
        hidden: hiddens[time - 1],
        ...(cells && { cellState: cells[time - 1] }),
        kept: { output, ofRecurrence: kept },
      };
    },

    backward(ops, { weightIh, weightHh }, input, state, sizes, kept, gradientOutput) {
      const { time, batch, hiddenSize } = sizes;
      const gradients = ops.unstack(gradientOutput, time);
      const before = ops.statesBefore(kept.output, state.hidden, time, [batch, hiddenSize]);
      const steps = { before, gradients, state };
      const by = recurrence.backward(ops, weightHh, sizes, steps, kept.ofRecurrence);
      const { inputGates, hiddenGates, ...byState } = by;
      const seen = ops.reshape(seenState(ops, before, state.mask), time * batch, hiddenSize);
      const biasIh = ops.sumRows(inputGates);
      return {
        ...inputGradients(ops, input, weightIh, inputGates),
        weightHh: ops.matMul(hiddenGates, seen, "left"),
        biasIh,
        biasHh: hiddenGates === inputGates ? ops.identity(biasIh) : ops.sumRows(hiddenGates),
        ...byState,
      };
    },
  };
}
