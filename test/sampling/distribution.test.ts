import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "#src/random.js";
import { type ChoiceSettings, tokenChooser } from "#src/sampling/distribution.js";
import fc from "../helpers/fast-check.js";

type Settings = ChoiceSettings & { readonly temperature: number };

const ALL: Settings = { temperature: 1, topK: 0, topP: 1 };
const DRAWS = 20_000;

test("Choosing a token at temperature 0 takes the likeliest, the first of equals", () => {
  const greedy = (...logits: number[]) =>
    chooseToken(logits, { ...ALL, temperature: 0 }, Random.fromSeed(1));
  assert.equal(greedy(1, 3, 2), 1);
  assert.equal(greedy(-2, -1, -1, -1.5), 1);
  assert.equal(greedy(0, 0, 0), 0);
  assert.equal(greedy(Number.NEGATIVE_INFINITY, -1e30), 1);
  assert.equal(greedy(5), 0);
});

for (const temperature of [1, 0.5, 2]) {
  test(`Choosing a token at temperature ${temperature} takes each as often as the softmax says`, () => {
    const logits = [0.3, -1.2, 2, 0.1, -3, 1.1];
    const counts = countsOf(logits, { ...ALL, temperature });
    const shares = softmax(logits.map((logit) => logit / temperature));
    assertFrequencies(counts, shares);
  });
}

test("Choosing a token at lower temperatures takes the likeliest more often", () => {
  const logits = [0, 1, 0.5];
  const shares = [2, 1, 0.5, 0.1].map(
    (temperature) => countsOf(logits, { ...ALL, temperature })[1] / DRAWS,
  );
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  );
  assert.ok(shares[3] > 0.98, `${shares[3]}`);
});

test("Choosing a token with top-k takes only the k likeliest, each as often as its probability says", () => {
  const logits = [1, 3, 2, 3, 0];
  for (const [topK, tokens] of [
    [1, [1]],
    [2, [1, 3]],
    [3, [1, 2, 3]],
    [4, [0, 1, 2, 3]],
    [5, [0, 1, 2, 3, 4]],
    [6, [0, 1, 2, 3, 4]],
    [1_000, [0, 1, 2, 3, 4]],
    [0, [0, 1, 2, 3, 4]],
  ] as const) {
    assertSupport(logits, { ...ALL, topK }, tokens);
  }
});

test("Choosing a token with top-k takes the first of equals at the edge", () => {
  assertSupport([1, 1, 1, 1], { ...ALL, topK: 2 }, [0, 1]);
  assertSupport([0, 1, 2, 1, 1], { ...ALL, topK: 3 }, [1, 2, 3]);
});

test("Choosing a token with top-p takes the fewest tokens that together have this probability", () => {
  const logits = [0.1, 0.4, 0.3, 0.2].map(Math.log);
  for (const [topP, tokens] of [
    [1e-12, [1]],
    [0.39, [1]],
    [0.41, [1, 2]],
    [0.69, [1, 2]],
    [0.71, [1, 2, 3]],
    [0.91, [0, 1, 2, 3]],
    [1, [0, 1, 2, 3]],
  ] as const) {
    assertSupport(logits, { ...ALL, topP }, tokens);
  }
});

test("Choosing a token with top-p takes no further token when it is reached exactly, and the first of equals", () => {
  for (const [topP, tokens] of [
    [0.25, [0]],
    [0.5, [0, 1]],
    [0.75, [0, 1, 2]],
  ] as const) {
    assertSupport([7, 7, 7, 7], { ...ALL, topP }, tokens);
  }
});

test("Choosing a token applies top-p to what temperature and top-k have left", () => {
  const logits = [0.4, 0.3, 0.2, 0.1].map(Math.log);
  // Of the two likeliest alone, the first has 4/7.
  assertSupport(logits, { ...ALL, topK: 2, topP: 0.55 }, [0]);
  assertSupport(logits, { ...ALL, topK: 2, topP: 0.6 }, [0, 1]);
  // Squared, the first has 16/30.
  assertSupport(logits, { ...ALL, temperature: 0.5, topP: 0.5 }, [0]);
  assertSupport(logits, { ...ALL, temperature: 0.5, topP: 0.55 }, [0, 1]);
});

test("Choosing a token with min-p takes those that are likely enough beside the likeliest, whatever the temperature", () => {
  const logits = [0.05, 0.4, 0.35, 0.2].map(Math.log);
  for (const temperature of [0.5, 1, 3]) {
    for (const [minP, tokens] of [
      [0.1, [0, 1, 2, 3]],
      [0.13, [1, 2, 3]],
      [0.51, [1, 2]],
      [0.9, [1]],
    ] as const) {
      assertSupport(logits, { ...ALL, temperature, minP }, tokens);
    }
  }
});

test("Choosing a token applies top-k and top-p to what min-p has left", () => {
  const logits = [0.4, 0.3, 0.2, 0.1].map(Math.log);
  // Of the three that are left, the first two have 7/9.
  assertSupport(logits, { ...ALL, minP: 0.4, topP: 0.77 }, [0, 1]);
  assertSupport(logits, { ...ALL, minP: 0.4, topP: 0.79 }, [0, 1, 2]);
  assertSupport(logits, { ...ALL, minP: 0.4, topK: 2 }, [0, 1]);
});

test("Choosing a token works with logits of any size", () => {
  assertSupport([1e30, -1e30, 1e30], ALL, [0, 2]);
  assertSupport([3.4e38, -3.4e38], ALL, [0]);
  assertSupport([-1e38, -1e38], ALL, [0, 1]);
  assertSupport([1e-300, 0], { ...ALL, temperature: 5e-324 }, [0]);
});

test("Choosing a token never takes a token of probability 0", () => {
  const never = Number.NEGATIVE_INFINITY;
  for (const settings of [ALL, { ...ALL, topK: 3 }, { ...ALL, topP: 0.999_999 }]) {
    assertSupport([never, 0, never, 0], settings, [1, 3]);
  }
});

test("Choosing a token always takes one that the settings allow", () => {
  const quarters = fc.integer({ min: -200, max: 200 }).map((value) => value / 4);
  const logits = fc.array(quarters, { minLength: 1 });
  const settings = fc.record({
    temperature: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 5, noNaN: true })),
    topK: fc.nat(20),
    topP: fc.double({ min: 1e-9, max: 1, noNaN: true }),
  });
  const property = fc.property(logits, settings, fc.nat(), (values, choice, seed) => {
    const token = chooseToken(values, choice, Random.fromSeed(seed));
    const likelier = values.filter((value) => value > values[token]).length;
    assert.ok(token >= 0 && token < values.length);
    if (choice.topK > 0) assert.ok(likelier < choice.topK);
    if (choice.temperature === 0) assert.equal(likelier, 0);
  });
  fc.assert(property);
});

function countsOf(logits: readonly number[], settings: Settings): number[] {
  const random = Random.fromSeed(11);
  const counts = new Array<number>(logits.length).fill(0);
  const values = Float64Array.from(logits);
  for (let draw = 0; draw < DRAWS; draw++) counts[chooseToken(values, settings, random)]++;
  return counts;
}

/** Exactly these tokens are taken, each about as often as it is likely among them. */
function assertSupport(
  logits: readonly number[],
  settings: Settings,
  tokens: readonly number[],
): void {
  const counts = countsOf(logits, settings);
  const taken = counts.flatMap((count, token) => (count > 0 ? [token] : []));
  assert.deepEqual(taken, tokens, JSON.stringify(settings));
  const scaled = tokens.map((token) => logits[token] / settings.temperature);
  assertFrequencies(
    tokens.map((token) => counts[token]),
    softmax(scaled),
  );
}

/** Pearson's chi-squared statistic is not far beyond its degrees of freedom. */
function assertFrequencies(counts: readonly number[], shares: readonly number[]): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  for (const [index, share] of shares.entries()) {
    statistic += (counts[index] - share * total) ** 2 / (share * total);
  }
  const freedom = shares.length - 1;
  // Five standard deviations: beyond chance, whatever the seed.
  assert.ok(
    statistic <= freedom + 5 * Math.sqrt(2 * freedom),
    `${counts} are not ${shares} of ${total} (${statistic})`,
  );
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function chooseToken(logits: ArrayLike<number>, settings: Settings, random: Random): number {
  return tokenChooser(settings, logits.length)(logits, 0, random, settings.temperature);
}
