/** What the addon does not trust: values in arrays, shapes, scratch memory, getters and handles. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import type { DecodeHandle } from "#src/backends/kernels/kernels.js";
import type { Addon } from "#src/backends/native/addon.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { onTheAddon, scratchMemory } from "../../helpers/addon.js";
import {
  backwardArguments,
  crossEntropyArguments,
  decodeArguments,
  detached,
  forwardArguments,
  SOURCES,
  sizesOf,
  VOCABULARY,
} from "../../helpers/addon-calls.js";
import fc from "../../helpers/fast-check.js";
import { Draw } from "../../helpers/numbers.js";
import { slow } from "../../helpers/slow.js";

onTheAddon("The native addon", (addon) => {
  const run = (name: keyof Addon, values: unknown) =>
    (addon[name] as (v: unknown) => unknown)(values);

  test("The native addon takes tokens of the vocabulary only, and targets of it or below 0", () => {
    const draw = new Draw(3);
    const forward = forwardArguments(addon, sizesOf("gru", "embedded"), draw);
    for (const token of [-1, VOCABULARY, 2 ** 31 - 1, -(2 ** 31)]) {
      const tokens = forward.tokens?.with(3, token);
      assert.throws(() => addon.forwardSequence({ ...forward, tokens }), /tokens .*not -?\d+/);
    }
    const sizes = sizesOf("gru", "vectors");
    const decoder = crossEntropyArguments(addon, sizes, draw);
    for (const target of [VOCABULARY, 2 ** 31 - 1]) {
      const targets = decoder.targets.with(3, target);
      assert.throws(() => addon.crossEntropy({ ...decoder, targets }), TypeError);
    }
    for (const target of [-1, -(2 ** 31)]) {
      addon.crossEntropy({ ...decoder, targets: decoder.targets.with(3, target) });
      assert.equal(decoder.losses[3], 0);
    }
  });

  test("The native addon is not deceived by a property that is a function and changes those read before", () => {
    const draw = new Draw(6);
    const vectors = forwardArguments(addon, sizesOf("gru", "vectors"), draw);
    const detaches = {
      ...vectors,
      get hiddenAfter() {
        structuredClone(vectors.vectors, { transfer: [vectors.vectors?.buffer as ArrayBuffer] });
        return vectors.hiddenAfter;
      },
    };
    assert.throws(() => addon.forwardSequence(detaches), /changed its memory/);
    const embedded = forwardArguments(addon, sizesOf("gru", "embedded"), draw);
    const overwrites = {
      ...embedded,
      get hiddenAfter() {
        embedded.tokens?.fill(2 ** 30);
        return embedded.hiddenAfter;
      },
    };
    assert.throws(() => addon.forwardSequence(overwrites), /tokens must be below/);
  });

  test("The native addon refuses scratch memory that is not aligned, and takes more than it needs", () => {
    const forward = forwardArguments(addon, sizesOf("gru", "vectors"), new Draw(3));
    const scratch = scratchMemory(addon, forward.scratch.length + 16);
    addon.forwardSequence({ ...forward, scratch });
    for (const begin of [1, 8, 15]) {
      const moved = scratch.subarray(begin);
      assert.throws(() => addon.forwardSequence({ ...forward, scratch: moved }), /64 bytes/);
    }
  });

  slow("The native addon does not trust what forward left in the scratch memory", () => {
    const draw = new Draw(4);
    for (const cell of CELL_NAMES) {
      for (const source of SOURCES) {
        const backward = backwardArguments(addon, sizesOf(cell, source), draw);
        const words = new Int32Array(backward.scratch.buffer);
        for (let attempt = 0; attempt < 200; attempt++) {
          const most = draw.pick([2, 8, 2 ** 31]);
          for (let i = 0; i < words.length; i++)
            words[i] = draw.below(most) * draw.pick([1, 1, -1]);
          try {
            addon.backwardSequence(backward);
          } catch (error) {
            assert.ok(error instanceof TypeError, `${error}`);
          }
        }
      }
    }
  });

  test("The native addon takes panels where they lie within their array, and only there", () => {
    const sizes = { ...sizesOf("rnn", "panels"), input: 40, time: 2, batch: 3 };
    const rows = sizes.time * sizes.batch;
    const forward = forwardArguments(addon, sizes, new Draw(5));
    const data = new Float32Array(500);
    const below = (limit: number) => fc.integer({ min: 0, max: limit });
    fc.assert(
      fc.property(below(520), below(520), below(500), (offset, stride, length) => {
        const inputPanels = { data: data.subarray(0, length), offset, stride };
        const lieWithin = offset + 2 * stride + rows * 16 <= length;
        const call = () => addon.forwardSequence({ ...forward, inputPanels });
        if (lieWithin) call();
        else assert.throws(call, TypeError);
      }),
      {
        numRuns: 2_000,
        examples: [
          [404, 0, 500],
          [405, 0, 500],
          [0, 202, 500],
          [0, 203, 500],
        ],
      },
    );
  });

  test("The native addon takes any shape whose arrays fit it, and none with one that does not", () => {
    const draw = new Draw(6);
    const size = fc.integer({ min: 1, max: 40 });
    const sizes = fc.record({
      cell: fc.constantFrom(...CELL_NAMES),
      source: fc.constantFrom(...SOURCES),
      time: fc.integer({ min: 1, max: 5 }),
      batch: size,
      input: size,
      hidden: size,
      vocabulary: size,
    });
    fc.assert(
      fc.property(sizes, fc.nat(), fc.constantFrom(-1, 1), (layer, which, more) => {
        for (const [name, values] of [
          ["forwardSequence", forwardArguments(addon, layer, draw)],
          ["backwardSequence", backwardArguments(addon, layer, draw)],
          ["crossEntropy", crossEntropyArguments(addon, layer, draw)],
        ] as const) {
          assert.equal(typeof run(name, values), "number");
          const arrays = Object.entries(values).filter(([, value]) => ArrayBuffer.isView(value));
          const [argument, array] = arrays[which % arrays.length];
          if (argument === "scratch" && more > 0) continue;
          const other = new (array.constructor as Float32ArrayConstructor)(array.length + more);
          assert.throws(() => run(name, { ...values, [argument]: other }), TypeError);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("The native addon says how much scratch memory any shape takes, or refuses the shape", () => {
    const size = fc.oneof(
      fc.integer({ min: -2, max: 70 }),
      fc.integer({ min: 0, max: 2 ** 33 }),
      fc.double(),
    );
    const shape = fc.record({
      cell: fc.constantFrom(...CELL_NAMES, "transformer"),
      time: size,
      batch: size,
      input: size,
      hidden: size,
      vocabulary: size,
      rows: size,
      hasEmbedding: fc.boolean(),
      hasMask: fc.boolean(),
      inputMasks: size,
      hasStateMask: fc.boolean(),
      hasWeightMask: fc.boolean(),
      wantsGradient: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, (values) => {
        for (const name of ["sequenceScratch", "crossEntropyScratch"] as const) {
          try {
            const floats = run(name, values) as number;
            assert.ok(Number.isSafeInteger(floats) && floats > 0, `${name}: ${floats}`);
          } catch (error) {
            assert.ok(error instanceof TypeError, `${name}: ${error}`);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test("The native addon refuses to step with what is no decode session, or is closed", async () => {
    const sizes = { cell: "gru", layers: 1, hidden: 4, vocabulary: 5, embedding: 0 } as const;
    const session = addon.openDecodeSession(
      decodeArguments({ ...sizes, sequences: 2 }, new Draw(7)),
    );
    const tokens = Int32Array.of(1, 2);
    const logits = new Float32Array(10);
    addon.stepDecodeSession(session, tokens, logits);
    const read = (...values: unknown[]) =>
      (addon.stepDecodeSession as (...values: unknown[]) => void)(...values);
    const wrongTokens = [
      [undefined, null, 1, [1, 2], new Float32Array(2), new Uint32Array(2), tokens.buffer],
      [Int32Array.of(1), Int32Array.of(1, 2, 3), detached(tokens)],
      [Int32Array.of(0, 5), Int32Array.of(-1, 0), Int32Array.of(0, 2 ** 31 - 1)],
    ].flat();
    for (const wrong of wrongTokens) assert.throws(() => read(session, wrong, logits), TypeError);
    const before = logits.slice();
    for (const wrong of [
      [undefined, null, 1, [], new Float64Array(10), new Int32Array(10), logits.buffer],
      [new Float32Array(9), new Float32Array(11), detached(logits)],
    ].flat()) {
      assert.throws(() => read(session, tokens, wrong), TypeError);
    }
    assert.throws(() => read(), TypeError);
    assert.throws(() => read(session), TypeError);
    assert.throws(() => read(session, tokens), TypeError);
    assert.deepEqual(logits, before);
    const [foreign, release] = await externalOfNode();
    const close = (value?: unknown) => addon.closeDecodeSession(value as DecodeHandle);
    for (const wrong of [undefined, null, 1, "session", {}, [], tokens, () => {}, foreign]) {
      assert.throws(() => read(wrong, tokens, logits), TypeError);
      assert.throws(() => close(wrong), TypeError);
    }
    release();
    addon.stepDecodeSession(session, tokens, logits);
    close(session);
    assert.throws(() => read(session, tokens, logits), /closed/);
    assert.throws(() => close(session), /closed/);
  });

  test("The native addon refuses to step a session of vectors with what are no vectors of it", () => {
    const sizes = { cell: "gru", layers: 1, hidden: 4, vocabulary: 5, embedding: 3 } as const;
    const model = decodeArguments({ ...sizes, sequences: 2, readsVectors: true }, new Draw(7));
    assert.throws(() => addon.openDecodeSession({ ...model, embedding: 0 }), TypeError);
    const session = addon.openDecodeSession(model);
    const logits = new Float32Array(10);
    addon.stepDecodeSession(session, new Float32Array(6), logits);
    const before = logits.slice();
    for (const wrong of [
      [undefined, null, 1, [1, 2, 3], new Int32Array(6), new Float64Array(6), logits.buffer],
      [0, 2, 3, 5, 7, 9].map((length) => new Float32Array(length)),
      [detached(new Float32Array(6))],
    ].flat()) {
      const vectors = wrong as Float32Array;
      assert.throws(() => addon.stepDecodeSession(session, vectors, logits), TypeError);
    }
    assert.deepEqual(logits, before);
    addon.closeDecodeSession(session);
  });

  test("The native addon refuses a decode session larger than any memory before it looks at its arrays", () => {
    const sizes = { cell: "gru", layers: 1, hidden: 1, vocabulary: 1, embedding: 0 } as const;
    const values = decodeArguments({ ...sizes, sequences: 1 }, new Draw(7));
    const most = 2 ** 31;
    for (const larger of [
      { sequences: most, vocabulary: most },
      { sequences: most, hidden: most },
      { hidden: most },
      { vocabulary: most, embedding: most },
    ]) {
      assert.throws(
        () => addon.openDecodeSession({ ...values, ...larger }),
        /larger than any array/,
      );
    }
  });
});

/** An external value that is not the addon's, and how to let it go. */
async function externalOfNode(): Promise<[external: unknown, release: () => void]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { _handle } = server as unknown as { _handle: { _externalStream: unknown } };
  return [_handle._externalStream, () => server.close()];
}
