import { CELLS } from "../../config/cells.js";
import { parameterShapes } from "../../config/model.js";
import type { DecodeModel, DecodeSession } from "../backend.js";
import { sliceOf } from "../plain-arrays.js";
import type { LayerInput } from "./input.js";
import type { LayerState } from "./layer.js";
import { layerMethod } from "./layers.js";
import { type Id, idsIn, type Operations } from "./operations.js";
import type { Runtime } from "./runtime.js";
import { idOf } from "./tensors.js";

/** A session in which each step is a sequence of length one. */
export function openTensorFlowDecodeSession(
  runtime: Runtime,
  cudnn: boolean,
  { config, parameters }: DecodeModel,
  sequences: number,
): DecodeSession {
  const { cell, layers, hiddenSize, embeddingSize, vocabularySize } = config;
  const shapes = parameterShapes(config);
  const method = layerMethod(cell, { masked: false, cudnn });
  // Copies, since the model may be trained further, in the form that steps use.
  const own = new Set<Id>();
  const keep = (ops: Operations, ids: readonly Id[]) => {
    for (const id of ops.keepOwn(ids)) own.add(id);
  };
  const { weights, embedding, decoder, bias } = runtime.run((ops) => {
    const copy = (name: string) =>
      ops.identity(idOf(ops, parameters.of(name), sliceOf(shapes, name)));
    const embedding = embeddingSize > 0 ? copy("encoder.weight") : undefined;
    const weights = Array.from({ length: layers }, (_, layer) =>
      method.prepare(
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
  let state: LayerState[] = runtime.run((ops) =>
    weights.map(() => {
      const zeros = () => ops.zeros(sequences, hiddenSize);
      const first = CELLS[cell].hasCellState
        ? { hidden: zeros(), cellState: zeros() }
        : { hidden: zeros() };
      keep(ops, idsIn(first));
      return first;
    }),
  );
  return {
    step: (tokens) =>
      runtime.run((ops) => {
        const sizes = { time: 1, batch: sequences, hiddenSize };
        const read = { time: 1, batch: sequences, size: embeddingSize || vocabularySize };
        const ids = { tokens: ops.tensor([1, sequences], "int32", tokens.slice()) };
        let input: LayerInput =
          embedding === undefined
            ? { ...read, ...ids, kind: "one-hot" }
            : { ...read, ...ids, kind: "embedded", embedding, vocabulary: vocabularySize };
        const after = state.map((before, layer): LayerState => {
          const made = method.forward(ops, weights[layer], input, before, sizes);
          const { output: vectors, hidden, cellState } = made;
          const below = { time: 1, batch: sequences, size: hiddenSize };
          input = { ...below, kind: "vectors", vectors, mask: undefined };
          return { hidden, cellState };
        });
        const top = after[layers - 1].hidden;
        const logits = ops.biasAdd(ops.matMul(top, decoder, "right"), bias);
        const old = idsIn(state);
        for (const id of old) own.delete(id);
        runtime.free(old);
        keep(ops, idsIn(after));
        state = after;
        return ops.floats(logits);
      }),
    dispose() {
      runtime.free(own);
      own.clear();
    },
  };
}
