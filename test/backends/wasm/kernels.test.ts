/** The functions of the WebAssembly module check what they are given, and give back what they took. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kernels } from "#src/backends/kernels/kernels.js";
import { loadWasmKernels } from "#src/backends/wasm/module.js";
import {
  backwardArguments,
  crossEntropyArguments,
  decodeArguments,
  forwardArguments,
  sizesOf,
  stepArguments,
} from "../../helpers/addon-calls.js";
import { Draw } from "../../helpers/numbers.js";
import { recordCalls } from "../../helpers/record-calls.js";
import { rowCalls } from "../../helpers/row-calls.js";

const kernels = loadWasmKernels();
const SESSION = {
  cell: "lstm",
  layers: 2,
  sequences: 3,
  hidden: 5,
  vocabulary: 7,
  embedding: 4,
} as const;

function calls(): { name: keyof Kernels; values: object }[] {
  const draw = new Draw(2);
  const { packGradients, addRecords, unpackGradients } = recordCalls(draw);
  const { sumRows, spreadRows } = rowCalls(draw);
  return [
    {
      name: "forwardSequence",
      values: forwardArguments(kernels, sizesOf("gru", "embedded"), draw),
    },
    { name: "forwardSequence", values: forwardArguments(kernels, sizesOf("lstm", "panels"), draw) },
    {
      name: "backwardSequence",
      values: backwardArguments(kernels, sizesOf("rnn", "vectors"), draw),
    },
    {
      name: "crossEntropy",
      values: crossEntropyArguments(kernels, sizesOf("gru", "vectors"), draw),
    },
    { name: "adamStep", values: stepArguments(40, draw) },
    { name: "sgdStep", values: stepArguments(40, draw) },
    { name: "rmsPropStep", values: stepArguments(40, draw) },
    { name: "packGradients", values: packGradients },
    { name: "addRecords", values: addRecords },
    { name: "unpackGradients", values: unpackGradients },
    { name: "sumRows", values: sumRows },
    { name: "spreadRows", values: spreadRows },
    { name: "openDecodeSession", values: decodeArguments(SESSION, draw) },
  ];
}

for (const { name, values } of calls()) {
  const call = (changed: object) => (kernels[name] as (values: object) => unknown)(changed);
  test(`A function of the WebAssembly module refuses arrays of another length: ${name}`, () => {
    let wrong = 0;
    for (const [argument, value] of Object.entries(values)) {
      if (!ArrayBuffer.isView(value)) continue;
      // Adam has two moments, the others one.
      if (
        argument === "moment" ? name === "adamStep" : /Moment/.test(argument) && name !== "adamStep"
      )
        continue;
      const array = value as Float32Array | Int32Array | Uint8Array;
      const short = array.subarray(0, array.length - 1);
      assert.throws(
        () => call({ ...values, [argument]: short }),
        { name: "TypeError", message: new RegExp(`^${argument} must be `) },
        argument,
      );
      wrong++;
    }
    assert.ok(wrong >= 2);
    call(values);
  });
}

test("A function of the WebAssembly module refuses wrong numbers, tokens, panels and masks", () => {
  const draw = new Draw(3);
  const tokens = forwardArguments(kernels, sizesOf("gru", "embedded"), draw);
  const panels = forwardArguments(kernels, sizesOf("gru", "panels"), draw);
  const decoder = crossEntropyArguments(kernels, sizesOf("gru", "vectors"), draw);
  const { addRecords, packGradients } = recordCalls(draw);
  const { sumRows } = rowCalls(draw);
  const { inputPanels } = panels;
  assert.ok(inputPanels && tokens.tokens);
  const mask = { rate: 1, key0: 7, key1: 8 };
  const wrong: [() => unknown, RegExp][] = [
    [() => kernels.forwardSequence({ ...tokens, time: 2.5 }), /^time must be a whole number/],
    [() => kernels.forwardSequence({ ...tokens, hidden: 0 }), /^hidden must be a whole number/],
    [
      () => kernels.forwardSequence({ ...tokens, tokens: tokens.tokens?.with(3, 9) }),
      /^tokens must be below 9, not 9/,
    ],
    [
      () => kernels.forwardSequence({ ...tokens, tokens: tokens.tokens?.with(3, -1) }),
      /^tokens must be below 9, not -1/,
    ],
    [
      () => kernels.crossEntropy({ ...decoder, targets: decoder.targets.with(3, 9) }),
      /^targets must be below 9, not 9/,
    ],
    [
      () => kernels.forwardSequence({ ...panels, inputPanels: { ...inputPanels, stride: 1e6 } }),
      /^inputPanels must be/,
    ],
    [() => kernels.forwardSequence({ ...panels, weightMask: mask }), /^rate must be above 0/],
    [
      () => kernels.forwardSequence({ ...panels, scratch: new Float32Array(100_000) }),
      /^scratch must be/,
    ],
    [
      () => kernels.sumRows({ ...sumRows, rows: sumRows.rows.with(3, 7) }),
      /^rows must be below 7, not 7/,
    ],
    [() => kernels.packGradients({ ...packGradients, count: 0 }), /^count must be a whole number/],
    [() => kernels.addRecords({ ...addRecords, blocks: 1.5 }), /^blocks must be a whole number/],
    [() => kernels.addRecords({ ...addRecords, count: 4097 }), /^count must be at most 4096/],
    [
      () => kernels.addRecords({ ...addRecords, sum: addRecords.records.subarray(1040) }),
      /^records and sum must not overlap/,
    ],
  ];
  for (const [call, message] of wrong) assert.throws(call, { name: "TypeError", message });
});

test("A shape that needs more than the WebAssembly module's memory is refused", () => {
  const sizes = { cell: "lstm", input: 65_536, hidden: 65_536, vocabulary: 0 } as const;
  const masks = { hasEmbedding: false, inputMasks: 0, hasStateMask: true, hasWeightMask: true };
  for (const { time, batch } of [
    { time: 1, batch: 1 },
    { time: 65_536, batch: 65_536 },
    { time: 1000, batch: 60 },
  ]) {
    assert.throws(() => kernels.sequenceScratch({ ...sizes, ...masks, time, batch }), {
      name: "CharnnError",
      code: "OUT_OF_MEMORY",
    });
  }
  const wide = { ...sizes, ...masks, input: 5, hidden: 3000 };
  assert.throws(() => kernels.sequenceScratch({ ...wide, time: 3000, batch: 60 }), {
    code: "OUT_OF_MEMORY",
    message: /^The wasm backend needs \d+(\.\d)? GB of memory, and gets no more than 4\.3 GB\.$/,
  });
  assert.ok(kernels.sequenceScratch({ ...wide, time: 30, batch: 60 }) > 30 * 60 * 3000);
});

test("A closed decode session of the WebAssembly module is refused, and its memory is used again", () => {
  const model = decodeArguments(SESSION, new Draw(4));
  const tokens = Int32Array.of(1, 2, 3);
  const logits = new Float32Array(3 * 7);
  const first = kernels.openDecodeSession(model);
  kernels.stepDecodeSession(first, tokens, logits);
  const expected = logits.slice();
  kernels.closeDecodeSession(first);
  for (const use of [
    () => kernels.stepDecodeSession(first, tokens, logits),
    () => kernels.closeDecodeSession(first),
  ]) {
    assert.throws(use, { name: "TypeError", message: /it is closed/ });
  }
  const probe = kernels.allocate(1000);
  kernels.free(probe);
  for (let i = 0; i < 200; i++) {
    const session = kernels.openDecodeSession(model);
    kernels.stepDecodeSession(session, tokens, logits);
    assert.deepEqual(logits, expected);
    const wrong = [Int32Array.of(1, 2), Int32Array.of(1, 2, 7), Int32Array.of(-1, 2, 3)];
    for (const each of wrong) {
      assert.throws(() => kernels.stepDecodeSession(session, each, logits), TypeError);
    }
    kernels.closeDecodeSession(session);
  }
  const again = kernels.allocate(1000);
  assert.equal(again.byteOffset, probe.byteOffset);
  kernels.free(again);
});

test("A decode session of the WebAssembly module that reads vectors gives the logits of their tokens, and refuses what are none", () => {
  const ofTokens = decodeArguments(SESSION, new Draw(4));
  const { encoderWeight: encoder, ...others } = ofTokens;
  const tokens = Int32Array.of(1, 6, 3);
  const vectors = Float32Array.from(
    [...tokens].flatMap((token) => [
      ...(encoder as Float32Array).subarray(4 * token, 4 * token + 4),
    ]),
  );
  const [expected, logits] = [new Float32Array(3 * 7), new Float32Array(3 * 7)];
  const first = kernels.openDecodeSession(ofTokens);
  kernels.stepDecodeSession(first, tokens, expected);
  const session = kernels.openDecodeSession({ ...others, readsVectors: true });
  kernels.stepDecodeSession(session, vectors, logits);
  assert.deepEqual(logits, expected);
  for (const wrong of [tokens, vectors.subarray(0, 8), vectors.subarray(0, 11)]) {
    assert.throws(() => kernels.stepDecodeSession(session, wrong, logits), TypeError);
  }
  assert.throws(() => kernels.stepDecodeSession(first, vectors, logits), TypeError);
  for (const each of [first, session]) kernels.closeDecodeSession(each);
});
