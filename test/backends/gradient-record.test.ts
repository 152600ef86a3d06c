/** Gradients in 8 bits a number: the plain version, which defines every bit, by examples worked by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addRecords,
  packGradients,
  recordBlocks,
  recordBytes,
  unpackGradients,
} from "#src/backends/gradient-record.js";
import { assertSameBytes, Draw } from "../helpers/numbers.js";

/** The smallest number in single precision. */
const SMALLEST = 2 ** -149;

function packed(values: readonly number[] | Float32Array, factor = 1): Uint8Array {
  const record = new Uint8Array(recordBytes(values.length)).fill(0x55);
  packGradients(Float32Array.from(values), factor, record);
  return record;
}

function unpacked(record: Uint8Array, count: number): Float32Array {
  const values = new Float32Array(count).fill(5);
  unpackGradients(record, values);
  return values;
}

/** @param each of the same numbers */
function sumOf(each: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(each[0].length).fill(0x55);
  addRecords(Uint8Array.from(each.flatMap((record) => [...record])), sum);
  return sum;
}

function unitOf(record: Uint8Array, block = 0): number {
  return new DataView(record.buffer).getFloat32(block * 260, true);
}

/** The first codes of a block. */
function codesOf(record: Uint8Array, count: number, block = 0): number[] {
  return [...new Int8Array(record.buffer, block * 260 + 4, count)];
}

test("A record of gradients has 260 bytes for each 256 numbers that are begun", () => {
  const sizes = [1, 255, 256, 257, 512, 513].map((count) => [
    recordBlocks(count),
    recordBytes(count),
  ]);
  assert.deepEqual(sizes, [
    [1, 260],
    [1, 260],
    [1, 260],
    [2, 520],
    [2, 520],
    [3, 780],
  ]);
});

test("A block of a record begins with its unit, a 127th of its largest absolute value, and codes count units", () => {
  const record = packed([1, -63.5, 0.25, 0, 10.1]);
  // 0.5 in single precision, the lowest byte first.
  assert.deepEqual([...record.subarray(0, 4)], [0, 0, 0, 0x3f]);
  assert.deepEqual(codesOf(record, 5), [2, -127, 0, 0, 20]);
});

test("A number between two codes becomes the nearest, and the even one of two that are as near", () => {
  const values = [127, 0.5, 1.5, 2.5, 126.5, -0.5, -1.5, -2.5, -126.5, 1.49, 1.51, -0.51];
  assert.deepEqual(
    codesOf(packed(values), values.length),
    [127, 0, 2, 2, 126, 0, -2, -2, -126, 1, 2, -1],
  );
});

test("Gradients are packed times a factor, whose product is rounded to single precision", () => {
  const values = new Draw(1).floats(300);
  const factor = Math.fround(0.3);
  assertSameBytes(packed(values, 0.3), packed(values.map((value) => value * factor)), "record");
});

test("The last block of a record is filled up with zeros", () => {
  const record = packed(new Float32Array(257).fill(127));
  assert.deepEqual(codesOf(record, 256), new Array(256).fill(127));
  assert.deepEqual(codesOf(record, 256, 1), [127, ...new Array(255).fill(0)]);
});

test("Each block of a record has a unit of its own", () => {
  const values = new Float32Array(600);
  values[255] = 127;
  values[256] = -254;
  values[599] = 12.7;
  const record = packed(values);
  assert.deepEqual(
    [0, 1, 2].map((block) => unitOf(record, block)),
    [1, 2, Math.fround(Math.fround(12.7) / 127)],
  );
});

test("An unpacked number is at most half a unit from what was packed", () => {
  const draw = new Draw(2);
  for (const scale of [1e-30, 1, 1e30]) {
    const values = draw.floats(1000, scale);
    const record = packed(values);
    const back = unpacked(record, values.length);
    for (const [i, value] of values.entries()) {
      const unit = unitOf(record, Math.floor(i / 256));
      // A little more where the quotient was rounded.
      assert.ok(Math.abs(back[i] - value) <= 0.50001 * unit, `${value} became ${back[i]}`);
    }
  }
});

test("A block of zeros has a unit and codes of zero", () => {
  const record = packed([0, -0, 0]);
  assert.deepEqual([...record], new Array(260).fill(0));
  assert.deepEqual([...unpacked(record, 3)], [0, 0, 0]);
});

test("A block with a number that is not finite has NaN as its unit, and codes of zero", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38]) {
    const values = new Float32Array(768).fill(1);
    values[300] = bad;
    // Doubled, 3e38 is infinite.
    const record = packed(values, 2);
    assert.deepEqual([...record.subarray(260, 264)], [0, 0, 0xc0, 0x7f]);
    assert.deepEqual(codesOf(record, 256, 1), new Array(256).fill(0));
    const back = unpacked(record, 768);
    assert.ok(back.subarray(256, 512).every(Number.isNaN));
    assert.ok([...back.subarray(0, 256), ...back.subarray(512)].every(Number.isFinite));
  }
});

test("A block of the smallest numbers has a unit of zero or of the smallest, and no code above 127", () => {
  const cases = [63, 64, 190].map((largest) => {
    const record = packed([largest * SMALLEST, -largest * SMALLEST, SMALLEST]);
    return [unitOf(record) / SMALLEST, ...codesOf(record, 3)];
  });
  assert.deepEqual(cases, [
    [0, 0, 0, 0],
    [1, 64, -64, 1],
    [1, 127, -127, 1],
  ]);
});

test("A record that is packed, unpacked and packed again is the same", () => {
  const record = packed(new Draw(3).floats(700));
  assertSameBytes(sumOf([record]), record, "record");
  assertSameBytes(packed(unpacked(record, 700)), record, "record");
});

test("The sum of records is packed like other numbers", () => {
  const records = [
    [126, -126, 127],
    [254, 2, 0],
    [128, 254, -2],
  ];
  // The sums are 508, 130 and 125: in units of 4, 127, 32.5 and 31.25.
  const sum = sumOf(records.map((values) => packed(values)));
  assert.equal(unitOf(sum), 4);
  assert.deepEqual(codesOf(sum, 3), [127, 32, 31]);
});

test("Records are added in pairs, then the sums of pairs, and so on", () => {
  const add = (a: number, b: number) => Math.fround(a + b);
  const orders: ((x: number[]) => number)[] = [
    ([a]) => a,
    ([a, b]) => add(a, b),
    ([a, b, c]) => add(add(a, b), c),
    ([a, b, c, d]) => add(add(a, b), add(c, d)),
    ([a, b, c, d, e]) => add(add(add(a, b), add(c, d)), e),
    ([a, b, c, d, e, f]) => add(add(add(a, b), add(c, d)), add(e, f)),
    ([a, b, c, d, e, f, g]) => add(add(add(a, b), add(c, d)), add(add(e, f), g)),
    ([a, b, c, d, e, f, g, h]) => add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h))),
    ([a, b, c, d, e, f, g, h, i]) =>
      add(add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h))), i),
  ];
  const otherSums = new Set<number>();
  const draw = new Draw(4);
  for (const [index, inOrder] of orders.entries()) {
    for (let attempt = 0; attempt < 50; attempt++) {
      // A record holds multiples of 127 exactly; what the large ones leave of the small depends on the order.
      const values = Array.from(
        { length: index + 1 },
        () => 127 * draw.pick([1, -1]) * draw.pick([1 + draw.below(99), 2 ** 24, 2 ** 25]),
      );
      const expected = inOrder(values);
      assertSameBytes(sumOf(values.map((value) => packed([value]))), packed([expected]), "sum");
      if (values.reduce(add) !== expected) otherSums.add(values.length);
    }
  }
  assert.deepEqual([...otherSums], [4, 5, 6, 7, 8, 9]);
});

test("Where one record has a block that is not finite, or its sum is not, so has the sum", () => {
  const [finite, nan] = [1, Number.NaN].map((value) => packed(new Float32Array(256).fill(value)));
  assert.ok(Number.isNaN(unitOf(sumOf([finite, nan, finite]))));
  const largest = packed([3e38]);
  assert.ok(Number.isNaN(unitOf(sumOf([largest, largest]))));
  assert.ok(Number.isFinite(unitOf(sumOf([largest, packed([-3e38])]))));
});

test("The parts of records that are cut between two blocks have the sums of the whole ones", () => {
  const draw = new Draw(5);
  const records = Array.from({ length: 3 }, () => packed(draw.floats(900)));
  const parts = [0, 1, 3, 4].map((block) => 260 * block);
  const sums = parts
    .slice(1)
    .map((end, i) => sumOf(records.map((record) => record.slice(parts[i], end))));
  assertSameBytes(Uint8Array.from(sums.flatMap((sum) => [...sum])), sumOf(records), "sum");
});
