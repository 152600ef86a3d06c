/** The campaign's own options, and the sums of what several sittings came to. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../helpers/folder.js";
import { numbersTo, partOf } from "./campaign.js";
import { readOptions, UsageError } from "./options.js";
import { addedTo, type Figures, tableOf } from "./totals.js";

const MAIN = fileURLToPath(new URL("main.js", import.meta.url));

function campaign(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", timeout: 60_000 });
}

test("the campaign lists its kinds, and an --only that is in none of them is refused", () => {
  const { status, stdout } = campaign("--list");
  assert.equal(status, 0);
  assert.match(stdout, /^full disk$/m);
  const { status: wrong, stderr } = campaign("--only", "disk", "--only", "flood");
  assert.equal(wrong, 2, stderr);
  assert.match(
    stderr,
    /^Error: --only "flood" is in the name of no kind\. .*:\n {2}kills at random/,
  );
});

test("options of the campaign that make no sense are refused", () => {
  for (const args of [
    ["--part", "0/4"],
    ["--part", "5/4"],
    ["--part", "2"],
    ["--seed", "x"],
  ]) {
    assert.throws(() => readOptions(args), UsageError, `${args}`);
  }
  assert.throws(() => readOptions(["--lng"]), UsageError);
  assert.deepEqual(readOptions(["--part", "2/4"]).part, { index: 2, of: 4 });
});

test("the parts of a campaign are all of its cases, each once", () => {
  const parts = numbersTo(3).map((index) => partOf({ part: { index, of: 3 } }, numbersTo(8)));
  assert.deepEqual(parts, [
    [1, 4, 7],
    [2, 5, 8],
    [3, 6],
  ]);
});

test("figures of several sittings are added up, a part that is tried again once", async (t) => {
  const file = path.join(await temporaryFolder(t), "totals.jsonl");
  const first: Figures = {
    ...{ kind: "full disk", tried: 5, survived: 4, seconds: 40, skipped: undefined },
    ...{ failures: ["one"], seed: 1, long: true, part: "1/2" },
  };
  await addedTo(file, [first]);
  await addedTo(file, [{ ...first, survived: 5, failures: [] }]);
  const sums = await addedTo(file, [
    { ...first, part: "2/2", tried: 6, survived: 6, failures: [] },
  ]);
  const [{ tried, survived, failures }] = sums;
  assert.deepEqual([sums.length, tried, survived, failures], [1, 11, 11, []]);
  assert.match(tableOf(sums), /^\| full disk \| 11 \| 11 \| 1 min 20 s \|$/m);
});
