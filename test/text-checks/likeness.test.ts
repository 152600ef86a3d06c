import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Vocabulary } from "#src/data/vocabulary.js";
import { unlikeTraining } from "#src/text-checks/likeness.js";
import { inventedText, only, smallRun, trained, workplace } from "../helpers/training.js";

/** Lines that say nothing of what `inventedText` says, in the same letters. */
function otherText(characters: number, seed = 9): string {
  return inventedText(characters, seed).replaceAll(/[a-z]+/g, (word) =>
    [...word].reverse().join("s"),
  );
}

/** A text that ends in a table, of which it has some rows before: all different, with little to guess. */
function endingInTable(): string {
  const rows = Array.from({ length: 70 }, (_, row) => `${"-".repeat(80)} ${100 + row}\n`);
  return rows.slice(0, 20).join("") + inventedText(30_000) + rows.slice(20).join("");
}

function encoded(text: string) {
  const vocabulary = Vocabulary.fromCodePoints(
    Array.from(text, (test) => test.codePointAt(0) as number),
  );
  return { tokens: vocabulary.encode(text), size: vocabulary.size };
}

async function compared(text: string, heldOut: number) {
  const { tokens, size } = encoded(text);
  const cut = tokens.length - heldOut;
  return unlikeTraining(tokens.subarray(0, cut), tokens.subarray(cut), size, undefined);
}

test("a part of the same kind as the rest is alike, at any length", async () => {
  for (const heldOut of [1_000, 3_000, 20_000]) {
    assert.equal(await compared(inventedText(50_000), heldOut), undefined);
  }
});

test("an end of another kind is unlike the rest", async () => {
  const unlike = await compared(inventedText(30_000) + otherText(4_000), 3_500);
  assert.ok(unlike && unlike.heldOut > 1.5 * unlike.within);
});

test("the end of a sorted list is unlike the rest", async () => {
  const words = [...new Set(inventedText(60_000).split(/\s+/))];
  const sorted = words.flatMap((word) => [`${word}sum`, `${word}lo`, `${word}day`]).sort();
  const text = sorted.join("\n");
  assert.ok(await compared(text, Math.round(text.length / 10)));
});

test("an end that is far easier than the rest is unlike it", async () => {
  const unlike = await compared(endingInTable(), 3_600);
  assert.ok(unlike && unlike.heldOut < 0.5 * unlike.within);
});

test("poems, code and lists of names are alike throughout", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const code = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => readFileSync(path.join(root, "src", name), "utf8"));
  const names = [...new Set(inventedText(60_000).split(/\s+/))];
  const poems = readFileSync(path.join(root, "data/shakespeare.txt"), "utf8");
  for (const text of [poems, code.join(""), names.join("\n")]) {
    assert.equal(await compared(text, Math.round(text.length / 10)), undefined);
  }
});

test("a text that is too short to tell gets no note", async () => {
  assert.equal(await compared(inventedText(5_000) + otherText(4_000), 3_500), undefined);
  assert.equal(await compared(inventedText(30_000) + otherText(500), 500), undefined);
});

test("comparing ends when it is aborted", async () => {
  const { tokens, size } = encoded(inventedText(30_000));
  const reason = new Error("enough");
  const compared = unlikeTraining(tokens, tokens, size, AbortSignal.abort(reason));
  await assert.rejects(compared, reason);
});

test("a run says that its held-out part is unlike the rest, and names what helps", async (t) => {
  const place = await workplace(t, inventedText(30_000) + otherText(4_000));
  const warningsOf = async (settings: Parameters<typeof smallRun>[1]) => {
    const run = smallRun(place, { steps: 1, overwrite: true, ...settings });
    return only(await trained(run), "warning").map(({ message }) => message);
  };
  const unlike = (messages: readonly string[]) =>
    messages.filter((test) => test.includes("unlike"));
  const [said] = unlike(await warningsOf({}));
  assert.match(
    said,
    /^The held-out part, the end of the text, is unlike the rest: an n-gram baseline /,
  );
  assert.match(
    said,
    / \d\.\d\d nats\/char on it, but \d\.\d\d on parts .* held out in turn\. .*`crossValidate: 5` /,
  );
  assert.deepEqual(unlike(await warningsOf({ fold: { index: 5, of: 5 } })), []);
  assert.deepEqual(unlike(await warningsOf({ documents: "lines" })), []);
  const [ofLines] = unlike(await warningsOf({ documents: "lines", split: "sequential" }));
  assert.match(ofLines, /Leave `split: sequential` out, and random lines are held out\.$/);
  const validationFile = path.join(path.dirname(place.text), "other.txt");
  await writeFile(validationFile, otherText(3_000, 8));
  const [ofFile] = unlike(await warningsOf({ validationFile }));
  assert.match(ofFile, /^The validation file is unlike the training text: /);
});

test("a run says that its held-out part is far easier than the rest", async (t) => {
  const place = await workplace(t, endingInTable());
  const said = only(await trained(smallRun(place, { steps: 1 })), "warning");
  assert.match(
    said.map(({ message }) => message).join("\n"),
    /The held-out part, the end of the text, is far easier than the rest: an n-gram baseline .*`crossValidate: 5` /,
  );
});
