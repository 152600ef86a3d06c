/** What `compare.ts` measures: the calls of a training step and of writing, with random numbers. */
import type {
  AdamArguments,
  BackwardArguments,
  CrossEntropyArguments,
  ForwardArguments,
  Panels,
} from "#src/backends/kernels/kernels.js";
import { VECTOR_WIDTH } from "#src/backends/kernels/kernels.js";
import type { Addon } from "#src/backends/native/addon.js";
import { CELLS, type CellName } from "#src/config/cells.js";
import { Random } from "#src/random.js";

/** One or more calls that are timed in an addon. */
export interface Work {
  /** Done before each run, and not measured. */
  readonly prepare?: () => void;
  readonly run: () => void;
  /** What a run leaves. */
  readonly results: readonly Float32Array[];
}

export interface Shape {
  readonly cell: CellName;
  readonly layers: number;
  readonly hidden: number;
}

const BATCH = 32;
const TIME = 64;
const ROWS = TIME * BATCH;
const VOCABULARY = 65;
const ALIGNMENT = 16;

/** All kernels of a training step, one after the other or each for itself. */
export class TrainingStep {
  readonly #addon: Addon;
  readonly #random = Random.fromSeed(7);
  readonly #layers: (ForwardArguments & BackwardArguments)[];
  readonly #decoder: CrossEntropyArguments;
  readonly #adam: AdamArguments;
  /** Of each layer, and of the last one's gradient: where the call before left its panels. */
  readonly #outputs: Panels[] = [];
  #gradient: Panels | undefined;

  constructor(addon: Addon, { cell, layers, hidden }: Shape) {
    this.#addon = addon;
    const tokens = Int32Array.from({ length: ROWS }, () => this.#random.below(VOCABULARY));
    this.#layers = Array.from({ length: layers }, (_, index) =>
      this.#layer(cell, hidden, index > 0 ? undefined : tokens),
    );
    this.#decoder = this.#lastLayer(hidden, tokens);
    this.#adam = this.#optimizer(
      this.#layers.reduce(
        (sum, { weightIh, weightHh, biasIh }) =>
          sum + weightIh.length + weightHh.length + 2 * biasIh.length,
        VOCABULARY * (hidden + 1),
      ),
    );
  }

  whole(): Work {
    return { run: () => this.#wholeStep(), results: this.#results() };
  }

  forward(): Work {
    return { run: () => this.#forward(), results: this.#layers.map((layer) => layer.hiddenAfter) };
  }

  /** With the gradients of all weights. */
  backward(): Work {
    const prepare = () => {
      this.#forward();
      if (!this.#gradient) this.#crossEntropy();
    };
    return { prepare, run: () => this.#backward(), results: this.#results() };
  }

  crossEntropy(): Work {
    this.#forward();
    const { losses, gradientWeight } = this.#decoder;
    return { run: () => this.#crossEntropy(), results: [losses, gradientWeight ?? losses] };
  }

  adam(): Work {
    return { run: () => this.#adamStep(), results: [this.#adam.parameters] };
  }

  #wholeStep() {
    this.#forward();
    this.#crossEntropy();
    this.#backward();
    this.#adamStep();
  }

  #forward() {
    this.#layers.forEach((layer, index) => {
      const inputPanels = index > 0 ? this.#outputs[index - 1] : undefined;
      const offset = this.#addon.forwardSequence({ ...layer, ...(inputPanels && { inputPanels }) });
      const stride = (ROWS + BATCH) * VECTOR_WIDTH;
      this.#outputs[index] = { data: layer.scratch, offset, stride };
    });
  }

  #crossEntropy() {
    const inputPanels = this.#outputs[this.#layers.length - 1];
    const offset = this.#addon.crossEntropy({ ...this.#decoder, inputPanels });
    this.#gradient = { data: this.#decoder.scratch, offset, stride: ROWS * VECTOR_WIDTH };
  }

  #backward() {
    let gradientOutputPanels = this.#gradient;
    for (let index = this.#layers.length - 1; index >= 0; index--) {
      const layer = this.#layers[index];
      const inputPanels = index > 0 ? { inputPanels: this.#outputs[index - 1] } : {};
      const offset = this.#addon.backwardSequence({
        ...layer,
        ...inputPanels,
        gradientOutputPanels,
      });
      gradientOutputPanels = { data: layer.scratch, offset, stride: ROWS * VECTOR_WIDTH };
    }
  }

  #adamStep() {
    this.#addon.adamStep(this.#adam);
  }

  #results(): Float32Array[] {
    return this.#layers.flatMap((layer) => [
      layer.hiddenAfter,
      layer.gradientWeightIh,
      layer.gradientWeightHh,
      layer.gradientBiasIh,
      layer.gradientHidden,
    ]);
  }

  /** @param tokens its input; undefined: vectors */
  #layer(cell: CellName, hidden: number, tokens?: Int32Array) {
    const gates = CELLS[cell].gates.length * hidden;
    const input = tokens ? VOCABULARY : hidden;
    const shape = {
      cell,
      time: TIME,
      batch: BATCH,
      input,
      hidden,
      vocabulary: tokens ? VOCABULARY : 0,
      hasEmbedding: false,
      inputMasks: 0,
      hasStateMask: false,
      hasWeightMask: false,
    };
    return {
      ...shape,
      ...(tokens && { tokens }),
      scratch: allocate(this.#addon, this.#addon.sequenceScratch(shape)),
      ...layerWeights(this.#random, cell, input, hidden),
      hiddenBefore: floats(this.#random, BATCH * hidden, 1),
      cellBefore: floats(this.#random, BATCH * hidden, 1),
      hiddenAfter: new Float32Array(BATCH * hidden),
      cellAfter: new Float32Array(BATCH * hidden),
      gradientWeightIh: new Float32Array(gates * input),
      gradientWeightHh: new Float32Array(gates * hidden),
      gradientBiasIh: new Float32Array(gates),
      gradientBiasHh: new Float32Array(gates),
      gradientHidden: new Float32Array(BATCH * hidden),
      gradientCellState: new Float32Array(BATCH * hidden),
    };
  }

  #lastLayer(hidden: number, targets: Int32Array): CrossEntropyArguments {
    const shape = {
      rows: ROWS,
      hidden,
      vocabulary: VOCABULARY,
      batch: BATCH,
      hasMask: false,
      wantsGradient: true,
    };
    return {
      ...shape,
      scratch: allocate(this.#addon, this.#addon.crossEntropyScratch(shape)),
      weight: floats(this.#random, VOCABULARY * hidden, 0.1),
      bias: floats(this.#random, VOCABULARY, 0.1),
      targets,
      losses: new Float32Array(ROWS),
      predictions: new Int32Array(ROWS),
      gradientWeight: new Float32Array(VOCABULARY * hidden),
      gradientBias: new Float32Array(VOCABULARY),
    };
  }

  #optimizer(count: number): AdamArguments {
    return {
      count,
      parameters: floats(this.#random, count, 0.1),
      gradients: floats(this.#random, count, 0.1),
      sparse: 0,
      sparseWeightDecay: 0,
      learningRate: 1e-6,
      clipNorm: 5,
      clipValue: 0,
      weightDecay: 0,
      firstMoment: new Float32Array(count),
      secondMoment: new Float32Array(count),
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      stepSize: 1e-6,
      gradientSize: 0,
      correction: 1,
    };
  }
}

/** Some steps of a decode session. */
export function writing(addon: Addon, { cell, layers, hidden }: Shape, sequences: number): Work {
  const random = Random.fromSeed(9);
  const session = addon.openDecodeSession({
    cell,
    layers,
    sequences,
    hidden,
    vocabulary: VOCABULARY,
    embedding: 0,
    readsVectors: false,
    weights: Array.from({ length: layers }, (_, index) =>
      layerWeights(random, cell, index > 0 ? hidden : VOCABULARY, hidden),
    ),
    decoderWeight: floats(random, VOCABULARY * hidden, 0.1),
    decoderBias: floats(random, VOCABULARY, 0.1),
  });
  // About a millisecond.
  const steps = Math.max(
    1,
    Math.round(3e7 / (sequences * layers * CELLS[cell].gates.length * hidden * hidden)),
  );
  const tokens = new Int32Array(sequences);
  const logits = new Float32Array(sequences * VOCABULARY);
  const run = () => {
    for (let step = 0; step < steps; step++) {
      tokens.fill((7 * step) % VOCABULARY);
      addon.stepDecodeSession(session, tokens, logits);
    }
  };
  return { run, results: [logits] };
}

export function haveEqualBits(a: Work, b: Work): boolean {
  return a.results.every((result, index) => bytesOf(result).equals(bytesOf(b.results[index])));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array) {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function layerWeights(random: Random, cell: CellName, input: number, hidden: number) {
  const gates = CELLS[cell].gates.length * hidden;
  return {
    weightIh: floats(random, gates * input, 0.08),
    weightHh: floats(random, gates * hidden, 0.08),
    biasIh: floats(random, gates, 0.1),
    biasHh: floats(random, gates, 0.1),
  };
}

/** Uniform between -`limit` and `limit`. */
function floats(random: Random, length: number, limit: number): Float32Array {
  return Float32Array.from({ length }, () => limit * (2 * random.uniform() - 1));
}

function allocate(addon: Addon, length: number): Float32Array {
  const array = new Float32Array(length + ALIGNMENT);
  const skipped = addon.align({ array, count: array.length });
  return array.subarray(skipped, skipped + length);
}
