import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { readLines } from "#src/files/read-lines.js";
import fc from "../helpers/fast-check.js";
import { temporaryFolder } from "../helpers/folder.js";

async function linesOf(file: string, longest: number, from = 0) {
  const all = [];
  for await (const lines of readLines(file, { longest, from })) {
    for (const { bytes, ...line } of lines) all.push({ ...line, text: bytes?.toString() });
  }
  return all;
}

test("lines are read as they are, but for those that are too long", async (t) => {
  const file = path.join(await temporaryFolder(t), "file");
  const line = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ unit: "grapheme", maxLength: 9 }),
  );
  const whole = fc.array(
    line.map((text) => text.replaceAll("\n", " ")),
    { maxLength: 20 },
  );
  const property = fc.asyncProperty(
    whole,
    fc.integer({ min: 1, max: 40 }),
    async (texts, longest) => {
      const text = texts.join("\n");
      await writeFile(file, text);
      let start = 0;
      const expected = texts.map((own, k) => {
        const isWhole = k < texts.length - 1;
        const length = Buffer.byteLength(own);
        const line = {
          text: length > longest ? undefined : own,
          start,
          end: start + length,
          isWhole,
        };
        if (isWhole) line.end++;
        start = line.end;
        return line;
      });
      // What follows the last line end is a line unless there is nothing.
      if (expected.at(-1)?.text === "") expected.pop();
      assert.deepEqual(await linesOf(file, longest), expected);
      const last = expected.at(-1);
      if (last) assert.deepEqual(await linesOf(file, longest, last.start), [last]);
    },
  );
  await fc.assert(property, { numRuns: 200 });
});
