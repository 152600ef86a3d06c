import { stateSize } from "../../config/cells.js";
import type { ModelConfig } from "../../config/model.js";
import type { DecodeSession } from "../backend.js";
import { ngramSession } from "../ngram-session.js";
import type { DecodeKernels } from "./kernels.js";

/**
 * Opens a session that reads `sequences` side by side.
 *
 * @param numbers of a parameter, by its name
 */
export function openDecodeSession(
  kernels: DecodeKernels,
  config: ModelConfig,
  numbers: (name: string) => Float32Array,
  sequences: number,
): DecodeSession {
  const session = openSession(kernels, config, numbers, sequences);
  return config.ngramOrder ? ngramSession(session, config, numbers, sequences) : session;
}

/** Its steps read vectors where the model has embeddings of n-grams, and else tokens. */
function openSession(
  kernels: DecodeKernels,
  { cell, layers, hiddenSize, embeddingSize, ngramOrder, vocabularySize }: ModelConfig,
  numbers: (name: string) => Float32Array,
  sequences: number,
) {
  const readsVectors = ngramOrder !== undefined;
  const hasEncoder = embeddingSize > 0 && !readsVectors;
  const session = kernels.openDecodeSession({
    cell,
    layers,
    sequences,
    hidden: hiddenSize,
    vocabulary: vocabularySize,
    embedding: embeddingSize,
    readsVectors,
    encoderWeight: hasEncoder ? numbers("encoder.weight") : undefined,
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
    step(input: Int32Array | Float32Array) {
      const count = readsVectors ? input.length / embeddingSize : input.length;
      const length = count * vocabularySize;
      if (logits.length !== length) logits = all.subarray(0, length);
      kernels.stepDecodeSession(session, input, logits);
      return logits;
    },
    readState(sequence: number) {
      const state = new Float32Array(stateSize(cell, layers, hiddenSize));
      kernels.readDecodeState(session, sequence, state);
      return state;
    },
    writeState(sequence: number, state: Float32Array) {
      kernels.writeDecodeState(session, sequence, state);
    },
    dispose() {
      kernels.closeDecodeSession(session);
    },
  };
}
