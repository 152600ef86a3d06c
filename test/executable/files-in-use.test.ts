import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import { foxFolder, jsonLines, outcomeOf, startCharnn, written } from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";
import { isWindows } from "../helpers/system.js";

slow("a run goes on while another program reads its last checkpoint", async (t) => {
  const cwd = await foxFolder(t);
  const pace = ["--steps", "40", "--eval-every", "40", "--save-every", "10"];
  const args = ["train", "fox.txt", "--name", "fox", "--hidden-size", "8", "--json", ...pace];
  const child = await startCharnn(t, args, { cwd });
  const outcome = outcomeOf(child);
  await written(child.stdout, /"kind":"last"/);
  const file = openSync(path.join(cwd, "checkpoints", "fox", "last.safetensors"), "r");
  // On Windows the next save waits for two seconds; elsewhere the run may be over by now.
  if (isWindows) await written(child.stdout, /another program has it open/);
  closeSync(file);
  const { code, stdout, stderr } = await outcome;
  assert.equal(code, 0, stderr);
  const events = jsonLines(stdout);
  assert.equal(events.at(-1)?.event, "end");
  const saved = events.filter(({ event, kind }) => event === "checkpoint" && kind === "last");
  assert.equal(saved.at(-1)?.step, 40);
  const isTold = events.some(({ message = "" }) => /another program has it open/.test(message));
  assert.equal(isTold, isWindows);
});
