import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { it } from "node:test";
import { readTexts } from "#src/data/texts.js";
import { COMPRESSORS, compressedSizes } from "#src/scoring/compressors.js";
import { inventedText } from "../helpers/training.js";

async function textOf(content: string) {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "charnn-test-")), "text.txt");
  writeFileSync(file, content);
  const { texts } = await readTexts([file], "utf-8", true);
  return { file, text: texts[0] };
}

it("the compressors' figures are those of their own output", async () => {
  // More than a pipe holds, and characters of several bytes.
  const { file, text } = await textOf(`${inventedText(300_000)}é€😀`);
  const sizes = await compressedSizes(text);
  for (const name of COMPRESSORS) {
    let bytes: number | undefined;
    try {
      bytes = execFileSync(name, ["-9", "-c"], { input: execFileSync("cat", [file]) }).length;
    } catch {
      // It is not on this system.
    }
    assert.equal(sizes[name], bytes && (8 * bytes) / text.numbers.length, name);
  }
  assert.ok(Object.values(sizes).some((size) => size !== undefined));
});

it("a compressor that is missing has no figure", async () => {
  const { PATH } = process.env;
  process.env.PATH = "";
  try {
    const { text } = await textOf("nothing to see");
    assert.deepEqual(
      Object.values(await compressedSizes(text)),
      COMPRESSORS.map(() => undefined),
    );
  } finally {
    process.env.PATH = PATH;
  }
});
