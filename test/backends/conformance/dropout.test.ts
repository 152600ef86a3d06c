/** Masks of dropout, which backends make where they are used. */
import type { DropoutMask } from "#src/backends/backend.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { assertSameBytes, numbersOf } from "../../helpers/numbers.js";
import { testOnEveryBackend } from "../../helpers/on-every-backend.js";
import { assertAll } from "./comparisons.js";
import { drawLayer, forwardAndBackward, INPUT_KINDS } from "./layers.js";
import { maskNumbers } from "./masks.js";

/** The first word of the stream of the key 0, 0. */
const FIRST_WORD = 0x6627e8d5;

for (const [batch, hiddenSize, rate, key] of [
  [6, 7, 0.5, [0, 0]],
  [1, 5, 0.3, [0xa4093822, 0x299f31d0]],
  [99, 17, 0.9, [0xffffffff, 1]],
  [4, 2, 1e-3, [5, 0xffffffff]],
  // A word at the limit is kept, one below it dropped.
  [1, 1, FIRST_WORD / 2 ** 32, [0, 0]],
  [1, 1, (FIRST_WORD + 0.25) / 2 ** 32, [0, 0]],
] as const) {
  testOnEveryBackend(
    `a mask of ${batch} x ${hiddenSize} numbers with rate ${rate} and key ${key} equals its definition, bit for bit,`,
    (backend, draw) => {
      const length = batch * hiddenSize;
      const vocabulary = 5;
      const decoder = {
        time: 1,
        batch,
        hiddenSize,
        input: draw.floats(length),
        weight: draw.floats(vocabulary * hiddenSize),
        bias: draw.floats(vocabulary),
        targets: draw.tokens(batch, vocabulary),
      };
      const learn = (inputMask: Float32Array | DropoutMask) => {
        const gradientWeight = new Float32Array(decoder.weight.length);
        const gradientBias = new Float32Array(vocabulary);
        const { losses, gradientInput } = backend.linearCrossEntropy(
          { ...decoder, inputMask },
          { gradientWeight, gradientBias },
          backend.createWorkspace(),
        );
        return { losses, gradientInput: numbersOf(gradientInput), gradientWeight };
      };
      const expected = learn(maskNumbers({ length, rate, key }));
      assertAll(assertSameBytes, learn({ length, rate, key }), expected);
    },
  );
}

for (const cell of CELL_NAMES) {
  for (const input of INPUT_KINDS) {
    testOnEveryBackend(
      `a layer of ${cell} units on ${input} input makes the masks of its input, state and weights`,
      (backend, draw) => {
        const kind = { cell, input, inputDropout: true, recurrentDropout: true };
        const sizes = { time: 3, batch: 5, hidden: 17, input: 5, vocabulary: 11 };
        const drawn = drawLayer(kind, sizes, draw);
        const { layer, masks } = drawn;
        const expected = forwardAndBackward(backend, drawn);
        const made = forwardAndBackward(backend, { ...drawn, layer: { ...layer, ...masks } });
        assertAll(assertSameBytes, made.outputs, expected.outputs);
        assertAll(assertSameBytes, made.gradients, expected.gradients, "gradient");
      },
    );
  }
}
