import assert from "node:assert/strict";
import { test } from "node:test";
import { IGNORED_TARGET, type PositionedBatch } from "#src/data/batch.js";
import { CalibrationPieces } from "#src/data/calibration-pieces.js";
import { evaluationBatches } from "#src/data/evaluation-batches.js";
import { Vocabulary } from "#src/data/vocabulary.js";

const vocabulary = Vocabulary.fromCodePoints(Array.from({ length: 200 }, (_, k) => 0x100 + k));

/** Characters that tell where they are. */
const counting = (length: number) => Uint8Array.from({ length }, (_, k) => (k * k + 7 * k) % 199);

/** Where the targets of batches are, in order; each is checked to be the character there. */
async function targetsOf(
  batches: Iterable<PositionedBatch> | AsyncIterable<PositionedBatch>,
  tokens: Uint8Array,
): Promise<number[]> {
  const found: number[] = [];
  for await (const { targets, positions } of batches) {
    for (const [k, target] of targets.entries()) {
      if (target === IGNORED_TARGET) continue;
      assert.equal(target, tokens[positions[k]]);
      found.push(positions[k]);
    }
  }
  return found.sort((a, b) => a - b);
}

const CASES = [
  [4, 1],
  [70, 20],
  [71, 35],
  [1_000, 500],
  [1_537, 500],
  [11_111, 1_111],
  [111_539, 10_000],
  [300_007, 10_000],
  [2_000_000, 10_000],
] as const;

for (const [length, characters] of CASES) {
  test(`A temperature is fitted on ${characters} of ${length} characters, and the others are scored, each once`, async () => {
    const tokens = counting(length);
    const pieces = new CalibrationPieces(length, characters);
    const fitted = await targetsOf(pieces.batches(tokens), tokens);
    assert.ok(Math.abs(fitted.length - characters) <= 0.06 * characters, `${fitted.length}`);
    const inPieces = [...tokens.keys()].filter((position) => pieces.has(position));
    assert.deepEqual(fitted, inPieces);
    const all = evaluationBatches(tokens, undefined, vocabulary, { calibration: pieces });
    const scored = await targetsOf(all, tokens);
    const others = [...tokens.keys()].filter((position) => position > 0 && !pieces.has(position));
    assert.deepEqual(scored, others);
  });
}

test("The pieces on which a temperature is fitted come from all over a text", () => {
  const pieces = new CalibrationPieces(111_539, 10_000);
  for (let tenth = 0; tenth < 10; tenth++) {
    let inside = 0;
    for (let position = tenth * 11_153; position < (tenth + 1) * 11_153; position++) {
      if (pieces.has(position)) inside++;
    }
    assert.ok(inside > 700 && inside < 1_300, `${inside} in tenth ${tenth}`);
  }
});

test("What is read to fit a temperature is no more than the pieces and what warms up the state", async () => {
  const pieces = new CalibrationPieces(111_539, 10_000);
  let read = 0;
  for (const { time, batch } of pieces.batches(counting(111_539))) read += time * batch;
  assert.equal(read, pieces.charactersRead);
  assert.ok(read <= 1.6 * 10_000, `${read}`);
});

for (const [length, characters, most] of [
  [111_539, 10_000, 20_000],
  [39_952, 3_995, 20_000],
  [20_000, 9_999, 5_000],
  [2_000, 900, 600],
] as const) {
  test(`An evaluation of a part loses none of its ${most} of ${length} characters to the ${characters} on which a temperature is fitted`, async () => {
    const tokens = counting(length);
    const calibration = new CalibrationPieces(length, characters);
    const part = { most, pieceLength: 200, calibration };
    const scored = await targetsOf(evaluationBatches(tokens, undefined, vocabulary, part), tokens);
    assert.ok(Math.abs(scored.length - most) <= 0.1 * most, `${scored.length}`);
    assert.ok(scored.every((position) => !calibration.has(position)));
  });
}

test("An evaluation scores something where the gaps between the pieces of a temperature are short", async () => {
  const tokens = counting(500);
  const calibration = new CalibrationPieces(500, 249);
  const part = { most: 100, pieceLength: 512, calibration };
  const scored = await targetsOf(evaluationBatches(tokens, undefined, vocabulary, part), tokens);
  assert.ok(scored.length >= 50, `${scored.length}`);
});
