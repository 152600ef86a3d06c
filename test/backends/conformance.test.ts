/** What every backend must do, held against slow twins of its kernels and against the contract. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type {
  AdamArrays,
  Backend,
  DropoutMask,
  Mask,
  MomentArrays,
  StepSettings,
} from "#src/backends/backend.js";
import { CELL_NAMES, CELLS } from "#src/config/cells.js";
import { type ModelConfig, modelConfig } from "#src/config/model.js";
import { CharRnn } from "#src/model/char-rnn.js";
import { loadWeights } from "#src/model/load-weights.js";
import { parameterArray } from "#src/model/parameters.js";
import { numbersOf, onEveryBackend } from "../helpers/backends.js";
import {
  backward,
  callOf,
  forward,
  forwardAndBackward,
  INPUT_KINDS,
  type LayerCase,
  layerCase,
  randomParameters,
  rowOf,
  stepOfRow,
  stepsOf,
} from "../helpers/layer-cases.js";
import { nothingDropped } from "../helpers/learning.js";
import { assertClose, assertSameBytes, caseSeed, Draw } from "../helpers/numbers.js";
import {
  twinAdam,
  twinLayer,
  twinLoss,
  twinModel,
  twinPhilox,
  twinRmsProp,
  twinSgd,
} from "../helpers/slow-twin.js";

const SEED = caseSeed();
const ROUNDS = Number(process.env.CHARNN_TEST_ROUNDS ?? 2);

/** Relative and absolute, for results in single precision: some 80 roundings of numbers near 1. */
const TOLERANCE = 1e-5;

const HIDDEN_SIZES = [1, 7, 33, 100, 129];
const INPUT_SIZES = [1, 5, 40];
const BATCHES = [1, 3, 8, 13, 17];
const TIMES = [1, 2, 33];
const VOCABULARIES = [2, 17, 65, 300];

/** Beyond the 256 rows, units or characters whose products a backend may add up in one go. */
const LARGE_SIZES = [
  { time: 6, batch: 50, hiddenSize: 33, inputSize: 5, vocabulary: 17 },
  { time: 11, batch: 25, hiddenSize: 129, inputSize: 40, vocabulary: 17 },
  { time: 2, batch: 25, hiddenSize: 273, inputSize: 5, vocabulary: 65 },
];

type Arrays = Record<string, Float32Array | Float64Array>;

interface Optimizer {
  readonly moments: readonly string[];
  step(backend: Backend, arrays: never, common: StepSettings, step: number): number;
  twin(inputs: Arrays, common: StepSettings, step: number): { norm: number; parameters: object };
}

const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
const SGD = { momentum: 0.8 };
const RMS_PROP = { decay: 0.95, epsilon: 1e-4 };

const OPTIMIZERS: Readonly<Record<string, Optimizer>> = {
  Adam: {
    moments: ["firstMoment", "secondMoment"],
    step: (backend, arrays: AdamArrays, common, step) =>
      backend.adamStep(arrays, { ...common, ...ADAM, step }),
    twin: (inputs, common, step) => twinAdam(inputs as never, { ...common, ...ADAM, step }),
  },
  SGD: {
    moments: ["moment"],
    step: (backend, arrays: MomentArrays, common) => backend.sgdStep(arrays, { ...common, ...SGD }),
    twin: (inputs, common) => twinSgd(inputs as never, { ...common, ...SGD }),
  },
  RMSProp: {
    moments: ["moment"],
    step: (backend, arrays: MomentArrays, common) =>
      backend.rmsPropStep(arrays, { ...common, ...RMS_PROP }),
    twin: (inputs, common) => twinRmsProp(inputs as never, { ...common, ...RMS_PROP }),
  },
};

await onEveryBackend(`Kernels (CHARNN_TEST_SEED=${SEED})`, (backend) => {
  /** In what order TensorFlow adds up a product depends on the product's size. */
  const assertSameNumbers: typeof assertSameBytes =
    backend.name === "tensorflow"
      ? (actual, expected, what) => assertClose(actual, expected, TOLERANCE, what as string)
      : assertSameBytes;

  for (const cell of CELL_NAMES) {
    for (const kind of INPUT_KINDS) {
      it(`a layer of ${cell} cells on ${kind} input gives what its equations say`, () => {
        const draw = drawFor(cell, kind);
        const withDropout = LARGE_SIZES.map((sizes) => ({ ...sizes, recurrentDropout: true }));
        const covering = coveringSizes(draw).map((sizes, i) => ({
          ...sizes,
          recurrentDropout: i % 2 === 1,
        }));
        for (const [index, sizes] of [...covering, ...LARGE_SIZES, ...withDropout].entries()) {
          const layer = layerCase({ cell, kind, ...sizes }, draw);
          const expected = twinOf(layer, `${cell}, ${kind}, ${index}`);
          const actual = forwardAndBackward(backend, layer);
          const what = describeSizes(layer);
          assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), what);
          assertAllClose(actual, expected, `with ${what}`);
        }
      });
    }

    it(`the two halves of a sequence, the ${cell} state carried, equal the whole`, () => {
      for (const kind of INPUT_KINDS) {
        const whole = layerCase(
          { cell, kind, time: 9, batch: 3, hiddenSize: 7, vocabulary: 11, recurrentDropout: true },
          drawFor(cell, kind),
        );
        const expected = forward(backend, whole);
        const first = forward(backend, stepsOf(whole, 0, 4));
        const rest = stepsOf(whole, 4, 9);
        const { hidden, cellState } = first;
        const second = forward(backend, {
          ...rest,
          inputs: { ...rest.inputs, hidden, ...(cellState && { cellState }) },
        });
        const output = Float32Array.from([...first.output, ...second.output]);
        assertSameNumbers(output, expected.output, `${kind}: output`);
        assertSameNumbers(second.hidden, expected.hidden, `${kind}: hidden`);
        if (CELLS[cell].hasCellState) {
          const [actual, wanted] = [second, expected].map((made) => made.cellState);
          assertSameNumbers(actual as Float32Array, wanted as Float32Array, `${kind}: cell state`);
        }
      }
    });

    it(`what a sequence of ${cell} cells gives does not depend on the others in the batch`, () => {
      for (const kind of INPUT_KINDS) {
        const all = layerCase(
          { cell, kind, time: 5, batch: 4, hiddenSize: 7, vocabulary: 11, recurrentDropout: true },
          drawFor(cell, kind),
        );
        const together = forwardAndBackward(backend, all);
        const alone = forwardAndBackward(backend, rowOf(all, 2));
        for (const [name, rows] of [
          ["output", 5],
          ["hidden", 1],
          ["cellState", 1],
          ["gradientInput", 5],
          ["gradientHidden", 1],
          ["gradientCellState", 1],
        ] as const) {
          const values = together[name];
          if (values === undefined) continue;
          const row = Array.from({ length: rows }, (_, t) => [
            ...stepOfRow(values, { t, row: 2, steps: rows, batch: 4 }),
          ]);
          const expected = Float32Array.from(row.flat());
          assertSameNumbers(alone[name] as Float32Array, expected, `${kind}: ${name}`);
        }
      }
    });

    it(`the same call of ${cell} cells gives the same bytes, whatever the workspace held`, () => {
      for (const kind of INPUT_KINDS) {
        const draw = drawFor(cell, kind);
        const sizes = { cell, kind, hiddenSize: 7, recurrentDropout: true };
        const short = layerCase({ ...sizes, time: 3, batch: 2, vocabulary: 5 }, draw);
        const long = layerCase({ ...sizes, time: 8, batch: 3, vocabulary: 9 }, draw);
        const fresh = forwardAndBackward(backend, short);
        const used = backend.createWorkspace();
        forwardAndBackward(backend, long, used);
        for (const what of [`${kind}, after a longer one`, `${kind}, once more`]) {
          assertAllSameBytes(forwardAndBackward(backend, short, used), fresh, what);
        }
      }
    });

    it(`a workspace of ${cell} cells stops growing after the longest sequence`, () => {
      for (const kind of INPUT_KINDS) {
        const draw = drawFor(cell, kind);
        const workspace = backend.createWorkspace();
        const bytesAfter = (time: number) => {
          const sizes = { cell, kind, time, batch: 3, hiddenSize: 7, vocabulary: 30 };
          forwardAndBackward(backend, layerCase(sizes, draw), workspace);
          return workspace.bytes;
        };
        const short = bytesAfter(2);
        const long = bytesAfter(12);
        // How many different tokens occur varies, but never above the vocabulary.
        assert.ok(long >= short, `${kind}: ${short} bytes, then ${long}`);
        if (kind.endsWith("vectors")) {
          assert.equal(bytesAfter(5), long, kind);
          assert.equal(bytesAfter(12), long, kind);
        }
      }
    });

    it(`a layer of ${cell} cells changes none of its inputs, and its states last`, () => {
      const draw = drawFor(cell, "inputs");
      const size = { time: 4, batch: 3, hiddenSize: 7, vocabulary: 11 };
      const sizes = { cell, ...size, recurrentDropout: true };
      const layer = layerCase({ ...sizes, kind: "masked vectors" }, draw);
      const other = layerCase({ ...sizes, kind: "masked vectors" }, draw);
      const workspace = backend.createWorkspace();
      const original = structuredClone(layer);
      const { hidden, cellState } = backend.rnnForward(callOf(layer), workspace);
      const states = { hidden, ...(cellState && { cellState }) };
      const before = structuredClone(states);
      backward(backend, layer, workspace);
      forwardAndBackward(backend, other, workspace);
      assertAllSameBytes(layer.inputs, original.inputs, "as an input");
      assertSameBytes(layer.gradientOutput, original.gradientOutput, "gradient");
      assertAllSameBytes(states, before, "after another call");
    });

    it(`streams of ${cell} cells give the logits of the whole model, step by step`, () => {
      const draw = drawFor(cell, "streams");
      for (const { streams, time, ...sizes } of coveringStreams(draw)) {
        const config = modelConfig({ cell, ...sizes });
        const model = randomModel(backend, config, draw);
        assertStreamsMatchTwin(model, streams, time, draw);
        model.dispose();
      }
    });

    it(`what a stream of ${cell} cells gives does not depend on the streams beside it`, () => {
      const draw = drawFor(cell, "stream alone");
      for (const embeddingSize of [0, 6]) {
        const sizes = { layers: 2, hiddenSize: 33, embeddingSize, vocabularySize: 20 };
        const model = randomModel(backend, modelConfig({ cell, ...sizes }), draw);
        const tokens = draw.tokens(17 * 5, 20);
        const together = streamLogits(model, tokens, 17);
        for (const [first, count] of [
          [16, 1],
          [4, 2],
          [3, 13],
        ]) {
          const own = tokens.filter((_, i) => i % 17 >= first && i % 17 < first + count);
          const expected = Array.from({ length: 5 }, (_, t) => {
            const from = (t * 17 + first) * 20;
            return [...together.subarray(from, from + count * 20)];
          });
          const alone = streamLogits(model, own, count);
          assertSameNumbers(alone, Float32Array.from(expected.flat()), `${count} of 17`);
        }
        model.dispose();
      }
    });

    it(`two sets of streams of ${cell} cells that are open at once do not meet`, () => {
      const draw = drawFor(cell, "two sets");
      const sizes = { layers: 2, hiddenSize: 7, embeddingSize: 0, vocabularySize: 9 };
      const model = randomModel(backend, modelConfig({ cell, ...sizes }), draw);
      const tokens = [1, 4].map((streams) => draw.tokens(streams * 6, 9));
      const expected = tokens.map((own, k) => streamLogits(model, own, [1, 4][k]));
      const open = [1, 4].map((streams) => model.openDecodeSession(streams));
      const steps: number[][] = [[], []];
      for (let t = 0; t < 6; t++) {
        for (const [k, streams] of [1, 4].entries()) {
          const own = tokens[k].slice(t * streams, (t + 1) * streams);
          steps[k].push(...open[k].step(own));
          // One is closed while the other goes on.
          if (k === 0 && t === 3) open[k].dispose();
        }
        if (t === 3) open[0] = model.openDecodeSession(1);
      }
      open.forEach((streams) => void streams.dispose());
      assertSameBytes(Float32Array.from(steps[1]), expected[1], "the four");
      const begins = Float32Array.from(steps[0].slice(0, 4 * 9));
      assertSameBytes(begins, expected[0].slice(0, 4 * 9), "the one");
      const again = streamLogits(model, tokens[0].slice(4), 1);
      assertSameBytes(Float32Array.from(steps[0].slice(4 * 9)), again, "the one, opened again");
      model.dispose();
    });

    it(`streams of ${cell} cells have the weights that the model had when they were opened`, () => {
      const draw = drawFor(cell, "weights");
      for (const embeddingSize of [0, 3]) {
        const sizes = { layers: 2, hiddenSize: 7, embeddingSize, vocabularySize: 9 };
        const model = randomModel(backend, modelConfig({ cell, ...sizes }), draw);
        const before = assertStreamsMatchTwin(model, 2, 3, draw);
        const gradients = parameterArray(backend, model.config);
        const tokens = { inputs: draw.tokens(6, 9), targets: draw.tokens(6, 9) };
        const batch = { ...tokens, time: 3, batch: 2, startsFresh: true };
        model.learn(batch, model.zeroState(2), gradients, nothingDropped());
        const moment = parameterArray(backend, model.config);
        backend.sgdStep(
          { parameters: model.parameters.flat, gradients: gradients.flat, moment: moment.flat },
          { learningRate: 0.5, clipNorm: 0, clipValue: 0, weightDecay: 0, momentum: 0 },
        );
        gradients.dispose();
        moment.dispose();
        const after = assertStreamsMatchTwin(model, 2, 3, draw, before.tokens);
        assert.notDeepEqual(after.logits, before.logits);
        model.dispose();
      }
    });
  }

  it("streams of so many characters that their input is not looked up read them all the same", () => {
    const draw = drawFor("many characters");
    const sizes = { layers: 1, hiddenSize: 33, embeddingSize: 3, vocabularySize: 45_000 };
    const config = modelConfig({ cell: "lstm", ...sizes });
    for (const streams of [1, 2]) {
      const model = randomModel(backend, config, draw);
      assertStreamsMatchTwin(model, streams, 2, draw);
      model.dispose();
    }
  });

  it("the decoder's loss and gradients are those of the equations", () => {
    const draw = drawFor("loss");
    for (const masked of [false, true]) {
      // The last has more logits than a backend may hold at once.
      const manyLogits = { time: 6, batch: 50, hiddenSize: 3, vocabulary: 8_200 };
      for (const sizes of [...coveringSizes(draw), ...LARGE_SIZES, manyLogits]) {
        const { time, batch, hiddenSize, vocabulary } = sizes;
        const loss = lossCase({ time, batch, hiddenSize, vocabulary, masked }, draw);
        const expected = twinLoss(loss);
        const actual = decode(backend, loss, { gradients: true });
        const what = `${describeSizes(loss)}${masked ? ", masked" : ""}`;
        for (const name of ["gradientInput", "gradientWeight", "gradientBias"] as const) {
          const values = actual[name] as Float32Array;
          assertClose(values, expected[name], TOLERANCE, `${name} with ${what}`);
        }
        assertClose(actual.losses, expected.losses, TOLERANCE, `losses with ${what}`);
        for (const [place, prediction] of actual.predictions.entries()) {
          const scores = expected.logits.subarray(place * vocabulary, (place + 1) * vocabulary);
          // Two that rounding can't tell apart are both right.
          const gap = Math.max(...scores) - scores[prediction];
          assert.ok(gap <= TOLERANCE, `prediction ${place} is ${prediction} with ${what}`);
        }
        const scoredOnly = decode(backend, loss, { gradients: false });
        assertSameBytes(scoredOnly.losses, actual.losses, "losses without gradients");
        assertSameBytes(scoredOnly.predictions, actual.predictions, "predictions without");
        assert.equal(scoredOnly.ranks?.length, loss.targets.length);
        for (const [place, rank] of [...(scoredOnly.ranks ?? [])].entries()) {
          const scores = expected.logits.subarray(place * vocabulary, (place + 1) * vocabulary);
          const own = loss.targets[place] < 0 ? Math.max(...scores) : scores[loss.targets[place]];
          const [least, most] = [own + TOLERANCE, own - TOLERANCE].map(
            (limit) => scores.filter((score) => score > limit).length,
          );
          assert.ok(rank >= least && rank < most, `rank ${rank} of place ${place} with ${what}`);
        }
      }
    }
  });

  it("a place whose target is below 0 is neither scored nor learned", () => {
    const draw = drawFor("ignored");
    const loss = lossCase({ time: 3, batch: 2, hiddenSize: 5, vocabulary: 4 }, draw);
    loss.targets.set([1, -1, 3, -7, 0, 2]);
    const actual = decode(backend, loss, { gradients: true });
    const gradientInput = actual.gradientInput as Float32Array;
    for (const place of [1, 3]) {
      assert.equal(actual.losses[place], 0);
      const row = gradientInput.subarray(place * 5, place * 5 + 5);
      assert.ok(
        row.every((gradient) => gradient === 0),
        `gradient of place ${place}: ${row}`,
      );
    }
    const scored = [0, 2, 4, 5];
    const kept = {
      ...loss,
      time: 4,
      batch: 1,
      input: Float32Array.from(scored.flatMap((p) => [...loss.input.subarray(p * 5, p * 5 + 5)])),
      targets: Int32Array.from(scored, (place) => loss.targets[place]),
    };
    const alone = decode(backend, kept, { gradients: true });
    const bias = actual.gradientBias as Float32Array;
    assertClose(bias, alone.gradientBias as Float32Array, 1e-6, "bias gradient of the others");
    const weight = actual.gradientWeight as Float32Array;
    assertClose(weight, alone.gradientWeight as Float32Array, 1e-6, "weight gradient");
  });

  it("a batch without any target has gradients of zero", () => {
    const loss = lossCase({ time: 2, batch: 3, hiddenSize: 5, vocabulary: 4 }, drawFor("nothing"));
    loss.targets.fill(-1);
    const actual = decode(backend, loss, { gradients: true });
    for (const name of ["losses", "gradientInput", "gradientWeight", "gradientBias"] as const) {
      const values = actual[name] as Float32Array;
      assert.ok(
        values.every((value) => value === 0),
        `${name}: ${values}`,
      );
    }
  });

  it("of equally likely tokens the first is predicted", () => {
    const loss = lossCase({ time: 1, batch: 2, hiddenSize: 3, vocabulary: 40 }, drawFor("equal"));
    loss.weight.fill(0);
    loss.bias.fill(-1);
    loss.bias[9] = 2;
    loss.bias[17] = 2;
    loss.bias[38] = 2;
    assert.deepEqual([...decode(backend, loss, { gradients: false }).predictions], [9, 9]);
    loss.targets.set([38, 0]);
    assert.deepEqual([...(decode(backend, loss, { gradients: false }).ranks ?? [])], [2, 3]);
    loss.targets.set([-1, 39]);
    assert.deepEqual([...(decode(backend, loss, { gradients: false }).ranks ?? [])], [0, 39]);
    loss.bias.fill(0);
    assert.deepEqual([...decode(backend, loss, { gradients: false }).predictions], [0, 0]);
  });

  it("logits far beyond what an exponential can hold give finite losses and gradients", () => {
    const loss = lossCase({ time: 2, batch: 1, hiddenSize: 3, vocabulary: 4 }, drawFor("huge"));
    loss.weight.fill(0);
    loss.bias.set([30_000, -30_000, 29_998, 0]);
    loss.targets.set([2, 1]);
    const actual = decode(backend, loss, { gradients: true });
    const logSum = 30_000 + Math.log1p(Math.exp(-2));
    assertClose(actual.losses, [logSum - 29_998, logSum + 30_000], 1e-4, "losses");
    const p = 1 / (1 + Math.exp(-2));
    const gradient = [p, -0.5, 0.5 - p, 0];
    assertClose(actual.gradientBias as Float32Array, gradient, TOLERANCE, "bias gradient");
  });

  it("the decoder gives the same bytes twice, also after more places than these", () => {
    const draw = drawFor("again");
    const few = lossCase({ time: 3, batch: 1, hiddenSize: 7, vocabulary: 9, masked: true }, draw);
    const many = lossCase({ time: 50, batch: 3, hiddenSize: 7, vocabulary: 9, masked: true }, draw);
    const fresh = decode(backend, few, { gradients: true });
    const workspace = backend.createWorkspace();
    decode(backend, many, { gradients: true, workspace });
    const { bytes } = workspace;
    for (const what of ["after more places", "once more"]) {
      const again = decode(backend, few, { gradients: true, workspace });
      assertAllSameBytes(again, fresh, what);
    }
    assert.equal(workspace.bytes, bytes);
  });

  for (const [title, optimizer] of Object.entries(OPTIMIZERS)) {
    for (const [clipNorm, clipValue, weightDecay, averageDecay] of [
      [0, 0, 0, undefined],
      [0.5, 0, 0, 0.8],
      [1e6, 0, 0.1, 0],
      [5, 0.1, 0.1, 0.99],
    ] as const) {
      const what = `clip norm ${clipNorm}, clip value ${clipValue}, weight decay ${weightDecay} and average decay ${averageDecay}`;

      it(`ten steps of ${title} with ${what} are those of the equations`, () => {
        const draw = drawFor(title, what);
        const common = { learningRate: 0.02, clipNorm, clipValue, weightDecay, averageDecay };
        for (const length of [1, 33, 1003]) {
          const zeros = optimizer.moments.map((name) => [name, new Float32Array(length)]);
          const arrays: Arrays = {
            parameters: draw.floats(length),
            ...(averageDecay !== undefined && { average: draw.floats(length) }),
            ...(Object.fromEntries(zeros) as Arrays),
          };
          let expected: Arrays = structuredClone(arrays);
          for (let step = 1; step <= 10; step++) {
            const gradients = draw.floats(length);
            const { norm, ...twin } = optimizer.twin({ ...expected, gradients }, common, step);
            expected = twin as unknown as Arrays;
            const call = { ...arrays, gradients } as never;
            const actualNorm = optimizer.step(backend, call, common, step);
            assertClose([actualNorm], [norm], TOLERANCE, `norm of step ${step}`);
            assertAllClose(arrays, expected, `after step ${step} of ${length} parameters`);
          }
        }
      });
    }
  }

  for (const [title, gradients] of [
    ["NaN among the gradients", [0.5, Number.NaN, 1]],
    ["infinity among the gradients", [0.5, Number.NEGATIVE_INFINITY, 1]],
    ["a norm beyond single precision", [3e38, 3e38, 3e38]],
  ] as const) {
    it(`${title} changes no parameter and no moment`, () => {
      const common = { learningRate: 0.1, clipNorm: 1, clipValue: 1, weightDecay: 0.1 };
      for (const [optimizer, { moments, step }] of Object.entries(OPTIMIZERS)) {
        const before: Arrays = {
          parameters: Float32Array.of(1, 2, 3),
          average: Float32Array.of(4, 5, 6),
        };
        for (const name of moments) before[name] = Float32Array.of(0.1, 0.2, 0.3);
        const arrays = { ...structuredClone(before), gradients: Float32Array.from(gradients) };
        const norm = step(backend, arrays as never, common, 3);
        assert.ok(!Number.isFinite(norm), `${optimizer}: ${norm}`);
        assertAllSameBytes(arrays, before, `of ${optimizer}`);
      }
    });
  }

  it("the first step with gradients of zero leaves the parameters where they are", () => {
    const common = { learningRate: 0.1, clipNorm: 1, clipValue: 0, weightDecay: 0 };
    for (const [optimizer, { moments, step }] of Object.entries(OPTIMIZERS)) {
      const arrays: Arrays = { parameters: Float32Array.of(1, -2), gradients: new Float32Array(2) };
      for (const name of moments) arrays[name] = new Float32Array(2);
      assert.equal(step(backend, arrays as never, common, 1), 0, optimizer);
      assert.deepEqual([...arrays.parameters], [1, -2], optimizer);
    }
  });

  it("a dropout mask is the Philox stream of its key, bit for bit", () => {
    const justAboveFirstWord = (0x6627e8d5 + 0.25) / 2 ** 32;
    const cases: DropoutMask[] = [
      { length: 42, rate: 0.5, key: [0, 0] },
      { length: 5, rate: 0.3, key: [0xa4093822, 0x299f31d0] },
      { length: 693, rate: 0.9, key: [0xffffffff, 1] },
      { length: 8, rate: 1e-3, key: [5, 0xffffffff] },
      { length: 1, rate: 0x6627e8d5 / 2 ** 32, key: [0, 0] },
      { length: 1, rate: justAboveFirstWord, key: [0, 0] },
    ];
    for (const { length, rate, key } of cases) {
      const expected = Float32Array.from({ length }, (_, i) => {
        const word = twinPhilox([Math.floor(i / 4), 0, 0, 0], key)[i % 4];
        return word >= rate * 2 ** 32 ? 1 / (1 - rate) : 0;
      });
      assertSameBytes(maskOf(backend, { length, rate, key }), expected, `rate ${rate}`);
    }
  });

  it("a dropout mask drops its fraction and keeps the mean at 1", () => {
    for (const rate of [0.1, 0.5, 0.85]) {
      const mask = maskOf(backend, { length: 100_000, rate, key: [7, 8] });
      const zeros = mask.filter((value) => value === 0).length / mask.length;
      const mean = mask.reduce((sum, value) => sum + value, 0) / mask.length;
      // Five standard deviations of the share of 100,000 independent numbers.
      const slack = 5 * Math.sqrt((rate * (1 - rate)) / mask.length);
      assert.ok(Math.abs(zeros - rate) < slack, `rate ${rate}: ${zeros} are zero`);
      assert.ok(Math.abs(mean - 1) < slack / (1 - rate), `rate ${rate}: mean ${mean}`);
    }
  });

  it("masks by what they are made from mask as their numbers do", () => {
    for (const cell of CELL_NAMES) {
      for (const kind of ["masked embedded", "masked vectors"] as const) {
        const sizes = { time: 3, batch: 4, hiddenSize: 18, vocabulary: 9, recurrentDropout: true };
        const { inputs, ...layer } = layerCase({ cell, kind, ...sizes }, drawFor("masks", cell));
        const masks = (["inputMask", "stateMask", "weightMask"] as const).map(
          (name, k): [string, DropoutMask] => [
            name,
            { length: inputs[name]?.length ?? 0, rate: 0.3, key: [k, 5] },
          ],
        );
        const numbers = masks.map(([name, mask]) => [name, maskOf(backend, mask)]);
        const [made, given] = [masks, numbers].map((own) =>
          forwardAndBackward(backend, {
            ...layer,
            inputs: { ...inputs, ...Object.fromEntries(own) },
          }),
        );
        assertAllSameBytes(made, given, `of ${cell} cells on ${kind} input`);
      }
    }
  });
});

/** Most of the time goes into the twin's results, which are the same for every backend. */
const twins = new Map<string, ReturnType<typeof twinLayer>>();

function twinOf(layer: LayerCase, name: string): ReturnType<typeof twinLayer> {
  const twin = twins.get(name) ?? twinLayer(layer, layer.inputs, layer.gradientOutput);
  twins.set(name, twin);
  return twin;
}

/** Numbers for one purpose, the same in whatever order the tests run. */
function drawFor(...purpose: string[]): Draw {
  let seed = SEED;
  for (const character of purpose.join("/")) {
    seed = Math.imul(seed ^ (character.codePointAt(0) as number), 0x01000193);
  }
  return new Draw(seed);
}

/** Some combinations of sizes in which every size occurs, {@link ROUNDS} times. */
function coveringSizes(draw: Draw) {
  return Array.from({ length: ROUNDS }).flatMap(() => {
    const hiddenSizes = draw.shuffled(HIDDEN_SIZES);
    const inputSizes = draw.shuffled(INPUT_SIZES);
    const batches = draw.shuffled(BATCHES);
    const times = draw.shuffled(TIMES);
    const vocabularies = draw.shuffled(VOCABULARIES);
    return hiddenSizes.map((hiddenSize, i) => ({
      hiddenSize,
      inputSize: inputSizes[i % inputSizes.length],
      batch: batches[i % batches.length],
      time: times[i % times.length],
      vocabulary: vocabularies[i % vocabularies.length],
    }));
  });
}

/** Some sizes of streams in which every size occurs. */
function coveringStreams(draw: Draw) {
  const layers = draw.shuffled([1, 2, 3]);
  const embeddings = draw.shuffled([0, 6, 20]);
  const vocabularies = draw.shuffled(VOCABULARIES);
  const streams = draw.shuffled([1, 3, 17, 64]);
  return draw.shuffled(HIDDEN_SIZES).map((hiddenSize, i) => ({
    hiddenSize,
    layers: layers[i % layers.length],
    embeddingSize: embeddings[i % embeddings.length],
    vocabularySize: vocabularies[i % vocabularies.length],
    streams: streams[i % streams.length],
    time: streams[i % streams.length] > 17 ? 2 : 5,
  }));
}

function describeSizes(sizes: {
  time: number;
  batch: number;
  hiddenSize: number;
  vocabulary: number;
  inputSize?: number;
  recurrentDropout?: boolean;
}): string {
  const { time, batch, hiddenSize, vocabulary, inputSize, recurrentDropout } = sizes;
  const masked = recurrentDropout ? ", recurrent dropout" : "";
  return `time ${time}, batch ${batch}, hidden ${hiddenSize}, vocabulary ${vocabulary}, input ${inputSize}${masked}`;
}

/** All arrays of `expected` are the same in `actual` to within the tolerance. */
function assertAllClose(actual: object, expected: object, what: string): void {
  for (const [name, values] of Object.entries(expected)) {
    assertClose(actual[name as never], values, TOLERANCE, `${name} ${what}`);
  }
}

/** All arrays of `expected` are the same in `actual` to the last bit. */
function assertAllSameBytes(actual: object, expected: object, what: string): void {
  for (const [name, values] of Object.entries(expected)) {
    assertSameBytes(actual[name as never], values, `${name} ${what}`);
  }
}

interface LossCase {
  time: number;
  batch: number;
  hiddenSize: number;
  vocabulary: number;
  input: Float32Array;
  inputMask?: Float32Array;
  weight: Float32Array;
  bias: Float32Array;
  targets: Int32Array;
}

/** About a fifth of the targets, but never all, are padding. */
function lossCase(
  sizes: Pick<LossCase, "time" | "batch" | "hiddenSize" | "vocabulary"> & { masked?: boolean },
  draw: Draw,
): LossCase {
  const { time, batch, hiddenSize, vocabulary, masked } = sizes;
  const places = time * batch;
  const targets = draw.tokens(places, vocabulary);
  for (let place = 1; place < places; place++) if (draw.uniform() < 0.2) targets[place] = -1;
  return {
    time,
    batch,
    hiddenSize,
    vocabulary,
    input: draw.floats(places * hiddenSize),
    ...(masked && { inputMask: draw.mask(batch * hiddenSize) }),
    weight: draw.floats(vocabulary * hiddenSize, 3 / Math.sqrt(hiddenSize)),
    bias: draw.floats(vocabulary),
    targets,
  };
}

/** Copies of what the decoder gives. */
function decode(
  backend: Backend,
  loss: Omit<LossCase, "inputMask"> & { inputMask?: Mask },
  { gradients, workspace = backend.createWorkspace() }: DecodeOptions,
): DecodeResults {
  if (!gradients) return { ...backend.linearCrossEntropyScores(loss, workspace) };
  // What was in a gradient before must not matter.
  const gradientWeight = new Float32Array(loss.weight.length).fill(7);
  const gradientBias = new Float32Array(loss.bias.length).fill(7);
  const results = { gradientWeight, gradientBias };
  const { gradientInput, ...made } = backend.linearCrossEntropy(loss, results, workspace);
  return { ...made, ...results, gradientInput: numbersOf(gradientInput) };
}

interface DecodeOptions {
  readonly gradients: boolean;
  readonly workspace?: ReturnType<Backend["createWorkspace"]>;
}

interface DecodeResults {
  readonly losses: Float32Array;
  readonly predictions: Int32Array;
  readonly ranks?: Int32Array;
  readonly gradientInput?: Float32Array;
  readonly gradientWeight?: Float32Array;
  readonly gradientBias?: Float32Array;
}

/**
 * The numbers of a mask. Where inputs are 1 and two tokens equally likely, the gradient with respect to the
 * weights of the one that is no target is half the mask.
 */
function maskOf(backend: Backend, mask: DropoutMask): Float32Array {
  const { length } = mask;
  const { gradientWeight = new Float32Array(0) } = decode(
    backend,
    {
      ...{ time: 1, batch: 1, hiddenSize: length, vocabulary: 2 },
      input: new Float32Array(length).fill(1),
      inputMask: mask,
      weight: new Float32Array(2 * length),
      bias: new Float32Array(2),
      targets: Int32Array.of(1),
    },
    { gradients: true },
  );
  return gradientWeight.subarray(0, length).map((gradient) => 2 * gradient);
}

/** A model with random weights, none of its biases zero. */
function randomModel(backend: Backend, config: ModelConfig, draw: Draw): CharRnn {
  const model = new CharRnn(backend, config);
  const numbers = [...randomParameters(config, draw)];
  loadWeights(model, new Map(numbers.map(([name, data]) => [name, { data }])));
  return model;
}

/**
 * Opens streams and lets them read.
 *
 * @param tokens `[time, streams]`
 * @returns the logits of all steps, `[time, streams, vocabulary]`
 */
function streamLogits(model: CharRnn, tokens: Int32Array, streams: number): Float32Array {
  const { vocabularySize } = model.config;
  const logits = new Float32Array(tokens.length * vocabularySize);
  const open = model.openDecodeSession(streams);
  for (let first = 0; first < tokens.length; first += streams) {
    logits.set(open.step(tokens.slice(first, first + streams)), first * vocabularySize);
  }
  open.dispose();
  return logits;
}

function assertStreamsMatchTwin(
  model: CharRnn,
  streams: number,
  time: number,
  draw: Draw,
  tokens = draw.tokens(time * streams, model.config.vocabularySize),
) {
  const { layers, hiddenSize, embeddingSize, cell, vocabularySize } = model.config;
  const zeros = new Float32Array(streams * hiddenSize);
  const zero = { hidden: zeros, ...(CELLS[cell].hasCellState && { cellState: zeros }) };
  const expected = twinModel(
    model.config,
    new Map([...model.parameters.byName].map(([name, values]) => [name, numbersOf(values)])),
    { inputs: tokens, targets: tokens, time, batch: streams },
    new Array(layers).fill(zero),
  );
  const logits = streamLogits(model, tokens, streams);
  const sizes = `hidden ${hiddenSize}, vocabulary ${vocabularySize}, embedding ${embeddingSize}`;
  const what = `logits of ${streams} streams, ${layers} layers, ${sizes}`;
  assertClose(logits, expected.logits, TOLERANCE, what);
  return { tokens, logits };
}
