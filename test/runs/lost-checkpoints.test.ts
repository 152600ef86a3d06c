/** What happens to a run whose folder is not as training left it: nothing of it may be removed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { CharnnError, listCheckpoints, type TrainSettings } from "#src/index.js";
import { filesIn } from "../helpers/executable.js";
import { failsWith } from "../helpers/failure.js";
import { noLinks, noShell } from "../helpers/system.js";
import {
  endOf,
  fileOf,
  only,
  smallRun,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

const PACE = { steps: 12, evalEvery: 4, keep: 2 };
const LAST = "last.safetensors";
const BEST = "best.safetensors";

/** A finished run in a folder whose name a shell would take apart. */
async function finishedRun(t: TestContext, settings: Partial<TrainSettings> = {}) {
  const place = await workplace(t);
  const odd = { ...place, out: path.join(path.dirname(place.out), "it's all here") };
  const asked = smallRun(odd, { ...PACE, ...settings });
  await trained(asked);
  const folder = path.join(odd.out, "run");
  return { place: odd, settings: asked, folder, file: (name: string) => path.join(folder, name) };
}

/** Why training is refused, having changed no file. */
async function refusal(folder: string, settings: TrainSettings): Promise<CharnnError> {
  const before = await filesIn(folder);
  const error = await trained(settings).then(
    () => assert.fail("It is not refused."),
    (reason: unknown) => reason,
  );
  assert.deepEqual(await filesIn(folder), before);
  if (!(error instanceof CharnnError)) throw error;
  return error;
}

/** Does what the hint of an error says to type. */
function follow({ hint = "" }: CharnnError): void {
  const command = /: ((?:mv|cp) .*)$/m.exec(hint)?.[1];
  assert.ok(command, `no command in ${hint}`);
  execFileSync("bash", ["-c", command]);
}

async function assertSameCheckpoint(place: Workplace, file: string, expected: Buffer) {
  assert.ok((await fileOf(place, "run", file)).equals(expected), `${file} is another one`);
}

test("Without its last checkpoint a run is not resumed, and keeps every file", async (t) => {
  const { folder, file, settings } = await finishedRun(t);
  await rm(file(LAST));
  const error = await refusal(folder, { ...settings, resume: true });
  failsWith(
    "CANNOT_RESUME",
    "no last.safetensors",
    BEST,
    "step-12.safetensors",
    "`initFrom: ",
  )(error);
});

test("Without its last checkpoint a run is not taken for a free name, no matter what else it has", async (t) => {
  const { folder, file, settings } = await finishedRun(t, { tensorboard: true });
  for (const gone of [LAST, BEST, "step-12.safetensors", "step-8.safetensors"]) {
    await rm(file(gone));
    failsWith("RUN_EXISTS", "run")(await refusal(folder, settings));
  }
  await rm(file("metrics.jsonl"));
  failsWith("RUN_EXISTS", "run")(await refusal(folder, settings));
});

test("Without its last checkpoint a run resumes from its newest step-N checkpoint to the same bytes when the advice is followed", {
  skip: noShell,
}, async (t) => {
  const { folder, file, settings, place } = await finishedRun(t);
  const files = [LAST, BEST, "step-12.safetensors"];
  const expected = await Promise.all(files.map((name) => fileOf(place, "run", name)));
  for (const name of [LAST, "step-12.safetensors"]) await rm(file(name));
  await copyFile(file("step-8.safetensors"), file(BEST));
  const resumed = { ...settings, resume: true };
  const error = await refusal(folder, resumed);
  failsWith("CANNOT_RESUME", "exactly from step 8")(error);
  follow(error);
  const [start] = only(await trained(resumed), "start");
  assert.equal(start.step, 8);
  for (const [k, name] of files.entries()) await assertSameCheckpoint(place, name, expected[k]);
});

test("Without its last checkpoint a run resumes from its best when it has nothing else", {
  skip: noShell,
}, async (t) => {
  const { folder, file, settings, place } = await finishedRun(t, { keep: 0 });
  const expected = await fileOf(place, "run", LAST);
  await rm(file(LAST));
  const error = await refusal(folder, { ...settings, resume: true });
  follow(error);
  await trained({ ...settings, resume: true });
  await assertSameCheckpoint(place, LAST, expected);
});

test("Without its last checkpoint a run can still give its weights to another, as the advice says", {
  skip: noShell,
}, async (t) => {
  const { folder, file, settings } = await finishedRun(t);
  await rm(file(LAST));
  const { hint = "" } = await refusal(folder, { ...settings, resume: true });
  const word = /`initFrom: (.*)` and another/.exec(hint)?.[1];
  const initFrom = execFileSync("bash", ["-c", `printf %s ${word}`], { encoding: "utf8" });
  assert.equal(initFrom, file(BEST));
  const { hiddenSize, preset, ...others } = settings;
  const events = await trained({ ...others, name: "other", initFrom });
  assert.equal(endOf(events).reason, "steps");
});

test("Without its last checkpoint a run is refused in the same way without a name, and no older run takes its place", async (t) => {
  const { folder, file, settings, place } = await finishedRun(t);
  await trained(smallRun(place, { ...PACE, name: "older" }));
  const old = new Date(1e9);
  for (const name of await readdir(path.join(place.out, "older"))) {
    await utimes(path.join(place.out, "older", name), old, old);
  }
  await rm(file(LAST));
  const error = await refusal(folder, { ...settings, name: undefined, resume: true });
  failsWith("CANNOT_RESUME", "The run run")(error);
});

test("Without its last checkpoint a run is listed by the newest state that it has", async (t) => {
  const { file, folder, place } = await finishedRun(t);
  for (const gone of [LAST, BEST, "step-12.safetensors"]) await rm(file(gone));
  const [run] = await listCheckpoints({ out: place.out });
  assert.deepEqual([run.path, run.progress.step], [folder, 8]);
});

test("Without its last checkpoint a run is replaced with --overwrite", async (t) => {
  const { file, folder, settings } = await finishedRun(t);
  await rm(file(LAST));
  await trained({ ...settings, steps: 4, evalEvery: 4, keep: 0, overwrite: true });
  assert.deepEqual((await readdir(folder)).sort(), [BEST, LAST, "metrics.jsonl"]);
});

const damages: Readonly<Record<string, (last: string) => Promise<void>>> = {
  "that is cut": (last) => truncate(last, 3_000),
  "that is empty": (last) => truncate(last, 0),
  "that is another file": (last) => writeFile(last, "thou art more lovely\n".repeat(50)),
  "that is a folder": async (last) => {
    await rm(last);
    await mkdir(last);
  },
  "that is a link to nothing": async (last) => {
    await rm(last);
    await symlink("gone.safetensors", last);
  },
  "that is a link to itself": async (last) => {
    await rm(last);
    await symlink(LAST, last);
  },
  "that is a pipe": async (last) => {
    await rm(last);
    execFileSync("mkfifo", [last]);
  },
};
for (const [title, damage] of Object.entries(damages)) {
  test(`With a damaged last checkpoint a run ${title} is not resumed, but can be when the advice is followed`, {
    skip: noShell,
  }, async (t) => {
    const { folder, file, settings, place } = await finishedRun(t);
    const expected = await fileOf(place, "run", LAST);
    await damage(file(LAST));
    const resumed = { ...settings, resume: true };
    const before = (await readdir(folder)).sort();
    const error = await trained(resumed).then(
      () => assert.fail("It is not refused."),
      (reason: CharnnError) => reason,
    );
    assert.deepEqual((await readdir(folder)).sort(), before);
    failsWith("BAD_CHECKPOINT", file(LAST), "exactly from step 12", "`initFrom: ")(error);
    follow(error);
    assert.equal(endOf(await trained(resumed)).reason, "done");
    await assertSameCheckpoint(place, LAST, expected);
  });
}

test("With a damaged last checkpoint a run that has no other whole one says so", async (t) => {
  const { folder, file, settings } = await finishedRun(t);
  for (const name of [LAST, BEST, "step-8.safetensors", "step-12.safetensors"]) {
    await truncate(file(name), 3_000);
  }
  const error = await refusal(folder, { ...settings, resume: true });
  failsWith("BAD_CHECKPOINT", "no other that is whole", "`overwrite`")(error);
});

test("With a damaged last checkpoint a run is advised to use a checkpoint that is whole, not the newest", async (t) => {
  const { folder, file, settings } = await finishedRun(t);
  const bytes = await readFile(file("step-12.safetensors"));
  bytes[bytes.length - 1] ^= 1;
  for (const name of [LAST, BEST, "step-12.safetensors"]) await writeFile(file(name), bytes);
  const error = await refusal(folder, { ...settings, resume: true });
  failsWith("BAD_CHECKPOINT", "exactly from step 8")(error);
});

test("In a run's folder that can't be read, nothing is changed, even with --resume or --overwrite", {
  skip: noLinks,
}, async (t) => {
  const { folder, settings } = await finishedRun(t);
  const elsewhere = `${folder}-elsewhere`;
  await rename(folder, elsewhere);
  const before = await filesIn(elsewhere);
  for (const target of ["run", "gone"]) {
    await symlink(target, folder);
    for (const asked of [{}, { overwrite: true }]) {
      await assert.rejects(trained({ ...settings, ...asked }), failsWith("NOT_WRITABLE", folder));
    }
    const resumed = trained({ ...settings, resume: true });
    await assert.rejects(resumed, failsWith("NOT_READABLE", folder));
    await rm(folder);
  }
  assert.deepEqual(await filesIn(elsewhere), before);
});

test("A run that has reported something but saved nothing starts from the beginning, and what it reported stays beside it", async (t) => {
  const place = await workplace(t);
  const folder = path.join(place.out, "run");
  await mkdir(folder, { recursive: true });
  const earlier = '{"event":"step","step":1}\n';
  for (const number of [1, 2]) {
    await writeFile(path.join(folder, "metrics.jsonl"), earlier);
    const events = await trained(smallRun(place, { steps: 2, resume: true }));
    assert.match(only(events, "warning")[1].message, new RegExp(`metrics\\.${number}\\.jsonl`));
    assert.equal(await readFile(path.join(folder, `metrics.${number}.jsonl`), "utf8"), earlier);
    assert.equal((await fileOf(place, "run", "metrics.jsonl")).toString().split("\n").length, 6);
    for (const name of [LAST, BEST]) await rm(path.join(folder, name));
  }
});

test("Overwriting a run that has a folder in place of a file removes nothing", async (t) => {
  const { folder, file, settings } = await finishedRun(t);
  await rm(file("step-8.safetensors"));
  await mkdir(file("step-8.safetensors"));
  const error = await refusal(folder, { ...settings, overwrite: true });
  failsWith("NOT_WRITABLE", file("step-8.safetensors"), "is a folder")(error);
});

test("Overwriting a run removes a link and not what it leads to", { skip: noLinks }, async (t) => {
  const { file, settings, place } = await finishedRun(t);
  const treasure = path.join(place.out, "treasure.safetensors");
  await rename(file(BEST), treasure);
  await symlink(treasure, file(BEST));
  await trained({ ...settings, validation: 0, overwrite: true });
  assert.ok((await readFile(treasure)).length > 0);
});
