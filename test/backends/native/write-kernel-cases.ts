/**
 * Writes the cases that the C++ tests run: inputs, and the results that `test/reference/` defines.
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
 * gradient with the directions 0, 1 ...; element i of direction d is 1 or -1 by {@link direction}. Of a gradient
 * of n numbers they may be off by sqrt(n) / 20 times as much as one number may.
 *
 * A mask stands beside the rate and the two words of the key that make it (`NAME dropout`: rate, key, key).
 * Predictions and ranks are NaN where rounding may give another that is as right.
 */
import { writeFileSync } from "node:fs";
import { argv } from "node:process";
import type { DropoutMask } from "#src/backends/backend.js";
import { CELL_NAMES, type CellName } from "#src/config/cells.js";
import { modelConfig } from "#src/config/model.js";
import { parameterShapes, sizeOf } from "#src/config/parameters.js";
import { zeroStates } from "../../helpers/defined-model.js";
import { Draw } from "../../helpers/numbers.js";
import type { Vector } from "../../reference/cells.js";
import { model } from "../../reference/model.js";
import { adam, nadam, optimizerStep, rmsProp, sgd } from "../../reference/optimizers.js";
import type { ExpectedGradient } from "../conformance/comparisons.js";
import { type DecodeSizes, decodeSizes, describeModel } from "../conformance/decoding.js";
import { definedLayer, describeLayer, drawLayer, layerCases } from "../conformance/layers.js";
import {
  definedLoss,
  describeLoss,
  drawLoss,
  type LossCase,
  lossCases,
} from "../conformance/losses.js";
import { maskNumbers } from "../conformance/masks.js";

type Values = Float32Array | Float64Array | Int32Array;

const chunks: Buffer[] = [];

function write(kernel: string, title: string, arrays: Record<string, Values | undefined>): void {
  const present = Object.entries(arrays).filter(([, values]) => values !== undefined);
  chunks.push(text(kernel), text(title), uint32(present.length));
  for (const [name, values] of present as [string, Values][]) {
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

function integer(value: number): Int32Array {
  return Int32Array.of(value);
}

function cellType(cell: CellName): Int32Array {
  return integer(CELL_NAMES.indexOf(cell));
}

function rateAndKey(mask: DropoutMask | undefined): Float64Array | undefined {
  return mask && Float64Array.of(mask.rate, ...mask.key);
}

function gradientArrays(gradients: Readonly<Record<string, ExpectedGradient | undefined>>) {
  const arrays: Record<string, Float64Array> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    if (gradient === undefined) continue;
    if ("whole" in gradient) arrays[`gradient ${name}`] = gradient.whole;
    else arrays[`slopes ${name}`] = Float64Array.from(gradient.slopes);
  }
  return arrays;
}

function writeLayers(): void {
  const draw = new Draw(1);
  for (const { kind, sizes, isSmall } of layerCases(false)) {
    const drawn = drawLayer(kind, sizes, draw);
    const { layer, masks, gradientOutput } = drawn;
    const { input } = layer;
    const { outputs, gradients } = definedLayer(drawn, isSmall);
    const { weightIh, weightHh, biasIh, biasHh, cellState, input: vectors, ...others } = gradients;
    write("rnn", describeLayer(kind, sizes), {
      "cell type": cellType(kind.cell),
      time: integer(sizes.time),
      batch: integer(sizes.batch),
      "hidden size": integer(sizes.hidden),
      "input size": integer(layer.inputSize),
      ...(input instanceof Int32Array
        ? { vocabulary: integer(sizes.vocabulary), tokens: input }
        : { vectors: input }),
      embedding: layer.embedding,
      "input mask": layer.inputMask,
      "input dropout": rateAndKey(masks.inputMask),
      hidden: layer.hidden,
      cell: layer.cellState,
      "state mask": layer.stateMask,
      "state dropout": rateAndKey(masks.stateMask),
      weight_ih: layer.weightIh,
      weight_hh: layer.weightHh,
      "weight mask": layer.weightMask,
      "weight dropout": rateAndKey(masks.weightMask),
      bias_ih: layer.biasIh,
      bias_hh: layer.biasHh,
      "gradient output": gradientOutput,
      output: outputs.output,
      "hidden after": outputs.hidden,
      "cell after": outputs.cellState,
      ...gradientArrays({
        ...others,
        cell: cellState,
        vectors,
        weight_ih: weightIh,
        weight_hh: weightHh,
        bias_ih: biasIh,
        bias_hh: biasHh,
      }),
    });
  }
}

function writeLosses(): void {
  const draw = new Draw(2);
  for (const { sizes, isSmall } of lossCases(false, true)) {
    writeLoss(describeLoss(sizes), drawLoss(sizes, draw), isSmall);
  }
  const sizes = { time: 3, batch: 11, hidden: 7, vocabulary: 33, isMasked: false };
  const untargeted = drawLoss(sizes, draw);
  untargeted.decoder.targets.fill(-1);
  writeLoss(`${describeLoss(sizes)}, without targets`, untargeted, true);
  // Single precision can't hold the exponentials of such logits.
  const far = drawLoss(sizes, draw);
  for (const [token, bias] of far.decoder.bias.entries()) far.decoder.bias[token] = 300 * bias;
  writeLoss(`${describeLoss(sizes)}, with logits far apart`, far, true);
}

function writeLoss(title: string, drawn: LossCase, isSmall: boolean): void {
  const { decoder, inputMask } = drawn;
  const { losses, predictions, ranks, logits, gradients } = definedLoss(drawn, isSmall);
  write("cross-entropy", title, {
    rows: integer(decoder.targets.length),
    batch: integer(decoder.batch),
    "hidden size": integer(decoder.hiddenSize),
    vocabulary: integer(decoder.bias.length),
    input: decoder.input,
    mask: inputMask && maskNumbers(inputMask),
    dropout: rateAndKey(inputMask),
    weight: decoder.weight,
    bias: decoder.bias,
    targets: decoder.targets,
    losses,
    predictions: Float64Array.from(predictions),
    ranks: Float64Array.from(ranks),
    logits: Float64Array.from(logits),
    ...gradientArrays(gradients),
  });
}

function writeOptimizers(): void {
  const draw = new Draw(3);
  // Around a vector of the processor, and around a block of the norm; and several blocks.
  for (const count of [1, 15, 16, 17, 4095, 4096, 4097, 9000]) {
    for (const [clipNorm, clipValue, weightDecay, sparsePart, sparseAverageDecay] of [
      [0, 0.01, 0.1, 0, 1],
      [0.5, 0, 0, 0, 1],
      [1e6, 0, 0.1, 0, 1],
      [0.5, 0.01, 0.1, 0.7, 0.6],
      [0.5, 0.01, 0, 1, 1],
    ]) {
      const sparse = Math.round(sparsePart * count);
      const arrays = {
        parameters: draw.floats(count, 2),
        gradients: draw.floats(count).map((value, i) => (i < sparse && i % 40 < 25 ? 0 : value)),
        average: draw.floats(count, 2),
        "first moment": draw.floats(count, 0.5),
        "second moment": draw.floats(count).map((value) => value ** 2),
      };
      const decays = { weightDecay, sparseWeightDecay: 3 * weightDecay };
      const settings = { sparse, clipNorm, clipValue, ...decays, sparseAverageDecay };
      for (const name of ["adam", "nadam"] as const) {
        writeStep(name, arrays, settings, { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 3 });
      }
      writeStep("sgd", arrays, settings, { momentum: 0.8 });
      writeStep("rmsprop", arrays, settings, { decay: 0.95, epsilon: 1e-4 });
    }
  }
}

const RULES = {
  adam: { rule: adam, moments: ["first moment", "second moment"] },
  nadam: { rule: nadam, moments: ["first moment", "second moment"] },
  sgd: { rule: sgd, moments: ["first moment"] },
  rmsprop: { rule: rmsProp, moments: ["second moment"] },
} as const;

function writeStep(
  name: keyof typeof RULES,
  arrays: Readonly<
    Record<"parameters" | "gradients" | "average" | "first moment" | "second moment", Float32Array>
  >,
  common: Readonly<
    Record<
      | "sparse"
      | "clipNorm"
      | "clipValue"
      | "weightDecay"
      | "sparseWeightDecay"
      | "sparseAverageDecay",
      number
    >
  >,
  coefficients: Readonly<Record<string, number>>,
): void {
  const settings = { ...common, ...coefficients, learningRate: 0.01, averageDecay: 0.9 };
  const { rule, moments } = RULES[name];
  const inDoubles = (array: Float32Array) => Float64Array.from(array);
  const after = optimizerStep(
    rule,
    {
      parameters: inDoubles(arrays.parameters),
      gradients: inDoubles(arrays.gradients),
      average: inDoubles(arrays.average),
      moments: moments.map((moment) => inDoubles(arrays[moment])),
    },
    settings as never,
  );
  const { sparse, clipNorm, clipValue, weightDecay } = common;
  const clipped = `${sparse} sparse, norm at most ${clipNorm}, each at most ${clipValue}`;
  const momentsAfter = moments.map((moment, i) => [`${moment} after`, after.moments[i]]);
  write(name, `${arrays.parameters.length} parameters, ${clipped}, weight decay ${weightDecay}`, {
    "learning rate": Float64Array.of(settings.learningRate),
    sparse: Float64Array.of(sparse),
    "clip norm": Float64Array.of(clipNorm),
    "clip value": Float64Array.of(clipValue),
    "weight decay": Float64Array.of(weightDecay),
    "sparse weight decay": Float64Array.of(common.sparseWeightDecay),
    "sparse average decay": Float64Array.of(common.sparseAverageDecay),
    "average decay": Float64Array.of(settings.averageDecay),
    ...Object.fromEntries(
      Object.entries(coefficients).map(([key, value]) => [key, Float64Array.of(value)]),
    ),
    ...arrays,
    norm: Float64Array.of(after.norm),
    "parameters after": after.parameters,
    "gradients after": after.gradients,
    "average after": after.average,
    ...Object.fromEntries(momentsAfter),
  });
}

function writeDecodings(): void {
  const draw = new Draw(4);
  for (const cell of CELL_NAMES) {
    for (const sizes of decodeSizes(false)) writeDecoding(cell, sizes, draw);
  }
}

function writeDecoding(cell: CellName, sizes: DecodeSizes, draw: Draw): void {
  const { sequences, time, ...modelSizes } = sizes;
  const config = modelConfig({ cell, ...modelSizes });
  const scale = 1.5 / Math.sqrt(sizes.hiddenSize);
  const drawn = new Map<string, Float32Array>();
  const weights = new Map<string, Vector>();
  for (const [name, shape] of parameterShapes(config)) {
    const values = draw.floats(sizeOf(shape), scale);
    drawn.set(name, values);
    weights.set(name, Float64Array.from(values));
  }
  const tokens = draw.tokens(time * sequences, sizes.vocabularySize);
  const { logits } = model(cell, weights, tokens, zeroStates(config, sequences));
  write("decode", `${sequences} sequences, ${describeModel(cell, sizes)}`, {
    "cell type": cellType(cell),
    layers: integer(sizes.layers),
    batch: integer(sequences),
    "hidden size": integer(sizes.hiddenSize),
    vocabulary: integer(sizes.vocabularySize),
    "embedding size": integer(sizes.embeddingSize),
    steps: integer(time),
    ...Object.fromEntries(drawn),
    tokens,
    logits,
  });
}

function writeMasks(): void {
  const draw = new Draw(5);
  for (const rate of [0.5, 0.1, 0.999, 1e-9, 0.3333333333333333]) {
    for (const length of [1, 7, 64, 65, 1000]) {
      const mask = { length, rate, key: [draw.below(2 ** 32), draw.below(2 ** 32)] as const };
      write("dropout", `${length} numbers, rate ${rate}`, {
        dropout: rateAndKey(mask),
        mask: maskNumbers(mask),
      });
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
