import assert from "node:assert/strict";
import { test } from "node:test";
import { type Batch, CHARACTERS_BEFORE, IGNORED_TARGET, NOTHING_BEFORE } from "#src/data/batch.js";
import { fitBatchShape } from "#src/data/batch-shape.js";
import { type BatchSettings, createBatches } from "#src/data/batches.js";
import { charactersRead, evaluationBatches } from "#src/data/evaluation-batches.js";
import { type Tokens, Vocabulary } from "#src/data/vocabulary.js";
import { Random } from "#src/random.js";
import { atOnce } from "#src/turns.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";

/** Newline is token 1, so that it is no padding by chance. */
const vocabulary = Vocabulary.fromCodePoints([
  0x09,
  0x0a,
  ...Array.from({ length: 500 }, (_, i) => 0x100 + i),
]);
const NEWLINE = 1;

/** A text whose characters tell their position. */
function countingText(length: number): Uint16Array {
  return Uint16Array.from({ length }, (_, position) => position);
}

function linesOf(lengths: readonly number[]): Uint16Array {
  let next = 2;
  return Uint16Array.from(
    lengths.flatMap((length) => [...Array.from({ length }, () => next++), NEWLINE]),
  );
}

function batchesOf(
  tokens: Tokens,
  settings: Partial<BatchSettings>,
  documents?: "lines",
  seed = 1,
) {
  const all = { batching: "lanes" as const, batchSize: 3, seqLength: 5, stride: 5, ...settings };
  return createBatches({ tokens }, documents, vocabulary, all, Random.fromSeed(seed));
}

function copyOf(batch: Batch): Batch {
  return structuredClone(batch);
}

function epochOf(batches: ReturnType<typeof createBatches>, epoch = 0): Batch[] {
  return Array.from({ length: batches.batchesInEpoch(epoch) }, (_, index) =>
    copyOf(batches.at(epoch, index)),
  );
}

/** Runs of `[input, target]` pairs, each from one hidden state of zero to the next, per column. */
function runsOf(batches: readonly Batch[]): [number, number][][] {
  const runs: [number, number][][] = [];
  let open: [number, number][][] = [];
  for (const { inputs, targets, before, time, batch, startsFresh } of batches) {
    // Each row goes on after its last characters, but for rows that have ended.
    assert.equal(before.length, CHARACTERS_BEFORE * batch);
    for (let column = 0; column < batch; column++) {
      if (targets[column] === IGNORED_TARGET && inputs[column] === 0) continue;
      for (let back = 1; back <= CHARACTERS_BEFORE; back++) {
        const known = startsFresh ? NOTHING_BEFORE : open[column].at(-back)?.[0];
        // What is before the first characters that were read may be known as well.
        if (known === undefined) continue;
        assert.equal(before[(CHARACTERS_BEFORE - back) * batch + column], known);
      }
    }
    assert.equal(inputs.length, time * batch);
    assert.equal(targets.length, time * batch);
    if (startsFresh) {
      open = Array.from({ length: batch }, () => []);
      runs.push(...open);
    }
    for (let step = 0; step < time; step++) {
      for (let column = 0; column < batch; column++) {
        const at = step * batch + column;
        open[column].push([inputs[at], targets[at]]);
      }
    }
  }
  return runs;
}

function scored(batches: readonly Batch[]): [number, number][] {
  return runsOf(batches)
    .flat()
    .filter(([, target]) => target !== IGNORED_TARGET);
}

const shape = fc.record({
  batchSize: fc.integer({ min: 1, max: 7 }),
  seqLength: fc.integer({ min: 1, max: 9 }),
  stride: fc.integer({ min: 1, max: 12 }),
});

test("batch rows go through the text in order, each target the character after its input", () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 80, max: 300 }), fc.nat(5), (settings, length, epoch) => {
      const epochBatches = epochOf(batchesOf(countingText(length), settings), epoch);
      assert.deepEqual(
        epochBatches.map(({ startsFresh }) => startsFresh),
        epochBatches.map((_, index) => index === 0),
      );
      const lanes = runsOf(epochBatches);
      assert.equal(lanes.length, settings.batchSize);
      const [first] = lanes[0][0];
      assert.ok(first >= 0 && first < settings.seqLength);
      // Lane after lane they are one stretch of the text without gap or overlap.
      for (const [index, [input, target]] of lanes.flat().entries()) {
        assert.equal(input, first + index);
        assert.equal(target, input + 1);
      }
      // What is left over is shorter than the offsets and one lane's share of it.
      const missed = length - 1 - lanes.flat().length;
      assert.ok(missed >= 0 && missed < settings.seqLength + settings.batchSize);
    }),
  );
});

test("batch rows begin at other offsets in other epochs, and at all of them in time", () => {
  const batches = batchesOf(countingText(100), {});
  const offsets = Array.from({ length: 60 }, (_, epoch) => batches.at(epoch, 0).inputs[0]);
  assert.deepEqual([...new Set(offsets)].sort(), [0, 1, 2, 3, 4]);
});

test("each window is seen once per epoch from a fresh state, in another order each epoch", () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 12, max: 200 }), fc.nat(5), (settings, length, epoch) => {
      const batches = batchesOf(countingText(length), { ...settings, batching: "windows" });
      const epochBatches = epochOf(batches, epoch);
      assert.ok(epochBatches.every(({ startsFresh }) => startsFresh));
      const windows = runsOf(epochBatches).filter(([[, target]]) => target !== IGNORED_TARGET);
      const starts = windows.map(([[input]]) => input).sort((a, b) => a - b);
      const expected: number[] = [];
      for (let start = 0; start + settings.seqLength < length; start += settings.stride) {
        expected.push(start);
      }
      assert.deepEqual(starts, expected);
      for (const window of windows) {
        assert.equal(window.length, settings.seqLength);
        for (const [step, [input, target]] of window.entries()) {
          assert.deepEqual([input, target], [window[0][0] + step, window[0][0] + step + 1]);
        }
      }
    }),
  );
  const batches = batchesOf(countingText(400), { batching: "windows" });
  const orders = [0, 1, 2].map((epoch) =>
    epochOf(batches, epoch)
      .map(({ inputs }) => inputs[0])
      .join(),
  );
  assert.equal(new Set(orders).size, 3);
});

test("padding has target -1 and input 0", () => {
  const [batch] = epochOf(batchesOf(countingText(6), { batching: "windows", batchSize: 4 }));
  assert.deepEqual(
    [...batch.inputs].filter((_, at) => at % 4 > 0),
    new Array(15).fill(0),
  );
  assert.deepEqual(
    [...batch.targets].filter((_, at) => at % 4 > 0),
    new Array(15).fill(-1),
  );
});

const lineLengths = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 40 });

/** What a model reads and predicts for each line: newline and line, line and newline. */
function expectedDocuments(lengths: readonly number[]): string[] {
  let next = 2;
  return lengths
    .filter((length) => length > 0)
    .map((length) => {
      const line = Array.from({ length }, () => next++);
      return JSON.stringify([NEWLINE, ...line].map((input, i) => [input, line[i] ?? NEWLINE]));
    })
    .sort();
}

function documentsIn(batches: readonly Batch[]): string[] {
  return runsOf(batches)
    .map((run) => JSON.stringify(run.filter(([, target]) => target !== IGNORED_TARGET)))
    .filter((run) => run !== "[]")
    .sort();
}

test("each line comes once an epoch, from newline to newline, and none crosses another", () => {
  fc.assert(
    fc.property(shape, lineLengths, fc.boolean(), fc.nat(3), (settings, drawn, ended, epoch) => {
      // Longer ones may be cut into parts.
      const lengths = drawn.map((length) => Math.min(length, 8 * settings.seqLength - 1));
      const text = linesOf(lengths);
      const tokens = ended ? text : text.subarray(0, -1);
      for (const batching of ["lanes", "windows"] as const) {
        const batches = batchesOf(tokens, { ...settings, batching }, "lines");
        const epochBatches = epochOf(batches, epoch);
        assert.deepEqual(documentsIn(epochBatches), expectedDocuments(lengths));
        assert.ok(epochBatches.every(({ time }) => time >= 1 && time <= settings.seqLength));
      }
    }),
  );
});

test("lines of one length come together, so that there is little padding", () => {
  const lengths = Array.from({ length: 300 }, (_, index) => 1 + ((index * 7) % 20));
  const epochBatches = epochOf(
    batchesOf(linesOf(lengths), { seqLength: 30, batchSize: 15 }, "lines"),
  );
  const steps = epochBatches.reduce((sum, { targets }) => sum + targets.length, 0);
  assert.ok(scored(epochBatches).length / steps > 0.9);
});

test("a few lines that are much longer than the others are cut into parts, so that there is little padding", () => {
  for (const [lengths, ended] of [
    [[30, 2000, 40], true],
    [[30, 40, 2000], false],
    [[3000], true],
  ] as const) {
    const text = linesOf(lengths);
    const tokens = ended ? text : text.subarray(0, -1);
    const epochBatches = epochOf(batchesOf(tokens, { seqLength: 8, batchSize: 10 }, "lines"));
    const places = scored(epochBatches).length;
    assert.ok(places / epochBatches.reduce((sum, { targets }) => sum + targets.length, 0) > 0.6);
    const whole = expectedDocuments(lengths).flatMap((line) => JSON.parse(line)) as [
      number,
      number,
    ][];
    const found = runsOf(epochBatches).map((run) =>
      run.filter(([, target]) => target !== IGNORED_TARGET),
    );
    assert.deepEqual(found.flat().sort(byPair), whole.sort(byPair));
    // A part goes on through several batches, and none has anything of two lines.
    assert.ok(found.every((run) => run.length === 0 || run.length > 8));
    assert.ok(found.every((run) => run.slice(1).every(([input], i) => input === run[i][1])));
    assert.ok(found.every((run) => run.slice(0, -1).every(([, target]) => target !== NEWLINE)));
  }
});

test("long lines stay whole where there are enough for all rows of a batch", () => {
  const lengths = new Array(10).fill(300);
  const batches = batchesOf(linesOf(lengths), { seqLength: 8, batchSize: 10 }, "lines");
  assert.deepEqual(documentsIn(epochOf(batches)), expectedDocuments(lengths));
});

function byPair([a, b]: [number, number], [c, d]: [number, number]): number {
  return a - c || b - d;
}

test("lines come in another order each epoch, and short ones not before long ones", () => {
  const lengths = Array.from({ length: 200 }, (_, index) => 1 + (index % 20));
  const batches = batchesOf(linesOf(lengths), { seqLength: 30, batchSize: 10 }, "lines");
  const orders = [0, 1].map((epoch) => epochOf(batches, epoch).map(({ time }) => time));
  assert.notDeepEqual(orders[0], orders[1]);
  assert.notDeepEqual(
    orders[0],
    orders[0].toSorted((a, b) => a - b),
  );
});

test("lines of one length come with others each epoch", () => {
  const batches = batchesOf(linesOf(new Array(60).fill(3)), { batchSize: 3 }, "lines");
  const together = [0, 1].map((epoch) =>
    epochOf(batches, epoch).map(({ targets }) => targets.slice(0, 3).sort().join()),
  );
  assert.ok(together[0].filter((group) => together[1].includes(group)).length < 5);
});

test("a batch depends on epoch and index alone, not on what was asked for before", () => {
  const lengths = Array.from({ length: 60 }, (_, index) => 1 + ((index * 5) % 17));
  const kinds = [
    () => batchesOf(countingText(120), {}),
    () => batchesOf(countingText(120), { batching: "windows", stride: 2 }),
    () => batchesOf(linesOf(lengths).subarray(0, 400), {}, "lines"),
  ];
  for (const make of kinds) {
    const inOrder = make();
    const epochs = [0, 1, 2].map((epoch) => epochOf(inOrder, epoch));
    const places = epochs.flatMap((batches, epoch) => batches.map((_, index) => [epoch, index]));
    const order = Uint32Array.from(places.keys());
    atOnce(Random.fromSeed(9).shuffling(order));
    const atRandom = make();
    for (const place of order) {
      const [epoch, index] = places[place];
      assert.deepEqual(copyOf(atRandom.at(epoch, index)), epochs[epoch][index]);
    }
  }
});

test("another random seed gives other batches", () => {
  const of = (seed: number) =>
    epochOf(batchesOf(countingText(300), { batching: "windows" }, undefined, seed));
  assert.notDeepEqual(of(1), of(2));
  assert.deepEqual(of(1), of(1));
});

test("there is no batch outside of an epoch", () => {
  for (const documents of [undefined, "lines" as const]) {
    for (const batching of ["lanes", "windows"] as const) {
      const batches = batchesOf(countingText(100), { batching }, documents);
      assert.throws(() => batches.at(0, batches.batchesInEpoch(0)), RangeError);
      assert.throws(() => batches.at(0, -1), RangeError);
    }
  }
});

test("a text too short for one batch is refused", () => {
  assert.throws(() => batchesOf(countingText(7), {}), failsWith("TEXT_TOO_SHORT", "Batch size 3"));
  assert.throws(
    () => batchesOf(countingText(5), { batching: "windows" }),
    failsWith("TEXT_TOO_SHORT", "sequence length 5"),
  );
});

test("lines need a vocabulary with newline", () => {
  const letters = Vocabulary.fromCodePoints([0x61, 0x62]);
  const part = { tokens: Uint8Array.of(0, 1) };
  const settings = { batching: "lanes" as const, batchSize: 1, seqLength: 1, stride: 1 };
  assert.throws(
    () => createBatches(part, "lines", letters, settings, Random.fromSeed(0)),
    failsWith("BAD_TEXT", "no newline"),
  );
});

test("evaluation scores every character but the first exactly once, in one batch row for a short text", async () => {
  for (const length of [0, 1, 2, 3, 256, 257, 258, 1_000, 19_999]) {
    const batches = await copiesOf(evaluationBatches(countingText(length), undefined, vocabulary));
    assert.deepEqual(
      scored(batches),
      Array.from({ length: Math.max(0, length - 1) }, (_, position) => [position, position + 1]),
    );
    assert.ok(batches.every(({ batch, time }) => batch === 1 && time <= 256));
  }
});

test("evaluation of a long text reads batch rows that warm up on 1,000 unscored characters", async () => {
  for (const [length, lanes] of [
    [20_000, 2],
    [20_001, 2],
    [39_999, 3],
    [60_007, 6],
  ]) {
    const tokens = countingText(length);
    const batches = await copiesOf(evaluationBatches(tokens, undefined, vocabulary));
    assert.deepEqual(
      batches.map(({ startsFresh }) => startsFresh),
      batches.map((_, i) => i === 0),
    );
    const runs = runsOf(batches);
    assert.equal(runs.length, lanes);
    const targets: number[] = [];
    for (const [lane, run] of runs.entries()) {
      const first = run.findIndex(([, target]) => target !== IGNORED_TARGET);
      assert.equal(first, lane === 0 ? 0 : 1_000);
      for (const [step, [input, target]] of run.entries()) {
        if (target !== IGNORED_TARGET) targets.push(target);
        const padding = target === IGNORED_TARGET && step >= 1_000;
        // Warm-up and scored characters are one stretch of the text.
        if (!padding) assert.equal(input, run[0][0] + step);
        if (!padding && step >= first) assert.equal(target, input + 1);
      }
    }
    assert.deepEqual(
      targets,
      Array.from({ length: length - 1 }, (_, position) => position + 1),
    );
    // All lanes take the same time, but for a rest of less than a step each.
    assert.ok(runs.flat().length - targets.length - (lanes - 1) * 1_000 < lanes);
  }
});

test("evaluation tells where in the text each target is", async () => {
  const draw = Uint8Array.from({ length: 30_000 }, (_, i) => (i * i) % 97);
  const newline = vocabulary.indexOf(0x0a) as number;
  for (const [tokens, documents] of [
    [draw, undefined],
    [linesOf([3, 0, 300, 2]), "lines"],
    [linesOf([3, 0, 300, 2]).subarray(0, -1), "lines"],
  ] as const) {
    const seen: number[] = [];
    for await (const batch of evaluationBatches(tokens, documents, vocabulary)) {
      const { targets, positions } = batch;
      for (const [place, target] of targets.entries()) {
        if (target === IGNORED_TARGET) continue;
        assert.equal(target, tokens[positions[place]] ?? newline);
        seen.push(positions[place]);
      }
    }
    const all = Array.from(tokens.keys()).filter(
      // An empty line is no document.
      (position) => documents === undefined || position !== 4,
    );
    if (documents === undefined) all.shift();
    else if (tokens.at(-1) !== newline) all.push(tokens.length);
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      all,
    );
  }
});

test("evaluation never reads more than 64 batch rows", async () => {
  const batches = evaluationBatches(new Uint8Array(2_000_000), undefined, vocabulary);
  for await (const { batch } of batches) assert.equal(batch, 64);
});

test("evaluation of lines scores each line and its newline once, from a fresh state", async () => {
  await fc.assert(
    fc.asyncProperty(lineLengths, fc.boolean(), async (lengths, ended) => {
      const text = linesOf(lengths);
      const tokens = ended ? text : text.subarray(0, -1);
      const batches = await copiesOf(evaluationBatches(tokens, "lines", vocabulary));
      assert.deepEqual(documentsIn(batches), expectedDocuments(lengths));
    }),
  );
  const long = await copiesOf(evaluationBatches(linesOf([300, 2]), "lines", vocabulary));
  assert.deepEqual(documentsIn(long), expectedDocuments([300, 2]));
  assert.deepEqual(
    long.map(({ startsFresh }) => startsFresh),
    [true, false],
  );
});

/** Copies of batches that come one after the other, since each takes the place of the one before. */
async function copiesOf(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const copies: Batch[] = [];
  for await (const batch of batches) copies.push(copyOf(batch));
  return copies;
}

const DEFAULTS = { batchSize: 64, seqLength: 128 };

test("default shapes stay where they fit and shrink, with a note, where they do not", () => {
  assert.deepEqual(fitBatchShape(65 * 128, {}, DEFAULTS), DEFAULTS);
  const { note, ...shrunk } = fitBatchShape(1_000, {}, DEFAULTS);
  assert.deepEqual(shrunk, { batchSize: 16, seqLength: 32 });
  assert.match(note ?? "", /1,000 characters.*16 and sequence length 32.*64 and 128/);
});

test("the shape that fits a text makes batches, no matter how long the text", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9_000 }), fc.boolean(), (length, lanes) => {
      const batching = lanes ? "lanes" : "windows";
      const fitted = fitBatchShape(length, {}, DEFAULTS, { batching });
      const batches = batchesOf(new Uint8Array(length), { ...fitted, batching });
      assert.equal(batches.at(0, 0).time, fitted.seqLength);
      assert.equal(batches.at(0, 0).batch, fitted.batchSize);
    }),
  );
});

test("what was asked for is kept, and defaults give way", () => {
  assert.equal(fitBatchShape(1_000, { batchSize: 40 }, DEFAULTS).batchSize, 40);
  assert.equal(fitBatchShape(1_000, { seqLength: 100 }, DEFAULTS).seqLength, 100);
  assert.deepEqual(fitBatchShape(1_000, { batchSize: 9, seqLength: 100 }, DEFAULTS), {
    batchSize: 9,
    seqLength: 100,
  });
});

test("a shape that was asked for and can't fit is refused, and the one in the hint does fit", () => {
  for (const batching of ["lanes", "windows"] as const) {
    for (const asked of [
      { batchSize: 600, seqLength: 700 },
      { seqLength: 1_200 },
      { batchSize: 1_200 },
    ]) {
      assert.throws(
        () => fitBatchShape(1_000, asked, DEFAULTS, { batching }),
        (error: Error & { hint?: string }) => {
          failsWith("TEXT_TOO_SHORT", "has 1,000", "What fits")(error);
          const pairs = [
            ...(error.hint ?? "").matchAll(/`batchSize: (\d+)` with `seqLength: (\d+)`/g),
          ];
          assert.ok(pairs.length > 0);
          for (const [, batchSize, seqLength] of pairs) {
            const named = { batchSize: Number(batchSize), seqLength: Number(seqLength) };
            assert.deepEqual(fitBatchShape(1_000, named, DEFAULTS, { batching }), named);
          }
          return true;
        },
      );
    }
  }
  assert.throws(() => fitBatchShape(1, {}, DEFAULTS), failsWith("TEXT_TOO_SHORT", "longer text"));
});

test("a text that is too short for all workers is refused, and each of the hints does fit", () => {
  for (const batching of ["lanes", "windows"] as const) {
    const asked = { batchSize: 60, seqLength: 20 };
    const reading = { batching, workers: 40 };
    assert.throws(
      () => fitBatchShape(1_500, asked, DEFAULTS, reading),
      (error: Error & { hint?: string }) => {
        failsWith("TEXT_TOO_SHORT", "for each of 40 workers", "What fits")(error);
        const ways = (error.hint ?? "").replace(/^What fits: |\.$/g, "").split("; ");
        assert.ok(ways.length >= 2, error.hint);
        for (const way of ways) {
          const named: Record<string, number> = {};
          for (const [, name, value] of way.matchAll(/`(\w+): (\d+)`/g))
            named[name] = Number(value);
          const { workers = 40, ...shape } = named;
          fitBatchShape(1_500, { ...asked, ...shape }, DEFAULTS, { batching, workers });
        }
        return true;
      },
    );
  }
  const { batchSize } = fitBatchShape(2_000, {}, DEFAULTS, { workers: 4 });
  assert.ok(batchSize * 4 <= 64 && batchSize >= 4, `batch size ${batchSize}`);
});

test("evaluation of a part scores batch rows from all over a text, always the same, each position once", async () => {
  const length = 300_000;
  for (const most of [1_000, 20_000, 100_000, 260_000]) {
    const tokens = countingText(length);
    const read = async () => {
      const positions: number[] = [];
      for await (const batch of evaluationBatches(tokens, undefined, vocabulary, { most })) {
        for (const [place, target] of batch.targets.entries()) {
          if (target !== IGNORED_TARGET) positions.push(batch.positions[place]);
        }
      }
      return positions;
    };
    const positions = await read();
    assert.deepEqual(await read(), positions);
    assert.equal(new Set(positions).size, positions.length);
    assert.ok(Math.abs(positions.length - most) <= 64, `${positions.length} of ${most}`);
    if (most < 8_000) continue;
    const tenths = new Set(positions.map((position) => Math.floor((10 * position) / length)));
    assert.ok(tenths.has(0) && tenths.has(9) && tenths.size >= Math.min(10, most / 5_000));
  }
});

test("evaluation of a part in pieces scores as many characters, each once, from many places", async () => {
  const length = 65_000;
  const tokens = countingText(length);
  for (const most of [1, 700, 5_000, 20_000, 58_000]) {
    const positions: number[] = [];
    let read = 0;
    const batches = evaluationBatches(tokens, undefined, vocabulary, { most, pieceLength: 500 });
    for await (const batch of batches) {
      assert.ok(batch.batch <= 6, "no more rows than for the whole");
      read += batch.targets.length;
      for (const [place, target] of batch.targets.entries()) {
        if (target === IGNORED_TARGET) continue;
        assert.equal(target, batch.positions[place]);
        positions.push(target);
      }
    }
    assert.equal(new Set(positions).size, positions.length);
    assert.ok(Math.abs(positions.length - most) <= 60, `${positions.length} of ${most}`);
    assert.equal(read, charactersRead(length, undefined, most, 500));
    const sorted = positions.sort((a, b) => a - b);
    const pieces = sorted.filter((position, index) => position !== sorted[index - 1] + 1);
    assert.ok(pieces.length >= (0.8 * most) / 500 - 1, `${pieces.length} pieces`);
    const distances = pieces.slice(1).map((position, index) => position - pieces[index]);
    assert.ok(Math.max(...distances, 0) - Math.min(...distances, length) <= 1);
  }
});

test("evaluation of a part in pieces reads as many characters before a piece as a short text has", async () => {
  const tokens = countingText(120);
  const settings = { most: 50, pieceLength: 500 };
  let scored: number[] = [];
  for await (const { targets } of evaluationBatches(tokens, undefined, vocabulary, settings)) {
    scored = [...scored, ...targets.filter((target) => target !== IGNORED_TARGET)];
  }
  assert.deepEqual(
    scored,
    Array.from({ length: 50 }, (_, index) => 70 + index),
  );
});

test("evaluation of nearly all of a text scores all of it", async () => {
  const tokens = countingText(30_000);
  let scored = 0;
  const batches = evaluationBatches(tokens, undefined, vocabulary, { most: 28_000 });
  for await (const { targets } of batches) {
    scored += targets.filter((target) => target !== IGNORED_TARGET).length;
  }
  assert.equal(scored, 29_999);
});

test("evaluation of a part of many lines scores lines at equal distances", async () => {
  const tokens = linesOf(Array.from({ length: 400 }, () => 9));
  let scored = 0;
  const lines = new Set<number>();
  const batches = evaluationBatches(tokens, "lines", vocabulary, { most: 1_000 });
  for await (const { targets, positions } of batches) {
    for (const [place, target] of targets.entries()) {
      if (target === IGNORED_TARGET) continue;
      scored++;
      lines.add(Math.floor(positions[place] / 10));
    }
  }
  assert.equal(scored, 1_000);
  assert.deepEqual(
    [...lines].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, index) => 4 * index),
  );
});
