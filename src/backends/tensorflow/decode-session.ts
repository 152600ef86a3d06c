import { CELLS, stateSize } from "../../config/cells.js";
import { parameterShapes } from "../../config/parameters.js";
import type { DecodeModel, DecodeSession } from "../backend.js";
import { ngramSession } from "../ngram-session.js";
import { numbersOf, sliceOf } from "../plain-arrays.js";
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
  model: DecodeModel,
  sequences: number,
): DecodeSession {
  const { config, parameters } = model;
  const session = openSession(runtime, cudnn, model, sequences);
  if (!config.ngramOrder) return session;
  const numbers = (name: string) => numbersOf(parameters.of(name));
  return ngramSession(session, config, numbers, sequences);
}

/** Its steps read vectors where the model has embeddings of n-grams, and else tokens. */
function openSession(
  runtime: Runtime,
  cudnn: boolean,
  { config, parameters }: DecodeModel,
  sequences: number,
) {
  const { cell, layers, hiddenSize, embeddingSize, ngramOrder, vocabularySize } = config;
  const readsVectors = ngramOrder !== undefined;
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
    const embedding = embeddingSize > 0 && !readsVectors ? copy("encoder.weight") : undefined;
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
        layer === 0 && !readsVectors,
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
  /** What the lowest layer reads. */
  const lowest = (ops: Operations, input: Int32Array | Float32Array, batch: number): LayerInput => {
    const read = { time: 1, batch, size: embeddingSize || vocabularySize };
    if (input instanceof Float32Array) {
      const vectors = ops.tensor([1, batch, embeddingSize], "float32", input.slice());
      return { ...read, kind: "vectors", vectors, mask: undefined };
    }
    const tokens = ops.tensor([1, batch], "int32", input.slice());
    return embedding === undefined
      ? { ...read, tokens, kind: "one-hot" }
      : { ...read, tokens, kind: "embedded", embedding, vocabulary: vocabularySize };
  };
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
    readState(sequence: number) {
      const read = new Float32Array(stateSize(cell, layers, hiddenSize));
      for (const [part, numbers] of readAll().entries()) {
        const start = sequence * hiddenSize;
        read.set(numbers.subarray(start, start + hiddenSize), part * hiddenSize);
      }
      return read;
    },
    writeState(sequence: number, written: Float32Array) {
      hold(Math.max(held, sequence + 1), (numbers, part) => {
        const start = part * hiddenSize;
        numbers.set(written.subarray(start, start + hiddenSize), sequence * hiddenSize);
      });
    },
    step(input: Int32Array | Float32Array) {
      const batch = readsVectors ? input.length / embeddingSize : input.length;
      if (batch !== held) hold(batch);
      return runtime.run((ops) => {
        const sizes = { time: 1, batch, hiddenSize };
        let below = lowest(ops, input, batch);
        const after = state.map((before, layer): LayerState => {
          const made = method.forward(ops, weights[layer], below, before, sizes);
          const { output: vectors, hidden, cellState } = made;
          below = { time: 1, batch, size: hiddenSize, kind: "vectors", vectors, mask: undefined };
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
