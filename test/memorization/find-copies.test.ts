import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { findCopies } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { Draw } from "../helpers/numbers.js";
import { inventedText } from "../helpers/training.js";

async function filesOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

/** Letters that share hardly anything by chance. */
function noise(characters: number, seed: number): string {
  const draw = new Draw(seed);
  return Array.from({ length: characters }, () =>
    String.fromCodePoint(0x4e00 + draw.below(5_000)),
  ).join("");
}

test("Copies are found where they were planted, with their positions in both texts", async (t) => {
  const planted = noise(200, 1);
  const sample = `ab\ncd${planted}${noise(300, 2)}${planted.slice(0, 30)}\n`;
  const folder = await filesOf(t, {
    "sample.txt": sample,
    "texts/a.txt": `${noise(5_000, 3)}\nxy\n`,
    "texts/b.txt": `${noise(50, 4)}\nuvw${planted}${noise(5_000, 5)}`,
  });
  const inFolder = (name: string) => path.join(folder, name);
  const found = await findCopies({
    sample: inFolder("sample.txt"),
    files: [inFolder("texts")],
  });
  const { longest, copies, copied, share, characters } = found;
  assert.deepEqual(longest, {
    start: 5,
    length: 200,
    text: planted,
    inSample: { line: 2, column: 3 },
    inText: { file: inFolder("texts/b.txt"), line: 2, column: 4 },
  });
  assert.deepEqual(
    copies.map(({ start, length }) => [start, length]),
    [
      [5, 200],
      [505, 30],
    ],
  );
  assert.deepEqual([characters, copied], [536, 230]);
  assert.equal(share, 230 / 536);
});

test("Copies that overlap are counted once", async (t) => {
  const text = noise(60, 6);
  const folder = await filesOf(t, {
    sample: text,
    a: `${text.slice(0, 40)}\n`,
    b: text.slice(25),
  });
  const files = ["a", "b"].map((name) => path.join(folder, name));
  const found = await findCopies({ sample: path.join(folder, "sample"), files });
  assert.deepEqual(
    found.copies.map(({ start, length, inText }) => [start, length, inText.line, inText.column]),
    [
      [0, 40, 1, 1],
      [25, 35, 1, 1],
    ],
  );
  assert.equal(found.share, 1);
  const longer = await findCopies({ sample: path.join(folder, "sample"), files, atLeast: 36 });
  assert.deepEqual([longer.copies.length, longer.copied], [1, 40]);
});

test("Copies are counted in characters, not in UTF-16 code units", async (t) => {
  const folder = await filesOf(t, { sample: "x😀😀é\r\ny", text: "1\n2😀😀é\r\n" });
  const [sample, text] = ["sample", "text"].map((name) => path.join(folder, name));
  const { longest } = await findCopies({ sample, files: [text], atLeast: 3 });
  assert.deepEqual(
    [longest?.start, longest?.length, longest?.inText.line, longest?.inText.column],
    [1, 5, 2, 2],
  );
});

test("Copies are found where either text is the standard input", async (t) => {
  const folder = await filesOf(t, { text: inventedText(500) });
  const file = path.join(folder, "text");
  const stdin = async function* () {
    yield Buffer.from(inventedText(500).slice(100, 160));
  };
  const one = await findCopies({ sample: "-", files: [file] }, { stdin: stdin() });
  assert.deepEqual([one.longest?.length, one.share], [60, 1]);
  const other = await findCopies({ sample: file, files: ["-"] }, { stdin: stdin() });
  assert.deepEqual([other.longest?.length, other.longest?.inText.file], [60, "-"]);
});

test("Copies are not looked for in an empty or unreadable text, which is an error", async (t) => {
  const folder = await filesOf(t, { empty: "", text: "some text" });
  const [empty, text, none] = ["empty", "text", "none"].map((name) => path.join(folder, name));
  for (const [settings, ...fails] of [
    [{ sample: empty, files: [text] }, "BAD_TEXT", "is empty"],
    [{ sample: text, files: [none] }, "NOT_FOUND", "none"],
    [{ sample: text, files: [] }, "INVALID_SETTING", "No training text"],
    [{ sample: "-", files: ["-"] }, "INVALID_SETTING", "named twice"],
    [{ sample: text, files: [text], atLeast: 0 }, "INVALID_SETTING", "atLeast"],
  ] as const) {
    await assert.rejects(
      findCopies({ ...settings, files: [...settings.files] }),
      failsWith(fails[0], fails[1]),
    );
  }
  const nothing = await findCopies({ sample: text, files: [empty] });
  assert.deepEqual([nothing.longest, nothing.copies, nothing.share], [undefined, [], 0]);
});
