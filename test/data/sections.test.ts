/** Lanes that are read in sections. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch } from "#src/data/batch.js";
import { type BatchSettings, createBatches } from "#src/data/batches.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { Random } from "#src/random.js";
import fc from "../helpers/fast-check.js";

const vocabulary = Vocabulary.fromCodePoints([0x61]);
const SHAPE = { batching: "lanes", batchSize: 3, seqLength: 5, stride: 5 } as const;

/** Batches of a text whose characters tell their position. */
function batchesOf(length: number, settings: Partial<BatchSettings>) {
  const tokens = Uint16Array.from({ length }, (_, position) => position);
  const all = { ...SHAPE, ...settings };
  return createBatches({ tokens }, undefined, vocabulary, all, Random.fromSeed(1));
}

function epochOf(batches: ReturnType<typeof batchesOf>, epoch = 0): Batch[] {
  return Array.from({ length: batches.batchesInEpoch(epoch) }, (_, index) =>
    structuredClone(batches.at(epoch, index)),
  );
}

/** The characters that each row reads from one hidden state of zero to the next, section after section. */
function sectionsOf(batches: readonly Batch[]): number[][][] {
  const sections: number[][][] = [];
  for (const { inputs, targets, time, batch, startsFresh } of batches) {
    if (startsFresh) sections.push(Array.from({ length: batch }, () => []));
    for (let at = 0; at < time * batch; at++) {
      assert.equal(targets[at], inputs[at] + 1);
      sections.at(-1)?.[at % batch].push(inputs[at]);
    }
  }
  return sections;
}

const settings = fc.record({
  batchSize: fc.integer({ min: 1, max: 5 }),
  seqLength: fc.integer({ min: 1, max: 9 }),
  sectionWindows: fc.integer({ min: 1, max: 6 }),
});

test("a section is one stretch of the text, read with the state carried from a hidden state of zero", () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 80, max: 400 }), fc.nat(5), (shape, length, epoch) => {
      const sections = sectionsOf(epochOf(batchesOf(length, shape), epoch));
      for (const rows of sections) {
        for (const row of rows) {
          assert.ok(row.length <= shape.sectionWindows * shape.seqLength);
          assert.deepEqual(
            row,
            row.map((_, index) => row[0] + index),
          );
        }
      }
    }),
  );
});

test("the sections of a lane are as few as can be, and their lengths differ by a window at most", () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 80, max: 400 }), (shape, length) => {
      const batches = epochOf(batchesOf(length, shape));
      const lengths = sectionsOf(batches).map(([row]) => Math.ceil(row.length / shape.seqLength));
      assert.equal(lengths.length, Math.ceil(batches.length / shape.sectionWindows));
      assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1);
    }),
  );
});

test("an epoch reads in sections what it reads in whole lanes, each character once", () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 80, max: 400 }), fc.nat(5), (shape, length, epoch) => {
      const read = (sectionWindows: number) =>
        epochOf(batchesOf(length, { ...shape, sectionWindows }), epoch)
          .flatMap(({ inputs }) => [...inputs])
          .sort((a, b) => a - b);
      assert.deepEqual(read(shape.sectionWindows), read(0));
    }),
  );
});

test("each epoch reads the sections in another order", () => {
  const batches = batchesOf(1_000, { sectionWindows: 4 });
  const orders = Array.from({ length: 10 }, (_, epoch) => {
    const { seqLength } = SHAPE;
    const starts = sectionsOf(epochOf(batches, epoch)).map(([row]) => row[0]);
    // Without the offset of the epoch.
    return starts.map((start) => Math.floor((start - Math.min(...starts)) / seqLength)).join(" ");
  });
  assert.equal(new Set(orders).size, orders.length);
});

test("a beginning of an epoch has read as much of each part of the text", () => {
  const length = 60_000;
  const batches = batchesOf(length, { batchSize: 4, sectionWindows: 8 });
  const quarter = Math.round(batches.batchesInEpoch(0) / 4);
  const parts = new Float64Array(20);
  for (let index = 0; index < quarter; index++) {
    for (const input of batches.at(0, index).inputs) {
      parts[Math.floor((input / length) * parts.length)] += parts.length / length;
    }
  }
  for (const [part, fraction] of parts.entries()) {
    assert.ok(fraction > 0.1 && fraction < 0.4, `${fraction} of part ${part}`);
  }
});

test("0, like sections that are longer than a lane, is the order of whole lanes", () => {
  const whole = epochOf(batchesOf(300, {}), 2);
  assert.deepEqual(
    whole.map(({ startsFresh }) => startsFresh),
    whole.map((_, index) => index === 0),
  );
  for (const sectionWindows of [0, whole.length, 1e9]) {
    assert.deepEqual(epochOf(batchesOf(300, { sectionWindows }), 2), whole);
  }
});

test("a batch of a section depends on its epoch and its index alone", () => {
  const settings = { sectionWindows: 4 };
  const expected = structuredClone(batchesOf(1_000, settings).at(3, 21));
  const batches = batchesOf(1_000, settings);
  for (const [epoch, index] of [[0, 5] as const, [3, 20] as const, [7, 0] as const]) {
    batches.at(epoch, index);
  }
  assert.deepEqual(structuredClone(batches.at(3, 21)), expected);
});
