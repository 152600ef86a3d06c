import { stateSize } from "../../config/cells.js";
import type { ModelConfig } from "../../config/model.js";
import type { DecodeSession } from "../backend.js";
import type { DecodeKernels } from "./kernels.js";

/**
 * Opens a session that reads `sequences` side by side.
 *
 * @param numbers of a parameter, by its name
 */
export function openDecodeSession(
  kernels: DecodeKernels,
  { cell, layers, hiddenSize, embeddingSize, vocabularySize }: ModelConfig,
  numbers: (name: string) => Float32Array,
  sequences: number,
): DecodeSession {
  const session = kernels.openDecodeSession({
    cell,
    layers,
    sequences,
    hidden: hiddenSize,
    vocabulary: vocabularySize,
    embedding: embeddingSize,
    encoderWeight: embeddingSize > 0 ? numbers("encoder.weight") : undefined,
    weights: Array.from({ length: layers }, (_, layer) => ({
      weightIh: numbers(`rnn.weight_ih_l${layer}`),
      weightHh: numbers(`rnn.weight_hh_l${layer}`),
      biasIh: numbers(`rnn.bias_ih_l${layer}`),
      biasHh: numbers(`rnn.bias_hh_l${layer}`),
    })),
    decoderWeight: numbers("decoder.weight"),
    decoderBias: numbers("decoder.bias"),
  });
  const all = new Float32Array(sequences * vocabularySize);
  let logits = all;
  return {
    step(tokens) {
      const length = tokens.length * vocabularySize;
      if (logits.length !== length) logits = all.subarray(0, length);
      kernels.stepDecodeSession(session, tokens, logits);
      return logits;
    },
    readState(sequence) {
      const state = new Float32Array(stateSize(cell, layers, hiddenSize));
      kernels.readDecodeState(session, sequence, state);
      return state;
    },
    writeState(sequence, state) {
      kernels.writeDecodeState(session, sequence, state);
    },
    dispose() {
      kernels.closeDecodeSession(session);
    },
  };
}
