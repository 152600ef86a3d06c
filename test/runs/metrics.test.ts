import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { appendMetrics, readOrigin, truncateMetricsAfter } from "#src/runs/metrics.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";

test("each report is one line of JSON after those before", async (t) => {
  const file = path.join(await temporaryFolder(t), "metrics.jsonl");
  await appendMetrics(file, { event: "step", step: 1 });
  await appendMetrics(file, { event: "sample", text: "two\nlines" });
  assert.equal(
    await readFile(file, "utf8"),
    '{"event":"step","step":1}\n{"event":"sample","text":"two\\nlines"}\n',
  );
});

test("resuming drops the lines of later steps and those cut short, and keeps the rest", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "metrics.jsonl");
  const kept = '{"event":"start"}\n{"event":"step","step":9}\n{"event":"step","step":10}\n';
  await writeFile(file, `${kept}{"event":"step","step":11}\n{"event":"step","st`);
  await truncateMetricsAfter(file, { step: 10, evaluatedAt: 10 });
  assert.equal(await readFile(file, "utf8"), kept);
  assert.deepEqual(await readdir(folder), ["metrics.jsonl"]);
});

test("resuming drops lines that are no objects", async (t) => {
  const file = path.join(await temporaryFolder(t), "metrics.jsonl");
  const kept = '{"event":"step","step":1}\n{"event":"step","step":2}\n';
  for (const line of ["5", "null", '"step"', "[1]", "\0\0\0", ""]) {
    await writeFile(file, kept.replace("\n", `\n${line}\n`));
    await truncateMetricsAfter(file, { step: 2, evaluatedAt: 2 });
    assert.equal(await readFile(file, "utf8"), kept, line);
  }
});

test("a last line that lacks only its line end is kept, and gets one", async (t) => {
  const file = path.join(await temporaryFolder(t), "metrics.jsonl");
  await writeFile(file, '{"step":1}\n{"step":2}');
  await truncateMetricsAfter(file, { step: 2, evaluatedAt: 2 });
  assert.equal(await readFile(file, "utf8"), '{"step":1}\n{"step":2}\n');
});

test("an evaluation and its sample that no checkpoint knows of are dropped, since they are made again", async (t) => {
  const file = path.join(await temporaryFolder(t), "metrics.jsonl");
  const kept = '{"event":"eval","step":5}\n{"event":"step","step":8}\n';
  const again = '{"event":"eval","step":8}\n{"event":"sample","step":8,"text":"so"}\n';
  await writeFile(file, kept + again);
  await truncateMetricsAfter(file, { step: 8, evaluatedAt: 5 });
  assert.equal(await readFile(file, "utf8"), kept);
});

test("lines of NULs, which a power failure may leave, are dropped", async (t) => {
  const file = path.join(await temporaryFolder(t), "metrics.jsonl");
  await writeFile(file, '{"step":1}\n\0\0\0\0');
  await truncateMetricsAfter(file, { step: 2, evaluatedAt: 2 });
  assert.equal(await readFile(file, "utf8"), '{"step":1}\n');
});

test("metrics that are not there need no truncation", async (t) => {
  const folder = await temporaryFolder(t);
  await truncateMetricsAfter(path.join(folder, "metrics.jsonl"), { step: 1, evaluatedAt: 1 });
  assert.deepEqual(await readdir(folder), []);
});

test("a report that can't be written is an error with the path", async (t) => {
  const file = path.join(await temporaryFolder(t), "none", "metrics.jsonl");
  await assert.rejects(appendMetrics(file, {}), failsWith("NOT_WRITABLE", file));
});

test("only the end of the file is cut off, and the rest stays where it is", async (t) => {
  const file = path.join(await temporaryFolder(t), "metrics.jsonl");
  const kept = Array.from({ length: 5_000 }, (_, k) => `{"event":"step","step":${k}}\n`).join("");
  await writeFile(file, `${kept}{"event":"step","step":5000}\n{"event":"step"`);
  const { ino } = await stat(file);
  await truncateMetricsAfter(file, { step: 4_999, evaluatedAt: 0 });
  assert.equal(await readFile(file, "utf8"), kept);
  assert.equal((await stat(file)).ino, ino);
});

test("damage before the end is dropped, and what comes after it is kept", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "metrics.jsonl");
  const tooLong = `{"event":"sample","step":1,"text":"${"x".repeat(2 ** 21)}"}\n`;
  await writeFile(file, `{"step":1}\n\0\0\0\n${tooLong}{"step":2}\n{"step":3}\n{"st`);
  await truncateMetricsAfter(file, { step: 2, evaluatedAt: 2 });
  assert.equal(await readFile(file, "utf8"), '{"step":1}\n{"step":2}\n');
  assert.deepEqual(await readdir(folder), ["metrics.jsonl"]);
});

test("How a run was begun is read from the first line of its metrics, where it is said there", async (t) => {
  const file = path.join(await temporaryFolder(t), "metrics.jsonl");
  assert.equal(await readOrigin(file), undefined);
  const run = {
    ...{ event: "run", step: 0, date: "2026-01-02T03:04:05.678Z", version: "0.1.0" },
    ...{ backend: "native", threads: 2, settings: { files: ["book.txt"], steps: 5 } },
  };
  await appendMetrics(file, run);
  await appendMetrics(file, { event: "step", step: 1 });
  assert.deepEqual(await readOrigin(file), run);
  await writeFile(file, '{"event":"step","step":1}\n');
  assert.equal(await readOrigin(file), undefined);
});
