import { CELLS } from "../../config/cells.js";
import type { Streams, StreamsModel } from "../engine.js";
import type { TensorInfo } from "../tfjs.js";
import type { LayerInput } from "./input.js";
import { type Id, idsIn, type Operations } from "./operations.js";
import { sequenceLayer } from "./rnn-sequence.js";
import type { LayerState } from "./sequence-layer.js";
import type { TensorFlowBackend } from "./tensorflow-backend.js";

/** Streams whose every step is a sequence of one step. */
export function openTensorFlowStreams(
  backend: TensorFlowBackend,
  model: StreamsModel,
  streams: number,
): Streams {
  const { config, parameters } = model;
  const { cell, layers, hiddenSize, embeddingSize, vocabularySize } = config;
  const parameter = (name: string) => backend.id(parameters.get(name) as TensorInfo);
  const numbers = Array.from({ length: layers }, (_, layer) => layer);
  const way = sequenceLayer(cell, { masked: false, cudnn: backend.cudnn.usable });
  // Of their own, since the model may be trained on, and they are used at every step.
  const own = new Set<Id>();
  const keep = (ops: Operations, ids: readonly Id[]) => {
    for (const id of ops.keepOwn(ids)) own.add(id);
  };
  const { weights, embedding, decoder, bias } = backend.run((ops) => {
    const copy = (name: string) => ops.same(parameter(name));
    const embedding = embeddingSize > 0 ? copy("encoder.weight") : undefined;
    const weights = numbers.map((layer) =>
      way.prepare(
        ops,
        {
          weightIh: copy(`rnn.weight_ih_l${layer}`),
          weightHh: copy(`rnn.weight_hh_l${layer}`),
          biasIh: copy(`rnn.bias_ih_l${layer}`),
          biasHh: copy(`rnn.bias_hh_l${layer}`),
          embedding: layer === 0 ? embedding : undefined,
        },
        layer === 0,
        hiddenSize,
      ),
    );
    const all = { weights, embedding, decoder: copy("decoder.weight"), bias: copy("decoder.bias") };
    keep(ops, idsIn(all));
    return all;
  });
  let state: LayerState[] = backend.run((ops) =>
    numbers.map(() => {
      const zeros = () => ops.zeros(streams, hiddenSize);
      const first = CELLS[cell].hasCellState
        ? { hidden: zeros(), cellState: zeros() }
        : { hidden: zeros() };
      keep(ops, idsIn(first));
      return first;
    }),
  );
  return {
    read: (tokens) =>
      backend.run((ops) => {
        const places = ops.tensor([1, streams], "int32", tokens.slice());
        const sizes = { time: 1, batch: streams, hiddenSize };
        let input: LayerInput = {
          time: 1,
          batch: streams,
          size: embeddingSize || vocabularySize,
          tokens: places,
          ...(embedding === undefined
            ? { kind: "one-hot" }
            : { kind: "embedded", embedding, vocabulary: vocabularySize }),
        };
        const after = state.map((before, layer): LayerState => {
          const made = way.forward(ops, weights[layer], input, before, sizes);
          const { output, hidden, cellState } = made;
          input = {
            kind: "vectors",
            time: 1,
            batch: streams,
            size: hiddenSize,
            vectors: output,
            mask: undefined,
          };
          return { hidden, cellState };
        });
        const top = after[layers - 1].hidden;
        const logits = ops.addBias(ops.product(top, decoder, "right"), bias);
        const old = idsIn(state);
        for (const id of old) own.delete(id);
        backend.free(old);
        keep(ops, idsIn(after));
        state = after;
        return ops.values(logits) as Float32Array;
      }),
    dispose() {
      backend.free(own);
      own.clear();
    },
  };
}
