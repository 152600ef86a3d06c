import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import {
  loadCheckpoint,
  type Model,
  nextCharacters,
  openModel,
  type SampleSettings,
  sample,
} from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { smallRun, trained, workplace } from "../helpers/training.js";
import { tickingClock, turnsDuring } from "../helpers/turns.js";
import { undisposed } from "../helpers/undisposed.js";

test("An open model writes what sample writes with the same random seed, alone and beside others", async (t) => {
  const { model, checkpoint } = await opened(t);
  const cases = [
    { seed: "thou ", length: 40, randomSeed: 1 },
    { seed: "", length: 7, randomSeed: 2 },
    { seed: "love", length: 60, randomSeed: 3, temperature: 0 },
    { seed: "day", lines: 1, length: 300, randomSeed: 4 },
    { seed: "su", length: 30, randomSeed: 5, match: "[a-z]+", topK: 5 },
    { seed: "a long prompt of the lovely summer day ".repeat(40), length: 0, randomSeed: 6 },
    { seed: "eye", length: 25, randomSeed: 7, maxRepeat: 4, minP: 0.01 },
  ].map((settings) => ({ unknown: "skip" as const, ...settings }));
  const expected: string[] = [];
  for (const settings of cases) expected.push(await sampled(checkpoint, settings));
  const write = ({ seed, ...settings }: (typeof cases)[number]) =>
    model.write({ ...settings, prompt: seed });
  for (const [index, settings] of cases.entries()) {
    assert.equal(await write(settings), expected[index]);
  }
  // More at once than a session begins with.
  const many = Array.from({ length: 5 }, () => cases).flat();
  const together = await Promise.all(many.map(write));
  assert.deepEqual(together, Array.from({ length: 5 }, () => expected).flat());
});

test("A text of an open model comes character by character, and whole", async (t) => {
  const { model } = await opened(t);
  const writing = model.write({ prompt: "th", length: 30 });
  let text = "";
  for await (const character of writing) {
    assert.equal([...character].length, 1);
    text += character;
  }
  assert.equal(text.length, 30);
  assert.equal(await writing, text);
  const again = await model.write({ prompt: "th", length: 30, randomSeed: writing.randomSeed });
  assert.equal(again, text);
});

test("A text that continues the state of another is that one written on", async (t) => {
  const { model } = await opened(t);
  const settings = { prompt: "thou", temperature: 0 };
  const whole = await model.write({ ...settings, length: 40 });
  const first = await model.write({ ...settings, length: 15 }).result();
  const rest = await model.write({ temperature: 0, length: 25, state: first.state });
  assert.equal(first.text + rest, whole);
  // With words between the two.
  const between = await model.write({
    temperature: 0,
    length: 9,
    state: first.state,
    prompt: " day",
  });
  const asOne = await model.write({ temperature: 0, length: 9, prompt: `thou${first.text} day` });
  assert.equal(between, asOne);
  // The end of a line is no part of the text: what comes after it is predicted anew.
  const line = await model.write({ prompt: "thou", lines: 1, length: 9000 }).result();
  assert.ok(line.text.length < 9000 && !line.text.includes("\n"));
  const after = await model.write({ temperature: 0, length: 3, state: line.state });
  assert.equal(after, await model.write({ ...settings, prompt: `thou${line.text}`, length: 3 }));
  const other = { ...first.state, numbers: new Float32Array(3) };
  await assert.rejects(
    model.write({ state: other }).result(),
    failsWith("INVALID_SETTING", /^state/),
  );
});

test("An aborted text ends with the reason of its signal, and the others go on", async (t) => {
  const { model } = await opened(t);
  const controller = new AbortController();
  const endless = model.write({ length: -1, signal: controller.signal });
  const other = model.write({ prompt: "th", length: 2000 });
  const taken: string[] = [];
  await assert.rejects(async () => {
    for await (const character of endless) {
      taken.push(character);
      if (taken.length === 300) controller.abort(new Error("enough"));
    }
  }, /^Error: enough$/);
  assert.ok(taken.length >= 300);
  assert.equal((await other).length, 2000);
  const reason = new Error("before");
  await assert.rejects(model.write({ signal: AbortSignal.abort(reason) }).result(), reason);
  await assert.rejects(model.next("th", 3, { signal: AbortSignal.abort(reason) }), reason);
});

test("A loop over a text ends at once where its signal is aborted, also with characters that wait", async (t) => {
  const { model } = await opened(t);
  const controller = new AbortController();
  const writing = model.write({ prompt: "th", length: 500, signal: controller.signal });
  await writing;
  let taken = 0;
  await assert.rejects(async () => {
    for await (const _ of writing) if (++taken === 4) controller.abort(new Error("enough"));
  }, /^Error: enough$/);
  assert.equal(taken, 4);
});

test("The state of a text of another model is refused, though it has the same sizes", async (t) => {
  const { model, checkpoint } = await opened(t);
  const { state } = await model.write({ prompt: "th", length: 5 }).result();
  const same = await openModel(checkpoint);
  t.after(() => same.close());
  assert.equal((await same.write({ state, length: 5 })).length, 5);
  const [name, tensor] = [...checkpoint.tensors][0];
  const data = tensor.data.map((value) => value + 1);
  const tensors = new Map(checkpoint.tensors).set(name, { ...tensor, data });
  const other = await openModel({ ...checkpoint, tensors });
  t.after(() => other.close());
  for (const wrong of [state, {}, 5, { ...state, unread: [-1] }] as (typeof state)[]) {
    await assert.rejects(
      other.write({ state: wrong, length: 5 }).result(),
      failsWith("INVALID_SETTING", /^state/),
    );
  }
});

test("What an open model can't do with a text is refused, naming it", async (t) => {
  const { model } = await opened(t);
  for (const name of [
    "seed",
    "count",
    "bestOf",
    "include",
    "unique",
    "new",
    "backend",
    "threads",
  ]) {
    const settings = { [name]: name === "seed" ? "th" : 2 };
    await assert.rejects(
      model.write(settings).result(),
      failsWith("INVALID_SETTING", new RegExp(`^${name} is not a setting of write`)),
    );
  }
  const wrong = 5 as unknown as string;
  for (const [ask, name] of [
    [() => model.write({ prompt: wrong }).result(), "prompt"],
    [() => model.next(wrong), "text"],
    [() => model.next("th", 0), "top"],
    [() => model.next("th", 1.5), "top"],
    [() => model.score(wrong), "text"],
  ] as const) {
    await assert.rejects(ask(), failsWith("INVALID_SETTING", new RegExp(`^${name} must be`)));
  }
});

test("A text without end waits for its reader, and can't be had whole", async (t) => {
  const { model } = await opened(t);
  const endless = model.write({ length: -1 });
  await assert.rejects(endless.result(), failsWith("INVALID_SETTING", /^length/));
  let count = 0;
  for await (const _ of endless) if (++count === 20_000) break;
  assert.equal(count, 20_000);
  // Nobody reads it any more, and the model is free for others.
  assert.equal((await model.write({ length: 5 })).length, 5);
});

test("An open model names the likeliest next characters and scores a text", async (t) => {
  const { model, checkpoint } = await opened(t);
  const text = "thou day";
  const { characters } = await nextCharacters(checkpoint, { text, top: 4 });
  const [next, scores] = await Promise.all([model.next(text, 4), model.score(text)]);
  assert.deepEqual(
    next.map(({ character }) => character),
    characters.map(({ character }) => character),
  );
  for (const [index, { probability }] of next.entries()) {
    assert.ok(Math.abs(probability - characters[index].probability) < 1e-6);
  }
  assert.equal(scores.map(({ character }) => character).join(""), text);
  for (const [index, { character, bits }] of scores.entries()) {
    if (index === 0) continue;
    const all = await model.next(text.slice(0, index), 1000);
    const own = all.find((it) => it.character === character)?.probability as number;
    assert.ok(Math.abs((bits as number) + Math.log2(own)) < 1e-3, `${index}`);
  }
  assert.deepEqual(await model.score(""), []);
  await assert.rejects(model.score("thé"), failsWith("UNKNOWN_CHARACTER", "é"));
});

test("A wrong setting is refused where the text is read, naming it", async (t) => {
  const { model } = await opened(t);
  for (const settings of [{ length: -2 }, { temperature: -1 }, { match: "(" }, { stop: [""] }]) {
    const [name] = Object.keys(settings);
    await assert.rejects(
      model.write(settings).result(),
      failsWith("INVALID_SETTING", new RegExp(`^${name}`)),
    );
  }
  await assert.rejects(model.write({ prompt: "É" }).result(), failsWith("UNKNOWN_CHARACTER"));
  await assert.rejects(
    model.write({ allow: "a", maxRepeat: 1, length: 3 }).result(),
    failsWith("NOTHING_ALLOWED"),
  );
});

test("A closed model ends what is under way, refuses what comes, and leaves no tensors behind", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 2 }));
  const before = undisposed();
  const model = await openModel("run", { ...place });
  const endless = model.write({ length: -1 });
  const [iterator] = [endless[Symbol.asyncIterator]()];
  await iterator.next();
  model.close();
  model.close();
  await assert.rejects(async () => {
    for await (const _ of endless);
  }, /closed/);
  await assert.rejects(model.write().result(), /closed/);
  await assert.rejects(model.next("a"), /closed/);
  assert.equal(undisposed(), before);
});

test("Sixteen texts at once give others their turn between their steps", async (t) => {
  const { model } = await opened(t);
  tickingClock(t);
  const turns = await turnsDuring(() =>
    Promise.all(Array.from({ length: 16 }, () => model.write({ length: 300 }))),
  );
  assert.ok(turns > 10, `${turns} turns`);
});

async function opened(t: TestContext): Promise<{ model: Model; checkpoint: Checkpoint }> {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 30, learningRate: 0.02 }));
  const model = await openModel("run", { out: place.out });
  t.after(() => model.close());
  return { model, checkpoint: await loadCheckpoint("run", { out: place.out, weightsOnly: true }) };
}

async function sampled(checkpoint: Checkpoint, settings: SampleSettings): Promise<string> {
  let text = "";
  for await (const [character] of sample(checkpoint, settings)) text += character;
  return text;
}
