import {
  linearCrossEntropy,
  type RnnSequenceInputs,
  rnnSequence,
  rnnSequenceGrad,
} from "../backends/backend.js";
import { openStreams, type Streams } from "../backends/engine.js";
import { scoped } from "../backends/scope.js";
import { type Tensor, tensor, zeros } from "../backends/tfjs.js";
import { Workspace } from "../backends/workspace.js";
import { CELLS } from "../config/cells.js";
import type { ModelConfig } from "../config/model.js";
import type { Batch } from "../data/batch.js";
import type { Random } from "../random.js";
import { inTurns } from "../turns.js";
import { type Dropout, type DropoutMasks, dropoutMasks } from "./dropout.js";
import { initialWeights, initialWeightsInParts } from "./initial-weights.js";
import { type ParameterArray, parameterArray } from "./parameters.js";

/** The state of one recurrent layer between two windows of text. */
interface LayerState {
  /** `[batch, hidden]` */
  readonly hidden: Tensor;
  /** `[batch, hidden]`, for an LSTM. */
  readonly cellState?: Tensor;
}

/** The state of all layers, the lowest first: a value, never changed. */
export type ModelState = readonly LayerState[];

/** Scratch memory of a model: that of each layer, and that of the decoder. */
export interface ModelWorkspace {
  readonly layers: readonly Workspace[];
  readonly decoder: Workspace;
}

export function modelWorkspace({ layers }: ModelConfig): ModelWorkspace {
  return {
    layers: Array.from({ length: layers }, () => new Workspace()),
    decoder: new Workspace(),
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

/** how well each position of a batch was predicted, `[time, batch]`; those without a target don't count. */
export interface PositionScores {
  /** Cross-entropy, nats. */
  readonly losses: Float32Array;
  /** The most likely tokens. */
  readonly predictions: Int32Array;
  /** How many tokens were likelier than the target. */
  readonly ranks: Int32Array;
}

/**
 * A character-level recurrent network: an embedding if it has one, recurrent layers, and a linear
 * decoder to the logits of the next character.
 */
export class CharRnn {
  /**
   * @param parameters the weights, the model's own from now on; zeros when left out
   * @param workspace may be that of another model of the same shape, which is not in use meanwhile
   */
  constructor(
    readonly config: ModelConfig,
    readonly parameters: ParameterArray = parameterArray(config),
    readonly workspace: ModelWorkspace = modelWorkspace(config),
  ) {}

  /** A model with the weights that training starts from: see {@link initialWeights}. */
  static initial(config: ModelConfig, random: Random, counts?: Float64Array): CharRnn {
    const model = new CharRnn(config);
    model.parameters.write(initialWeights(config, random, counts));
    return model;
  }

  /**
   * The same as {@link initial}, with turns of the event loop: for a large model it takes seconds.
   *
   * @throws the signal's reason once it is aborted
   */
  static async initialInTurns(
    config: ModelConfig,
    random: Random,
    signal: AbortSignal | undefined,
    counts?: Float64Array,
    workspace?: ModelWorkspace,
  ): Promise<CharRnn> {
    const weights = await inTurns(initialWeightsInParts(config, random, counts), signal);
    const model = new CharRnn(config, parameterArray(config), workspace);
    model.parameters.write(weights);
    return model;
  }

  /** Bytes of scratch memory held. */
  get workspaceBytes(): number {
    const { layers, decoder } = this.workspace;
    return layers.reduce((sum, work) => sum + work.bytes, decoder.bytes);
  }

  /** The state before any text: all zeros. */
  zeroState(batch: number): ModelState {
    const { layers, cell, hiddenSize } = this.config;
    const zero = () => zeros([batch, hiddenSize]);
    return Array.from({ length: layers }, () =>
      CELLS[cell].hasCellState ? { hidden: zero(), cellState: zero() } : { hidden: zero() },
    );
  }

  /** Predicts every target of a batch. */
  score(
    batch: Batch,
    state: ModelState,
  ): { score: Score; positions: PositionScores; state: ModelState } {
    return scoped(() => {
      const layers = this.#forward(batch, state);
      const outputs = this.#decode(batch, layers[layers.length - 1].output);
      const positions = {
        losses: outputs.losses.dataSync<"float32">(),
        predictions: outputs.predictions.dataSync<"int32">(),
        ranks: (outputs.ranks as Tensor).dataSync<"int32">(),
      };
      return { score: scoreOf(batch, positions), positions, state: finalState(layers) };
    });
  }

  /**
   * What each layer makes of a batch, the lowest first.
   *
   * @returns `[time, batch, hidden]` each, copies
   */
  trace(batch: Batch, state: ModelState): { outputs: Float32Array[]; state: ModelState } {
    return scoped(() => {
      const layers = this.#forward(batch, state);
      const outputs = layers.map(({ output }) => output.dataSync<"float32">().slice());
      return { outputs, state: finalState(layers) };
    });
  }

  /**
   * Predicts every target of a batch and overwrites `gradients` by the gradients of the mean loss
   * (nats/character) by every parameter. They reach back to the first step of the batch, not into
   * the state before it.
   *
   * @param dropout what is dropped, by random numbers of this step's own
   */
  learn(
    batch: Batch,
    state: ModelState,
    gradients: ParameterArray,
    dropout: Dropout,
  ): { score: Score; state: ModelState } {
    return scoped(() => {
      const masks = dropoutMasks(this.config, dropout, batch.batch);
      const layers = this.#forward(batch, state, masks);
      const top = layers.length - 1;
      const outputs = this.#decode(batch, layers[top].output, masks.output(top), gradients);
      let gradientOutput = outputs.gradientInput as Tensor;
      for (let layer = top; layer >= 0; layer--) {
        const { gradientInput } = rnnSequenceGrad(
          {
            ...layers[layer].inputs,
            gradientOutput,
            gradientWeightIh: gradients.of(`rnn.weight_ih_l${layer}`),
            gradientWeightHh: gradients.of(`rnn.weight_hh_l${layer}`),
            gradientBiasIh: gradients.of(`rnn.bias_ih_l${layer}`),
            gradientBiasHh: gradients.of(`rnn.bias_hh_l${layer}`),
            gradientEmbedding: layer === 0 ? gradients.byName.get("encoder.weight") : undefined,
          },
          { cell: this.config.cell, workspace: this.workspace.layers[layer] },
        );
        gradientOutput = gradientInput as Tensor;
      }
      const losses = outputs.losses.dataSync<"float32">();
      const predictions = outputs.predictions.dataSync<"int32">();
      return { score: scoreOf(batch, { losses, predictions }), state: finalState(layers) };
    });
  }

  /** Opens so many texts to be read side by side; the weights must not change while they are. */
  openStreams(count: number): Streams {
    return openStreams({ config: this.config, parameters: this.parameters.byName }, count);
  }

  dispose(): void {
    this.parameters.dispose();
    for (const work of [...this.workspace.layers, this.workspace.decoder]) work.dispose();
  }

  #forward(batch: Batch, state: ModelState, masks?: DropoutMasks) {
    const shape: [number, number] = [batch.time, batch.batch];
    const layers = [];
    let input: Tensor = tensor(batch.inputs, shape, "int32");
    for (let layer = 0; layer < this.config.layers; layer++) {
      const inputs: RnnSequenceInputs<Tensor> = {
        input,
        embedding: layer === 0 ? this.parameters.byName.get("encoder.weight") : undefined,
        inputMask: layer > 0 ? masks?.output(layer - 1) : masks?.input,
        ...state[layer],
        stateMask: masks?.state(layer),
        weightIh: this.parameters.of(`rnn.weight_ih_l${layer}`),
        weightHh: this.parameters.of(`rnn.weight_hh_l${layer}`),
        weightMask: masks?.weight(layer),
        biasIh: this.parameters.of(`rnn.bias_ih_l${layer}`),
        biasHh: this.parameters.of(`rnn.bias_hh_l${layer}`),
      };
      const workspace = this.workspace.layers[layer];
      const outputs = rnnSequence(inputs, { cell: this.config.cell, workspace });
      layers.push({ inputs, ...outputs });
      input = outputs.output;
    }
    return layers;
  }

  #decode(batch: Batch, input: Tensor, inputMask?: Tensor, gradients?: ParameterArray) {
    return linearCrossEntropy(
      {
        input,
        inputMask,
        weight: this.parameters.of("decoder.weight"),
        bias: this.parameters.of("decoder.bias"),
        targets: tensor(batch.targets, [batch.time, batch.batch], "int32"),
        gradientWeight: gradients?.of("decoder.weight"),
        gradientBias: gradients?.of("decoder.bias"),
      },
      { workspace: this.workspace.decoder },
    );
  }
}

function finalState(layers: readonly LayerState[]): ModelState {
  return layers.map(({ hidden, cellState }) => (cellState ? { hidden, cellState } : { hidden }));
}

function scoreOf(
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
