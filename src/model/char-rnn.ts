import type {
  Backend,
  Decoder,
  DecodeSession,
  ParameterArray,
  RnnLayer,
  Tensor,
  Workspace,
} from "../backends/backend.js";
import { CELLS, stateSize } from "../config/cells.js";
import type { ModelConfig } from "../config/model.js";
import type { Batch } from "../data/batch.js";
import type { Random } from "../random.js";
import { inTurns } from "../turns.js";
import { BatchNgrams, type NonzeroGradients } from "./batch-ngrams.js";
import { type Dropout, type DropoutMasks, dropoutMasks } from "./dropout.js";
import { initialWeights } from "./initial-weights.js";
import { parameterArray } from "./parameters.js";
import { ScratchArrays } from "./scratch-arrays.js";

/** The state of one recurrent layer between two windows of text. */
interface LayerState {
  /** `[batch, hidden]` */
  readonly hidden: Float32Array;
  /** `[batch, hidden]`, for an LSTM. */
  readonly cellState?: Float32Array | undefined;
}

/** The state of all layers, the lowest first: a value, never changed. */
export type ModelState = readonly LayerState[];

/** Scratch memory of a model: that of each layer, that of the decoder, and that for n-grams. */
export interface ModelWorkspace {
  readonly layers: readonly Workspace[];
  readonly decoder: Workspace;
  readonly ngrams: ScratchArrays;
}

export function modelWorkspace(backend: Backend, { layers }: ModelConfig): ModelWorkspace {
  return {
    layers: Array.from({ length: layers }, () => backend.createWorkspace()),
    decoder: backend.createWorkspace(),
    ngrams: new ScratchArrays(),
  };
}

/** How well a model predicted some characters. */
export interface Score {
  /** Sum of the cross-entropy, nats. */
  readonly loss: number;
  /** How many characters were predicted. */
  readonly characters: number;
  /** How many of them were the most likely one. */
  readonly correct: number;
}

/** The loss of some characters. */
export type LossSum = Pick<Score, "loss" | "characters">;

export const NO_LOSSES: LossSum = { loss: 0, characters: 0 };

/** How well each position of a batch was predicted, `[time, batch]`; those without a target don't count. */
export interface PositionScores {
  /** Cross-entropy, nats. */
  readonly losses: Float32Array;
  /** The most likely tokens. */
  readonly predictions: Int32Array;
  /** How many tokens were likelier than the target. */
  readonly ranks: Int32Array;
}

/** How a batch was predicted, and the state after it. */
interface Scored {
  readonly score: Score;
  readonly positions: PositionScores;
  readonly state: ModelState;
}

/**
 * A character-level recurrent network: an embedding of characters if it has one, to which those of n-grams may be added;
 * recurrent layers; and a linear decoder to the logits of the next character.
 */
export class CharRnn {
  /**
   * @param parameters the weights, the model's own from now on; zeros when left out
   * @param workspace may be that of another model of the same shape and backend, which is not in use
   *   meanwhile
   */
  constructor(
    readonly backend: Backend,
    readonly config: ModelConfig,
    readonly parameters: ParameterArray = parameterArray(backend, config),
    readonly workspace: ModelWorkspace = modelWorkspace(backend, config),
  ) {}

  /**
   * A model with the weights that training starts from: see {@link initialWeights}.
   *
   * @throws the signal's reason once it is aborted
   */
  static async initial(
    backend: Backend,
    config: ModelConfig,
    random: Random,
    signal: AbortSignal | undefined,
    counts?: Float64Array,
    workspace?: ModelWorkspace,
  ): Promise<CharRnn> {
    const weights = await inTurns(initialWeights(config, random, counts), signal);
    const model = new CharRnn(backend, config, parameterArray(backend, config), workspace);
    model.parameters.write(weights);
    return model;
  }

  get vocabularySize(): number {
    return this.config.vocabularySize;
  }

  /** Numbers of a sequence's state in a session: of all layers, and the characters before where n-grams are read. */
  get stateSize(): number {
    const { layers, cell, hiddenSize, ngramOrder = 1 } = this.config;
    return stateSize(cell, layers, hiddenSize) + ngramOrder - 1;
  }

  /** The state before any text: all zeros. */
  zeroState(batch: number): ModelState {
    const { layers, cell, hiddenSize } = this.config;
    const zero = () => new Float32Array(batch * hiddenSize);
    return Array.from({ length: layers }, () =>
      CELLS[cell].hasCellState ? { hidden: zero(), cellState: zero() } : { hidden: zero() },
    );
  }

  /** Predicts every target of a batch. */
  score(batch: Batch, state: ModelState): Scored {
    return this.#score(batch, state);
  }

  /** @param logits `[time, batch, vocabulary]`: overwritten by those of all characters */
  scoreWithLogits(batch: Batch, state: ModelState, logits: Float32Array): Scored {
    return this.#score(batch, state, logits);
  }

  /**
   * The outputs of each layer over a batch, the lowest first.
   *
   * @returns `[time, batch, hidden]` each, copies
   */
  trace(batch: Batch, state: ModelState): { outputs: Float32Array[]; state: ModelState } {
    const { layers } = this.#forward(batch, state);
    const outputs = layers.map(({ output }) =>
      output instanceof Float32Array ? output.slice() : output.read(),
    );
    return { outputs, state: finalState(layers) };
  }

  /**
   * Predicts every target of a batch and overwrites `gradients` by the gradients of the mean loss
   * (nats/character) with respect to every parameter. They reach back to the first step of the
   * batch, not into the state before it.
   *
   * @param dropout what is dropped, and the random numbers of this step
   * @param nonzero of `gradients`, as {@link BatchNgrams.spread} takes it
   */
  lossAndGradients(
    batch: Batch,
    state: ModelState,
    gradients: ParameterArray,
    dropout: Dropout,
    nonzero?: NonzeroGradients,
  ): { score: Score; state: ModelState } {
    const { backend, workspace } = this;
    const masks = dropoutMasks(this.config, dropout, batch.batch);
    const { layers, ngrams } = this.#forward(batch, state, masks);
    const top = layers.length - 1;
    const predicted = backend.linearCrossEntropy(
      this.#decoder(batch, layers[top].output, masks),
      {
        gradientWeight: gradients.of("decoder.weight"),
        gradientBias: gradients.of("decoder.bias"),
      },
      workspace.decoder,
    );
    const gradientNgrams =
      ngrams && workspace.ngrams.floats("gradient of n-grams", ngrams.embedding.length);
    const gradientEmbedding = gradientNgrams ?? gradients.byName.get("encoder.weight");
    let gradientOutput: Tensor | undefined = predicted.gradientInput;
    for (let layer = top; layer >= 0 && gradientOutput; layer--) {
      const ofInput = backend.rnnBackward(
        layers[layer].call,
        {
          gradientOutput,
          gradientWeightIh: gradients.of(`rnn.weight_ih_l${layer}`),
          gradientWeightHh: gradients.of(`rnn.weight_hh_l${layer}`),
          gradientBiasIh: gradients.of(`rnn.bias_ih_l${layer}`),
          gradientBiasHh: gradients.of(`rnn.bias_hh_l${layer}`),
          gradientEmbedding: layer === 0 ? gradientEmbedding : undefined,
        },
        workspace.layers[layer],
      );
      gradientOutput = ofInput.gradientInput;
    }
    if (ngrams && gradientNgrams) ngrams.spread(gradientNgrams, backend, gradients, nonzero);
    return { score: scoreOf(batch, predicted), state: finalState(layers) };
  }

  /** Opens a session that reads `sequences` side by side; the weights must not change meanwhile. */
  openDecodeSession(sequences: number): DecodeSession {
    return this.backend.openDecodeSession(this, sequences);
  }

  dispose(): void {
    this.parameters.dispose();
    for (const work of [...this.workspace.layers, this.workspace.decoder]) work.dispose();
  }

  #score(batch: Batch, state: ModelState, logits?: Float32Array): Scored {
    const { layers } = this.#forward(batch, state);
    const decoder = this.#decoder(batch, layers[layers.length - 1].output);
    const positions = this.backend.linearCrossEntropyScores(
      decoder,
      this.workspace.decoder,
      logits,
    );
    return { score: scoreOf(batch, positions), positions, state: finalState(layers) };
  }

  #forward(of: Batch, state: ModelState, masks?: DropoutMasks) {
    const { cell, hiddenSize, embeddingSize, vocabularySize } = this.config;
    const { time, batch } = of;
    const ngrams = this.config.ngramOrder
      ? new BatchNgrams(of, this, this.workspace.ngrams, masks?.ngrams)
      : undefined;
    const embedding = ngrams?.embedding ?? this.parameters.byName.get("encoder.weight");
    const layers = [];
    let input: Int32Array | Tensor = ngrams?.inputs ?? of.inputs;
    for (let layer = 0; layer < this.config.layers; layer++) {
      const call: RnnLayer = {
        cell,
        time,
        batch,
        inputSize: layer > 0 ? hiddenSize : embeddingSize || vocabularySize,
        hiddenSize,
        input,
        embedding: layer === 0 ? embedding : undefined,
        inputMask: layer > 0 ? masks?.output(layer - 1) : masks?.input,
        weightIh: this.parameters.of(`rnn.weight_ih_l${layer}`),
        weightHh: this.parameters.of(`rnn.weight_hh_l${layer}`),
        weightMask: masks?.weight(layer),
        biasIh: this.parameters.of(`rnn.bias_ih_l${layer}`),
        biasHh: this.parameters.of(`rnn.bias_hh_l${layer}`),
        ...state[layer],
        stateMask: masks?.state(layer),
      };
      const outputs = this.backend.rnnForward(call, this.workspace.layers[layer]);
      layers.push({ call, ...outputs });
      input = outputs.output;
    }
    return { layers, ngrams };
  }

  #decoder({ targets, time, batch }: Batch, input: Tensor, masks?: DropoutMasks): Decoder {
    const { layers, hiddenSize } = this.config;
    return {
      time,
      batch,
      hiddenSize,
      input,
      inputMask: masks?.output(layers - 1),
      weight: this.parameters.of("decoder.weight"),
      bias: this.parameters.of("decoder.bias"),
      targets,
    };
  }
}

function finalState(layers: readonly LayerState[]): ModelState {
  return layers.map(({ hidden, cellState }) => (cellState ? { hidden, cellState } : { hidden }));
}

export function sumOfScores(scores: readonly Score[]): Score {
  let [loss, characters, correct] = [0, 0, 0];
  for (const score of scores) {
    loss += score.loss;
    characters += score.characters;
    correct += score.correct;
  }
  return { loss, characters, correct };
}

export function addLosses(a: LossSum, b: LossSum): LossSum {
  return { loss: a.loss + b.loss, characters: a.characters + b.characters };
}

/** Adds up the losses of a batch, `[time, batch]`. */
export function lossSum({ targets }: Batch, losses: Float32Array): LossSum {
  let loss = 0;
  let characters = 0;
  for (const [position, target] of targets.entries()) {
    if (target < 0) continue;
    loss += losses[position];
    characters++;
  }
  return { loss, characters };
}

/** Adds up how the positions of a batch were predicted. */
export function scoreOf(
  batch: Batch,
  { losses, predictions }: Pick<PositionScores, "losses" | "predictions">,
): Score {
  let loss = 0;
  let characters = 0;
  let correct = 0;
  for (let position = 0; position < batch.targets.length; position++) {
    if (batch.targets[position] < 0) continue;
    loss += losses[position];
    characters++;
    if (predictions[position] === batch.targets[position]) correct++;
  }
  return { loss, characters, correct };
}
