import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../helpers/folder.js";

const executable = fileURLToPath(new URL("../../bin/charnn.js", import.meta.url));
const sonnets = fileURLToPath(new URL("../../data/shakespeare.txt", import.meta.url));

test("the plain command learns the sonnets to below 1.80 nats/char, and samples repeat", async (t) => {
  const folder = await temporaryFolder(t);
  const charnn = (...args: string[]) =>
    execFileSync(process.execPath, [executable, ...args], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 1e9,
    });
  const events = charnn("train", sonnets, "--json")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const end = events.at(-1);
  assert.equal(end.event, "end");
  assert.ok(end.bestLoss < 1.8, `the best validation loss is ${end.bestLoss}`);

  const sample = () => charnn("sample", "--seed", "i love", "-n", "200", "--random-seed", "1");
  const text = sample();
  assert.equal([...text].length, "i love".length + 200 + "\n".length);
  assert.ok(text.startsWith("i love"));
  assert.equal(sample(), text);
});
