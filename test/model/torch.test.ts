/** Whole models on every backend, held to PyTorch's numbers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { pythonWith } from "#bench/peers/find.js";
import type { Backend, ParameterArray, StepArrays } from "#src/backends/backend.js";
import { modelConfig } from "#src/config/model.js";
import { parameterShapes } from "#src/config/parameters.js";
import { type Batch, nothingBefore } from "#src/data/batch.js";
import { CharRnn, type ModelState } from "#src/model/char-rnn.js";
import { loadWeights } from "#src/model/load-weights.js";
import { parameterArray } from "#src/model/parameters.js";
import { assertClose, numbersOf } from "../helpers/numbers.js";
import { testOnEveryBackend } from "../helpers/on-every-backend.js";
import { slow } from "../helpers/slow.js";
import { nothingDropped } from "../helpers/small-training.js";
import {
  type ByName,
  flat,
  type Nested,
  TORCH_OPTIMIZERS,
  TORCH_SCRIPT,
  type TorchModel,
  torchNumbers,
} from "../helpers/torch-numbers.js";

/** Absolute and relative: charnn has single precision, the fixture double. */
const TOLERANCE = 1e-5;

const { time, batch: rows, hidden: hiddenSize, layers, vocabulary } = torchNumbers.sizes;

for (const torch of torchNumbers.models) {
  const { cell } = torch;

  test(`a ${cell} model has PyTorch's parameters, in its order and shapes`, () => {
    const shapes = [...parameterShapes(configOf(torch))];
    const expected = Object.entries(torch.parameters);
    assert.deepEqual(
      shapes,
      expected.map(([name, value]) => [name, shapeOf(value)]),
    );
  });

  testOnEveryBackend(
    `a ${cell} model gives every character PyTorch's probability at every position`,
    (backend) => {
      const model = modelOf(backend, torch);
      const batch = batchOf(torch);
      const logits = flat(torch.logits);
      for (let position = 0; position < time * rows; position++) {
        const scores = logits.slice(position * vocabulary, (position + 1) * vocabulary);
        const logSum = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
        const losses = scores.map((_, character) => {
          const targets = new Int32Array(time * rows).fill(-1);
          targets[position] = character;
          return model.score({ ...batch, targets }, stateOf(torch)).score.loss;
        });
        const expected = scores.map((score) => logSum - score);
        assertClose(losses, expected, TOLERANCE, `losses at position ${position}`);
      }
    },
  );

  testOnEveryBackend(`a ${cell} model gives PyTorch's loss at every position`, (backend) => {
    const model = modelOf(backend, torch);
    const batch = batchOf(torch);
    const losses = Array.from(batch.targets, (_, position) => {
      const alone = batch.targets.map((target, other) => (other === position ? target : -1));
      return model.score({ ...batch, targets: alone }, stateOf(torch)).score.loss;
    });
    assertClose(losses, flat(torch.losses), TOLERANCE, "losses");
  });

  testOnEveryBackend(
    `a ${cell} model gives PyTorch's gradients and state after a window`,
    (backend) => {
      const model = modelOf(backend, torch);
      const gradients = parameterArray(backend, model.config);
      const { score, state } = learn(torch, model, gradients);
      const losses = flat(torch.losses);
      const sum = losses.reduce((total, loss) => total + loss, 0);
      assertClose([score.loss], [sum], TOLERANCE, "loss");
      assert.equal(score.characters, time * rows - 1);
      assert.equal(score.correct, correctIn(torch));
      assertNamed(gradients, torch.gradients, "gradient");
      const hiddens = state.flatMap((layer) => [...layer.hidden]);
      assertClose(hiddens, flat(torch.finalState[0]), TOLERANCE, "hidden state");
      if (cell !== "lstm") return;
      const cells = state.flatMap((layer) => [...(layer.cellState ?? [])]);
      assertClose(cells, flat(torch.finalState[1]), TOLERANCE, "cell state");
    },
  );

  for (const { optimizer, clipNorm, norms, parameters } of torch.trained) {
    const title = `ten steps of ${optimizer} with clip norm ${clipNorm}`;
    testOnEveryBackend(`a ${cell} model has PyTorch's parameters after ${title}`, (backend) => {
      const model = modelOf(backend, torch);
      const gradients = parameterArray(backend, model.config);
      const takeStep = OPTIMIZERS[optimizer](backend, model.config);
      for (const [index, expectedNorm] of norms.entries()) {
        learn(torch, model, gradients);
        const inputs = { parameters: model.parameters.flat, gradients: gradients.flat };
        const norm = takeStep(inputs, clipNorm, index + 1);
        assertClose([norm], [expectedNorm], TOLERANCE, `norm of step ${index + 1}`);
      }
      assertNamed(model.parameters, parameters, "parameter");
    });
  }
}

slow("PyTorch still gives the numbers of the fixture", (t) => {
  const python = pythonWith("torch");
  if (python === undefined) return t.skip("no Python with PyTorch; `npm run peers` gets it");
  const printed = execFileSync(python, [TORCH_SCRIPT], { encoding: "utf8", maxBuffer: 2 ** 24 });
  const now = leaves(JSON.parse(printed));
  const committed = leaves(torchNumbers);
  assert.deepEqual([...now.keys()], [...committed.keys()]);
  for (const [path, value] of committed) {
    if (typeof value !== "number") assert.equal(now.get(path), value, path);
    else assertClose([now.get(path) as number], [value], 1e-6, path);
  }
});

type TakeStep = (inputs: StepArrays, clipNorm: number, step: number) => number;

const OPTIMIZERS: Readonly<
  Record<
    TorchModel["trained"][number]["optimizer"],
    (backend: Backend, config: CharRnn["config"]) => TakeStep
  >
> = {
  adam: (backend, config) => adam(backend, config, TORCH_OPTIMIZERS.adam),
  adamw: (backend, config) => adam(backend, config, TORCH_OPTIMIZERS.adamw),
  nadam: (backend, config) => adam(backend, config, TORCH_OPTIMIZERS.nadam, true),
  sgd: (backend, config) => {
    const moment = parameterArray(backend, config).flat;
    return (inputs, clipNorm) =>
      backend.sgdStep({ ...inputs, moment }, { ...TORCH_OPTIMIZERS.sgd, clipNorm, clipValue: 0 });
  },
  rmsprop: (backend, config) => {
    const moment = parameterArray(backend, config).flat;
    return (inputs, clipNorm) =>
      backend.rmsPropStep(
        { ...inputs, moment },
        { ...TORCH_OPTIMIZERS.rmsprop, clipNorm, clipValue: 0 },
      );
  },
};

function adam(
  backend: Backend,
  config: CharRnn["config"],
  coefficients: (typeof TORCH_OPTIMIZERS)["adam" | "adamw" | "nadam"],
  nesterov = false,
): TakeStep {
  const moments = {
    firstMoment: parameterArray(backend, config).flat,
    secondMoment: parameterArray(backend, config).flat,
  };
  return (inputs, clipNorm, step) =>
    backend.adamStep(
      { ...inputs, ...moments },
      { ...coefficients, nesterov, clipNorm, clipValue: 0, step },
    );
}

function configOf({ cell, embeddingSize }: TorchModel) {
  return modelConfig({
    cell,
    layers,
    hiddenSize,
    embeddingSize,
    vocabularySize: vocabulary,
  });
}

function modelOf(backend: Backend, torch: TorchModel): CharRnn {
  const model = new CharRnn(backend, configOf(torch));
  const { parameters } = torch;
  loadWeights(
    model,
    new Map(Object.keys(parameters).map((name) => [name, { data: flat(parameters[name]) }])),
  );
  return model;
}

function batchOf(torch: TorchModel): Batch {
  return {
    inputs: Int32Array.from(flat(torch.inputs)),
    targets: Int32Array.from(flat(torch.targets)),
    before: nothingBefore(rows),
    time,
    batch: rows,
    startsFresh: false,
  };
}

function stateOf({ state }: TorchModel): ModelState {
  const [hidden, cellState] = state.map((layersOfState) => layersOfState as readonly Nested[]);
  return hidden.map((values, layer) => {
    const hidden = Float32Array.from(flat(values));
    return cellState
      ? { hidden, cellState: Float32Array.from(flat(cellState[layer])) }
      : { hidden };
  });
}

function learn(torch: TorchModel, model: CharRnn, gradients: ParameterArray) {
  return model.lossAndGradients(batchOf(torch), stateOf(torch), gradients, nothingDropped());
}

/** How many targets PyTorch's logits give the highest score. */
function correctIn(torch: TorchModel): number {
  const logits = flat(torch.logits);
  const targets = flat(torch.targets);
  return targets.filter((target, position) => {
    const scores = logits.slice(position * vocabulary, (position + 1) * vocabulary);
    return scores.indexOf(Math.max(...scores)) === target;
  }).length;
}

function assertNamed(actual: ParameterArray, expected: ByName, what: string): void {
  assert.deepEqual([...actual.byName.keys()], Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    assertClose(numbersOf(actual.of(name)), flat(values), TOLERANCE, `${what} ${name}`);
  }
}

function shapeOf(values: Nested): number[] {
  return typeof values === "number" ? [] : [values.length, ...shapeOf(values[0])];
}

/** Every number and string in a value under the path to it. */
function leaves(value: unknown, path = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map([[path, value]]);
  const found = new Map<string, unknown>();
  for (const [key, entry] of Object.entries(value)) {
    for (const [at, leaf] of leaves(entry, `${path}/${key}`)) found.set(at, leaf);
  }
  return found;
}
