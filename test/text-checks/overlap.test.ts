import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Vocabulary } from "#src/data/vocabulary.js";
import { sharedDocuments, sharedText } from "#src/text-checks/overlap.js";
import { slow } from "../helpers/slow.js";
import { inventedText, only, smallRun, trained, workplace } from "../helpers/training.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function encoded(...texts: string[]) {
  const codePoints = Array.from(texts.join("\n"), (test) => test.codePointAt(0) as number);
  const vocabulary = Vocabulary.fromCodePoints(codePoints);
  return { tokens: texts.map((text) => vocabulary.encode(text)), newline: vocabulary.indexOf(10) };
}

function shared(train: string, heldOut: string): Promise<number> {
  const [one, other] = encoded(train, heldOut).tokens;
  return sharedText(one, other, undefined);
}

test("what is copied is found wherever it is, and nothing else", async () => {
  const text = inventedText(40_000);
  assert.equal(await shared(text, text), 1);
  assert.equal(await shared(text, text.slice(0, 150)), 1);
  assert.equal(await shared(text, text.slice(-5_000)), 1);
  assert.equal(await shared(text, text.slice(12_345, 23_456)), 1);
  assert.equal(await shared(text, inventedText(5_000, 9)), 0);
  assert.equal(await shared(text, text.slice(0, 50)), 0, "too short to tell");
  assert.equal(await shared(text.slice(0, 50), text), 0);
  const half = text.slice(10_000, 15_000) + inventedText(5_000, 9);
  const share = await shared(text, half);
  assert.ok(share > 0.45 && share < 0.55, `${share}`);
  assert.equal(await shared("a".repeat(5_000), "a".repeat(500)), 1);
});

test("poems, code and logs share little between their parts", async () => {
  const code = readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(path.join(ROOT, "src", name), "utf8"));
  const poems = readFileSync(path.join(ROOT, "data/shakespeare.txt"), "utf8");
  const log = Array.from(
    { length: 3_000 },
    (_, k) => `10:${k % 60}:${(7 * k) % 60} worker ${k % 4} took ${(k * k) % 977} ms; status ok\n`,
  );
  for (const text of [poems, code.join(""), log.join("")]) {
    const cut = Math.round(0.9 * text.length);
    const share = await shared(text.slice(0, cut), text.slice(cut));
    assert.ok(share < 0.1, `${share}`);
  }
});

test("equal lines are found", async () => {
  const share = async (train: string, heldOut: string) => {
    const { tokens, newline = -1 } = encoded(train, heldOut);
    return sharedDocuments(tokens[0], tokens[1], newline, undefined);
  };
  assert.equal(await share("ann\nbob\ncyd\n", "bob\ndan\n"), 0.5);
  assert.equal(await share("ann\nbob\ncyd", "cyd"), 1);
  assert.equal(await share("ann\nbob\n", "annb\n\nbo\n"), 0);
  assert.equal(await share("ann\n\nbob\n", "\n\n"), 0);
});

test("looking for what is shared ends when it is aborted", async () => {
  const [text, other] = encoded(inventedText(30_000), inventedText(3_000, 2)).tokens;
  const reason = new Error("enough");
  await assert.rejects(sharedText(text, other, AbortSignal.abort(reason)), reason);
  await assert.rejects(sharedDocuments(text, other, 0, AbortSignal.abort(reason)), reason);
});

slow("a run says that its validation part is in the training part too", async (t) => {
  const own = inventedText(20_000);
  const place = await workplace(t, own);
  const folder = path.dirname(place.text);
  const warningsOf = async (settings: Parameters<typeof smallRun>[1]) => {
    const run = smallRun(place, { steps: 1, overwrite: true, ...settings });
    return only(await trained(run), "warning").map(({ message }) => message);
  };
  const about = (messages: readonly string[]) => messages.filter((test) => test.includes(" too, "));
  assert.deepEqual(about(await warningsOf({})), []);

  const [same] = about(await warningsOf({ validationFile: place.text }));
  assert.match(same, /^All of the validation file is in the training text too, word for word: /);
  const part = path.join(folder, "part.txt");
  await writeFile(part, own.slice(5_000, 8_000) + inventedText(3_000, 5));
  const [half] = about(await warningsOf({ validationFile: part }));
  assert.match(
    half,
    /^About (4[5-9]|5[0-5]) % of the validation file is .* says in part how well /,
  );
  await writeFile(part, inventedText(3_000, 5));
  assert.deepEqual(about(await warningsOf({ validationFile: part })), []);

  const twice = path.join(folder, "twice.txt");
  await writeFile(twice, own + own);
  const [repeated] = about(await warningsOf({ files: [twice] }));
  assert.match(
    repeated,
    /^All of the held-out part, the end of the text, is in the rest too, word /,
  );
  for (const index of [1, 2]) {
    const ofFold = about(await warningsOf({ files: [twice], fold: { index, of: 4 } }));
    assert.equal(ofFold.length, index === 1 ? 1 : 0);
  }

  const list = path.join(folder, "list.txt");
  const lines = own.split(/\s+/).slice(0, 1_500);
  await writeFile(list, [...lines, ...lines].join("\n"));
  const documents = { files: [list], documents: "lines" as const };
  assert.deepEqual(about(await warningsOf(documents)), []);
  const [ofLines] = about(await warningsOf({ ...documents, split: "sequential" }));
  assert.match(ofLines, /^All of the lines of the held-out part, .* Leave `split: sequential` out/);
  const [ofList] = about(await warningsOf({ ...documents, validationFile: list }));
  assert.match(ofList, /^All of the lines of the validation file are .* grep -vxFf FILE /);
});
