import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, SMALL, sentences, shell } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";
import { isWindows, noShell, slashed } from "../helpers/system.js";

slow("a text of any name gives a run that every command finds", async (t) => {
  const cwd = await temporaryFolder(t);
  const names = [`${"日".repeat(83)}.txt`, "-rf.txt", "\u202e\u200b.txt"];
  // Windows has no such names.
  if (!isWindows) names.push("!?#.txt", "con.txt");
  for (const name of names) {
    await writeFile(path.join(cwd, name), sentences(60));
    const { code, stdout, stderr } = await charnn(t, ["train", "--quiet", ...SMALL, "--", name], {
      cwd,
    });
    assert.deepEqual([code, stderr], [0, ""], name);
    const [, run] =
      /^checkpoints\/([^-.].*)\/(?:best|last)\.safetensors\n$/.exec(slashed(stdout)) ?? [];
    assert.ok(run, stdout);
    const report = await charnn(t, ["report", run], { cwd });
    assert.deepEqual([report.code, report.stdout], [0, `${run}-report.html\n`], report.stderr);
  }
  const folds = [names[0], "--cross-validate", "2", "--quiet", ...SMALL];
  const { code, stderr } = await charnn(t, ["train", ...folds], { cwd });
  assert.equal(code, 0, stderr);
  assert.equal((await readdir(path.join(cwd, "checkpoints"))).length, names.length + 2);
});

slow(
  "a text whose name is not valid UTF-8 is explained, and read from standard input",
  { skip: noShell },
  async (t) => {
    if (process.platform !== "linux") return t.skip("no file can have such a name");
    const cwd = await temporaryFolder(t);
    await writeFile(Buffer.from(`${cwd}/caf\xe9.txt`, "latin1"), sentences(60));
    for (const name of ["$'caf\\xe9.txt'", "."]) {
      const { code, stderr } = await shell(t, `charnn train ${name} --quiet`, { cwd });
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /^Error: There is no file or folder "caf\ufffd\.txt"\.\nIf its name is not/,
      );
    }
    const line = `charnn train - --quiet ${SMALL.join(" ")} < $'caf\\xe9.txt'`;
    const { code, stderr } = await shell(t, line, { cwd });
    assert.equal(code, 0, stderr);
  },
);

slow("a run's name may begin with a dash", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "fox.txt"), sentences(60));
  const run = (...args: string[]) => charnn(t, args, { cwd });
  assert.equal((await run("train", "fox.txt", "--name=-x", "--quiet", ...SMALL)).code, 0);
  for (const args of [
    ["sample", "-n", "5", "--", "-x"],
    ["info", "--", "-x"],
    ["eval", "--no-baselines", "--", "-x", "fox.txt"],
    ["plot", "--", "-x"],
    ["report", "--output", "x.html", "--", "-x"],
    ["train", "fox.txt", "--name=-x", "--resume", "--steps", "7", "--quiet"],
  ]) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 0, `${args}\n${stderr}`);
  }
});

slow("a name that can't be had is refused in words", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "fox.txt"), sentences(60));
  const long = "a".repeat(300);
  // Windows says so of no name: it finds none that is too long.
  const tooLong = isWindows ? /there is no|no folder for it/i : /name is too long/;
  for (const [args, code, says] of [
    [
      ["train", "fox.txt", "--name", long],
      2,
      /--name "a+\.\.\." is too long: it has 300 bytes, and at most 180/,
    ],
    [["train", "fox.txt", "--name", "NUL"], 2, /--name "NUL" is the name of a device on Windows/],
    [["train", "fox.txt", "--name", "a:b"], 2, /--name "a:b" has :/],
    [["train", "fox.txt", "--name", "a*b"], 2, /--name "a\*b" has \*, which shells/],
    [["train", "fox.txt", "--name", "a?"], 2, /--name "a\?" has \?, which shells/],
    [["train", "fox.txt", "--name", "~x"], 2, /--name "~x" begins with ~/],
    [["train", "fox.txt", "--name", "a".repeat(175), "--cross-validate", "2"], 2, /is too long/],
    [["train", "fox.txt", "--name", ""], 2, /--name must not be empty/],
    [["train", "fox.txt", "--out", long], 1, tooLong],
    [["train", long], 1, tooLong],
    [["train", "fox.txt", "--config", long], 1, tooLong],
    [["train", "fox.txt", "--validation-file", long], 1, tooLong],
    [["sample", long], 1, /name is too long|no run/],
    [["info", long], 1, /name is too long|no run/],
    [["plot", long], 1, /name is too long|no run/],
  ] as const) {
    const { stderr, ...outcome } = await charnn(t, args, { cwd });
    assert.deepEqual([outcome.code, outcome.stdout], [code, ""], stderr);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /ENAMETOOLONG|bug in charnn/);
  }
  assert.deepEqual(await readdir(cwd), ["fox.txt"]);
});

test("a run that has such a name already goes on", async (t) => {
  if (process.platform === "win32") return t.skip("no folder can have such a name");
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "fox.txt"), sentences(60));
  const name = `${"a".repeat(200)}:`;
  // As earlier versions made it.
  await mkdir(path.join(cwd, "checkpoints", name), { recursive: true });
  const train = ["train", "fox.txt", "--name", name, "--quiet", "--hidden-size", "8", "--steps"];
  assert.equal((await charnn(t, [...train, "2"], { cwd })).code, 0);
  const { code, stderr } = await charnn(t, [...train, "4", "--resume"], { cwd });
  assert.equal(code, 0, stderr);
});
