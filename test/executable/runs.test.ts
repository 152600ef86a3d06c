/** `charnn runs` and its own commands. */
import assert from "node:assert/strict";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { charnn, foxFolder, jsonLines, SMALL } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { copyRun, dated } from "../helpers/made-runs.js";
import { openScreen, withTmux } from "../helpers/screen.js";
import { slow } from "../helpers/slow.js";

/** Runs on one text that differ in their losses, from the newest to the oldest, and one on another text. */
async function folderOfRuns(t: TestContext): Promise<string> {
  const cwd = await foxFolder(t, { trained: true });
  const runs = path.join(cwd, "checkpoints");
  for (const [name, bestLoss, at] of [
    ["b-best", 1.5, 100],
    ["c-middle", 2, 300],
    ["a-worst", 2.5, 200],
  ] as const) {
    const folder = await copyRun(path.join(runs, "fox"), path.join(runs, name), { bestLoss });
    await dated(folder, at, "last.safetensors", "metrics.jsonl");
  }
  await writeFile(path.join(cwd, "digits.txt"), "0123456789\n".repeat(200));
  const args = ["train", "digits.txt", "--name", "digits", "--cell", "lstm", ...SMALL];
  assert.equal((await charnn(t, args, { cwd })).code, 0);
  return cwd;
}

const namesOf = (json: string) => jsonLines(json).map(({ name }) => name);

slow("runs lists all runs by date, loss or name", async (t) => {
  const cwd = await folderOfRuns(t);
  const list = async (...args: string[]) => {
    const { code, stdout, stderr } = await charnn(t, ["runs", ...args], { cwd });
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout;
  };
  const byDate = ["digits", "fox", "c-middle", "a-worst", "b-best"];
  assert.deepEqual(namesOf(await list("--json")), byDate);
  assert.deepEqual(namesOf(await list("--sort", "date", "--json")), byDate);
  const byName = ["a-worst", "b-best", "c-middle", "digits", "fox"];
  assert.deepEqual(namesOf(await list("--sort", "name", "--json")), byName);
  const losses = jsonLines(await list("--sort", "loss", "--json")).map(
    (it) => it.progress.bestLoss,
  );
  assert.equal(losses.length, 5);
  assert.deepEqual(losses, losses.toSorted());
  assert.equal(await list(), (await charnn(t, ["info"], { cwd })).stdout);
});

slow("runs rm removes what is named, and only in the folder that is named", async (t) => {
  const cwd = await folderOfRuns(t);
  const runs = path.join(cwd, "checkpoints");
  await cp(runs, path.join(cwd, "models"), { recursive: true });
  const rm = (...args: string[]) => charnn(t, ["runs", "rm", ...args], { cwd });

  const asked = await rm("fox", "digits");
  assert.deepEqual([asked.code, asked.stdout], [2, ""]);
  assert.match(asked.stderr, /To be removed: 2 runs, \d+ [kM]B: fox, digits\n/);
  assert.match(asked.stderr, /no terminal to ask on\.\n.*charnn runs rm fox digits --yes$/m);
  assert.equal((await readdir(runs)).length, 5);

  // One that is not there keeps all others from being removed.
  assert.equal((await rm("fox", "fix", "--yes")).code, 1);
  await writeFile(path.join(runs, "a-worst", "notes.txt"), "mine");
  const foreign = await rm("fox", "a-worst", "--yes");
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /"notes\.txt"/);
  assert.equal((await readdir(runs)).length, 5);

  for (const args of [
    ["runs", "rm", "fox", "--yes", "--out", "models"],
    ["runs", "--out", "models", "rm", "d*s", "c-?iddle", "-y"],
  ]) {
    const { code, stderr } = await charnn(t, args, { cwd });
    assert.equal(code, 0, stderr);
  }
  assert.deepEqual((await readdir(path.join(cwd, "models"))).sort(), ["a-worst", "b-best"]);
  assert.equal((await readdir(runs)).length, 5);

  const json = await rm("fox", "checkpoints/digits", "fox", "-y", "--json");
  assert.deepEqual([json.code, namesOf(json.stdout)], [0, ["fox", "digits"]]);
  assert.deepEqual((await readdir(runs)).sort(), ["a-worst", "b-best", "c-middle"]);
  const none = await rm("z*", "--yes");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /There is no run "z\*"/);
});

slow("runs rm asks on a terminal", withTmux, async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  for (const [answer, says, left] of [
    ["n", /Nothing was removed/, ["fox"]],
    ["y", /Removed checkpoints/, []],
  ] as const) {
    const screen = await openScreen(t, ["runs", "rm", "fox"], { cwd, columns: 100 });
    await screen.shows(/To be removed: 1 run, .*: fox\s+Continue\? \[y\/N\]/);
    screen.press(answer);
    screen.press("Enter");
    await screen.shows(says);
    assert.deepEqual(await readdir(path.join(cwd, "checkpoints")), left);
    screen.close();
  }
});

slow("runs mv gives a run another name, by which it is resumed", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const mv = (...args: string[]) => charnn(t, ["runs", "mv", ...args], { cwd });
  const moved = await mv("fox", "hare", "--json");
  assert.equal(moved.code, 0, moved.stderr);
  const [{ from, path: to }] = jsonLines(moved.stdout);
  assert.deepEqual([path.basename(from), path.basename(to)], ["fox", "hare"]);
  const shown = await charnn(t, ["info", "hare"], { cwd });
  assert.match(shown.stdout, /^command +\S.* --name hare\b/m);
  assert.doesNotMatch(shown.stdout, /--name fox/);
  const args = ["train", "fox.txt", "--name", "hare", "--resume", "--steps", "6", "--json"];
  const resumed = await charnn(t, args, { cwd });
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(jsonLines(resumed.stdout).at(-1).step, 6);
  assert.equal((await mv("fox", "wolf")).code, 1);
  assert.equal((await mv("hare", "a?")).code, 2);
  const said = await mv("hare", "fox");
  assert.match(said.stderr, /^Renamed .*hare to .*fox\.\n$/);
});

slow("runs prune keeps the best runs of each text", async (t) => {
  const cwd = await folderOfRuns(t);
  const runs = path.join(cwd, "checkpoints");
  const prune = (...args: string[]) => charnn(t, ["runs", "prune", ...args], { cwd });
  assert.equal((await prune("--yes")).code, 2);
  assert.equal((await prune("--keep-best", "0", "--yes")).code, 2);
  const asked = await prune("--keep-best", "2");
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /To be removed: 2 runs, .*: (?:a-worst, fox|fox, a-worst)\n/);
  await writeFile(path.join(runs, "fox", "notes.txt"), "mine");
  await mkdir(path.join(runs, "damaged"));
  await writeFile(path.join(runs, "damaged", "last.safetensors"), "damaged");
  const { code, stdout, stderr } = await prune("--keep-best", "2", "--yes", "--json");
  assert.deepEqual([code, namesOf(stdout)], [0, ["a-worst"]]);
  assert.match(stderr, /^Warning: .*damaged.* It stays\.$/m);
  assert.match(stderr, /^Warning: .*fox has something in it.*"notes\.txt"/m);
  const left = (await readdir(runs)).sort();
  assert.deepEqual(left, ["b-best", "c-middle", "damaged", "digits", "fox"]);
  assert.match((await prune("--keep-best", "9", "--yes")).stderr, /There is nothing to remove/);
});

slow("runs diff shows settings and results that differ", async (t) => {
  const cwd = await folderOfRuns(t);
  const diff = (...args: string[]) => charnn(t, ["runs", "diff", ...args], { cwd });
  const { code, stdout, stderr } = await diff("fox", "digits");
  assert.equal(code, 0);
  assert.match(stdout, /^ +fox +digits$/m);
  assert.match(stdout, /^cell +GRU +LSTM$/m);
  assert.match(stdout, /^held-out loss +\d\.\d{4} +\d\.\d{4}$/m);
  assert.doesNotMatch(stdout, /hidden size/);
  assert.match(stderr, /different texts: their losses can't be compared/);

  const [facts] = jsonLines((await diff("fox", "digits", "--json")).stdout);
  assert.deepEqual(facts.runs, ["fox", "digits"]);
  assert.equal(facts.isSameText, false);
  // Their texts are read a different number of times, by which charnn sets what is not given.
  const { "ngram-dropout": _, "eval-every": __, ...settings } = facts.settings;
  assert.deepEqual(settings, { cell: ["gru", "lstm"] });
  assert.ok(facts.results.bestLoss[0] > 0 && facts.results.bestLoss[1] > 0);

  const same = await diff("b-best", "a-worst");
  assert.match(same.stdout, /^held-out loss +1\.5000 +2\.5000$/m);
  assert.equal(same.stderr, "No setting differs.\n");
  assert.equal((await diff("fox", "fix")).code, 1);
});

test("What is not a command of runs is answered by the one that is", async (t) => {
  const cwd = await temporaryFolder(t);
  for (const [line, says] of [
    ["runs remove a", /^Did you mean charnn runs rm\?$/m],
    ["runs prun", /^Did you mean charnn runs prune\?$/m],
    ["rm night", /^Did you mean charnn runs rm\?$/m],
    ["ls", /^Did you mean charnn runs\?$/m],
    ["runs night", /^charnn runs --help/m],
    ["runs rm", /^For example: charnn runs rm night$/m],
    ["runs rm a --yess", /^Did you mean --yes\?$/m],
    ["runs mv a b --nonsense", /^charnn runs mv --help/m],
    ["runs mv a b --version", /^charnn --version prints the version\.$/m],
  ] as const) {
    const { code, stdout, stderr } = await charnn(t, line.split(" "), { cwd });
    assert.deepEqual([code, stdout], [2, ""], line);
    assert.match(stderr, says, line);
  }
});
