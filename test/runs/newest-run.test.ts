/** Which run is meant where none is named: one rule for all commands. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { findCheckpoint, findReportedRun } from "#src/runs/find-runs.js";
import { readMetrics } from "#src/runs/metrics-reader.js";
import { untrainedWarning } from "#src/runs/newest-run.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { copyRun, dated, NOT_BEGUN, NOT_EVALUATED, reportingRun } from "../helpers/made-runs.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

const STEP = { event: "step", step: 1, epoch: 1, loss: 2.5, learningRate: 0.01, seconds: 0.1 };
const RUN = {
  event: "run",
  step: 0,
  date: "2026-01-01T00:00:00.000Z",
  version: "0.1.0",
  backend: "wasm",
  threads: 1,
  settings: { files: ["a.txt"] },
};

test("Without a name the newest run is taken whose model was evaluated, then one that has taken a step, and none that has not", async (t) => {
  const place = await workplace(t);
  const { out } = place;
  await trained(smallRun(place, { steps: 2, name: "evaluated" }));
  const at = (name: string) => path.join(out, name);
  const both = ["last.safetensors", "metrics.jsonl"];
  await dated(at("evaluated"), 100, ...both, "best.safetensors");
  await dated(await copyRun(at("evaluated"), at("stepped"), NOT_EVALUATED), 200, ...both);
  await dated(await copyRun(at("evaluated"), at("begun"), NOT_BEGUN), 300, ...both);

  assert.equal(
    await findCheckpoint(undefined, out),
    path.join(at("evaluated"), "best.safetensors"),
  );
  assert.equal(await findCheckpoint("begun", out), path.join(at("begun"), "last.safetensors"));

  const others = await temporaryFolder(t);
  await copyRun(at("stepped"), path.join(others, "stepped"), {});
  await copyRun(at("begun"), path.join(others, "begun"), {});
  const taken = path.join(others, "stepped", "last.safetensors");
  assert.equal(await findCheckpoint(undefined, others), taken);

  const none = await temporaryFolder(t);
  await copyRun(at("begun"), path.join(none, "begun"), {});
  await assert.rejects(
    findCheckpoint(undefined, none),
    failsWith("NOT_FOUND", `No run in ${none} has learned anything yet.`, "Name one", "begun"),
  );
});

test("A run is as new as its newest checkpoint or report", async (t) => {
  const place = await workplace(t);
  const { out } = place;
  await trained(smallRun(place, { steps: 2, name: "a" }));
  await copyRun(path.join(out, "a"), path.join(out, "b"), {});
  await dated(path.join(out, "a"), 100, "last.safetensors", "best.safetensors");
  await dated(path.join(out, "a"), 300, "metrics.jsonl");
  await dated(path.join(out, "b"), 200, "last.safetensors", "metrics.jsonl");
  assert.equal(await findCheckpoint(undefined, out), path.join(out, "a", "best.safetensors"));
  assert.equal((await readMetrics(undefined, out)).run.name, "a");
});

test("Without a name the newest run is shown that has reported a step, or where there is none the newest", async (t) => {
  const out = await temporaryFolder(t);
  const make = async (name: string, seconds: number, ...lines: object[]) => {
    await reportingRun(path.join(out, name), RUN, ...lines);
    await dated(path.join(out, name), seconds, "metrics.jsonl");
  };
  await make("older", 100);
  await make("old", 200);
  assert.equal((await findReportedRun(undefined, out)).name, "old");
  await make("stepped", 150, STEP);
  assert.equal((await findReportedRun(undefined, out)).name, "stepped");
});

test("A model that was not evaluated is warned of, by what its run has done", () => {
  assert.equal(untrainedWarning("big", { step: 9, evaluatedAt: 9 }), undefined);
  assert.equal(
    untrainedWarning("big", { step: 0, evaluatedAt: 0 }),
    "The run big has learned nothing yet: it has taken no step.",
  );
  assert.equal(
    untrainedWarning("big", { step: 1, evaluatedAt: 0 }),
    "The run big may have learned very little: it has taken 1 step, and has not been evaluated.",
  );
});
