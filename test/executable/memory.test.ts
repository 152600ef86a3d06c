import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, filesIn, foxFolder, sentences, shell } from "../helpers/executable.js";
import { memoryLimited } from "../helpers/limited-memory.js";
import { slow } from "../helpers/slow.js";

const onLinux = { skip: process.platform !== "linux" && "only Linux has such limits" };

slow(
  "what training needs and what fits is said before any work, under a limit of addresses too",
  onLinux,
  async (t) => {
    const cwd = await foxFolder(t);
    for (const command of ["train fox.txt --name big", "bench"]) {
      const model = "--hidden-size 4096 --layers 4 --steps 1 --threads 1";
      const line = `ulimit -v 2500000; charnn ${command} ${model}`;
      const { code, stdout, stderr } = await shell(t, line, { cwd });
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(
        stderr,
        /^Error: Training needs about 1\d\.?\d? GB of memory for [\d,]+ parameters and batches of .*; there are .* for it\.\nWhat fits: --hidden-size \d+.*\.\n$/m,
      );
    }
    assert.deepEqual(readdirSync(cwd), ["fox.txt"]);
  },
);

slow("a run that no longer fits is not resumed, and what it needs is said", onLinux, async (t) => {
  const limited = memoryLimited(t, 130e6);
  if (limited === undefined) return;
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "long.txt"), sentences(700));
  const train = "train long.txt --name run --hidden-size 128 --batch-size 128 --seq-length 256";
  const made = await shell(t, `charnn ${train} --steps 1`, { cwd });
  assert.equal(made.code, 0, made.stderr);
  const files = await filesIn(cwd);
  const line = `${limited} && charnn ${train} --steps 2 --resume`;
  const { code, stdout, stderr } = await shell(t, line, { cwd });
  assert.deepEqual([code, stdout], [2, ""], stderr);
  assert.match(
    stderr,
    /^Error: Training needs about \d+ MB of memory .*; there are \d+ MB for it\.$/m,
  );
  assert.match(stderr, /^Give it \d+ MB, or /m);
  assert.deepEqual(await filesIn(cwd), files);
});

slow("threads that don't fit are refused, and how many fit is said", onLinux, async (t) => {
  const limited = memoryLimited(t, 500e6);
  if (limited === undefined) return;
  const cwd = await foxFolder(t);
  const train = "train fox.txt --name run --hidden-size 8 --backend wasm";
  const run = (line: string) => shell(t, `${limited} && charnn ${line}`, { cwd });
  const { code, stdout, stderr } = await run(`${train} --steps 1 --threads 64`);
  assert.deepEqual([code, stdout], [2, ""], stderr);
  const [, fits] = /^What fits: --threads (\d+)\.$/m.exec(stderr) ?? [];
  assert.ok(Number(fits) > 4, stderr);
  assert.deepEqual(readdirSync(cwd), ["fox.txt"]);
  const outcome = await run(`${train} --steps 1 --threads ${fits}`);
  assert.equal(outcome.code, 0, outcome.stderr);
  const resumed = await run(`${train} --steps 2 --resume --threads 64`);
  assert.equal(resumed.code, 2);
  assert.match(resumed.stderr, /^What fits: --threads \d+\.$/m);
});

test("an allocation that fails while training is an error with what would fit", async (t) => {
  const cwd = await foxFolder(t);
  // Where the estimate was wrong, or another process was faster.
  const fails = `
    const failing = { construct(target, args) {
      if (args[0] > 1e6) throw new RangeError("Array buffer allocation failed");
      return Reflect.construct(target, args);
    } };
    globalThis.Float32Array = new Proxy(Float32Array, failing);`;
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(fails)}` };
  const args = ["train", "fox.txt", "--hidden-size", "1400", "--batch-size", "1", "--steps", "1"];
  const { code, stdout, stderr } = await charnn(t, args, { cwd, env });
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.match(
    stderr,
    /^Error: Training needs about \d+ MB .*, and the system did not give it that much\.\nWhat fits: --hidden-size \d+/m,
  );
  assert.deepEqual(readdirSync(cwd), ["fox.txt"]);
});

slow("more texts at a time than memory has room for are refused", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const args = ["sample", "fox", "--count", "4096", "-n", "10000000"];
  const { code, stdout, stderr } = await charnn(t, args, { cwd });
  assert.deepEqual([code, stdout], [2, ""], stderr);
  assert.match(
    stderr,
    /^Error: Texts of 10,000,000 characters, 4,096 at a time, need 81\.9 GB of memory/,
  );
  assert.match(stderr, /^What fits: --count \d+, or --length \d+\. /m);
  const fittingOf = async (...more: string[]) => {
    const given = ["sample", "fox", "-n", "10000000", ...more];
    return /^What fits: (.*)\. One/m.exec((await charnn(t, given, { cwd })).stderr)?.[1] ?? "";
  };
  const best = await fittingOf("--best-of", "4096");
  const [, most] = /^--best-of (\d+), or --length \d+$/.exec(best) ?? [];
  assert.ok(Number(most) > 1, best);
  const both = await fittingOf("--count", "4", "--best-of", "4096");
  const [, least] = /^--best-of (\d+), or --length \d+$/.exec(both) ?? [];
  assert.ok(4 * Number(least) <= 1.1 * Number(most) + 4, both);
});

test("more texts than there can be are refused before it is looked at whether they fit", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const args = ["sample", "fox", "--count", "200000", "-n", "100000000"];
  const { code, stderr } = await charnn(t, args, { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /^Error: --count must be a whole number from 1 to 4,096, not 200000\.\n$/);
});

test("a text that is too long to be kept is refused with the greatest length that fits", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const args = ["sample", "fox", "--json", "-n", "200000000"];
  const { code, stdout, stderr } = await charnn(t, args, { cwd });
  assert.deepEqual([code, stdout], [2, ""], stderr);
  assert.match(
    stderr,
    /at most 134,217,728 characters, not 200,000,000\.\nGive --length 134217728 /,
  );
});

slow("long texts that are written side by side are the same as one alone", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const sample = async (...args: string[]) => {
    const { code, stdout, stderr } = await charnn(
      t,
      ["sample", "fox", "-n", "3000", "--random-seed", "1", ...args],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const [alone] = JSON.parse(`[${await sample("--json")}]`);
  assert.equal(await sample(), `${alone.text}\n`);
  assert.equal(alone.text.length, 3000);
});
