import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type Checkpoint, readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { readTexts } from "#src/data/texts.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { crossValidate, evaluateTexts, sample, scoreTexts } from "#src/index.js";
import { CopyGuard } from "#src/memorization/copy-guard.js";
import { failsWith } from "../helpers/failure.js";
import { assertClose } from "../helpers/numbers.js";
import { slow } from "../helpers/slow.js";
import { onTensorFlow } from "../helpers/tensorflow.js";
import {
  afterStep,
  fileOf,
  inventedText,
  only,
  smallRun,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

/** A text of 17 different characters that occur often, and 200 that occur twice. */
const RARE = Array.from({ length: 200 }, (_, i) => String.fromCodePoint(0x4e00 + i));
const COMMON = inventedText(6_000);
const TEXT = RARE.map(
  (test, i) =>
    `${test}${COMMON.slice(30 * i, 30 * i + 15)}${test}${COMMON.slice(30 * i + 15, 30 * i + 30)}`,
).join("");

async function rareRun(t: TestContext, settings = {}): Promise<Workplace> {
  const place = await workplace(t, TEXT);
  await trained(smallRun(place, { steps: 30, evalEvery: 10, minCount: 3, ...settings }));
  return place;
}

function lastOf(place: Workplace, name = "run"): Promise<Checkpoint> {
  return readCheckpoint(path.join(place.out, name, "last.safetensors"));
}

async function textOf(checkpoint: Checkpoint, settings = {}, onWarning?: (test: string) => void) {
  let text = "";
  const all = { length: 300, temperature: 5, backend: "wasm", ...settings } as const;
  for await (const [test] of sample(checkpoint, all, { onWarning })) text += test;
  return text;
}

test("rare characters become one that is the last of the vocabulary, and null in the checkpoint", async (t) => {
  const place = await workplace(t, TEXT);
  const events = await trained(smallRun(place, { steps: 2, minCount: 3 }));
  const { vocabulary, config } = await lastOf(place);
  const known = vocabulary.toJSON();
  assert.equal(known.at(-1), null);
  assert.equal(vocabulary.unknown, vocabulary.size - 1);
  assert.equal(config.model.vocabularySize, vocabulary.size);
  assert.ok(RARE.every((test) => !known.includes(test)) && known.includes("o"));
  const said = only(events, "warning")
    .map(({ message }) => message)
    .join("\n");
  assert.match(
    said,
    /^200 characters occur fewer than 3 times in the training part: "一", .*never writes\. This changes the loss/,
  );
  assert.throws(
    () => Vocabulary.fromJSON(["a", null, "b"]),
    failsWith("BAD_CHECKPOINT", "entry 1"),
  );
  assert.throws(() => Vocabulary.fromJSON([null]), failsWith("BAD_CHECKPOINT", "entry 0"));
});

test("the unknown character is never written, however hot the sampling", async (t) => {
  const checkpoint = await lastOf(await rareRun(t));
  for (const settings of [{}, { temperature: 0 }, { topK: 3 }, { seed: "一love", topP: 0.9 }]) {
    assert.match(await textOf(checkpoint, settings), /^[a-z' \n]{300}$/);
  }
});

test("a seed may hold characters that are not known, and a note says how many", async (t) => {
  const checkpoint = await lastOf(await rareRun(t));
  const warnings: string[] = [];
  const one = await textOf(checkpoint, { seed: "一love€", temperature: 0 }, (test) =>
    warnings.push(test),
  );
  assert.match(
    warnings.join(),
    /^Of the seed 2 characters are read as the unknown character, .*"一".*"€"/,
  );
  assert.equal(await textOf(checkpoint, { seed: "二love丁", temperature: 0 }), one);
  await assert.rejects(
    textOf(await lastOf(await rareRun(t, { minCount: undefined })), { seed: "€" }),
    failsWith("UNKNOWN_CHARACTER"),
  );
});

test("a run with rare characters resumes to the same bytes, without being told of them again", async (t) => {
  for (const documents of [undefined, "lines"] as const) {
    const place = await rareRun(t, { documents, name: "whole" });
    await trained(
      smallRun(place, { steps: 30, evalEvery: 10, minCount: 3, documents, name: "cut" }),
      afterStep(17),
    );
    const resumed = { files: [place.text], out: place.out, name: "cut", resume: true };
    await trained({ ...resumed, backend: "wasm" });
    const [whole, cut] = await Promise.all(
      ["whole", "cut"].map((test) => fileOf(place, test, "last.safetensors")),
    );
    assert.ok(whole.equals(cut));
    await assert.rejects(
      trained({ ...resumed, minCount: 2 }),
      failsWith("CANNOT_RESUME", "minCount is 3 in the run cut, not 2"),
    );
  }
});

test("other texts are scored with the unknown character, and how many there were is said", async (t) => {
  const place = await rareRun(t);
  const checkpoint = await lastOf(place);
  const other = path.join(path.dirname(place.text), "other.txt");
  await writeFile(other, "love é summer 一 day é\n");
  const settings = { files: [other], backend: "wasm" as const, baselines: false };
  for await (const score of evaluateTexts(checkpoint, { ...settings, dynamic: true })) {
    assert.deepEqual([score.unknown, score.skipped], [3, 0]);
    assert.deepEqual(score.unknownCharacters, ['"é" (U+00E9)', '"一" (U+4E00)']);
    assert.equal(score.characters, 21);
    assert.ok(score.loss > 0 && Number.isFinite(score.loss));
  }
  for await (const { whole, lines } of scoreTexts([checkpoint], {
    files: [other],
    backend: "wasm",
  })) {
    assert.equal(whole.unknown, 3);
    const [line] = lines();
    assert.ok(line.bits.every((bits) => bits !== null && bits > 0));
  }
});

test("what begins with a run's weights keeps its unknown character, and can get one", async (t) => {
  const place = await rareRun(t, { name: "base" });
  const initFrom = path.join(place.out, "base");
  const next = {
    files: [place.text],
    out: place.out,
    initFrom,
    steps: 5,
    backend: "wasm",
  } as const;
  await trained({ ...next, files: [place.text], name: "kept" });
  const kept = (await lastOf(place, "kept")).vocabulary;
  assert.ok(kept.unknown !== undefined && kept.indexOf(0x4e00) !== undefined);
  await trained({ ...next, files: [place.text], name: "rare", minCount: 3 });
  assert.deepEqual(
    (await lastOf(place, "rare")).vocabulary.toJSON(),
    (await lastOf(place, "base")).vocabulary.toJSON(),
  );
  await trained({
    files: [place.text],
    out: place.out,
    name: "rare",
    resume: true,
    steps: 8,
    backend: "wasm",
  });
});

test("folds each make their own rare characters one, and go on", async (t) => {
  const place = await workplace(t, TEXT);
  const settings = smallRun(place, { steps: 4, minCount: 3 });
  const losses = async (all: typeof settings) => {
    const found: (number | undefined)[] = [];
    for await (const event of crossValidate(all, 2)) {
      if (event.event === "end") found.push(event.bestLoss);
    }
    return found;
  };
  const first = await losses(settings);
  assert.ok(first.length === 2 && first.every((test) => Number.isFinite(test)));
  for (const index of [1, 2]) {
    const { vocabulary, config } = await lastOf(place, `run-fold-${index}`);
    assert.ok(vocabulary.unknown !== undefined && config.training.minCount === 3);
  }
  assert.deepEqual(await losses({ ...settings, resume: true }), first);
});

test("a guard against copies knows characters of the seed that the model does not", async (t) => {
  const place = await workplace(t, TEXT);
  const { texts } = await readTexts([place.text], {
    encoding: "utf-8",
    rewriting: undefined,
    joined: true,
  });
  const vocabulary = Vocabulary.fromCodePoints(
    Array.from(COMMON, (test) => test.codePointAt(0) as number),
    { unknown: true },
  );
  const guard = await CopyGuard.of(texts[0], vocabulary, 3);
  const copied = TEXT.slice(0, 3);
  const next = vocabulary.indexOf(TEXT.codePointAt(3) as number) as number;
  const isCopy = new Uint8Array(vocabulary.size);
  guard.mark(guard.tokensOfEnd(copied), isCopy);
  assert.equal(isCopy[next], 1);
  isCopy.fill(0);
  guard.mark(guard.tokensOfEnd(`€${copied.slice(1)}`), isCopy);
  assert.equal(isCopy[next], 0);
});

test("a --min-count that leaves too little is refused with one that does not, and one that changes nothing gets a warning", async (t) => {
  const place = await workplace(t, `${"aaaa ".repeat(12)}b`);
  const run = smallRun(place, { steps: 1, validation: 0, overwrite: true });
  await assert.rejects(
    trained({ ...run, minCount: 20 }),
    failsWith("INVALID_SETTING", "minCount 20 leaves fewer than two", "`minCount: 12` or less"),
  );
  await trained({ ...run, minCount: 12 });
  const events = await trained({ ...run, minCount: 1 });
  assert.match(
    only(events, "warning")
      .map(({ message }) => message)
      .join("\n"),
    /`minCount: 1` changes anything/,
  );
  assert.equal((await lastOf(place)).vocabulary.unknown, undefined);
});

test("characters that only the held-out part has are unknown ones with the least count of 1", async (t) => {
  const place = await workplace(t, `${inventedText(3_000)}€ü`);
  await trained(smallRun(place, { steps: 1, minCount: 1 }));
  const { vocabulary } = await lastOf(place);
  assert.ok(vocabulary.unknown !== undefined && vocabulary.indexOf(0xfc) === undefined);
});

test("a run says when rare characters take a good part of its parameters, and what the share is", async (t) => {
  const place = await workplace(t, TEXT);
  const said = async (settings: Parameters<typeof smallRun>[1]) => {
    const events = await trained(smallRun(place, { steps: 1, overwrite: true, ...settings }));
    return only(events, "warning")
      .map(({ message }) => message)
      .join("\n");
  };
  const note = await said({ hiddenSize: 16 });
  const [, share] =
    note.match(
      /200 of the \d+ different characters occur at most 2 times .*, and (\d+) % of .*`minCount: 3` /,
    ) ?? [];
  assert.ok(Number(share) > 30 && Number(share) < 90, note);
  assert.doesNotMatch(await said({ minCount: 3 }), /`minCount: 3` makes/);
  await writeFile(place.text, inventedText(3_000));
  assert.doesNotMatch(await said({}), /min-count/);
});

await onTensorFlow("Rare characters with TensorFlow", () => {
  slow(
    "Rare characters with TensorFlow are learned, scored and left out as on the reference",
    async (t) => {
      const losses: number[][] = [];
      for (const backend of ["tensorflow", "wasm"] as const) {
        const place = await workplace(t, TEXT);
        const run = { ...smallRun(place, { steps: 20, evalEvery: 10, minCount: 3 }), backend };
        const events = await trained(run);
        losses.push(only(events, "eval").map(({ validationLoss = Number.NaN }) => validationLoss));
        const checkpoint = await lastOf(place);
        const text = await textOf(checkpoint, { backend, seed: "一love" });
        assert.match(text, /^[a-z' \n]{300}$/);
        const other = path.join(path.dirname(place.text), "other.txt");
        await writeFile(other, "love é summer 一 day é\n");
        const settings = { files: [other], backend, baselines: false };
        for await (const score of evaluateTexts(checkpoint, settings)) {
          assert.deepEqual([score.unknown, Number.isFinite(score.loss)], [3, true]);
        }
        await trained({ ...run, resume: true, steps: 24 });
      }
      assert.equal(losses[0].length, 2);
      assertClose(losses[0], losses[1], 1e-3, "validation losses");
    },
  );
});

test("a warning says that the characters of a model given by --init-from stay, no matter how rare they are", async (t) => {
  const place = await workplace(t, TEXT);
  await trained(smallRun(place, { steps: 2 }));
  const settings = { name: "next", initFrom: "run", minCount: 3, steps: 2 };
  const said = only(await trained(smallRun(place, settings)), "warning").map(
    (test) => test.message,
  );
  assert.ok(
    said.some((test) => /`minCount: 3` changes nothing: .*`initFrom`/.test(test)),
    said.join(),
  );
  assert.ok(!said.some((test) => test.includes("No character is so rare")), said.join());
});
