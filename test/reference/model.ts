/**
 * What the whole model is: recurrent layers one above the other, the decoder and its loss. One step of
 * decoding is {@link model} over one time step, with the state of the step before.
 */
import {
  affine,
  type Cell,
  joined,
  type LayerOutputs,
  masked,
  recurrentLayer,
  row,
  type Vector,
} from "./cells.js";

export interface DecoderInputs {
  /** `[time, batch, hidden]` */
  readonly input: Vector;
  /** `[batch, hidden]`: the same at every step. */
  readonly inputMask?: Vector | undefined;
  /** `[vocabulary, hidden]` */
  readonly weight: Vector;
  /** `[vocabulary]` */
  readonly bias: Vector;
}

/** The logits of every position, `[time, batch, vocabulary]`. */
export function decoder({ input, inputMask, weight, bias }: DecoderInputs): Vector {
  const hiddenSize = weight.length / bias.length;
  const positions = input.length / hiddenSize;
  const masks = inputMask ? inputMask.length / hiddenSize : 1;
  const logits = Array.from({ length: positions }, (_, position) => {
    const mask = inputMask && row(inputMask, position % masks, hiddenSize);
    return affine(weight, bias, masked(row(input, position, hiddenSize), mask));
  });
  return joined(logits);
}

/**
 * Softmax and cross-entropy: the negative log-likelihood of each position's target, in nats; 0 where the
 * target is below 0 (Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 6.2.2.3).
 *
 * @param logits `[positions, vocabulary]`
 */
export function crossEntropy(logits: Vector, targets: Int32Array): Vector {
  const vocabulary = logits.length / targets.length;
  return Float64Array.from(targets, (target, position) => {
    if (target < 0) return 0;
    const scores = row(logits, position, vocabulary);
    const max = scores.reduce((a, b) => Math.max(a, b));
    const sum = scores.reduce((total, score) => total + Math.exp(score - max), 0);
    return Math.log(sum) + max - scores[target];
  });
}

/** The loss whose gradients are learned from: the mean over the positions that have a target. */
export function meanLoss(logits: Vector, targets: Int32Array): number {
  const sum = crossEntropy(logits, targets).reduce((total, loss) => total + loss, 0);
  return sum / Math.max(1, targets.filter((target) => target >= 0).length);
}

/** The masks of dropout, as `dropout.ts` makes them; a list has one for each layer. */
export interface ModelMasks {
  /** Input dropout, `[masks, input]` of the lowest layer. */
  readonly input: Vector;
  /** Dropout between layers and before the decoder: of each layer's outputs, `[batch, hidden]`. */
  readonly outputs: readonly Vector[];
  /** Recurrent dropout of the state, `[batch, hidden]`. */
  readonly states: readonly Vector[];
  /** Recurrent dropout of the weights, `[gates, hidden]`. */
  readonly weights: readonly Vector[];
}

type LayerState = Pick<LayerOutputs, "hidden" | "cellState">;

/**
 * The model over a sequence.
 *
 * @param parameters by PyTorch name
 * @param text tokens `[time, batch]`, and with `ngram2.weight` and so on those before the first step, `[steps, batch]`,
 *   below 0 where there is none; nothing is before any where they are left out
 * @param states before the first step, one for each layer
 * @returns the logits `[time, batch, vocabulary]` and each layer's state after the last step
 */
export function model(
  cell: Cell,
  parameters: ReadonlyMap<string, Vector>,
  text: Int32Array | { readonly inputs: Int32Array; readonly before: Int32Array },
  states: readonly LayerState[],
  masks?: ModelMasks,
): { logits: Vector; states: LayerState[] } {
  const parameter = (name: string) => parameters.get(name) as Vector;
  const tokens = text instanceof Int32Array ? text : text.inputs;
  const embedding = parameters.get("encoder.weight");
  const ngrams = [2, 3, 4, 5].flatMap((order) => parameters.get(`ngram${order}.weight`) ?? []);
  const batch =
    states[0].hidden.length /
    (parameter("rnn.weight_hh_l0").length / parameter("rnn.bias_hh_l0").length);
  const before = text instanceof Int32Array ? new Int32Array(0) : text.before;
  const vectors =
    embedding && ngrams.length > 0
      ? ngramVectors([embedding, ...ngrams], tokens, before, {
          batch,
          vocabulary: parameter("decoder.bias").length,
        })
      : undefined;
  let output = new Float64Array() as Vector;
  const after = states.map((state, layer): LayerState => {
    const outputs = recurrentLayer(cell, {
      ...state,
      input: layer > 0 ? output : (vectors ?? tokens),
      embedding: layer === 0 ? embedding : undefined,
      inputMask: layer === 0 ? masks?.input : masks?.outputs[layer - 1],
      stateMask: masks?.states[layer],
      weightMask: masks?.weights[layer],
      weightIh: parameter(`rnn.weight_ih_l${layer}`),
      weightHh: parameter(`rnn.weight_hh_l${layer}`),
      biasIh: parameter(`rnn.bias_ih_l${layer}`),
      biasHh: parameter(`rnn.bias_hh_l${layer}`),
    });
    output = outputs.output;
    return outputs;
  });
  const logits = decoder({
    input: output,
    inputMask: masks?.outputs[states.length - 1],
    weight: parameter("decoder.weight"),
    bias: parameter("decoder.bias"),
  });
  return { logits, states: after };
}

/**
 * The embedding of each token, to which those of the n-grams that it ends are added, `[time, batch, input]`.
 *
 * A table has a row for each n-gram, where it has so many, and else an n-gram's row is a hash of it.
 *
 * @param tables of single tokens, pairs, and so on
 */
function ngramVectors(
  tables: readonly Vector[],
  tokens: Int32Array,
  before: Int32Array,
  { batch, vocabulary }: { readonly batch: number; readonly vocabulary: number },
): Vector {
  const size = tables[0].length / vocabulary;
  const symbols = vocabulary + 1;
  const multipliers = [334214459n, 216613571n, 482813621n, 119549117n, 405010933n];
  const all = [...before, ...tokens];
  const vectors = Array.from(tokens, (token, position) => {
    const ngram = tables.map((_, back) => (all[before.length + position - back * batch] ?? -1) + 1);
    const summed = tables.map((table, k) => {
      if (k === 0) return row(table, token, size);
      const rows = table.length / size;
      const places = ngram.slice(0, k + 1);
      const index =
        rows === symbols ** (k + 1)
          ? places.reduce((sum, symbol, back) => sum + symbol * symbols ** back, 0)
          : Number(
              (places.reduce((sum, symbol, back) => sum + BigInt(symbol) * multipliers[back], 0n) %
                536870909n) %
                BigInt(rows),
            );
      return row(table, index, size);
    });
    return summed.reduce((sum, vector) => sum.map((value, i) => value + vector[i]));
  });
  return joined(vectors);
}
