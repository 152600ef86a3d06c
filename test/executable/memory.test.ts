import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { charnn, shell, workplace } from "../helpers/executable.js";

const onLinux = { skip: process.platform !== "linux" && "only Linux has such limits" };

test("what training needs, and what would fit, is said where it gets less", onLinux, async (t) => {
  const cwd = await workplace(t);
  for (const command of ["train fox.txt --name big", "bench"]) {
    const model = "--hidden-size 4096 --layers 4 --steps 1 --threads 1";
    const { code, stdout, stderr } = await shell(
      t,
      `ulimit -v 2500000; charnn ${command} ${model}`,
      { cwd },
    );
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(
      stderr,
      /^Error: Training needs about 1\d\.?\d? GB of memory, .* parameters .*, and the system did not give it so much\.\nChoose a smaller --hidden-size, .*\n$/m,
    );
  }
  assert.deepEqual(readdirSync(cwd), ["fox.txt"]);
});

test("the memory of a container counts, not the machine's", onLinux, async (t) => {
  const group = `/sys/fs/cgroup/memory/charnn-${randomUUID()}`;
  try {
    mkdirSync(group);
    writeFileSync(`${group}/memory.limit_in_bytes`, "1000000000");
  } catch {
    return t.skip("no control group can be made here");
  }
  t.after(() => rmdirSync(group));
  const line = `echo $BASHPID > ${group}/cgroup.procs && charnn bench --hidden-size 8192`;
  const { code, stderr } = await shell(t, line, {});
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /^Error: Training needs about 5\.\d GB of memory, .*; there are 1 GB for it\.$/m,
  );
});

test("more texts at a time than memory has room for are refused", async (t) => {
  const cwd = await workplace(t, { trained: true });
  const args = ["sample", "fox", "--count", "4096", "-n", "10000000"];
  const { code, stdout, stderr } = await charnn(t, args, { cwd });
  assert.deepEqual([code, stdout], [2, ""], stderr);
  assert.match(
    stderr,
    /^Error: Texts of 10000000 characters, 4096 at a time, need 81\.9 GB of memory/,
  );
});

test("long texts that are written side by side are the same as one alone", async (t) => {
  const cwd = await workplace(t, { trained: true });
  const sample = async (...args: string[]) => {
    const { code, stdout, stderr } = await charnn(t, ["sample", "fox", "-n", "3000", ...args], {
      cwd,
    });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const [alone] = JSON.parse(`[${await sample("--json")}]`);
  assert.equal(await sample(), `${alone.text}\n`);
  assert.equal(alone.text.length, 3000);
});
