/** `charnn import`, and what the run that it makes can do. */
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { charnn, filesIn, foxFolder, jsonLines, SMALL, sentences } from "../helpers/executable.js";
import { foreignTensors, SMALL_MODEL, safetensorsOf } from "../helpers/foreign-model.js";
import { slow } from "../helpers/slow.js";

const MODEL = { ...SMALL_MODEL, layers: 2, hiddenSize: 12 };
const IMPORT = ["import", "weights.safetensors", "--vocabulary", "chars.json", "--name", "torch"];

/** A folder with a text, and the weights and characters of a model that knows it. */
async function weightsFolder(t: TestContext): Promise<string> {
  const cwd = await foxFolder(t);
  const characters = [...new Set(sentences(60))].sort().reverse();
  const weights = foreignTensors({ ...MODEL, vocabularySize: characters.length });
  await writeFile(path.join(cwd, "weights.safetensors"), safetensorsOf(weights));
  await writeFile(path.join(cwd, "chars.json"), JSON.stringify(characters));
  return cwd;
}

async function importedFolder(t: TestContext): Promise<string> {
  const cwd = await weightsFolder(t);
  const { code, stderr } = await charnn(t, IMPORT, { cwd });
  assert.equal(code, 0, stderr);
  return cwd;
}

test("An import prints the checkpoint, and says what the model is and what to type next", async (t) => {
  const cwd = await weightsFolder(t);
  const { code, stdout, stderr } = await charnn(t, [...IMPORT, "--out", "models"], { cwd });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `${path.join("models", "torch", "last.safetensors")}\n`);
  assert.match(stderr, /^GRU 2x12, \d+ characters, [\d,]+ parameters\.$/m);
  assert.match(stderr, /^To write: charnn sample torch --out models$/m);
  assert.deepEqual((await readdir(path.join(cwd, "models", "torch"))).sort(), [
    "last.safetensors",
    "metrics.jsonl",
  ]);
});

slow("Every command that reads a model takes an imported one, and none warns of it", async (t) => {
  const cwd = await importedFolder(t);
  for (const [line, says] of [
    ["sample torch -n 20 --seed fox", /^fox[\s\S]{20}\n$/],
    ["eval torch fox.txt", /^bits per character +\d/m],
    ["score torch fox.txt --lines", /^\d\.\d{3}\tThe quick/m],
    ["next torch fox --top 3", /%/],
    ["info torch --json", /"imported":true/],
    ["runs", /^torch +.*imported/m],
    ["runs --sort loss", /^torch +.*not known/m],
    ["report torch --text fox.txt", /torch-report\.html/],
  ] as const) {
    const { code, stdout, stderr } = await charnn(t, line.split(" "), { cwd });
    assert.equal(code, 0, `${line}\n${stderr}`);
    assert.match(stdout, says, line);
    assert.doesNotMatch(stderr, /Warning/, line);
  }
});

slow("The run that is taken where none is named may be an imported one", async (t) => {
  const cwd = await importedFolder(t);
  const { code, stdout, stderr } = await charnn(t, ["sample", "-n", "5", "--seed", "fox"], { cwd });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^fox[\s\S]{5}\n$/);
  const { stdout: list } = await charnn(t, ["info"], { cwd });
  assert.match(list, /^torch .*GRU 2x12 .*not known .*imported .*<- sample takes this$/m);
});

test("What is shown of an imported run is where it comes from, and nothing that is not known", async (t) => {
  const cwd = await importedFolder(t);
  const { stdout } = await charnn(t, ["info", "torch"], { cwd });
  assert.match(stdout, /^state +imported, saved/m);
  assert.match(
    stdout,
    /^imported +from weights\.safetensors, \d{4}-\d\d-\d\d \d\d:\d\d UTC, charnn /m,
  );
  assert.match(
    stdout,
    /^command +charnn import weights\.safetensors --vocabulary chars\.json --name torch$/m,
  );
  assert.doesNotMatch(stdout, /^(?:steps|text|held-out loss|optimizer|batches|random seed) /m);
});

slow("A report of an imported run shows the model, and that its loss is not known", async (t) => {
  const cwd = await importedFolder(t);
  const { code, stderr } = await charnn(t, ["report", "torch"], { cwd });
  assert.equal(code, 0, stderr);
  const page = await readFile(path.join(cwd, "torch-report.html"), "utf8");
  assert.match(page, /trained elsewhere and imported: its loss is not known/);
  assert.match(page, /<dt>from<\/dt><dd>weights\.safetensors<\/dd>/);
  assert.match(
    page.replaceAll(/<.*?>/g, ""),
    /charnn import weights\.safetensors --vocabulary chars\.json --name torch/,
  );
  assert.match(page, /GRU 2x12/);
  const body = page.slice(page.indexOf("<main"), page.indexOf("</main>"));
  assert.doesNotMatch(body, /"row">(?:learning rate|batch size|trained on)|There is no loss yet/);
  assert.doesNotMatch(page, /href="#(?:curves|samples|training)"/);
});

slow(
  "A training can begin with the weights of an imported run, and goes on being one of charnn's",
  async (t) => {
    const cwd = await importedFolder(t);
    const steps = ["--steps", "5", "--json"];
    const args = ["train", "fox.txt", "--init-from", "torch", "--name", "tuned", ...steps];
    const { code, stdout, stderr } = await charnn(t, args, { cwd });
    assert.equal(code, 0, stderr);
    const [start] = jsonLines(stdout).filter(({ event }) => event === "start");
    const { vocabularySize, ...shape } = start.config.model;
    const { vocabularySize: _, ...expected } = MODEL;
    assert.deepEqual(shape, expected);
    assert.equal(start.config.imported, undefined);
    assert.ok(start.config.training.learningRate > 0 && start.config.training.learningRate < 0.01);
    const again = ["train", "fox.txt", "--name", "tuned", "--resume", "--steps", "8"];
    const resumed = await charnn(t, again, { cwd });
    assert.equal(resumed.code, 0, resumed.stderr);
  },
);

slow("An import that can't be is refused in two lines, and changes nothing", async (t) => {
  const cwd = await importedFolder(t);
  const before = await filesIn(cwd);
  for (const [line, exitCode, ...says] of [
    [
      "import fox.txt --vocabulary chars.json",
      1,
      "fox.txt can't be used",
      "not a safetensors file",
    ],
    ["import weights.safetensors", 2, "--vocabulary"],
    ["import weights.safetensors --vocabulary fox.txt", 1, "fox.txt can't be used", "twice"],
    ["import nosuch.safetensors --vocabulary chars.json", 1, "nosuch.safetensors"],
    [IMPORT.join(" "), 1, "There is a run torch already", "--overwrite"],
    ["import weights.safetensors --vocabulary chars.json --name a/b", 2, "slashes"],
    ["train fox.txt --name torch --resume", 1, "torch was imported", "--init-from torch"],
    ["eval torch fox.txt --dynamic", 2, "Dynamic evaluation", "--init-from"],
    ["import", 2, "'weights'", "charnn import weights.safetensors"],
    ["import weights.safetensors --vocabulry chars.json", 2, "Did you mean --vocabulary?"],
  ] as const) {
    const { code, stdout, stderr } = await charnn(t, line.split(" "), { cwd });
    assert.deepEqual([code, stdout], [exitCode, ""], `${line}\n${stderr}`);
    assert.match(stderr, /^Error: [^\n]+\n(?:[^\n]+\n)?$/, line);
    for (const part of says) assert.ok(stderr.includes(part), `${line}: ${stderr}`);
  }
  assert.deepEqual(await filesIn(cwd), before);
});

slow(
  "Imported runs are no runs on one text: none is pruned for another, nor compared by its loss",
  async (t) => {
    const cwd = await importedFolder(t);
    const other = { ...MODEL, vocabularySize: SMALL_MODEL.vocabularySize };
    await writeFile(path.join(cwd, "other.safetensors"), safetensorsOf(foreignTensors(other)));
    await writeFile(path.join(cwd, "letters.txt"), "abcde");
    const args = ["import", "other.safetensors", "--vocabulary", "letters.txt", "--name", "other"];
    assert.equal((await charnn(t, args, { cwd })).code, 0);
    await charnn(t, ["train", "fox.txt", "--name", "fox", ...SMALL], { cwd });
    const prune = await charnn(t, ["runs", "prune", "--keep-best", "1", "--yes"], { cwd });
    assert.equal(prune.code, 0, prune.stderr);
    assert.deepEqual((await readdir(path.join(cwd, "checkpoints"))).sort(), [
      "fox",
      "other",
      "torch",
    ]);
    const { stdout, code } = await charnn(t, ["runs", "diff", "torch", "fox", "--json"], { cwd });
    assert.equal(code, 0);
    const [diff] = jsonLines(stdout);
    assert.equal(diff.isSameText, false);
    assert.equal(diff.settings["batch-size"][0], null);
  },
);
