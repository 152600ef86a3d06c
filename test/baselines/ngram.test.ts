import assert from "node:assert/strict";
import { test } from "node:test";
import { adaptiveNgramBaseline, ngramBaseline } from "#src/baselines/ngram.js";
import { assertClose, Draw } from "../helpers/numbers.js";
import { inventedText } from "../helpers/training.js";
import { tickingClock, turnsDuring } from "../helpers/turns.js";

test("An n-gram model has the loss of the interpolated counts, worked out string by string", async () => {
  const draw = new Draw(5);
  for (const [characters, vocabulary] of [
    [400, 3],
    [3_000, 12],
  ]) {
    const all = tokensOf(inventedText(characters, draw.below(99)), vocabulary);
    const cut = Math.floor(0.8 * all.length);
    const score = await ngramBaseline(all.subarray(0, cut), all.subarray(cut), vocabulary);
    const losses = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => slowLoss(all, cut, vocabulary, n));
    // The first order that the next one does not beat.
    const best = losses.findIndex((loss, i) => !(losses[i + 1] < loss));
    assert.equal(score?.order, best + 1);
    assertClose([score?.loss ?? 0], [losses[best]], 1e-12, "loss");
  }
});

test("An n-gram model that counts while it predicts knows only the characters before each", async () => {
  const draw = new Draw(6);
  for (const [characters, vocabulary] of [
    [60, 3],
    [300, 12],
  ]) {
    const all = tokensOf(inventedText(characters, draw.below(99)), vocabulary);
    const score = await adaptiveNgramBaseline(all, vocabulary);
    const losses = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((order) => {
      let loss = 0;
      // All that is before a character is counted, and then that character alone predicted.
      for (let at = 1; at < all.length; at++) {
        loss += slowLoss(all.subarray(0, at + 1), at, vocabulary, order, at);
      }
      return loss / (all.length - 1);
    });
    const best = losses.findIndex((loss, i) => !(losses[i + 1] < loss));
    assert.equal(score?.order, best + 1);
    assertClose([score?.loss ?? 0], [losses[best]], 1e-12, "loss");
  }
  assert.equal(await adaptiveNgramBaseline(Uint8Array.of(1), 2), undefined);
});

test("An n-gram model of documents learns nothing from which of them comes before another", async () => {
  const END = 0;
  const [one, other] = [
    [1, 2, 3, END],
    [4, 5, 6, END],
  ];
  const repeated = (piece: readonly number[], times: number) =>
    Array.from({ length: times }, () => piece).flat();
  const heldOut = Uint8Array.from(repeated([...one, ...other], 4));
  const lossOf = async (train: readonly number[], documentEnd?: number) =>
    (await ngramBaseline(Uint8Array.from(train), heldOut, 7, { documentEnd }))?.loss ?? Number.NaN;
  const inTurn = repeated([...one, ...other], 16);
  const apart = [...repeated(one, 16), ...repeated(other, 16)];
  assertClose([await lossOf(inTurn, END)], [await lossOf(apart, END)], 1e-9, "of documents");
  assert.ok((await lossOf(inTurn)) < (await lossOf(apart)) - 0.05);
});

test("An n-gram model gives a loss to a text none of whose characters it has counted", async () => {
  const score = await ngramBaseline(Uint8Array.of(0, 1, 0, 1, 2), Uint8Array.of(2, 3, 3, 2), 4);
  assert.ok(score && Number.isFinite(score.loss) && score.loss > 0);
});

test("An n-gram model counts the end of a long text, and predicts pieces from all over a long held-out one", async () => {
  const train = tokensOf(inventedText(90_000, 3), 12);
  const heldOut = tokensOf(inventedText(40_000, 4), 12);
  // The text changes halfway: its first half alone would be predicted much better.
  const changed = Uint8Array.from(heldOut, (token, i) => (i < 20_000 ? token : 11 - token));
  const most = 20_000;
  const pieces = [0, 20_000].map((start) => changed.subarray(start, start + 10_000));
  const parts = Uint8Array.from(pieces.flatMap((piece) => Array.from(piece)));
  assert.deepEqual(
    await ngramBaseline(train, changed, 12, { most }),
    await ngramBaseline(train.subarray(-most), parts, 12),
  );
});

test("An n-gram model reports its progress, gives other work its turn, and stops when it is aborted", async (t) => {
  const train = tokensOf(inventedText(300_000, 3), 12);
  const heldOut = tokensOf(inventedText(30_000, 4), 12);
  tickingClock(t);
  const shares: number[] = [];
  const onProgress = (share: number) => shares.push(share);
  const turns = await turnsDuring(() => ngramBaseline(train, heldOut, 12, { onProgress }));
  assert.ok(turns >= 2, `${turns} turns`);
  assert.ok(shares.length > 6, `${shares.length} reports`);
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  );
  assert.equal(shares.at(-1), 1);
  const controller = new AbortController();
  const stopped = ngramBaseline(train, heldOut, 12, {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("changed my mind")),
  });
  await assert.rejects(stopped, /changed my mind/);
});

test("An n-gram model has no score where nothing is held out", async () => {
  assert.equal(await ngramBaseline(Uint8Array.of(0, 1, 0), new Uint8Array(0), 2), undefined);
});

function tokensOf(text: string, vocabulary: number): Uint8Array {
  return Uint8Array.from(text, (character) => (character.codePointAt(0) as number) % vocabulary);
}

/**
 * The mean loss on what is from `first` on, with the probability of each character from its definition.
 *
 * @param cut what is before it is counted
 */
function slowLoss(
  all: Uint8Array,
  cut: number,
  vocabulary: number,
  order: number,
  first = cut + 1,
): number {
  const counted = String.fromCodePoint(...all.subarray(0, cut));
  const followers = new Map<string, string[]>();
  for (let length = 0; length < order; length++) {
    for (let at = length; at < counted.length; at++) {
      const before = counted.slice(at - length, at);
      followers.set(before, [...(followers.get(before) ?? []), counted[at]]);
    }
  }
  const probability = (before: string, next: string): number => {
    const shorter = before === "" ? 1 / vocabulary : probability(before.slice(1), next);
    const after = followers.get(before);
    if (!after) return shorter;
    const distinct = new Set(after).size;
    const count = after.filter((test) => test === next).length;
    return (count + distinct * shorter) / (after.length + distinct);
  };
  const text = String.fromCodePoint(...all);
  let loss = 0;
  for (let at = first; at < text.length; at++) {
    loss -= Math.log(probability(text.slice(Math.max(at - order + 1, 0), at), text[at]));
  }
  return loss / (text.length - first);
}
