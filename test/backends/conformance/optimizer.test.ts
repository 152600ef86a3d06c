/** The steps of the optimizers. */

import assert from "node:assert/strict";
import { type Backend, SPARSE_GROUP, type StepSettings } from "#src/backends/backend.js";
import type { Draw } from "../../helpers/numbers.js";
import { testOnEveryBackend } from "../../helpers/on-every-backend.js";
import { adam, nadam, optimizerStep, rmsProp, sgd } from "../../reference/optimizers.js";
import { assertAll, assertNear } from "./comparisons.js";

const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
const SGD = { momentum: 0.8 };
const RMS_PROP = { decay: 0.95, epsilon: 1e-4 };

interface Arrays<Numbers> {
  readonly parameters: Numbers;
  readonly gradients: Numbers;
  readonly moments: readonly Numbers[];
  readonly average?: Numbers | undefined;
  readonly nonzero?: Uint8Array | undefined;
}

interface Optimizer {
  readonly moments: number;
  /** Updates the arrays in place and returns the norm. */
  step(backend: Backend, arrays: Arrays<Float32Array>, common: StepSettings, step: number): number;
  defined(
    arrays: Arrays<Float64Array>,
    common: StepSettings,
    step: number,
  ): Arrays<Float64Array> & { norm: number };
}

const OPTIMIZERS: Readonly<Record<string, Optimizer>> = {
  Adam: {
    moments: 2,
    step: (backend, { moments: [firstMoment, secondMoment], ...arrays }, common, step) =>
      backend.adamStep({ ...arrays, firstMoment, secondMoment }, { ...common, ...ADAM, step }),
    defined: (arrays, common, step) => optimizerStep(adam, arrays, { ...common, ...ADAM, step }),
  },
  NAdam: {
    moments: 2,
    step: (backend, { moments: [firstMoment, secondMoment], ...arrays }, common, step) =>
      backend.adamStep(
        { ...arrays, firstMoment, secondMoment },
        { ...common, ...ADAM, nesterov: true, step },
      ),
    defined: (arrays, common, step) => optimizerStep(nadam, arrays, { ...common, ...ADAM, step }),
  },
  SGD: {
    moments: 1,
    step: (backend, { moments: [moment], ...arrays }, common) =>
      backend.sgdStep({ ...arrays, moment }, { ...common, ...SGD }),
    defined: (arrays, common) => optimizerStep(sgd, arrays, { ...common, ...SGD }),
  },
  RMSProp: {
    moments: 1,
    step: (backend, { moments: [moment], ...arrays }, common) =>
      backend.rmsPropStep({ ...arrays, moment }, { ...common, ...RMS_PROP }),
    defined: (arrays, common) => optimizerStep(rmsProp, arrays, { ...common, ...RMS_PROP }),
  },
};

/** Makes most gradients zero, in runs and one by one, as rows of a table that a batch does not read. */
function leaveOut(gradients: Float32Array, draw: Draw): void {
  for (let begin = 0; begin < gradients.length; ) {
    const end = begin + 1 + draw.below(40);
    if (draw.below(3) > 0) gradients.fill(0, begin, end);
    begin = end;
  }
}

for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
  for (const [clipNorm, clipValue, weightDecay, averageDecay, sparsePart, sparseAverageDecay] of [
    [0, 0, 0, undefined, 0, undefined],
    [0.5, 0, 0, 0.8, 0, undefined],
    [1e6, 0, 0.1, 0, 0, undefined],
    [5, 0.1, 0.1, 0.99, 0, undefined],
    [0.5, 0, 0, undefined, 0.7, undefined],
    [0.5, 0, 0, 0.8, 0.7, 1],
    [5, 0.1, 0.1, 0.8, 1, 0.6],
  ] as const) {
    // Around the sixteen numbers of a vector, and beyond a block of the norm.
    for (const length of [1, 33, 4_100]) {
      const sparse = Math.round(sparsePart * length);
      const settings = `clip norm ${clipNorm}, clip value ${clipValue}, weight decay ${weightDecay}, average decay ${averageDecay}, ${sparse} of them sparse, their average decay ${sparseAverageDecay}`;
      testOnEveryBackend(
        `ten steps of ${name} over ${length} parameters with ${settings} equal their definition`,
        (backend, draw) => {
          const limits = { clipNorm, clipValue };
          const decays = {
            weightDecay,
            sparseWeightDecay: 4 * weightDecay,
            averageDecay,
            sparseAverageDecay,
          };
          const common = { sparse, learningRate: 0.02, ...limits, ...decays };
          const arrays = {
            parameters: draw.floats(length),
            moments: Array.from({ length: optimizer.moments }, () => new Float32Array(length)),
            average: averageDecay === undefined ? undefined : draw.floats(length),
          };
          let expected = {
            parameters: Float64Array.from(arrays.parameters),
            moments: arrays.moments.map((moment) => Float64Array.from(moment)),
            average: arrays.average && Float64Array.from(arrays.average),
          } as Omit<Arrays<Float64Array>, "gradients">;
          for (let step = 1; step <= 10; step++) {
            const gradients = draw.floats(length);
            if (sparse > 0) leaveOut(gradients, draw);
            const unclipped = Float64Array.from(gradients);
            const norm = optimizer.step(backend, { ...arrays, gradients }, common, step);
            const after = optimizer.defined({ ...expected, gradients: unclipped }, common, step);
            assertNear([norm], [after.norm], `norm of step ${step}`);
            assertNear(gradients, after.gradients, `gradients of step ${step}`);
            expected = after;
          }
          const { parameters, average, moments } = expected;
          assertAll(assertNear, arrays, { parameters, average });
          assertAll(assertNear, arrays.moments, moments, "of the moments");
        },
      );
    }
  }

  testOnEveryBackend(
    `a step of ${name} gives the same bytes when the zero gradients are marked`,
    (backend, draw) => {
      const [length, sparse] = [9_000, 8_500];
      const gradients = draw.floats(length);
      leaveOut(gradients.subarray(0, sparse), draw);
      const nonzero = new Uint8Array(Math.floor(sparse / SPARSE_GROUP)).map((_, group) => {
        const begin = group * SPARSE_GROUP;
        return Number(gradients.subarray(begin, begin + SPARSE_GROUP).some((g) => g !== 0));
      });
      assert.ok(nonzero.includes(0) && nonzero.includes(1));
      const drawn = {
        parameters: draw.floats(length),
        gradients,
        moments: Array.from({ length: optimizer.moments }, () => draw.floats(length).map(Math.abs)),
        average: draw.floats(length),
      };
      for (const [sparseWeightDecay, sparseAverageDecay] of [
        [0, 1],
        [0.3, 0.7],
      ]) {
        const decays = {
          weightDecay: 0.1,
          averageDecay: 0.9,
          sparseWeightDecay,
          sparseAverageDecay,
        };
        const common = { sparse, learningRate: 0.02, clipNorm: 1, clipValue: 0.1, ...decays };
        const [expected, told] = [structuredClone(drawn), structuredClone(drawn)];
        const norm = optimizer.step(backend, expected, common, 2);
        assert.equal(optimizer.step(backend, { ...told, nonzero }, common, 2), norm);
        assert.deepEqual(told, expected);
      }
    },
  );

  for (const [what, gradients] of [
    ["NaN among the gradients", [0.5, Number.NaN, 1]],
    ["infinity among the gradients", [0.5, Number.NEGATIVE_INFINITY, 1]],
    ["a norm beyond single precision", [3e38, 3e38, 3e38]],
  ] as const) {
    testOnEveryBackend(`${what} makes a step of ${name} change nothing`, (backend) => {
      const common = { learningRate: 0.1, clipNorm: 1, clipValue: 1, weightDecay: 0.1 };
      const arrays = {
        parameters: Float32Array.of(1, 2, 3),
        gradients: Float32Array.from(gradients),
        moments: Array.from({ length: optimizer.moments }, () => Float32Array.of(0.1, 0.2, 0.3)),
        average: Float32Array.of(4, 5, 6),
      };
      const before = structuredClone(arrays);
      const norm = optimizer.step(backend, arrays, common, 3);
      assert.ok(!Number.isFinite(norm), `norm ${norm}`);
      assert.deepEqual(arrays, before);
    });
  }

  testOnEveryBackend(
    `the first step of ${name} with gradients of zero leaves the parameters where they are`,
    (backend) => {
      const common = { learningRate: 0.1, clipNorm: 1, clipValue: 0, weightDecay: 0 };
      const arrays = {
        parameters: Float32Array.of(1, -2),
        gradients: new Float32Array(2),
        moments: Array.from({ length: optimizer.moments }, () => new Float32Array(2)),
      };
      assert.equal(optimizer.step(backend, arrays, common, 1), 0);
      assert.deepEqual([...arrays.parameters], [1, -2]);
    },
  );
}
