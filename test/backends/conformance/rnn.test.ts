/** Recurrent layers, forward and backward. */

import assert from "node:assert/strict";
import { CELL_NAMES } from "#src/config/cells.js";
import { assertSameBytes } from "../../helpers/numbers.js";
import { testOnEveryBackend } from "../../helpers/on-every-backend.js";
import {
  assertAll,
  assertGradient,
  assertNear,
  assertSameNumbers,
  isAll,
  onceFor,
} from "./comparisons.js";
import {
  definedLayer,
  describeLayer,
  drawLayer,
  forward,
  forwardAndBackward,
  INPUT_KINDS,
  type LayerCase,
  type LayerKind,
  type LayerSizes,
  layerCases,
  type PlainLayer,
} from "./layers.js";

/** Numbers for a case, and what the definition gives for them. */
const defined = new Map<string, { drawn: LayerCase; expected: ReturnType<typeof definedLayer> }>();

for (const { kind, sizes, isSmall } of layerCases(isAll)) {
  const sentence = `${describeLayer(kind, sizes)} equals its definition`;
  testOnEveryBackend(sentence, (backend, draw) => {
    const { drawn, expected } = onceFor(defined, sentence, () => {
      const drawn = drawLayer(kind, sizes, draw);
      return { drawn, expected: definedLayer(drawn, isSmall) };
    });
    const { outputs, gradients } = forwardAndBackward(backend, drawn);
    assertAll(assertNear, outputs, expected.outputs);
    for (const [name, values] of Object.entries(gradients)) {
      const wanted = expected.gradients[name as keyof typeof gradients];
      assert.equal(values === undefined, wanted === undefined, name);
      if (values && wanted) assertGradient(values, wanted, `gradient of ${name}`);
    }
  });
}

const FEW: LayerSizes = { time: 9, batch: 3, hidden: 7, input: 5, vocabulary: 11 };

for (const cell of CELL_NAMES) {
  for (const input of INPUT_KINDS) {
    const kind: LayerKind = { cell, input, inputDropout: true, recurrentDropout: true };
    const layers = `layers of ${cell} units on ${input} input`;

    testOnEveryBackend(
      `${layers} give two halves of a sequence, the state carried, what they give the whole`,
      (backend, draw) => {
        const { layer: whole } = drawLayer(kind, FEW, draw);
        const expected = forward(backend, whole);
        const first = forward(backend, stepsOf(whole, 0, 4));
        const { hidden, cellState } = first;
        const second = forward(backend, { ...stepsOf(whole, 4, 9), hidden, cellState });
        const output = Float32Array.from([...first.output, ...second.output]);
        assertSameNumbers(backend, output, expected.output, "output");
        assertSameNumbers(backend, second.hidden, expected.hidden, "hidden");
        if (expected.cellState) {
          assertSameNumbers(
            backend,
            second.cellState as Float32Array,
            expected.cellState,
            "cell state",
          );
        }
      },
    );

    testOnEveryBackend(
      `${layers} give a sequence the same, no matter which others are in the batch`,
      (backend, draw) => {
        const all = drawLayer(kind, FEW, draw);
        const together = forwardAndBackward(backend, all);
        const alone = forwardAndBackward(backend, sequenceOf(all, 2));
        const { time, batch } = all.layer;
        const perStep = { output: together.outputs.output, input: together.gradients.input };
        const { hidden, cellState } = together.outputs;
        const { gradients } = together;
        const assertSame = (
          values: Float32Array | undefined,
          steps: number,
          own: Float32Array | undefined,
          what: string,
        ) => {
          assert.equal(values === undefined, own === undefined, what);
          if (values && own) assertSameNumbers(backend, own, rowsOf(values, steps, batch, 2), what);
        };
        assertSame(perStep.output, time, alone.outputs.output, "output");
        assertSame(hidden, 1, alone.outputs.hidden, "hidden");
        assertSame(cellState, 1, alone.outputs.cellState, "cell state");
        assertSame(perStep.input, time, alone.gradients.input, "gradient of the input");
        assertSame(gradients.hidden, 1, alone.gradients.hidden, "gradient of the state");
        assertSame(gradients.cellState, 1, alone.gradients.cellState, "gradient of the cell state");
      },
    );

    testOnEveryBackend(
      `${layers} give the same bytes, no matter what the workspace held before`,
      (backend, draw) => {
        const short = drawLayer(kind, { ...FEW, time: 3, batch: 2, vocabulary: 5 }, draw);
        const long = drawLayer(kind, { ...FEW, time: 8 }, draw);
        const fresh = forwardAndBackward(backend, short);
        const used = backend.createWorkspace();
        forwardAndBackward(backend, long, used);
        for (const what of ["after a longer one", "once more"]) {
          const again = forwardAndBackward(backend, short, used);
          assertAll(assertSameBytes, again.outputs, fresh.outputs, what);
          assertAll(assertSameBytes, again.gradients, fresh.gradients, `of the loss ${what}`);
        }
        used.dispose();
      },
    );

    testOnEveryBackend(
      `${layers} take no more scratch memory than their longest sequence needs`,
      (backend, draw) => {
        const workspace = backend.createWorkspace();
        const bytesAfter = (time: number) => {
          forwardAndBackward(backend, drawLayer(kind, { ...FEW, time }, draw), workspace);
          return workspace.bytes;
        };
        const short = bytesAfter(2);
        const long = bytesAfter(12);
        // How many different tokens occur varies, but never above the vocabulary.
        assert.ok(long >= short, `${short} bytes, then ${long}`);
        if (input !== "vectors") return;
        assert.equal(bytesAfter(5), long);
        assert.equal(bytesAfter(12), long);
      },
    );
  }

  testOnEveryBackend(
    `a layer of ${cell} units changes none of its inputs, and the states it gave outlive the next call`,
    (backend, draw) => {
      const kind: LayerKind = {
        cell,
        input: "vectors",
        inputDropout: true,
        recurrentDropout: true,
      };
      const { layer } = drawLayer(kind, FEW, draw);
      const workspace = backend.createWorkspace();
      const inputs = copied(layer);
      const { hidden, cellState } = backend.rnnForward(layer, workspace);
      const states = copied({ hidden, cellState });
      forwardAndBackward(backend, drawLayer(kind, FEW, draw), workspace);
      assert.deepEqual(copied(layer), inputs);
      assert.deepEqual({ hidden, cellState }, states);
    },
  );
}

/** The same layer over part of its sequence. */
function stepsOf(layer: PlainLayer, first: number, end: number): PlainLayer {
  const perStep = layer.input.length / layer.time;
  return {
    ...layer,
    time: end - first,
    input: layer.input.slice(first * perStep, end * perStep) as PlainLayer["input"],
  };
}

/** One sequence of a batch, alone. */
function sequenceOf({ layer, gradientOutput }: LayerCase, index: number) {
  const { time, batch, inputSize, inputMask, stateMask, hidden, cellState } = layer;
  const row = (values: Float32Array) => rowsOf(values, 1, batch, index);
  const mask = inputMask as Float32Array;
  const masks = mask.length / inputSize;
  return {
    layer: {
      ...layer,
      batch: 1,
      input: rowsOf(layer.input as Float32Array, time, batch, index),
      inputMask: rowsOf(mask, 1, masks, index % masks),
      stateMask: row(stateMask as Float32Array),
      hidden: row(hidden),
      cellState: cellState && row(cellState),
    },
    gradientOutput: rowsOf(gradientOutput, time, batch, index),
  };
}

/** Row `index` of every step of an array `[steps, batch, ...]`. */
function rowsOf<A extends Float32Array>(values: A, steps: number, batch: number, index: number): A {
  const size = values.length / (steps * batch);
  return values.filter((_, i) => Math.floor(i / size) % batch === index) as A;
}

function copied<Holder extends object>(holder: Holder): Holder {
  return structuredClone(holder);
}
