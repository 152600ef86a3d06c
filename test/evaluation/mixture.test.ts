import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import {
  type Checkpoint,
  type EvaluateSettings,
  type ScoreSettings,
  scoreTexts,
} from "#src/index.js";
import { openMixture, partsOf, readerOf } from "#src/sampling/mixture.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { CATS, DOGS, expectations, learned, mixed } from "../helpers/mixtures.js";
import { assertClose, Draw } from "../helpers/numbers.js";
import { evaluated } from "../helpers/scoring.js";
import { abortedAfterTurns } from "../helpers/turns.js";
import { undisposed } from "../helpers/undisposed.js";

/** Words of letters of both models, in more than one window. */
const BOTH = (() => {
  const draw = new Draw(7);
  const words = "my cat ran to a hat the dog hid and sat on me gray night rag ice yes".split(" ");
  return Array.from({ length: 110 }, () => `${draw.pick(words)}${draw.pick([" ", " ", "\n"])}`);
})().join("");
const SHARES = [3, 1];
const WEIGHTS = [0.75, 0.25];

test("The score of a mixture is the mean loss by the weighted mean of its models' probabilities", async (t) => {
  const models = await twoModels(t);
  const before = undisposed();
  const score = await scoreOf(t, models, BOTH, { mix: SHARES });
  assert.equal(undisposed(), before);
  const expected = await Promise.all(models.map((it) => expectations(t, it, BOTH)));
  const means = expected[0].map((_, at) =>
    mixed(
      expected.map((own) => own[at]),
      WEIGHTS,
    ),
  );
  const predicted = [...BOTH].slice(1).map((character, index) => {
    const mean = means[index + 1];
    const own = Number(mean.get(character));
    const rank = [...mean.values()].filter((it) => it > own).length;
    return { loss: -Math.log(own), rank };
  });
  const share = (isRight: (rank: number) => boolean) =>
    predicted.filter(({ rank }) => isRight(rank)).length / predicted.length;
  assert.equal(score.characters, BOTH.length - 1);
  assertClose([score.loss], [mean(predicted.map(({ loss }) => loss))], 1e-5, "loss");
  assertClose([score.accuracy], [share((rank) => rank === 0)], 1e-3, "accuracy");
  assertClose([score.topFiveAccuracy], [share((rank) => rank < 5)], 1e-3, "top-5");
  assert.ok(score.topFiveAccuracy > score.accuracy && score.topFiveAccuracy < 1);
  assert.ok(score.accuracy > 0.1 && score.macroF1 > 0 && score.confused.length > 0);
  // One character read, then two and three: from a cold start there are two windows.
  assert.equal(score.coldStart[0].characters, 2);
  // Another share is another mixture.
  assert.notEqual((await scoreOf(t, models, BOTH)).loss, score.loss);
  const twice = await scoreOf(t, models, BOTH, { mix: [0.3, 0.1] });
  assertClose([twice.loss], [score.loss], 1e-6, "shares of the same proportion");
});

test("The score of a mixture is what a sampling takes for the probability of the text", async (t) => {
  const models = await twoModels(t);
  const { vocabulary } = readerOf(models);
  const tokens = vocabulary.encode(BOTH);
  const mixture = await openMixture(partsOf(models, SHARES), { backend: "wasm" }, { streams: 1 });
  const session = mixture.openDecodeSession(1);
  const losses = Array.from(tokens.subarray(1), (target, index) => {
    const logits = session.step(Int32Array.of(tokens[index]));
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return Math.log(total) - logits[target];
  });
  session.dispose();
  mixture.dispose();
  const { loss } = await scoreOf(t, models, BOTH, { mix: SHARES });
  assertClose([loss], [mean(losses)], 1e-5, "loss");
  const { lines, whole } = await surprisalOf(t, models, BOTH, { mix: SHARES });
  const bits = lines.flatMap((line) => line.bits.slice(0, line.text.length)).slice(1);
  const inLines = losses.filter((_, index) => BOTH[index + 1] !== "\n");
  assert.equal(whole.byModel.length, 1);
  // The text begins after a newline here, which no more than the first characters remember.
  const [late, expected] = [bits.slice(150), inLines.slice(150).map((it) => it / Math.LN2)];
  assertClose(late.map(Number), expected, 1e-3, "bits");
});

test("A model that is mixed with itself scores a text as it does alone, also in several rows", async (t) => {
  const model = await learned(t, CATS);
  const text = "the cat and a hat\non the mat sat a cat\n".repeat(600);
  const alone = await scoreOf(t, [model], text);
  const twice = await scoreOf(t, [model, model], text, { mix: [5, 1] });
  for (const name of ["loss", "accuracy", "topFiveAccuracy", "macroF1"] as const) {
    assertClose([twice[name]], [alone[name]], 1e-5, name);
  }
  assert.deepEqual(twice.confused, alone.confused);
  const coldStarts = [twice, alone].map((it) => it.coldStart.map(({ loss }) => loss));
  assertClose(coldStarts[0], coldStarts[1], 1e-5, "cold start");
  const [one, two] = [
    await surprisalOf(t, [model], text),
    await surprisalOf(t, [model, model], text, { mix: [1, 1] }),
  ];
  assertClose([Number(two.whole.bitsPerCharacter)], [Number(one.whole.bitsPerCharacter)], 1e-5, "");
  assertClose(two.lines[900].bits.map(Number), one.lines[900].bits.map(Number), 1e-4, "bits");
});

test("The score of a mixture of models of lines reads each line from its beginning", async (t) => {
  const models = [
    await learned(t, CATS, { documents: "lines" }),
    await learned(t, DOGS, { documents: "lines", randomSeed: 2 }),
  ];
  const lines = ["my cat sat", "a dog", "the hat ran to me"];
  const score = await scoreOf(t, models, lines.join("\n"), { mix: SHARES });
  const losses: number[] = [];
  for (const line of lines) {
    const whole = `\n${line}\n`;
    const expected = await Promise.all(models.map((it) => expectations(t, it, whole)));
    for (let at = 1; at < whole.length; at++) {
      const probabilities = mixed(
        expected.map((own) => own[at]),
        WEIGHTS,
      );
      losses.push(-Math.log(Number(probabilities.get(whole[at]))));
    }
  }
  assert.equal(score.characters, losses.length);
  assertClose([score.loss], [mean(losses)], 1e-5, "loss");
});

test("The score of a mixture leaves out what none of its models knows, and refuses it unasked", async (t) => {
  const models = await twoModels(t);
  await assert.rejects(
    scoreOf(t, models, "my zcat"),
    failsWith("UNKNOWN_CHARACTER", '"z"', "line 1, column 4"),
  );
  const text = "my zcat\nzz and a dog\n";
  const score = await scoreOf(t, models, text, { unknown: "skip" });
  const known = await scoreOf(t, models, text.replaceAll("z", ""));
  assert.deepEqual([score.skipped, score.loss], [3, known.loss]);
  const { whole, lines } = await surprisalOf(t, models, text, { mix: SHARES, unknown: "skip" });
  assert.deepEqual([whole.unknown, lines[0].bits[3], lines[1].bits[1]], [3, null, null]);
  const bits = lines.flatMap((line) => line.bits).filter((it) => it !== null);
  const newlines = Number(whole.bitsPerCharacter) * (text.length - 3) - sum(bits);
  // To compare with: each of the unknown ones has the mean of the probabilities by Laplace's rule.
  const [cats, dogs] = models.map(({ config }) => config.text.trainCharacters + 2);
  const unknown = -Math.log2(0.75 / cats + 0.25 / dogs);
  const all = (sum(bits) + newlines + 3 * unknown) / text.length;
  assertClose([Number(whole.byModel[0])], [all], 1e-5, "with what is unknown");
});

test("The score of a mixture counts a character that every model reads as its unknown one as such", async (t) => {
  // The mark comes once, so that there is an unknown character.
  const models = [
    await learned(t, `#${CATS}`, { minCount: 2 }),
    await learned(t, `#${DOGS}`, { minCount: 2, randomSeed: 2 }),
  ];
  const text = "a cat & a hat\nand a dog #\n";
  const score = await scoreOf(t, models, text, { mix: SHARES });
  assert.deepEqual([score.characters, score.unknown], [text.length - 1, 2]);
  const { vocabulary } = readerOf(models);
  const all = Array.from({ length: vocabulary.size }, (_, token) => vocabulary.characterAt(token));
  const expected = await Promise.all(models.map((it) => expectations(t, it, text)));
  const losses = [...text].slice(1).map((character, index) => {
    const probabilities = expected.map((own) => {
      const known = own[index + 1];
      const lacking = all.filter((it) => it === "\ufffd" || !known.has(it));
      return lacking.includes(character) || !all.includes(character)
        ? Number(known.get("\ufffd")) / lacking.length
        : Number(known.get(character));
    });
    return -Math.log(0.75 * probabilities[0] + 0.25 * probabilities[1]);
  });
  assertClose([score.loss], [mean(losses)], 1e-5, "loss");
});

test("Shares that don't fit, dynamic evaluation, and models that can't predict together are refused in scores", async (t) => {
  const [model, other] = await twoModels(t);
  const lines = await learned(t, CATS, { documents: "lines" });
  for (const [models, settings, says] of [
    [[model, other], { mix: [1] }, "mix has 1 share, and there are 2 models."],
    [[model], { mix: [1, 1] }, "mix has 2 shares, and there is 1 model."],
    [[model, other], { mix: [1, 0] }, /^mix\b/],
    [[model, lines], { mix: [1, 1] }, "`documents`"],
  ] as const) {
    const refused = failsWith("INVALID_SETTING", says);
    await assert.rejects(scoreOf(t, models, "a cat", settings), refused);
    await assert.rejects(surprisalOf(t, models, "a cat", settings), refused);
  }
  const dynamic = scoreOf(t, [model, other], "a cat", { dynamic: true });
  await assert.rejects(dynamic, failsWith("INVALID_SETTING", "Dynamic evaluation"));
});

test("The score of a mixture is aborted with the reason of its signal, and leaves nothing open", async (t) => {
  const models = await twoModels(t);
  const folder = await temporaryFolder(t);
  const files = [path.join(folder, "long.txt")];
  await writeFile(files[0], "a cat and a hat\n".repeat(20_000));
  const before = undisposed();
  const signal = abortedAfterTurns(20, new Error("changed my mind"));
  await assert.rejects(evaluated(models, { files }, { signal }), /changed my mind/);
  assert.equal(undisposed(), before);
});

async function twoModels(t: TestContext): Promise<readonly [Checkpoint, Checkpoint]> {
  return [await learned(t, CATS), await learned(t, DOGS, { randomSeed: 2 })];
}

async function scoreOf(
  t: TestContext,
  models: readonly Checkpoint[],
  text: string,
  settings: Partial<EvaluateSettings> = {},
) {
  return evaluated(models, { files: [await fileOf(t, text)], backend: "wasm", ...settings });
}

async function surprisalOf(
  t: TestContext,
  models: readonly Checkpoint[],
  text: string,
  settings: Partial<ScoreSettings> = {},
) {
  const all = { files: [await fileOf(t, text)], backend: "wasm" as const, ...settings };
  const texts = [];
  for await (const { whole, lines } of scoreTexts(models, all)) {
    texts.push({ whole, lines: [...lines()] });
  }
  assert.equal(texts.length, 1);
  return texts[0];
}

async function fileOf(t: TestContext, text: string): Promise<string> {
  const file = path.join(await temporaryFolder(t), "scored.txt");
  await writeFile(file, text);
  return file;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
