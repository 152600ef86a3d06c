/** The definition itself, held to PyTorch's numbers and to numbers worked out by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gradient } from "../helpers/central-differences.js";
import { assertClose } from "../helpers/numbers.js";
import { flat, TORCH_OPTIMIZERS, type TorchModel, torchNumbers } from "../helpers/torch-numbers.js";
import { recurrentLayer, type Vector } from "./cells.js";
import { dropoutMask } from "./dropout.js";
import { crossEntropy, decoder, meanLoss, model } from "./model.js";
import { adam, nadam, optimizerStep, rmsProp, sgd } from "./optimizers.js";

/** The fixture has nine digits. */
const TOLERANCE = 1e-8;

for (const torch of torchNumbers.models) {
  const { cell } = torch;

  test(`a ${cell} model has PyTorch's logits, losses and final state`, () => {
    const { logits, states } = forward(torch, parametersOf(torch));
    assertClose(logits, flat(torch.logits), TOLERANCE, "logits");
    assertClose(crossEntropy(logits, targetsOf(torch)), flat(torch.losses), TOLERANCE, "losses");
    const [hidden, cellState] = torch.finalState;
    assertClose(
      states.flatMap((s) => [...s.hidden]),
      flat(hidden),
      TOLERANCE,
      "hidden state",
    );
    if (cell === "lstm") {
      const cells = states.flatMap((state) => [...(state.cellState as Vector)]);
      assertClose(cells, flat(cellState), TOLERANCE, "cell state");
    }
  });

  test(`a ${cell} model has PyTorch's gradients`, () => {
    const parameters = parametersOf(torch);
    const gradients = gradientsOf(torch, parameters);
    for (const [name, values] of gradients) {
      assertClose(values, flat(torch.gradients[name]), TOLERANCE, `gradient of ${name}`);
    }
  });

  // One cell is enough for the optimizers, and this one has the fewest parameters.
  if (cell !== "rnn") continue;
  for (const { optimizer, clipNorm, norms, parameters: expected } of torch.trained) {
    test(`ten steps of ${optimizer} with clip norm ${clipNorm} end with PyTorch's parameters`, () => {
      const parameters = parametersOf(torch);
      const names = [...parameters.keys()];
      const length = [...parameters.values()].reduce((sum, values) => sum + values.length, 0);
      let moments: Vector[] = [new Float64Array(length), new Float64Array(length)];
      for (const [index, expectedNorm] of norms.entries()) {
        const gradients = gradientsOf(torch, parameters);
        const arrays = { parameters: concatenated(parameters), gradients: concatenated(gradients) };
        const after = torchStep(optimizer, { ...arrays, moments }, clipNorm, index + 1);
        assertClose([after.norm], [expectedNorm], TOLERANCE, `norm of step ${index + 1}`);
        moments = [...after.moments];
        let start = 0;
        for (const name of names) {
          const values = parameters.get(name) as Vector;
          values.set(after.parameters.subarray(start, start + values.length));
          start += values.length;
        }
      }
      for (const name of names) {
        assertClose(parameters.get(name) as Vector, flat(expected[name]), 1e-7, name);
      }
    });
  }
}

/** A gate with this bias opens by three quarters. */
const LOG_3 = Math.log(3);
const ATANH_HALF = Math.atanh(0.5);

test("a GRU's step is the one worked out by hand", () => {
  const { hidden } = recurrentLayer("gru", {
    ...withoutWeights(3),
    hidden: Float64Array.of(2),
    // r = 1/2 and z = 3/4; n = tanh(0 + 1/2 * 2 atanh(1/2)) = 1/2.
    biasIh: Float64Array.of(0, LOG_3, 0),
    biasHh: Float64Array.of(0, 0, 2 * ATANH_HALF),
  });
  assertClose(hidden, [0.25 * 0.5 + 0.75 * 2], 1e-15, "hidden state");
});

test("an LSTM's step is the one worked out by hand", () => {
  const { hidden, cellState } = recurrentLayer("lstm", {
    ...withoutWeights(4),
    cellState: Float64Array.of(2),
    // i = 3/4, f = 1/4, g = 1/2 and o = 1/2.
    biasIh: Float64Array.of(LOG_3, -LOG_3, ATANH_HALF, 0),
  });
  assertClose(cellState as Vector, [0.25 * 2 + 0.75 * 0.5], 1e-15, "cell state");
  assertClose(hidden, [0.5 * Math.tanh(0.875)], 1e-15, "hidden state");
});

test("a layer multiplies its input, its state and its recurrent weights by their masks", () => {
  const inputs = {
    input: Float64Array.of(1, 1, 1),
    hidden: Float64Array.of(1, 1, 1),
    weightIh: Float64Array.of(0.25),
    weightHh: Float64Array.of(0.5),
    biasIh: Float64Array.of(0),
    biasHh: Float64Array.of(0),
  };
  const sumsWith = (masks: object) =>
    recurrentLayer("rnn", { ...inputs, ...masks }).hidden.map(Math.atanh);
  assertClose(sumsWith({}), [0.75, 0.75, 0.75], 1e-15, "no mask");
  const inputMask = Float64Array.of(0, 2);
  // The third row has the first mask again.
  assertClose(sumsWith({ inputMask }), [0.5, 1, 0.5], 1e-15, "input");
  const stateMask = Float64Array.of(0, 2, 1);
  assertClose(sumsWith({ stateMask }), [0.25, 1.25, 0.75], 1e-15, "state");
  const weightMask = Float64Array.of(3);
  assertClose(sumsWith({ weightMask }), [1.75, 1.75, 1.75], 1e-15, "weights");
});

test("tokens are one-hot, or rows of the embedding", () => {
  const inputs = {
    input: Int32Array.of(2),
    hidden: Float64Array.of(0),
    weightHh: Float64Array.of(0),
    biasIh: Float64Array.of(0),
    biasHh: Float64Array.of(0),
  };
  const oneHot = recurrentLayer("rnn", { ...inputs, weightIh: Float64Array.of(0.1, 0.2, 0.3) });
  assertClose(oneHot.output, [Math.tanh(0.3)], 1e-15, "one-hot");
  const embedding = Float64Array.of(0, 0, 0, 0, 0.5, 1);
  const weightIh = Float64Array.of(0.1, 0.2);
  const embedded = recurrentLayer("rnn", { ...inputs, weightIh, embedding });
  assertClose(embedded.output, [Math.tanh(0.25)], 1e-15, "embedded");
});

test("the decoder's loss is the mean negative log-likelihood of the targets that there are", () => {
  const input = Float64Array.of(1, 1, 1);
  const weight = Float64Array.of(0, LOG_3);
  const logits = decoder({ input, weight, bias: Float64Array.of(0, 0) });
  assertClose(logits, [0, LOG_3, 0, LOG_3, 0, LOG_3], 1e-15, "logits");
  const targets = Int32Array.of(1, -1, 0);
  const losses = [Math.log(4 / 3), 0, Math.log(4)];
  assertClose(crossEntropy(logits, targets), losses, 1e-15, "losses");
  assertClose([meanLoss(logits, targets)], [(losses[0] + losses[2]) / 2], 1e-15, "mean");
  assert.equal(meanLoss(logits, Int32Array.of(-1, -1, -1)), 0);
  const masked = decoder({
    input,
    inputMask: Float64Array.of(0, 2, 1),
    weight,
    bias: input.slice(1),
  });
  assertClose(masked, [1, 1, 1, 1 + 2 * LOG_3, 1, 1 + LOG_3], 1e-15, "logits of masked input");
});

test("an optimizer clips by norm and then by value, decays the weights and averages them", () => {
  const step = optimizerStep(
    sgd,
    {
      parameters: Float64Array.of(1, 2),
      gradients: Float64Array.of(3, -4),
      moments: [Float64Array.of(1, 0)],
      average: Float64Array.of(0, 10),
    },
    {
      learningRate: 0.1,
      momentum: 0.9,
      // Half of the norm of 5, to which PyTorch adds 1e-6.
      clipNorm: 2.5000005,
      clipValue: 1.6,
      weightDecay: 0.5,
      averageDecay: 0.9,
    },
  );
  assert.equal(step.norm, 5);
  assertClose(step.gradients, [1.5, -1.6], 1e-14, "gradients");
  assertClose(step.moments[0], [2.4, -1.6], 1e-14, "moment");
  assertClose(step.parameters, [0.95 - 0.24, 1.9 + 0.16], 1e-14, "parameters");
  assertClose(step.average as Vector, [0.071, 9.206], 1e-14, "average");
});

test("Adam's first step goes by the learning rate, RMSProp's by the gradient over its root mean square", () => {
  const common = { clipNorm: 0, clipValue: 0, weightDecay: 0, learningRate: 0.1 };
  const arrays = { parameters: Float64Array.of(1, 1), gradients: Float64Array.of(2, -0.5) };
  const zeros = () => new Float64Array(2);
  const coefficients = { beta1: 0.9, beta2: 0.99, epsilon: 0, step: 1 };
  const first = optimizerStep(
    adam,
    { ...arrays, moments: [zeros(), zeros()] },
    { ...common, ...coefficients },
  );
  assertClose(first.parameters, [0.9, 1.1], 1e-14, "Adam");
  const second = optimizerStep(
    rmsProp,
    { ...arrays, moments: [zeros()] },
    { ...common, decay: 0.75, epsilon: 0 },
  );
  // A quarter of the squared gradient has the root |g| / 2.
  assertClose(second.parameters, [0.8, 1.2], 1e-14, "RMSProp");
});

test("a norm that single precision can't hold changes nothing", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 4e38]) {
    const arrays = {
      parameters: Float64Array.of(1, 2),
      gradients: Float64Array.of(bad, 1),
      moments: [Float64Array.of(3, 4)],
      average: Float64Array.of(5, 6),
    };
    const { norm, ...after } = optimizerStep(sgd, arrays, {
      learningRate: 0.1,
      clipNorm: 1,
      clipValue: 1,
      weightDecay: 0.1,
      momentum: 0.9,
    });
    assert.ok(!(norm < 3.5e38), String(norm));
    assert.deepEqual(after, arrays);
  }
});

test("a dropout mask drops where the word of its key's stream is below the rate", () => {
  // The words of this key begin with 0.399, 0.881, 0.736 and 0.605, times 2^32.
  const kept = 1 / (1 - 0.7);
  assert.deepEqual([...dropoutMask(4, 0.7, [0, 0])], [0, kept, kept, 0]);
  assert.deepEqual([...dropoutMask(3, 0.1, [0, 0])], [1 / 0.9, 1 / 0.9, 1 / 0.9]);
  assert.equal(dropoutMask(9, 0.5, [0, 0]).length, 9);
});

test("a dropout mask drops the fraction of its rate and keeps the mean at 1", () => {
  for (const rate of [0.1, 0.5, 0.85]) {
    const mask = dropoutMask(100_000, rate, [7, 8]);
    const dropped = mask.filter((value) => value === 0).length / mask.length;
    const mean = mask.reduce((sum, value) => sum + value, 0) / mask.length;
    // Five standard deviations of the fraction of 100,000 independent numbers.
    const slack = 5 * Math.sqrt((rate * (1 - rate)) / mask.length);
    assert.ok(Math.abs(dropped - rate) < slack, `rate ${rate}: ${dropped} are dropped`);
    assert.ok(Math.abs(mean - 1) < slack / (1 - rate), `rate ${rate}: mean ${mean}`);
  }
});

function withoutWeights(gates: number) {
  return {
    input: Float64Array.of(7),
    hidden: Float64Array.of(0),
    weightIh: new Float64Array(gates),
    weightHh: new Float64Array(gates),
    biasIh: new Float64Array(gates),
    biasHh: new Float64Array(gates),
  };
}

type ByName = ReadonlyMap<string, Vector>;

/** One step with PyTorch's coefficients. */
function torchStep(
  optimizer: TorchModel["trained"][number]["optimizer"],
  arrays: Parameters<typeof optimizerStep>[1],
  clipNorm: number,
  step: number,
) {
  const common = { clipNorm, clipValue: 0 };
  switch (optimizer) {
    case "adam":
    case "adamw":
      return optimizerStep(adam, arrays, { ...common, ...TORCH_OPTIMIZERS[optimizer], step });
    case "nadam":
      return optimizerStep(nadam, arrays, { ...common, ...TORCH_OPTIMIZERS.nadam, step });
    case "sgd":
      return optimizerStep(sgd, arrays, { ...common, ...TORCH_OPTIMIZERS.sgd });
    case "rmsprop":
      return optimizerStep(rmsProp, arrays, { ...common, ...TORCH_OPTIMIZERS.rmsprop });
  }
}

function parametersOf(torch: TorchModel): ByName {
  const entries = Object.entries(torch.parameters);
  return new Map(entries.map(([name, values]) => [name, Float64Array.from(flat(values))]));
}

function targetsOf(torch: TorchModel): Int32Array {
  return Int32Array.from(flat(torch.targets));
}

function forward(torch: TorchModel, parameters: ByName) {
  const [hidden, cellState] = torch.state as readonly (readonly (readonly number[])[])[];
  const states = hidden.map((values, layer) => ({
    hidden: Float64Array.from(flat(values)),
    ...(cellState && { cellState: Float64Array.from(flat(cellState[layer])) }),
  }));
  return model(torch.cell, parameters, Int32Array.from(flat(torch.inputs)), states);
}

function gradientsOf(torch: TorchModel, parameters: ByName): ByName {
  const loss = () => meanLoss(forward(torch, parameters).logits, targetsOf(torch));
  return new Map([...parameters].map(([name, values]) => [name, gradient(loss, values)]));
}

function concatenated(vectors: ByName): Vector {
  return Float64Array.from([...vectors.values()].flatMap((values) => [...values]));
}
