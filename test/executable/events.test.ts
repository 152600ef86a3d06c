/** Checks docs/events.md against what commands print with --json. */
import assert from "node:assert/strict";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { documentedFields, faultsOf, namesIn } from "../helpers/documented-fields.js";
import { charnn, foxFolder, jsonLines, SMALL, sentences } from "../helpers/executable.js";
import { CHARACTERS, foreignTensors, safetensorsOf } from "../helpers/foreign-model.js";
import { slow } from "../helpers/slow.js";

const documented = documentedFields();

/** What a command prints with --json. */
async function printed(t: TestContext, cwd: string, ...args: string[]): Promise<object[]> {
  const { code, stdout, stderr } = await charnn(t, [...args, "--json"], { cwd });
  assert.equal(code, 0, stderr);
  return jsonLines(stdout);
}

/** Fails where objects are not as the page says under a heading, or lack a field that they all must have. */
function assertDocumented(heading: string, objects: readonly object[]): void {
  const fields = documented.get(heading);
  assert.ok(fields, `docs/events.md has no table under ${heading}`);
  assert.ok(objects.length > 0, `nothing to compare with ${heading}`);
  for (const value of objects) {
    const faults: string[] = [...faultsOf(value, fields)];
    assert.deepEqual(faults, [], `${heading}: ${JSON.stringify(value).slice(0, 500)}`);
  }
}

/** Fails where a field that objects are to show is in none of them. */
function assertSeen(objects: readonly object[], ...names: string[]): void {
  const seen = new Set(objects.flatMap((value) => [...namesIn(value)]));
  assert.deepEqual(
    names.filter((name) => !seen.has(name)),
    [],
  );
}

/** Compares each event with the table of its kind, and all of them with the kinds that are to come. */
function assertEvents(events: readonly object[], ...kinds: string[]): void {
  const byKind = new Map<string, object[]>();
  for (const { event, ...fields } of events as { event: string }[]) {
    byKind.set(event, [...(byKind.get(event) ?? []), fields]);
  }
  assert.deepEqual([...byKind.keys()].sort(), kinds.sort());
  for (const [kind, those] of byKind) assertDocumented(kind, those);
}

test("The events of a run, and the lines of its metrics, are as docs/events.md says", async (t) => {
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "windows.txt"), sentences(60).replaceAll("\n", "\r\n"));
  const options = ["--name", "night", "--eval-every", "2", ...SMALL];
  const events = await printed(t, cwd, "train", "windows.txt", ...options, "--test", "0.1");
  const kinds = ["start", "warning", "step", "eval", "sample", "checkpoint", "end"];
  assertEvents(events, ...kinds);
  assertSeen(events, "validationLoss", "bestStep", "testLoss", "counting.loss", "totalSteps");
  const lines = await readFile(path.join(cwd, "checkpoints/night/metrics.jsonl"), "utf8");
  assertEvents(jsonLines(lines), "run", "step", "eval", "sample");
});

test("The result of a cross-validation is as docs/events.md says", async (t) => {
  const cwd = await foxFolder(t);
  const events = await printed(t, cwd, "train", "fox.txt", "--cross-validate", "2", ...SMALL);
  const kinds = ["start", "step", "eval", "sample", "checkpoint", "end", "cross-validation"];
  assertEvents(events, ...kinds);
});

slow("The events of a long text, and of a limited time, are as docs/events.md says", async (t) => {
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "long.txt"), sentences(200_000));
  const events = await printed(t, cwd, "train", "long.txt", "--max-time", "15s");
  const kinds = ["preparing", "start", "step", "eval", "sample", "checkpoint", "end"];
  // The number of steps changes where the machine turns out to be faster or slower than it was in the trial.
  const isReplanned = events.some((it) => "event" in it && it.event === "replan");
  assertEvents(events, ...kinds, ...(isReplanned ? ["replan"] : []));
  assertSeen(events, "choice.reason", "expectedSeconds");
});

slow("What the commands print of a run is as docs/events.md says", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const print = (...args: string[]) => printed(t, cwd, ...args);
  assertDocumented("charnn sample", await print("sample", "fox", "-n", "10", "--count", "2"));
  const best = await print("sample", "fox", "-n", "10", "--best-of", "3", "--all");
  assertDocumented("charnn sample", best);
  assertSeen(best, "bitsPerCharacter", "tries");
  assertDocumented("charnn next", await print("next", "fox", "The qui"));
  const scores = await print("eval", "fox", "fox.txt", "--dynamic");
  assertDocumented("charnn eval", scores);
  assertSeen(scores, "coldStart[].loss", "dynamic.loss", "baselines.counting.loss");
  assertDocumented("charnn score", await print("score", "fox", "fox.txt"));
  assertDocumented("charnn score", await print("score", "fox", "fox.txt", "--lines"));
  assertDocumented("charnn info", await print("info", "fox"));
  assertDocumented("charnn plot", await print("plot", "fox"));
  assertDocumented("charnn info", await print("runs"));
  assertDocumented("charnn runs mv", await print("runs", "mv", "fox", "hare"));
  assertDocumented("charnn runs mv", await print("runs", "mv", "hare", "fox"));
  assertDocumented("charnn export", await print("export", "fox", "--to", "onnx"));
  const page = await print("export", "fox", "--to", "html", "--text", "fox.txt");
  assertDocumented("charnn export", page);
  assertSeen(page, "precision.largest", "precision.loss.after");
  const pages = await print("report", "fox");
  assertDocumented("charnn report", pages);
  assertSeen(pages, "path");
});

slow(
  "What several runs print, and runs that can't be read, is as docs/events.md says",
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const print = (...args: string[]) => printed(t, cwd, ...args);
    await print("train", "fox.txt", "--name", "other", ...SMALL);
    for (const name of ["fox", "other"]) {
      await mkdir(path.join(cwd, "texts", name), { recursive: true });
      await writeFile(path.join(cwd, "texts", name, "a.txt"), "a quick fox\n");
    }
    assertDocumented(
      "charnn score --also",
      await print("score", "fox", "fox.txt", "--also", "other"),
    );
    for (const more of [[], ["--lines"]]) {
      const options = ["--also", "other", "--labels", ...more];
      const objects = await print("score", "fox", "texts", ...options);
      assertDocumented("charnn score --also", objects.slice(0, -1));
      assertDocumented("charnn score --labels", objects.slice(-1));
    }
    const mixing = ["fox.txt", "--also", "other", "--mix", "0.7,0.3"];
    const ofMixture = await print("eval", "fox", ...mixing);
    assertDocumented("charnn eval", ofMixture);
    assertSeen(ofMixture, "members[].share");
    assertDocumented("charnn score", await print("score", "fox", ...mixing));
    assertDocumented("charnn runs diff", await print("runs", "diff", "fox", "other"));
    await cp(path.join(cwd, "checkpoints/other"), path.join(cwd, "checkpoints/more"), {
      recursive: true,
    });
    assertDocumented("charnn runs rm", await print("runs", "rm", "more", "--yes"));
    await writeFile(path.join(cwd, "checkpoints/other/last.safetensors"), "damaged");
    await writeFile(path.join(cwd, "checkpoints/other/best.safetensors"), "damaged");
    const runs = await print("info");
    assertDocumented("charnn info", runs);
    assertSeen(runs, "error", "progress.bestLoss");
  },
);

test("What is found of copies is as docs/events.md says", async (t) => {
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "sample.txt"), "fox number 3 jumps over the lazy cat");
  const found = await printed(t, cwd, "copies", "sample.txt", "fox.txt", "--at-least", "5");
  assertDocumented("charnn copies", found);
  assertSeen(found, "longest.inText.column", "copies[].inSample.line");
  await writeFile(path.join(cwd, "sample.txt"), "####");
  assertDocumented("charnn copies", await printed(t, cwd, "copies", "sample.txt", "fox.txt"));
});

slow("What the commands print of the machine is as docs/events.md says", async (t) => {
  const cwd = await foxFolder(t);
  const found = await printed(t, cwd, "doctor");
  assertDocumented("charnn doctor", found);
  assertSeen(found, "backends[].trainGflops", "defaultThreads.why");
  const model = ["--hidden-size", "8", "--steps", "3"];
  assertDocumented("charnn bench", await printed(t, cwd, "bench", ...model));
});

test("What an import prints and reports is as docs/events.md says", async (t) => {
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "weights.safetensors"), safetensorsOf(foreignTensors()));
  await writeFile(path.join(cwd, "chars.json"), JSON.stringify(CHARACTERS));
  const args = ["weights.safetensors", "--vocabulary", "chars.json", "--name", "torch"];
  assertDocumented("charnn import", await printed(t, cwd, "import", ...args));
  const lines = await readFile(path.join(cwd, "checkpoints/torch/metrics.jsonl"), "utf8");
  assertEvents(jsonLines(lines), "import");
  const info = await printed(t, cwd, "info", "torch");
  assertDocumented("charnn info", info);
  assertSeen(info, "config.imported", "settings.weights");
});

test("docs/events.md has no table that these tests don't look at", () => {
  const events =
    "preparing start replan warning step eval sample checkpoint end cross-validation run import";
  const commands =
    "sample,next,eval,score,score --also,score --labels,copies,info,runs rm,runs mv,runs diff,plot,report,export,import,doctor,bench";
  assert.deepEqual(
    [...documented.keys()].sort(),
    [...events.split(" "), ...commands.split(",").map((it) => `charnn ${it}`)].sort(),
  );
});
