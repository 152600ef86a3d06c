import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { COMPRESSORS, compressedSizes } from "#src/baselines/compressors.js";
import { readTexts } from "#src/data/texts.js";
import { temporaryFolder } from "../helpers/folder.js";
import { isWindows } from "../helpers/system.js";
import { inventedText } from "../helpers/training.js";

async function textOf(t: TestContext, content: string) {
  const file = path.join(await temporaryFolder(t), "text.txt");
  await writeFile(file, content);
  const { texts } = await readTexts([file], {
    encoding: "utf-8",
    rewriting: undefined,
    joined: true,
  });
  return { file, text: texts[0] };
}

test("the compressors' figures are those of their own output", async (t) => {
  // More than a pipe holds, and characters of several bytes.
  const { file, text } = await textOf(t, `${inventedText(300_000)}é€😀`);
  const sizes = await compressedSizes(text);
  for (const name of COMPRESSORS) {
    let bytes: number | undefined;
    try {
      bytes = execFileSync(name, ["-9", "-c"], { input: await readFile(file) }).length;
    } catch {
      // It is not on this system.
    }
    assert.equal(sizes[name], bytes && (8 * bytes) / text.numbers.length, name);
  }
  // Windows brings none of them.
  if (!isWindows) assert.ok(Object.values(sizes).some((size) => size !== undefined));
});

test("a compressor that is missing has no figure", async (t) => {
  const { PATH } = process.env;
  process.env.PATH = "";
  try {
    const { text } = await textOf(t, "nothing to see");
    assert.deepEqual(
      Object.values(await compressedSizes(text)),
      COMPRESSORS.map(() => undefined),
    );
  } finally {
    process.env.PATH = PATH;
  }
});
