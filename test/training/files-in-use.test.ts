/** Training on Windows beside programs that have the run's files open, as another system plays it. */
import assert from "node:assert/strict";
import { constants, readFileSync } from "node:fs";
import fileSystem from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { type TestContext, test } from "node:test";
import timers from "node:timers/promises";
import { readCheckpointFacts } from "#src/checkpoint/checkpoint.js";
import type { TrainingEvent } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import { playSystem, systemError } from "../helpers/fake-system.js";
import {
  afterStep,
  endOf,
  fileOf,
  only,
  smallRun,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

/**
 * Plays Windows, where files whose names begin so can't be replaced, removed or added to while that is in
 * the set.
 */
function onWindows(t: TestContext, code = "EPERM"): Set<string> {
  const open = new Set<string>();
  const refuse = (file: unknown) => {
    const name = path.basename(String(file));
    if ([...open].some((beginning) => name.startsWith(beginning))) throw systemError(code);
  };
  const { open: openFile, rename, unlink } = fileSystem;
  t.mock.method(
    fileSystem,
    "open",
    async (file: string, flags?: number | string, mode?: number) => {
      if (Number(flags) & constants.O_APPEND) refuse(file);
      return openFile(file, flags, mode);
    },
  );
  t.mock.method(fileSystem, "rename", async (from: string, to: string) => {
    refuse(to);
    await rename(from, to);
  });
  t.mock.method(fileSystem, "unlink", async (file: string) => {
    refuse(file);
    await unlink(file);
  });
  t.mock.method(timers, "setTimeout", async () => {});
  playSystem(t, "win32");
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return open;
}

function warnings(events: readonly TrainingEvent[]): string[] {
  return only(events, "warning").map(({ message }) => message);
}

test("A run goes on where a program has its last checkpoint open at a save, and ends with the same bytes", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 6, saveEvery: 1 });
  await trained({ ...settings, name: "free" });
  const open = onWindows(t);
  const events = await trained(settings, (event) => {
    if (afterStep(2)(event)) open.add("last.safetensors");
    if (afterStep(4)(event)) open.clear();
    return false;
  });
  assert.equal(warnings(events).length, 2);
  for (const message of warnings(events)) {
    assert.match(message, /last\.safetensors can't be written: another program has it open/);
    assert.match(message, /Training continues, and the next save tries again\.$/);
  }
  const saved = only(events, "checkpoint").filter(({ kind }) => kind === "last");
  assert.deepEqual(
    saved.map(({ step }) => step),
    [1, 4, 5, 6],
  );
  const [free, held] = await Promise.all(
    ["free", "run"].map((name) => fileOf(place, name, "last.safetensors")),
  );
  assert.ok(held.equals(free));
});

test("A run whose last checkpoint is open when it ends is an error, and is resumed once it is closed", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 6, saveEvery: 1 });
  await trained({ ...settings, name: "free" });
  const open = onWindows(t);
  const run = trained(settings, (event) => {
    if (afterStep(3)(event)) open.add("last.safetensors");
    return false;
  });
  await assert.rejects(run, failsWith("NOT_WRITABLE", "another program has it open"));
  const { progress } = await readCheckpointFacts(path.join(place.out, "run", "last.safetensors"));
  assert.equal(progress.step, 2);
  open.clear();
  assert.equal(endOf(await trained({ ...settings, resume: true })).step, 6);
  const [free, held] = await Promise.all(
    ["free", "run"].map((name) => fileOf(place, name, "last.safetensors")),
  );
  assert.ok(held.equals(free));
});

for (const code of ["EBUSY", "ENOENT", "EIO"]) {
  test(`A best checkpoint that can't be copied (${code}) does not keep the last one from being saved`, async (t) => {
    const place = await workplace(t);
    t.mock.method(fileSystem, "copyFile", () => Promise.reject(systemError(code)));
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const events = await trained(smallRun(place, { steps: 6, evalEvery: 3, keep: 1 }));
    assert.deepEqual(warnings(events), []);
    const [best, last, step] = await Promise.all(
      ["best", "last", "step-6"].map((name) => fileOf(place, "run", `${name}.safetensors`)),
    );
    assert.ok(last.equals(best) && step.equals(best));
    assert.equal(
      (await readCheckpointFacts(path.join(place.out, "run", "last.safetensors"))).progress.step,
      6,
    );
  });
}

for (const keep of [0, 1]) {
  test(`A best checkpoint that is open waits as that of its step, with --keep ${keep}`, async (t) => {
    const place = await workplace(t);
    const settings = smallRun(place, { steps: 9, evalEvery: 3, keep });
    await trained({ ...settings, name: "free" });
    const open = onWindows(t);
    const events = await trained(settings, (event) => {
      if (afterStep(4)(event)) open.add("best.safetensors");
      if (afterStep(8)(event)) open.clear();
      return false;
    });
    assert.match(warnings(events)[0], /best\.safetensors can't be written: another program/);
    for (const name of ["best", "last"]) {
      const [free, held] = await Promise.all(
        ["free", "run"].map((run) => fileOf(place, run, `${name}.safetensors`)),
      );
      assert.ok(held.equals(free), name);
    }
    const files = await Promise.all(
      ["free", "run"].map((run) => fileSystem.readdir(path.join(place.out, run))),
    );
    assert.deepEqual(files[1], files[0]);
  });
}

test("A best checkpoint that is open to the end is put in its place when the run is resumed", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 6, evalEvery: 3 });
  await trained({ ...settings, name: "free" });
  const open = onWindows(t);
  const run = trained(settings, (event) => {
    if (afterStep(4)(event)) open.add("best.safetensors");
    return false;
  });
  await assert.rejects(run, failsWith("NOT_WRITABLE", "best.safetensors"));
  const best = path.join(place.out, "run", "best.safetensors");
  assert.equal((await readCheckpointFacts(best)).progress.step, 3);
  open.clear();
  assert.equal(endOf(await trained({ ...settings, resume: true })).reason, "done");
  const [free, held] = await Promise.all(
    ["free", "run"].map((name) => fileOf(place, name, "best.safetensors")),
  );
  assert.ok(held.equals(free));
  assert.ok(!(await fileSystem.readdir(path.dirname(best))).includes("step-6.safetensors"));
});

test("A checkpoint of a step that is open is removed later", async (t) => {
  const place = await workplace(t);
  const open = onWindows(t);
  open.add("step-2.safetensors");
  const settings = smallRun(place, { steps: 6, evalEvery: 2, keep: 1 });
  const events = await trained(settings, (event) => {
    if (afterStep(5)(event)) open.clear();
    return false;
  });
  assert.match(warnings(events)[0], /step-2\.safetensors can't be written/);
  const files = await fileSystem.readdir(path.join(place.out, "run"));
  assert.deepEqual(
    files.filter((name) => name.startsWith("step")),
    ["step-6.safetensors"],
  );
});

/** What the metrics of a run say, but for times, its name, and how it was begun. */
function metricsOf({ out }: Workplace, name: string): string[] {
  const lines = readFileSync(path.join(out, name, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const { seconds, charsPerSecond, date, settings, name: _, ...facts } = JSON.parse(line);
    return JSON.stringify(facts);
  });
}

test("Metrics that are open to the last step are written at the end, with a warning before", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 6, evalEvery: 2 });
  await trained({ ...settings, name: "free" });
  const open = onWindows(t);
  const events = await trained(settings, (event) => {
    if (afterStep(2)(event)) open.add("metrics.jsonl");
    if (event.event === "end") open.clear();
    return false;
  });
  assert.equal(warnings(events).length, 1);
  assert.match(warnings(events)[0], /metrics\.jsonl can't be written: another program has it open/);
  assert.match(warnings(events)[0], /what the file lacks is written when it is closed\.$/);
  assert.deepEqual(metricsOf(place, "run"), metricsOf(place, "free"));
});

test("Metrics that are closed again are written by and by, in order", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 6, evalEvery: 2 });
  await trained({ ...settings, name: "free" });
  const open = onWindows(t);
  const now = performance.now.bind(performance);
  let later = 0;
  t.mock.method(performance, "now", () => now() + later);
  let written: readonly string[] = [];
  await trained(settings, (event) => {
    if (afterStep(2)(event)) open.add("metrics.jsonl");
    if (afterStep(4)(event)) {
      open.clear();
      later = 60_000;
    }
    if (afterStep(6)(event)) written = metricsOf(place, "run");
    return false;
  });
  const free = metricsOf(place, "free");
  assert.ok(written.length > 4);
  assert.deepEqual(written, free.slice(0, written.length));
  assert.deepEqual(metricsOf(place, "run"), free);
});

test("Metrics that are open when the run ends are an error, of a run whose weights are saved", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 4 });
  await trained({ ...settings, name: "free" });
  const open = onWindows(t);
  const run = trained(settings, (event) => {
    if (afterStep(2)(event)) open.add("metrics.jsonl");
    return false;
  });
  await assert.rejects(run, failsWith("NOT_WRITABLE", "metrics.jsonl", "another program has it"));
  const [free, held] = await Promise.all(
    ["free", "run"].map((name) => fileOf(place, name, "last.safetensors")),
  );
  assert.ok(held.equals(free));
});

const EVENT_FILE = "events.out.tfevents";

/** What a run's files for TensorBoard hold of the steps of a text, but for times. */
async function eventsOf({ out }: Workplace, name: string): Promise<string[]> {
  const folder = path.join(out, name);
  const files = (await fileSystem.readdir(folder)).filter((file) => file.startsWith(EVENT_FILE));
  assert.equal(files.length, 1);
  const bytes = await fileSystem.readFile(path.join(folder, files[0]));
  const records: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    // After the time, the first field of each.
    const event = bytes.subarray(at + 12 + 9, at + 12 + length);
    const speed = event.indexOf("chars per second");
    records.push(event.subarray(0, speed < 0 ? undefined : speed).toString("hex"));
    at += length + 16;
  }
  return records;
}

for (const step of [0, 2]) {
  test(`TensorBoard's file that is open after step ${step} is written later, with a warning before`, async (t) => {
    const place = await workplace(t);
    const settings = smallRun(place, { steps: 6, evalEvery: 2, tensorboard: true });
    await trained({ ...settings, name: "free" });
    const open = onWindows(t);
    if (step === 0) open.add(EVENT_FILE);
    const events = await trained(settings, (event) => {
      if (afterStep(2)(event)) open.add(EVENT_FILE);
      if (event.event === "end") open.clear();
      return false;
    });
    assert.equal(warnings(events).length, 1);
    assert.match(
      warnings(events)[0],
      /events\.out\..* can't be written: another program has it open.* Training continues, and what /,
    );
    const written = await eventsOf(place, "run");
    assert.ok(written.length > 12);
    assert.deepEqual(written, await eventsOf(place, "free"));
  });
}

test("TensorBoard's file that is open when the run ends is an error, of a run that is saved with its metrics", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 4, tensorboard: true });
  await trained({ ...settings, name: "free" });
  const open = onWindows(t);
  const run = trained(settings, (event) => {
    if (afterStep(2)(event)) open.add(EVENT_FILE);
    return false;
  });
  await assert.rejects(run, failsWith("NOT_WRITABLE", EVENT_FILE, "another program has it"));
  const [free, held] = await Promise.all(
    ["free", "run"].map((name) => fileOf(place, name, "last.safetensors")),
  );
  assert.ok(held.equals(free));
  assert.deepEqual(metricsOf(place, "run"), metricsOf(place, "free"));
});

test("Metrics are written at the end also where TensorBoard's file is open then", async (t) => {
  const place = await workplace(t);
  const settings = smallRun(place, { steps: 4, tensorboard: true });
  await trained({ ...settings, name: "free" });
  const open = onWindows(t);
  const run = trained(settings, (event) => {
    if (afterStep(2)(event)) open.add(EVENT_FILE).add("metrics.jsonl");
    if (event.event === "end") open.delete("metrics.jsonl");
    return false;
  });
  await assert.rejects(run, failsWith("NOT_WRITABLE", EVENT_FILE));
  assert.deepEqual(metricsOf(place, "run"), metricsOf(place, "free"));
});

test("A disk that is full at a save still ends the run", async (t) => {
  const place = await workplace(t);
  onWindows(t, "ENOSPC").add("last.safetensors");
  const run = trained(smallRun(place, { steps: 3, saveEvery: 1 }));
  await assert.rejects(run, failsWith("NOT_WRITABLE"));
});
