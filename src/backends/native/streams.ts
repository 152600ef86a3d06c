import type { Streams, StreamsModel } from "../engine.js";
import type { Addon } from "./addon.js";

/** Streams whose weights and state are in the addon's own memory. */
export function openNativeStreams(
  addon: Addon,
  { config, parameters }: StreamsModel,
  streams: number,
): Streams {
  const { cell, layers, hiddenSize, embeddingSize, vocabularySize } = config;
  const parameter = (name: string) => parameters.get(name)?.dataSync() as Float32Array;
  const handle = addon.openStreams({
    cell,
    layers,
    streams,
    hidden: hiddenSize,
    vocabulary: vocabularySize,
    embedding: embeddingSize,
    encoderWeight: embeddingSize > 0 ? parameter("encoder.weight") : undefined,
    weights: Array.from({ length: layers }, (_, layer) => ({
      weightIh: parameter(`rnn.weight_ih_l${layer}`),
      weightHh: parameter(`rnn.weight_hh_l${layer}`),
      biasIh: parameter(`rnn.bias_ih_l${layer}`),
      biasHh: parameter(`rnn.bias_hh_l${layer}`),
    })),
    decoderWeight: parameter("decoder.weight"),
    decoderBias: parameter("decoder.bias"),
  });
  const logits = new Float32Array(streams * vocabularySize);
  return {
    read(tokens) {
      addon.stepStreams(handle, tokens, logits);
      return logits;
    },
    dispose() {
      addon.closeStreams(handle);
    },
  };
}
