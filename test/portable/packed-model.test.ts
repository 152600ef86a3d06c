/** The weights of exported models in fewer bits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { parameterShapes, sizeOf } from "#src/config/parameters.js";
import { floatFromHalf, halfFromFloat } from "#src/half-float.js";
import { BITS, packedBytes, packWeights, unpackWeights } from "#src/portable/packed-model.js";
import { Draw } from "../helpers/numbers.js";

test("All numbers of 16 bits are read and written back as they were", () => {
  for (let half = 0; half < 2 ** 16; half++) {
    const number = floatFromHalf(half);
    if (Number.isNaN(number)) assert.equal(halfFromFloat(number) & 0x7fff, 0x7e00);
    else assert.equal(halfFromFloat(number), half, String(number));
  }
});

test("A number becomes the nearest one of 16 bits, and of two the even one", () => {
  const draw = new Draw(1);
  for (let half = 0; half < 0x7bff; half++) {
    const [below, above] = [floatFromHalf(half), floatFromHalf(half + 1)];
    const middle = (below + above) / 2;
    assert.equal(halfFromFloat(middle), half % 2 === 0 ? half : half + 1);
    const share = draw.below(1000) / 2001;
    assert.equal(halfFromFloat(below + share * (above - below)), half);
    assert.equal(halfFromFloat(-(above - share * (above - below))), 0x8000 | (half + 1));
  }
  assert.equal(halfFromFloat(65_519), 0x7bff);
  assert.equal(halfFromFloat(65_520), 0x7c00);
  assert.equal(halfFromFloat(-1e30), 0xfc00);
  assert.equal(halfFromFloat(1e-30), 0);
});

test("Packed weights are as near as their bits allow, 8 for n-grams where others have 16, and come in the order of the parameters", () => {
  const sizes = { layers: 2, hiddenSize: 12, embeddingSize: 5, vocabularySize: 9 };
  const model = modelConfig({ cell: "lstm", ...sizes, ngramOrder: 3, ngramRows: 64 });
  const draw = new Draw(2);
  const weights = new Map(
    [...parameterShapes(model)].map(([name, shape]) => [name, draw.floats(sizeOf(shape))]),
  );
  (weights.get("decoder.bias") as Float32Array).fill(0);
  for (const bits of BITS) {
    const packed = packWeights(model, weights, bits);
    const unpacked = unpackWeights({ model, bits }, packed);
    assert.equal(packed.length, packedBytes(model, bits));
    assert.deepEqual([...unpacked.keys()], [...weights.keys()]);
    for (const [name, numbers] of weights) {
      const near = unpacked.get(name) as Float32Array;
      const largest = Math.max(...numbers.map(Math.abs));
      const eighth = largest / 253;
      const most = { 8: eighth, 16: name.startsWith("ngram") ? eighth : largest / 2047, 32: 0 }[
        bits
      ];
      for (const [i, number] of numbers.entries()) {
        assert.ok(Math.abs(near[i] - number) <= most, `${name} ${i}: ${near[i]}, ${number}`);
      }
    }
  }
});

test("Weights that are not whole are refused", () => {
  const sizes = { layers: 1, hiddenSize: 4, embeddingSize: 0, vocabularySize: 3 };
  const model = modelConfig({ cell: "gru", ...sizes });
  assert.throws(() => unpackWeights({ model, bits: 16 }, new Uint8Array(10)), /not whole/);
});
