import { CELLS, stateSize } from "../../config/cells.js";
import { parameterShapes } from "../../config/parameters.js";
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
  /** Of how many sequences there are states, the first ones. */
  let held = sequences;
  /** By layer and part, `[held, hidden]`. */
  const readAll = (): Float32Array[] =>
    runtime.run((ops) =>
      state.flatMap(({ hidden, cellState }) =>
        (cellState === undefined ? [hidden] : [hidden, cellState]).map((id) => ops.floats(id)),
      ),
    );
  /** Makes states of the first `count` sequences, zeros where there are none yet. */
  const hold = (
    count: number,
    change: (numbers: Float32Array, part: number) => void = () => {},
  ) => {
    const parts = readAll().map((numbers, part) => {
      const changed = new Float32Array(count * hiddenSize);
      changed.set(numbers.subarray(0, changed.length));
      change(changed, part);
      return changed;
    });
    const old = idsIn(state);
    for (const id of old) own.delete(id);
    runtime.free(old);
    const ids = parts.map((numbers) => runtime.tensor([count, hiddenSize], numbers));
    for (const id of ids) own.add(id);
    const each = ids.length / layers;
    state = state.map((_, layer) =>
      each === 1
        ? { hidden: ids[layer] }
        : { hidden: ids[2 * layer], cellState: ids[2 * layer + 1] },
    );
    held = count;
  };
  return {
    readState(sequence) {
      const read = new Float32Array(stateSize(cell, layers, hiddenSize));
      for (const [part, numbers] of readAll().entries()) {
        const start = sequence * hiddenSize;
        read.set(numbers.subarray(start, start + hiddenSize), part * hiddenSize);
      }
      return read;
    },
    writeState(sequence, written) {
      hold(Math.max(held, sequence + 1), (numbers, part) => {
        const start = part * hiddenSize;
        numbers.set(written.subarray(start, start + hiddenSize), sequence * hiddenSize);
      });
    },
    step(tokens) {
      const batch = tokens.length;
      if (batch !== held) hold(batch);
      return runtime.run((ops) => {
        const sizes = { time: 1, batch, hiddenSize };
        const read = { time: 1, batch, size: embeddingSize || vocabularySize };
        const ids = { tokens: ops.tensor([1, batch], "int32", tokens.slice()) };
        let input: LayerInput =
          embedding === undefined
            ? { ...read, ...ids, kind: "one-hot" }
            : { ...read, ...ids, kind: "embedded", embedding, vocabulary: vocabularySize };
        const after = state.map((before, layer): LayerState => {
          const made = method.forward(ops, weights[layer], input, before, sizes);
          const { output: vectors, hidden, cellState } = made;
          const below = { time: 1, batch, size: hiddenSize };
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
      });
    },
    dispose() {
      runtime.free(own);
      own.clear();
    },
  };
}
