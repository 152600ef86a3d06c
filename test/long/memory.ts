/** Values that error messages say would fit are tried under the same limit of memory. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { foxFolder, sentences, shell } from "../helpers/executable.js";
import { memoryLimited } from "../helpers/limited-memory.js";

const onLinux = { skip: process.platform !== "linux" && "only Linux has such limits" };

/** The values of options that an error says would fit: `--hidden-size 80`. */
function valuesThatFit(stderr: string): string[] {
  const [, values] = /^What fits: (.*)\.$/m.exec(stderr) ?? [];
  assert.ok(values !== undefined, stderr);
  return values.split("; ");
}

test(
  "training with each value that is said to fit into a container fits, and can be resumed",
  onLinux,
  async (t) => {
    const limited = memoryLimited(t, 200e6);
    if (limited === undefined) return;
    const cwd = await foxFolder(t);
    await writeFile(path.join(cwd, "long.txt"), sentences(2_600));
    const run = (line: string) => shell(t, `${limited} && charnn ${line}`, { cwd });
    const shape = "--hidden-size 64 --batch-size 512 --seq-length 256";
    const train = `train long.txt --name run --steps 1 --threads 2 ${shape}`;
    const { code, stdout, stderr } = await run(train);
    assert.deepEqual([code, stdout], [2, ""], stderr);
    const values = valuesThatFit(stderr);
    assert.deepEqual(
      values.map((value) => value.split(" ")[0]),
      ["--hidden-size", "--batch-size", "--seq-length"],
    );
    for (const value of values) {
      const [name] = value.split(" ");
      const changed = train.replace(new RegExp(`${name} \\d+`), value);
      const outcome = await run(`${changed} --overwrite`);
      assert.equal(outcome.code, 0, `${value}: ${outcome.stderr}`);
      const resumed = await run(changed.replace("--steps 1", "--steps 2 --resume"));
      assert.equal(resumed.code, 0, `${value}: ${resumed.stderr}`);
    }
  },
);

test(
  "as many texts as are said to fit into a container can be written side by side",
  onLinux,
  async (t) => {
    const limited = memoryLimited(t, 110e6);
    if (limited === undefined) return;
    const cwd = await foxFolder(t);
    const train =
      "train fox.txt --name fox --hidden-size 512 --batch-size 1 --seq-length 8 --steps 1";
    const made = await shell(t, `charnn ${train}`, { cwd });
    assert.equal(made.code, 0, made.stderr);
    const run = (line: string) => shell(t, `${limited} && charnn ${line}`, { cwd });
    const { code, stdout, stderr } = await run("sample fox --seed The -n 3 --count 4096");
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(
      stderr,
      /^Error: Writing 4096 texts side by side with a model of .* needs about \d+ MB/m,
    );
    const [value] = valuesThatFit(stderr);
    const outcome = await run(`sample fox --seed The -n 3 ${value}`);
    assert.equal(outcome.code, 0, outcome.stderr);
    // Reading in 64 windows side by side takes more than writing does.
    const scored = await run("eval fox fox.txt");
    assert.equal(scored.code, 1, scored.stderr);
    assert.match(
      scored.stderr,
      /^Error: Reading text with a model of .* needs about \d+ MB of memory/m,
    );
  },
);

test("as much of a text as is said to fit into a container can be learned", onLinux, async (t) => {
  const limited = memoryLimited(t, 160e6);
  if (limited === undefined) return;
  const cwd = await foxFolder(t);
  await writeFile(path.join(cwd, "long.txt"), sentences(2_000).repeat(1_000));
  const run = (line: string) => shell(t, `${limited} && ${line}`, { cwd });
  const train = (text: string) => `charnn train ${text} --name run --hidden-size 8 --steps 1`;
  const { code, stdout, stderr } = await run(train("long.txt"));
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.match(stderr, /^Error: A text of [\d,]+ characters needs about 1\d\d MB of memory/m);
  const [, advice] = /: (head -c \d+) FILE$/m.exec(stderr) ?? [];
  const outcome = await run(`${advice} long.txt > part.txt && ${train("part.txt")}`);
  assert.equal(outcome.code, 0, outcome.stderr);
});
