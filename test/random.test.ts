import assert from "node:assert/strict";
import { test } from "node:test";
import { philox, Random } from "#src/random.js";
import { atOnce } from "#src/turns.js";
import fc from "./helpers/fast-check.js";
import { philox as definition } from "./reference/dropout.js";

// From kat_vectors of the authors' library, Random123.
for (const [title, counter, key, expected] of [
  ["zeros", [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [
    "ones",
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    "the digits of pi",
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
] as const) {
  test(`Philox4x32-10 gives its authors' published output for ${title}`, () => {
    const block = Uint32Array.from(counter);
    philox(block, key[0], key[1]);
    assert.deepEqual([...block], expected);
    assert.deepEqual(definition(counter, key), expected);
  });
}

test("Philox4x32-10 gives for any counter and key the words that arithmetic with BigInt gives", () => {
  const word = fc.nat(0xffffffff);
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
      const block = Uint32Array.from(counter);
      philox(block, key[0], key[1]);
      assert.deepEqual([...block], definition(counter, key));
    }),
  );
});

test("A stream of random numbers consists of the blocks of counters 0, 1, 2 ... under its key", () => {
  const random = Random.fromSeed(2 ** 32 * 3 + 5);
  assert.deepEqual(random.key, [5, 3]);
  const blocks = [0, 1, 2].flatMap((counter) => definition([counter, 0, 0, 0], [5, 3]));
  assert.deepEqual(draw(random, 12), blocks);
});

test("A stream of random numbers is the same for the same seed and another for any other", () => {
  assert.deepEqual(draw(Random.fromSeed(7), 9), draw(Random.fromSeed(7), 9));
  const seeds = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
  assertAllDiffer(seeds.map((seed) => Random.fromSeed(seed)));
});

test("A stream of random numbers forks into streams that all differ", () => {
  const root = Random.fromSeed(7);
  assertAllDiffer([
    root,
    root.fork("dropout"),
    root.fork("dropouts"),
    root.fork("drop"),
    root.fork("drop", "out"),
    root.fork("out", "drop"),
    root.fork("d"),
    root.fork("dddd"),
    root.fork("ddddd"),
    root.fork(""),
    root.fork("", ""),
    root.fork("\uffff"),
    root.fork(0),
    root.fork("0"),
    root.fork(1),
    root.fork(-1),
    root.fork(0.5),
    root.fork(1, 2),
    root.fork(2, 1),
    root.fork(12),
    root.fork("1", 2),
    root.fork(1, "2"),
    root.fork("dropout", 7, 1),
    root.fork("dropout", 1, 7),
    root.fork("dropout", 71),
    Random.fromSeed(8).fork("dropout"),
  ]);
});

test("A stream of random numbers forks to different streams for any two different lists of names and numbers", () => {
  const purposes = fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(purposes, purposes, (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      const keys = [one, other].map((purpose) => Random.fromSeed(1).fork(...purpose).key);
      if (isSame) assert.deepEqual(keys[0], keys[1]);
      else assert.notDeepEqual(keys[0], keys[1]);
    }),
  );
});

test("A stream of random numbers forks the same, no matter what was drawn or forked before, and is not moved by it", () => {
  const fresh = Random.fromSeed(7).fork("shuffle", 3);
  const used = Random.fromSeed(7);
  used.uint32();
  used.fork("other").uint32();
  const late = used.fork("shuffle", 3);
  assert.deepEqual(draw(late, 5), draw(fresh, 5));
  const [first, ...rest] = draw(Random.fromSeed(7), 6);
  assert.equal(typeof first, "number");
  assert.deepEqual(draw(used, 5), rest);
});

test("A stream of random numbers forks in two steps as in one", () => {
  const root = Random.fromSeed(7);
  assert.deepEqual(root.fork("dropout").fork(3).key, root.fork("dropout", 3).key);
});

test("A stream of random numbers has bits that are set half of the time, at each position of a word", () => {
  const count = 20_000;
  const set = new Float64Array(32);
  for (const word of draw(Random.fromSeed(1).fork("bits"), count)) {
    for (let bit = 0; bit < 32; bit++) set[bit] += (word >>> bit) & 1;
  }
  for (const [bit, times] of set.entries()) {
    assert.ok(Math.abs(times / count - 0.5) < 2.5 / Math.sqrt(count), `bit ${bit}: ${times}`);
  }
});

test("A stream of random numbers gives uniform numbers from 0 to below 1, evenly", () => {
  const random = Random.fromSeed(2);
  const tenths = new Float64Array(10);
  for (let i = 0; i < 20_000; i++) {
    const value = random.uniform();
    assert.ok(value >= 0 && value < 1, `${value}`);
    tenths[Math.floor(value * 10)]++;
  }
  // Chi-square with 9 degrees of freedom: above 34 once in ten thousand.
  assertEven(tenths, 34);
});

test("A stream of random numbers makes uniform numbers of 53 bits from two words", () => {
  const words = draw(Random.fromSeed(3), 2);
  const high = BigInt(words[0] >>> 5);
  const low = BigInt(words[1] >>> 6);
  const expected = Number((high << 26n) + low) / 2 ** 53;
  assert.equal(Random.fromSeed(3).uniform(), expected);
});

test("A stream of random numbers gives every whole number below a limit as often as the others", () => {
  for (const limit of [2, 3, 7, 10]) {
    const random = Random.fromSeed(4);
    const counts = new Float64Array(limit);
    for (let i = 0; i < 20_000; i++) counts[random.below(limit)]++;
    assertEven(counts, 34);
  }
});

test("A stream of random numbers favours no remainder where the limit leaves one", () => {
  // Of 2^32 values a third would be twice as likely if they were just wrapped around.
  const limit = 3 * 2 ** 30;
  const random = Random.fromSeed(5);
  const thirds = new Float64Array(3);
  for (let i = 0; i < 20_000; i++) thirds[Math.floor(random.below(limit) / 2 ** 30)]++;
  assertEven(thirds, 19);
});

test("A stream of random numbers stays below any limit up to 2^32", () => {
  const random = Random.fromSeed(6);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 32 }), (limit) => {
      const value = random.below(limit);
      assert.ok(Number.isInteger(value) && value >= 0 && value < limit, `${value}`);
    }),
  );
  assert.equal(random.below(1), 0);
});

test("A stream of random numbers gives normal numbers of mean 0, variance 1 and the fourth moment 3", () => {
  const random = Random.fromSeed(7);
  const count = 40_000;
  const values = Array.from({ length: count }, () => random.normal());
  const moment = (power: number) => values.reduce((sum, x) => sum + x ** power / count, 0);
  // Five standard deviations each: the variances of x, x^2, x^3, x^4 are 1, 2, 15, 96.
  for (const [power, expected, variance] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ]) {
    const slack = 5 * Math.sqrt(variance / count);
    assert.ok(Math.abs(moment(power) - expected) < slack, `x^${power}: ${moment(power)}`);
  }
  const next = values.slice(1).reduce((sum, x, i) => sum + (x * values[i]) / count, 0);
  assert.ok(Math.abs(next) < 5 / Math.sqrt(count), `neighbours: ${next}`);
});

test("A stream of random numbers shuffles without losing or doubling an item", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffffffff)), fc.nat(), (items, seed) => {
      const shuffled = Uint32Array.from(items);
      atOnce(Random.fromSeed(seed).shuffling(shuffled));
      assert.deepEqual(shuffled.toSorted(), Uint32Array.from(items).toSorted());
    }),
  );
});

test("A stream of random numbers shuffles into every order as often as the others", () => {
  const random = Random.fromSeed(8);
  const counts = new Map<string, number>();
  for (let i = 0; i < 12_000; i++) {
    const items = Uint32Array.of(1, 2, 3, 4);
    atOnce(random.shuffling(items));
    const order = items.join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  // Chi-square with 23 degrees of freedom: above 56 once in ten thousand.
  assertEven(Float64Array.from(counts.values()), 56);
});

function draw(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.uint32());
}

function assertAllDiffer(streams: readonly Random[]): void {
  const words = streams.flatMap((stream) => draw(stream, 4));
  assert.equal(new Set(words).size, words.length, "two streams share a word");
  const keys = streams.map((stream) => stream.key.join());
  assert.equal(new Set(keys).size, keys.length, "two streams share a key");
}

/** The counts differ no more than chance lets them: chi-square below `limit`. */
function assertEven(counts: Float64Array, limit: number): void {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < limit, `chi-square ${chiSquare} of ${counts}`);
}
