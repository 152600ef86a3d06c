import assert from "node:assert/strict";
import { link, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, startCharnn, workplace } from "../helpers/executable.js";

test("report writes a page", async (t) => {
  const cwd = await workplace(t, { trained: true });
  const plain = await charnn(t, ["report"], { cwd });
  assert.deepEqual([plain.code, plain.stdout, plain.stderr], [0, "fox-report.html\n", ""]);
  assert.match(await readFile(path.join(cwd, "fox-report.html"), "utf8"), /^<!doctype html>/);

  await writeFile(path.join(cwd, "other.txt"), "the quick brown fox says Ä\n".repeat(20));
  const other = await charnn(t, ["report", "fox", "--text", "other.txt", "-o", "o.html"], { cwd });
  assert.deepEqual([other.code, other.stdout], [0, "o.html\n"]);
  assert.match(other.stderr, /^Warning: 20 characters that the model does not know.*"Ä"/);
  assert.match(await readFile(path.join(cwd, "o.html"), "utf8"), /role="note">Warning: 20 char/);

  for (const [args, code, said] of [
    [["fix"], 1, /no run "fix"/],
    [["--text", "none.txt"], 1, /no file or folder "none.txt"/],
    [["--text", "other.txt", "--unknown", "error"], 1, /does not know the character "Ä"/],
    [["-o", "no/such/folder.html"], 1, /can't be written/],
    [["--port", "80"], 2, /--watch/],
    [["--watch", "fox", "fox"], 2, /Several runs/],
  ] as const) {
    const outcome = await charnn(t, ["report", ...args], { cwd });
    assert.deepEqual([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
    assert.match(outcome.stderr, said);
  }
});

test("report takes the place of its own pages, and of nothing else unless it is told to", async (t) => {
  const cwd = await workplace(t, { trained: true });
  const before = await readFile(path.join(cwd, "fox.txt"), "utf8");
  await writeFile(path.join(cwd, "notes.html"), "<p>notes");
  await link(path.join(cwd, "fox.txt"), path.join(cwd, "link.html"));
  const report = ["report", "fox", "--text", "fox.txt"];
  for (const [file, reason] of [
    ["fox.txt", /fox\.txt can't be written: it is the file "fox\.txt" itself, which is read/],
    ["link.html", /link\.html can't be written: it is the file "fox\.txt" itself/],
    ["notes.html", /notes\.html can't be written: there is a file that charnn did not make/],
    ["checkpoints/fox/last.safetensors", /charnn did not make/],
    ["checkpoints", /checkpoints can't be written: it is a folder/],
  ] as const) {
    const { code, stdout, stderr } = await charnn(t, [...report, "--output", file], { cwd });
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, reason);
    assert.match(stderr, /\nChoose another file with --output/);
  }
  assert.equal(await readFile(path.join(cwd, "fox.txt"), "utf8"), before);
  for (let k = 0; k < 2; k++) assert.equal((await charnn(t, report, { cwd })).code, 0);
  const told = await charnn(t, [...report, "-o", "notes.html", "--overwrite"], { cwd });
  assert.deepEqual([told.code, told.stdout], [0, "notes.html\n"]);
  assert.match(await readFile(path.join(cwd, "notes.html"), "utf8"), /^<!doctype html>/);
  assert.deepEqual((await readdir(cwd)).sort(), [
    "checkpoints",
    "fox-report.html",
    "fox.txt",
    "link.html",
    "notes.html",
  ]);
});

test("report --watch serves it until Ctrl-C", async (t) => {
  const cwd = await workplace(t, { trained: true });
  const child = await startCharnn(t, ["report", "fox", "--watch"], { cwd });
  let address = "";
  for await (const chunk of child.stdout) {
    address += chunk;
    if (address.endsWith("\n")) break;
  }
  const page = await fetch(address.trim());
  assert.equal(page.status, 200);
  assert.match(await page.text(), /charnn: fox/);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  assert.equal(await ended, 130);
});
