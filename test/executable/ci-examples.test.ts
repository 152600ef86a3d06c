/** The scripts of examples/ci, as a workflow runs them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  EXECUTABLE,
  foxFolder,
  plainEnvironment,
  quoted,
  sentences,
} from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";
import { noShell } from "../helpers/system.js";

const FOLDER = fileURLToPath(new URL("../../examples/ci", import.meta.url));
const SIZE = ["--hidden-size", "8"];

/** A folder with texts, and what runs the scripts in it. */
async function workplace(t: TestContext) {
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "other.txt"), sentences(20));
  const bin = await temporaryFolder(t);
  const program = `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(EXECUTABLE)} "$@"\n`;
  await writeFile(path.join(bin, "charnn"), program, { mode: 0o755 });
  const { PATH, ...env } = plainEnvironment();
  const run = (script: string, ...args: string[]) =>
    spawnSync(path.join(FOLDER, script), args, {
      cwd,
      env: { ...env, PATH: `${bin}${path.delimiter}${PATH}` },
      encoding: "utf8",
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
  return { cwd, run };
}

slow("check-loss.sh fails where a loss is above the threshold", { skip: noShell }, async (t) => {
  const { run } = await workplace(t);
  const check = (threshold: string) =>
    run("check-loss.sh", "fox.txt", "other.txt", threshold, "--steps", "3", ...SIZE);
  const passed = check("9");
  assert.equal(passed.status, 0, passed.stderr);
  const failed = check("0.1");
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /above --fail-above 0\.1: \d\.\d+ nats\/char of check on other\.txt/);
  assert.equal(run("check-loss.sh", "none.txt", "other.txt", "9").status, 1);
});

slow(
  "resume.sh goes on from where it stopped until the run is done",
  { skip: noShell },
  async (t) => {
    const { cwd, run } = await workplace(t);
    const resume = (minutes: string, ...options: string[]) =>
      run("resume.sh", "fox.txt", "long", minutes, ...options, ...SIZE);
    // So many epochs take longer than three seconds.
    const stopped = resume("0.05", "--epochs", "100000", "--no-samples");
    assert.deepEqual([stopped.status, stopped.stdout], [0, "done=false\n"], stopped.stderr);
    const finished = resume("1", "--steps", "1");
    assert.deepEqual([finished.status, finished.stdout], [0, "done=true\n"], finished.stderr);
    const again = resume("1", "--steps", "1");
    assert.deepEqual([again.status, again.stdout], [0, "done=true\n"], again.stderr);
    assert.deepEqual(await readdir(path.join(cwd, "checkpoints")), ["long"]);
    const failed = run("resume.sh", "none.txt", "other", "1");
    assert.deepEqual([failed.status, failed.stdout], [1, ""]);
  },
);

slow("sample.sh writes a whole sample into a file, or none", { skip: noShell }, async (t) => {
  const { cwd, run } = await workplace(t);
  const trained = run("resume.sh", "fox.txt", "fox", "1", "--steps", "3", ...SIZE);
  assert.equal(trained.status, 0, trained.stderr);
  const { status, stderr } = run("sample.sh", "fox", "sample.txt", "-n", "50");
  assert.equal(status, 0, stderr);
  assert.equal((await readFile(path.join(cwd, "sample.txt"), "utf8")).length, 51);
  assert.equal(run("sample.sh", "fix", "none.txt").status, 1);
  const names = await readdir(cwd);
  assert.ok(names.includes("sample.txt"));
  assert.ok(!names.some((name) => name.startsWith("none") || name.endsWith(".part")), `${names}`);
});

test("The workflow runs all scripts that there are, and no others", () => {
  const scripts = readdirSync(FOLDER).filter((name) => name.endsWith(".sh"));
  const workflow = readFileSync(path.join(FOLDER, "workflow.yml"), "utf8");
  const named = [...workflow.matchAll(/ ci\/([\w-]+\.sh)/g)].map(([, name]) => name);
  assert.deepEqual(named.sort(), scripts.sort());
});
