/**
 * Writes the cases that the C++ tests run: inputs, and what the definition in `test/reference/` makes of them.
 *
 *     node dist-test/backends/native/write-kernel-cases.js FILE
 *
 * The file, in little-endian order:
 *
 *     file   = case*
 *     case   = text (the kernel), text (a title), u32 (the number of arrays), array*
 *     array  = text (its name), u8 (its type), u32 (its length), values
 *     text   = u32 (its length), characters
 *
 * The types are `f`: float32, `d`: float64, `i`: int32. Single numbers are arrays of one; what a case does not
 * have (a mask, an embedding) is left out. Matrices are row-major, in the shapes of `reference/`.
 *
 * Gradients of small arrays are whole: `gradient NAME`. Of large ones `slopes NAME` has the products of the
 * gradient with the directions 0, 1 ...; element i of direction d is 1 or -1 by {@link direction}.
 *
 * A mask stands beside the rate and the two words of the key that make it (`NAME dropout`: rate, key, key).
 */
import { writeFileSync } from "node:fs";
import { argv } from "node:process";
import { direction, gradient, slope } from "../../helpers/central-differences.js";
import { Draw } from "../../helpers/numbers.js";
import { type Cell, type LayerInputs, recurrentLayer } from "../../reference/cells.js";
import { dropoutMask } from "../../reference/dropout.js";
import { crossEntropy, decoder, meanLoss, model } from "../../reference/model.js";
import { adam, optimizerStep, rmsProp, sgd } from "../../reference/optimizers.js";

const CELLS: readonly Cell[] = ["gru", "lstm", "rnn"];
const GATES = { gru: 3, lstm: 4, rnn: 1 };
/** Two logits that single precision may put in another order. */
const EQUAL = 1e-5;

type Values = Float32Array | Float64Array | Int32Array;
type Arrays = Record<string, Values | undefined>;

const chunks: Buffer[] = [];

function write(kernel: string, title: string, arrays: Arrays): void {
  const present = Object.entries(arrays).filter(
    (entry): entry is [string, Values] => entry[1] !== undefined,
  );
  chunks.push(text(kernel), text(title), uint32(present.length));
  for (const [name, values] of present) {
    const type = values instanceof Int32Array ? "i" : values instanceof Float32Array ? "f" : "d";
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    chunks.push(text(name), Buffer.from(type), uint32(values.length), bytes);
  }
}

function text(characters: string): Buffer {
  return Buffer.concat([uint32(characters.length), Buffer.from(characters, "latin1")]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const one = (value: number) => Int32Array.of(value);
const numbers = (...values: number[]) => Float64Array.from(values);
const doubles = (values: Float32Array) => Float64Array.from(values);

/** The gradients of `loss` with respect to arrays that it reads, whole or their slopes in so many directions. */
function gradients(
  loss: () => number,
  arrays: Readonly<Record<string, Float64Array | undefined>>,
  size: "whole" | number,
): Arrays {
  const present = Object.entries(arrays).filter(
    (entry): entry is [string, Float64Array] => entry[1] !== undefined,
  );
  return Object.fromEntries(
    present.map(([name, values]) => {
      if (size === "whole") return [`gradient ${name}`, gradient(loss, values)];
      const slopes = Float64Array.from({ length: size }, (_, number) =>
        slope(loss, values, direction(values.length, number)),
      );
      return [`slopes ${name}`, slopes];
    }),
  );
}

/** A mask, and what makes it. */
function drawMask(draw: Draw, length: number, rate: number) {
  const key = [draw.below(2 ** 32), draw.below(2 ** 32)];
  return {
    values: Float32Array.from(dropoutMask(length, rate, key)),
    dropout: numbers(rate, ...key),
  };
}

interface LayerSizes {
  readonly time: number;
  readonly batch: number;
  readonly hidden: number;
  /** Of vectors and of an embedding. */
  readonly input: number;
  readonly vocabulary: number;
}

const INPUT_KINDS = ["one-hot", "embedding", "vectors"] as const;

function writeLayer(
  cell: Cell,
  kind: (typeof INPUT_KINDS)[number],
  masked: { input: boolean; recurrence: boolean },
  sizes: LayerSizes,
  gradientSize: "whole" | number,
  draw: Draw,
): void {
  const { time, batch, hidden, vocabulary } = sizes;
  const input = kind === "one-hot" ? vocabulary : sizes.input;
  const gates = GATES[cell] * hidden;
  const positions = time * batch;
  const scale = 1 / Math.sqrt(hidden);
  const tokens = kind === "vectors" ? undefined : draw.tokens(positions, vocabulary);
  // Of three masks some batch rows have the same.
  const masks = tokens ? Math.min(batch, 3) : batch;
  const inputMask = masked.input ? drawMask(draw, masks * input, 0.3) : undefined;
  const stateMask = masked.recurrence ? drawMask(draw, batch * hidden, 0.3) : undefined;
  const weightMask = masked.recurrence ? drawMask(draw, gates * hidden, 0.3) : undefined;
  const drawn = {
    vectors: tokens ? undefined : draw.floats(positions * input),
    embedding: kind === "embedding" ? draw.floats(vocabulary * input) : undefined,
    hidden: draw.floats(batch * hidden),
    cell: cell === "lstm" ? draw.floats(batch * hidden) : undefined,
    weight_ih: draw.floats(gates * input, scale),
    weight_hh: draw.floats(gates * hidden, scale),
    bias_ih: draw.floats(gates, scale),
    bias_hh: draw.floats(gates, scale),
  };
  // As large as those of a mean over all positions.
  const gradientOutput = draw.floats(positions * hidden, 1 / positions);

  const vectors = drawn.vectors && doubles(drawn.vectors);
  const inputs: LayerInputs = {
    input: (tokens ?? vectors) as Int32Array | Float64Array,
    embedding: drawn.embedding && doubles(drawn.embedding),
    inputMask: inputMask && doubles(inputMask.values),
    hidden: doubles(drawn.hidden),
    stateMask: stateMask && doubles(stateMask.values),
    cellState: drawn.cell && doubles(drawn.cell),
    weightIh: doubles(drawn.weight_ih),
    weightHh: doubles(drawn.weight_hh),
    weightMask: weightMask && doubles(weightMask.values),
    biasIh: doubles(drawn.bias_ih),
    biasHh: doubles(drawn.bias_hh),
  };
  const { output, ...after } = recurrentLayer(cell, inputs);
  const loss = () => {
    const { output: moved } = recurrentLayer(cell, inputs);
    return moved.reduce((sum, value, i) => sum + value * gradientOutput[i], 0);
  };
  const title = [
    `${cell} of ${hidden}`,
    `batch ${batch}`,
    `time ${time}`,
    `${kind} of ${input}`,
    ...(tokens ? [`vocabulary ${vocabulary}`] : []),
    ...(masked.input ? ["input dropout"] : []),
    ...(masked.recurrence ? ["recurrent dropout"] : []),
  ];
  write("rnn", title.join(", "), {
    "cell type": one(CELLS.indexOf(cell)),
    time: one(time),
    batch: one(batch),
    "hidden size": one(hidden),
    "input size": one(input),
    vocabulary: tokens && one(vocabulary),
    tokens,
    ...drawn,
    "input mask": inputMask?.values,
    "input dropout": inputMask?.dropout,
    "state mask": stateMask?.values,
    "state dropout": stateMask?.dropout,
    "weight mask": weightMask?.values,
    "weight dropout": weightMask?.dropout,
    "gradient output": gradientOutput,
    output,
    "hidden after": after.hidden,
    "cell after": after.cellState,
    ...gradients(
      loss,
      {
        weight_ih: inputs.weightIh,
        weight_hh: inputs.weightHh,
        bias_ih: inputs.biasIh,
        bias_hh: inputs.biasHh,
        hidden: inputs.hidden,
        cell: inputs.cellState,
        embedding: inputs.embedding,
        vectors,
      },
      gradientSize,
    ),
  });
}

/** Less than a vector of sixteen columns, with whole gradients. */
const SMALL_LAYERS: readonly LayerSizes[] = [
  { time: 3, batch: 3, hidden: 7, input: 5, vocabulary: 11 },
  { time: 1, batch: 4, hidden: 1, input: 1, vocabulary: 2 },
  { time: 4, batch: 1, hidden: 5, input: 3, vocabulary: 6 },
];

/** A vector and its neighbours; several vectors; several rows at once, and not a multiple of them; long. */
const LARGE_LAYERS: readonly LayerSizes[] = [
  { time: 2, batch: 3, hidden: 129, input: 40, vocabulary: 17 },
  { time: 5, batch: 17, hidden: 33, input: 16, vocabulary: 65 },
  { time: 3, batch: 5, hidden: 16, input: 16, vocabulary: 16 },
  { time: 33, batch: 1, hidden: 17, input: 5, vocabulary: 300 },
  { time: 9, batch: 3, hidden: 100, input: 1, vocabulary: 2 },
];

function writeLayers(): void {
  const draw = new Draw(1);
  let number = 0;
  for (const cell of CELLS) {
    for (const kind of INPUT_KINDS) {
      for (const input of [false, true]) {
        for (const recurrence of [false, true]) {
          const small = SMALL_LAYERS[number % SMALL_LAYERS.length];
          writeLayer(cell, kind, { input, recurrence }, small, "whole", draw);
          const large = LARGE_LAYERS[number % LARGE_LAYERS.length];
          writeLayer(cell, kind, { input, recurrence }, large, 2, draw);
          number++;
        }
      }
    }
    // So wide that threads divide its units and not its batch.
    const wide = { time: 2, batch: 3, hidden: 300, input: 5, vocabulary: 16 };
    writeLayer(cell, "vectors", { input: true, recurrence: false }, wide, 2, draw);
  }
}

interface LossSizes {
  readonly rows: number;
  readonly hidden: number;
  readonly vocabulary: number;
}

function writeLoss(
  { rows, hidden, vocabulary }: LossSizes,
  settings: {
    masked?: boolean;
    gradientSize?: "whole" | number;
    biasScale?: number;
    isScored?: (row: number) => boolean;
  },
  draw: Draw,
): void {
  const { masked = false, gradientSize = 2, biasScale = 3 } = settings;
  const { isScored = (row: number) => row % 3 !== 1 } = settings;
  const batch = rows % 3 === 0 ? rows / 3 : rows;
  const mask = masked ? drawMask(draw, batch * hidden, 0.4) : undefined;
  const drawn = {
    input: draw.floats(rows * hidden),
    weight: draw.floats(vocabulary * hidden, 4 / Math.sqrt(hidden)),
    bias: draw.floats(vocabulary, biasScale),
  };
  const targets = draw.tokens(rows, vocabulary);
  for (let row = 0; row < rows; row++) if (!isScored(row)) targets[row] = -1;
  const inputs = {
    input: doubles(drawn.input),
    inputMask: mask && doubles(mask.values),
    weight: doubles(drawn.weight),
    bias: doubles(drawn.bias),
  };
  const logits = decoder(inputs);
  const { input, weight, bias } = inputs;
  const title = [
    `${rows} rows of ${hidden}`,
    `vocabulary ${vocabulary}`,
    ...(masked ? ["dropout"] : []),
    `${targets.filter((target) => target >= 0).length} targets`,
    ...(biasScale > 3 ? ["logits far apart"] : []),
  ];
  write("cross-entropy", title.join(", "), {
    rows: one(rows),
    batch: one(batch),
    "hidden size": one(hidden),
    vocabulary: one(vocabulary),
    ...drawn,
    targets,
    mask: mask?.values,
    dropout: mask?.dropout,
    losses: crossEntropy(logits, targets),
    // NaN: logits are so close together that another answer is as right.
    predictions: Float64Array.from(targets, (_, row) => prediction(logits, row, vocabulary)),
    ranks: Float64Array.from(targets, (target, row) => rank(logits, row, vocabulary, target)),
    ...gradients(() => meanLoss(decoder(inputs), targets), { input, weight, bias }, gradientSize),
  });
}

function prediction(logits: Float64Array, row: number, vocabulary: number): number {
  const scores = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
  const max = scores.reduce((a, b) => Math.max(a, b));
  const best = scores.filter((score) => score >= max - EQUAL).length;
  return best > 1 ? Number.NaN : scores.indexOf(max);
}

function rank(logits: Float64Array, row: number, vocabulary: number, target: number): number {
  if (target < 0) return 0;
  const scores = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
  const own = scores[target];
  const close = scores.filter((score) => Math.abs(score - own) <= EQUAL).length;
  return close > 1 ? Number.NaN : scores.filter((score) => score > own).length;
}

function writeLosses(): void {
  const draw = new Draw(2);
  for (const masked of [false, true]) {
    for (const rows of [1, 3, 20]) {
      writeLoss({ rows, hidden: 7, vocabulary: 17 }, { masked, gradientSize: "whole" }, draw);
      writeLoss({ rows, hidden: 1, vocabulary: 2 }, { masked, gradientSize: "whole" }, draw);
    }
    writeLoss({ rows: 33, hidden: 129, vocabulary: 65 }, { masked }, draw);
    writeLoss({ rows: 33, hidden: 16, vocabulary: 16 }, { masked }, draw);
    writeLoss({ rows: 561, hidden: 17, vocabulary: 65 }, { masked }, draw);
  }
  writeLoss(
    { rows: 20, hidden: 7, vocabulary: 33 },
    { isScored: () => false, gradientSize: "whole" },
    draw,
  );
  // Single precision can't hold the exponentials of such logits.
  writeLoss({ rows: 33, hidden: 16, vocabulary: 50 }, { biasScale: 300 }, draw);
  // Several vectors of rows, columns and characters; and more logits than are kept at once.
  writeLoss({ rows: 99, hidden: 100, vocabulary: 300 }, {}, draw);
  writeLoss(
    { rows: 257, hidden: 3, vocabulary: 16_400 },
    { masked: true, gradientSize: 1, isScored: (row) => row % 32 === 0 },
    draw,
  );
}

function writeOptimizers(): void {
  const draw = new Draw(3);
  const learningRate = 0.01;
  const adamCoefficients = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 3 };
  const sgdCoefficients = { momentum: 0.8 };
  const rmsPropCoefficients = { decay: 0.95, epsilon: 1e-4 };
  // On each side of a vector, and of a block of the norm; and several blocks.
  const settings = [1, 15, 16, 17].flatMap((count) =>
    [0, 0.5, 1e6].flatMap((clipNorm) => [
      { count, clipNorm, clipValue: 0, weightDecay: 0 },
      { count, clipNorm, clipValue: 0.01, weightDecay: 0.1 },
    ]),
  );
  for (const [i, count] of [4095, 4096, 4097, 9000].entries()) {
    const clipNorm = [0.5, 0, 1e6][i % 3];
    settings.push({ count, clipNorm, clipValue: i % 2 ? 0.01 : 0, weightDecay: i % 2 ? 0 : 0.1 });
  }
  for (const { count, ...common } of settings) {
    const drawn = {
      parameters: draw.floats(count, 2),
      gradients: draw.floats(count, 1),
      average: draw.floats(count, 2),
      "first moment": draw.floats(count, 0.5),
      "second moment": draw.floats(count).map((value) => value ** 2),
    };
    const first = doubles(drawn["first moment"]);
    const second = doubles(drawn["second moment"]);
    const arrays = {
      parameters: doubles(drawn.parameters),
      gradients: doubles(drawn.gradients),
      average: doubles(drawn.average),
    };
    const { clipNorm, clipValue, weightDecay } = common;
    const each = { ...common, learningRate, averageDecay: 0.9 };
    const steps = {
      adam: {
        coefficients: adamCoefficients,
        ...optimizerStep(
          adam,
          { ...arrays, moments: [first, second] },
          { ...each, ...adamCoefficients },
        ),
      },
      sgd: {
        coefficients: sgdCoefficients,
        ...optimizerStep(sgd, { ...arrays, moments: [first] }, { ...each, ...sgdCoefficients }),
      },
      rmsprop: {
        coefficients: rmsPropCoefficients,
        ...optimizerStep(
          rmsProp,
          { ...arrays, moments: [second] },
          { ...each, ...rmsPropCoefficients },
        ),
      },
    };
    const clipped = `norm at most ${clipNorm}, each at most ${clipValue}`;
    const title = `${count} parameters, ${clipped}, weight decay ${weightDecay}`;
    for (const [kernel, { coefficients, ...after }] of Object.entries(steps)) {
      const moments = after.moments.map((values, i): [string, Float64Array] => [
        kernel === "rmsprop" || i > 0 ? "second moment after" : "first moment after",
        values,
      ]);
      write(kernel, title, {
        "learning rate": numbers(learningRate),
        "clip norm": numbers(clipNorm),
        "clip value": numbers(clipValue),
        "weight decay": numbers(weightDecay),
        "average decay": numbers(each.averageDecay),
        ...Object.fromEntries(Object.entries(coefficients).map(([k, v]) => [k, numbers(v)])),
        ...drawn,
        norm: numbers(after.norm),
        "parameters after": after.parameters,
        "gradients after": after.gradients,
        "average after": after.average,
        ...Object.fromEntries(moments),
      });
    }
  }
}

interface DecodeSizes {
  readonly layers: number;
  readonly batch: number;
  readonly hidden: number;
  readonly vocabulary: number;
  /** 0: one-hot. */
  readonly embedding: number;
}

const DECODE_STEPS = 3;

function writeDecoding(cell: Cell, sizes: DecodeSizes, draw: Draw): void {
  const { layers, batch, hidden, vocabulary, embedding } = sizes;
  const gates = GATES[cell] * hidden;
  const scale = 1 / Math.sqrt(hidden);
  const drawn = new Map<string, Float32Array>();
  if (embedding > 0) drawn.set("encoder.weight", draw.floats(vocabulary * embedding));
  for (let layer = 0; layer < layers; layer++) {
    const input = layer > 0 ? hidden : embedding || vocabulary;
    drawn.set(`rnn.weight_ih_l${layer}`, draw.floats(gates * input, scale));
    drawn.set(`rnn.weight_hh_l${layer}`, draw.floats(gates * hidden, scale));
    drawn.set(`rnn.bias_ih_l${layer}`, draw.floats(gates, scale));
    drawn.set(`rnn.bias_hh_l${layer}`, draw.floats(gates, scale));
  }
  drawn.set("decoder.weight", draw.floats(vocabulary * hidden, scale));
  drawn.set("decoder.bias", draw.floats(vocabulary));
  const tokens = draw.tokens(DECODE_STEPS * batch, vocabulary);
  const zeros = new Float64Array(batch * hidden);
  const state = { hidden: zeros, ...(cell === "lstm" && { cellState: zeros }) };
  const parameters = new Map([...drawn].map(([name, values]) => [name, doubles(values)]));
  const { logits } = model(cell, parameters, tokens, new Array(layers).fill(state));
  const input = embedding > 0 ? `embedding of ${embedding}` : "one-hot";
  const title = `${layers} ${cell} layers of ${hidden}, batch ${batch}, vocabulary ${vocabulary}, ${input}`;
  write("decode", title, {
    "cell type": one(CELLS.indexOf(cell)),
    layers: one(layers),
    batch: one(batch),
    "hidden size": one(hidden),
    vocabulary: one(vocabulary),
    "embedding size": one(embedding),
    steps: one(DECODE_STEPS),
    ...Object.fromEntries(drawn),
    tokens,
    logits,
  });
}

function writeDecodings(): void {
  const draw = new Draw(4);
  for (const cell of CELLS) {
    for (const [number, hidden] of [1, 7, 16, 33, 129].entries()) {
      for (const [layers, batch] of [
        [1, 1],
        [3, 3],
        [1, 17],
      ]) {
        const vocabulary = [2, 65, 17][(number + batch) % 3];
        const embedding = [0, 5, 40][(number + layers) % 3];
        if (hidden > 100 && layers > 1) continue;
        writeDecoding(cell, { layers, batch, hidden, vocabulary, embedding }, draw);
      }
    }
    writeDecoding(cell, { layers: 2, batch: 2, hidden: 100, vocabulary: 300, embedding: 5 }, draw);
  }
}

function writeMasks(): void {
  const draw = new Draw(5);
  for (const rate of [0.5, 0.1, 0.999, 1e-9, 0.3333333333333333]) {
    for (const length of [1, 7, 64, 65, 1000]) {
      const { values, dropout } = drawMask(draw, length, rate);
      write("dropout", `${length} elements, rate ${rate}`, { dropout, mask: values });
    }
  }
}

const [, , file] = argv;
writeLayers();
writeLosses();
writeOptimizers();
writeDecodings();
writeMasks();
writeFileSync(file, Buffer.concat(chunks));
