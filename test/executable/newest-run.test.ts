import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { charnn, foxFolder } from "../helpers/executable.js";
import { copyRun, NOT_BEGUN } from "../helpers/made-runs.js";
import { slow } from "../helpers/slow.js";

slow(
  "a run that has learned nothing is warned of where it is named, and never taken otherwise",
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const runs = path.join(cwd, "checkpoints");
    await copyRun(path.join(runs, "fox"), path.join(runs, "begun"), NOT_BEGUN);
    await writeFile(path.join(cwd, "letter.txt"), "the quick brown fox");
    const warning = "Warning: The run begun has learned nothing yet: it has taken no step.\n";
    for (const args of [
      ["sample", "begun", "-n", "5"],
      ["eval", "begun", "letter.txt", "--no-baselines"],
      ["score", "fox", "letter.txt", "--also", "begun"],
    ]) {
      const { code, stdout, stderr } = await charnn(t, args, { cwd });
      assert.equal(code, 0, stderr);
      assert.ok(stdout.length > 0 && stderr.includes(warning), stderr);
    }
    const newest = await charnn(t, ["sample", "-n", "5", "--random-seed", "1"], { cwd });
    assert.deepEqual([newest.code, newest.stderr], [0, ""]);
    const fox = await charnn(t, ["sample", "fox", "-n", "5", "--random-seed", "1"], { cwd });
    assert.equal(newest.stdout, fox.stdout);
    const { stdout: list } = await charnn(t, ["info"], { cwd });
    assert.match(list, /^fox .*<- sample takes this$/m);
    await rm(path.join(runs, "fox"), { recursive: true });
    const none = await charnn(t, ["sample"], { cwd });
    assert.deepEqual([none.code, none.stdout], [1, ""]);
    assert.match(none.stderr, /No run in checkpoints has learned anything yet\.\n.*begun/);
  },
);
