/** `charnn export`: which file it writes, and what it does not replace. */
import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { writeExport } from "#src/export/write-export.js";
import { exportModel, loadCheckpoint } from "#src/index.js";
import {
  charnn,
  foxFolder,
  jsonLines,
  outcomeOf,
  SMALL,
  sentences,
  startCharnn,
} from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { openScreen, withTmux } from "../helpers/screen.js";
import { slow } from "../helpers/slow.js";

const EXPORT = ["export", "fox", "--to", "onnx"];

test("export writes the best checkpoint of a run to a file with the run's name", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const { code, stdout, stderr } = await charnn(t, EXPORT, { cwd });
  assert.deepEqual([code, stdout], [0, "fox.onnx\n"], stderr);
  assert.match(
    stderr,
    /^GRU, 1 layer of 8, embedding of \d+, n-grams up to 4: [\d,]+ parameters, \d+ kB\n$/,
  );
  const best = await loadCheckpoint("fox", { out: path.join(cwd, "checkpoints") });
  assert.equal(path.basename(best.path), "best.safetensors");
  const expected = Buffer.from(await exportModel(best, { to: "onnx" }));
  assert.ok(expected.equals(await readFile(path.join(cwd, "fox.onnx"))));
  const newest = await charnn(t, ["export", "--to=onnx", "-o", "newest.onnx", "--json"], { cwd });
  const [{ parameters, ...facts }] = jsonLines(newest.stdout);
  assert.deepEqual(facts, {
    file: "newest.onnx",
    format: "onnx",
    bytes: expected.length,
    checkpoint: path.join("checkpoints", "fox", "best.safetensors"),
  });
  assert.ok(parameters > 100 && 4 * parameters < expected.length);
  assert.equal(newest.stderr, "");
});

test("export names the file after the run of a checkpoint, or after a file that lies anywhere", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const last = path.join("checkpoints", "fox", "last.safetensors");
  await copyFile(path.join(cwd, last), path.join(cwd, "day.v2.safetensors"));
  for (const [run, file] of [
    [last, "fox.onnx"],
    [path.join("checkpoints", "fox"), "fox.onnx"],
    ["day.v2.safetensors", "day.v2.onnx"],
  ]) {
    const { code, stdout, stderr } = await charnn(t, ["export", run, "--to", "onnx"], { cwd });
    assert.deepEqual([code, stdout], [0, `${file}\n`], stderr);
  }
});

slow("export replaces its own files, and nothing else without --overwrite", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await writeFile(path.join(cwd, "notes.onnx"), "notes");
  await charnn(t, ["report", "fox"], { cwd });
  for (let k = 0; k < 2; k++) assert.equal((await charnn(t, EXPORT, { cwd })).code, 0);
  const before = (await readdir(cwd)).sort();
  const checkpoint = "checkpoints/fox/best.safetensors";
  for (const [file, reason] of [
    ["notes.onnx", /notes\.onnx can't be written: there is a file that charnn did not make/],
    ["fox.txt", /fox\.txt can't be written: there is a file that charnn did not make/],
    [checkpoint, /it would replace a checkpoint\./],
    ["checkpoints/fox/metrics.jsonl", /it would replace the metrics of a run\./],
    ["checkpoints", /checkpoints can't be written: it is a folder/],
    ["no/such/fox.onnx", /no\/such\/fox\.onnx can't be written/],
  ] as const) {
    const outcome = await charnn(t, [...EXPORT, "-o", file], { cwd });
    assert.deepEqual([outcome.code, outcome.stdout], [1, ""], outcome.stderr);
    assert.match(outcome.stderr, reason);
  }
  const page = await charnn(t, ["report", "fox", "-o", "fox.onnx"], { cwd });
  assert.match(page.stderr, /fox\.onnx can't be written: it would replace an exported model\./);
  assert.deepEqual((await readdir(cwd)).sort(), before);
  const told = await charnn(t, [...EXPORT, "-o", "notes.onnx", "--overwrite"], { cwd });
  assert.deepEqual([told.code, told.stdout], [0, "notes.onnx\n"]);
  for (const kept of ["fox.txt", checkpoint]) {
    const bytes = await file(kept);
    const { code, stderr } = await charnn(t, [...EXPORT, "-o", kept, "--overwrite"], { cwd });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Error: .* can't be written: .*\nChoose another file with --output.*\.$/m,
    );
    assert.ok(bytes.equals(await file(kept)));
  }
  const [first, second] = [await file("notes.onnx"), await file("fox.onnx")];
  assert.ok(first.equals(second));

  function file(name: string): Promise<Buffer> {
    return readFile(path.join(cwd, name));
  }
});

test("export writes a page with the model, says what its bits change, and keeps it from reports", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const args = ["export", "fox", "--to", "html"];
  const { code, stdout, stderr } = await charnn(t, [...args, "--text", "fox.txt"], { cwd });
  assert.deepEqual([code, stdout], [0, "fox.html\n"], stderr);
  const [first, second] = stderr.trimEnd().split("\n");
  assert.match(
    first,
    /^GRU, 1 layer of 8, embedding of \d+, n-grams up to 4: [\d,]+ parameters, \d+ kB$/,
  );
  assert.match(
    second,
    /^With 16 bits for each weight logits differ by [\d.e-]+ on average and by [\d.e-]+ at most; the loss of the text is \d\.\d{4} nats\/char, (?:[\d.e-]+ (?:more|less) than|the same as) with 32 bits\.$/,
  );
  const page = await readFile(path.join(cwd, "fox.html"), "utf8");
  for (const fact of [
    /<h1>fox<\/h1>/,
    /<dd>GRU, 1 layer of 8 units, /,
    /<dt>text<\/dt><dd>fox\.txt: [\d,]+ characters<\/dd>/,
    /<dt>held out<\/dt><dd>the end of the text: [\d,]+ characters, 10 %<\/dd>/,
    /<dd>16 bits each; logits differ by /,
  ]) {
    assert.match(page, fact);
  }
  const report = await charnn(t, ["report", "fox", "-o", "fox.html"], { cwd });
  assert.match(report.stderr, /fox\.html can't be written: it would replace an exported model\./);
  assert.equal((await charnn(t, ["report", "fox", "-o", "report.html"], { cwd })).code, 0);
  const other = await charnn(t, [...args, "-o", "report.html"], { cwd });
  assert.match(other.stderr, /report\.html can't be written: it would replace a report\./);
  const again = await charnn(t, [...args, "--bits", "8", "--json"], { cwd });
  const [{ precision }] = jsonLines(again.stdout);
  assert.equal(precision.bits, 8);
});

test("export and report never replace the text of a run, whatever its name is", async (t) => {
  const cwd = await temporaryFolder(t);
  const text = sentences(60);
  for (const name of ["a.html", "b.htm"]) await writeFile(path.join(cwd, name), text);
  const trained = await charnn(t, ["train", "a.html", "b.htm", "--name", "fox", ...SMALL], { cwd });
  assert.equal(trained.code, 0, trained.stderr);
  for (const command of [
    ["report", "fox"],
    ["export", "fox", "--to", "html"],
  ]) {
    for (const name of ["a.html", "b.htm"]) {
      const args = [...command, "-o", name, "--overwrite"];
      const { code, stderr } = await charnn(t, args, { cwd });
      assert.equal(code, 1, stderr);
      assert.ok(stderr.includes(`it is the file "${name}" itself, which is read.\n`), stderr);
      assert.equal(await readFile(path.join(cwd, name), "utf8"), text);
    }
  }
});

test("export says what it needs, and which formats and runs there are", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await mkdir(path.join(cwd, "checkpoints", "new"));
  const before = (await readdir(cwd)).sort();
  for (const [line, exitCode, ...says] of [
    ["export fox", 2, "--to is missing", "--to onnx"],
    ["export fox --to t7", 2, "--to", "onnx", '"t7"'],
    ["export fix --to onnx", 1, '"fix"', "Did you mean fox?"],
    ["export new --to onnx", 1, "new"],
    ["export fox.txt --to onnx", 1, "fox.txt can't be used: it is not a checkpoint", "Name a run"],
    ["export fox --to js -o fox.cjs", 2, '"fox.cjs"', ".js or .mjs"],
    ["export fox --to js -o fox.d.ts", 2, '"fox.d.ts"', ".js or .mjs"],
    ["export fox other --to onnx", 2, "charnn export"],
  ] as const) {
    const { code, stdout, stderr } = await charnn(t, line.split(" "), { cwd });
    assert.deepEqual([code, stdout], [exitCode, ""], `${line}\n${stderr}`);
    assert.match(stderr, /^Error: [^\n]+\n(?:[^\n]+\n)?$/, line);
    for (const part of says) assert.ok(stderr.includes(part), `${line}: ${stderr}`);
  }
  assert.deepEqual((await readdir(cwd)).sort(), before);
});

test("An export that is interrupted writes nothing, and leaves an earlier one as it was", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const stop = new AbortController();
  const places = {
    run: "fox",
    out: path.join(cwd, "checkpoints"),
    output: path.join(cwd, "fox.onnx"),
  };
  const interrupted = () =>
    writeExport(places, { to: "onnx" }, { signal: stop.signal, onModel: () => stop.abort() });
  await assert.rejects(interrupted(), { name: "AbortError" });
  assert.deepEqual((await readdir(cwd)).sort(), ["checkpoints", "fox.txt"]);
  const { file } = await writeExport(places, { to: "onnx" });
  const before = await readFile(file);
  await assert.rejects(interrupted(), { name: "AbortError" });
  assert.ok(before.equals(await readFile(file)));
});

slow("On a terminal export leaves nothing but its result", withTmux, async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const scriptOf = (command: string) => `${command}; echo "code $?"`;
  const screen = await openScreen(t, EXPORT, { cwd, columns: 80, scriptOf });
  const lines = await screen.shows(/^code 0$/m);
  assert.match(lines.join("\n"), /^fox\.onnx\nGRU, 1 layer of 8.*kB\ncode 0$/m);
  assert.doesNotMatch(lines.join("\n"), /Reading|Writing/);
  assert.equal(screen.cursorIsShown(), true);
});

test("export --to js writes a module and its types, and replaces both together or neither", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const to = ["export", "fox", "--to", "js"];
  for (let k = 0; k < 2; k++) {
    const { code, stdout, stderr } = await charnn(t, to, { cwd });
    assert.deepEqual([code, stdout], [0, "fox.js\n"], stderr);
    assert.match(stderr, /^With the types of TypeScript in fox\.d\.ts\.$/m);
    assert.match(stderr, /^With 16 bits for each weight logits differ by /m);
  }
  const json = await charnn(t, [...to, "-o", "a.mjs", "--bits", "32", "--json"], { cwd });
  const [{ file, companion, format }] = jsonLines(json.stdout);
  assert.deepEqual([file, companion, format], ["a.mjs", "a.d.mts", "js"]);
  await writeFile(path.join(cwd, "own.d.ts"), "export {};\n");
  const refused = await charnn(t, [...to, "-o", "own.js"], { cwd });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /own\.d\.ts can't be written: there is a file that charnn did not/);
  assert.ok(!(await readdir(cwd)).includes("own.js"));
});

test("export -o - writes the file to standard output, and nothing else there", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const before = await readdir(cwd);
  for (const to of ["onnx", "js"] as const) {
    const best = await loadCheckpoint("fox", { out: path.join(cwd, "checkpoints") });
    const expected = Buffer.from(await exportModel(best, { to }));
    const outputs = process.platform === "win32" ? ["-"] : ["-", "/dev/stdout"];
    for (const output of outputs) {
      const args = ["export", "fox", "--to", to, "-o", output];
      const child = await startCharnn(t, args, { cwd });
      const pieces: Buffer[] = [];
      child.stdout.on("data", (bytes) => pieces.push(bytes));
      const { code, stderr } = await outcomeOf(child);
      assert.equal(code, 0, stderr);
      assert.ok(Buffer.concat(pieces).equals(expected), `${to} to ${output}`);
      assert.match(stderr, /^GRU, 1 layer of 8, .*kB$/m);
    }
  }
  const both = await charnn(t, [...EXPORT, "-o", "-", "--json"], { cwd });
  assert.deepEqual([both.code, both.stdout], [2, ""]);
  assert.match(
    both.stderr,
    /^Error: --json .*\nLeave out --json, or choose a file with --output\.$/m,
  );
  assert.deepEqual(await readdir(cwd), before);
});
