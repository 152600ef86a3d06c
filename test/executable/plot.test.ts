import assert from "node:assert/strict";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { charnn, foxFolder, jsonLines } from "../helpers/executable.js";

/** What a run of so many steps reports. */
function reports(steps: number, factor = 1): string {
  const lines = [];
  for (let step = 1; step <= steps; step++) {
    const loss = factor * (1.5 + 2 * Math.exp(-step / 20));
    const common = { step, epoch: 1, learningRate: 0.01, seconds: step / 10 };
    const more = { gradientNorm: 0.2, charsPerSecond: 50_000 };
    lines.push({ event: "step", loss: step === 7 ? null : loss, ...more, ...common });
    if (step % 10 === 0) lines.push({ event: "eval", validationLoss: loss + 0.1, ...common });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

test("plot draws how runs went", async (t) => {
  const cwd = await foxFolder(t);
  const runOf = async (name: string, text: string) => {
    await mkdir(path.join(cwd, "checkpoints", name), { recursive: true });
    await writeFile(path.join(cwd, "checkpoints", name, "metrics.jsonl"), text);
  };
  await runOf("night", reports(100));
  await runOf("day", reports(60, 1.2));
  const plot = (args: string[], env = {}) => charnn(t, ["plot", ...args], { cwd, env });

  await t.test("one run with both its losses, and what they come to", async () => {
    const { code, stdout, stderr } = await plot(["night"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assert.ok(lines.every((line) => line.length <= 80));
    assert.ok(
      lines.some((line) => /┤.*○/.test(line)) && lines.some((line) => /[┤│].*●/.test(line)),
    );
    assert.equal(
      lines.at(-2),
      "○ training loss of night: 1.513 at step 100, least 1.513 at step 100",
    );
    assert.equal(
      lines.at(-1),
      "● validation loss of night: 1.613 at step 100, least 1.613 at step 100",
    );
    assert.equal(stdout, stripVTControlCharacters(stdout));
    assert.equal(lines[0], "nats/char, by step");
    const speed = await plot(["night", "--metric", "speed"]);
    assert.match(speed.stdout, /^characters a second, by step\n/);
  });

  await t.test("several runs, in colours where there are some", async () => {
    const { stdout } = await plot(["night", "day", "--width", "40"], { FORCE_COLOR: "1" });
    for (const [symbol, name] of [
      ["\x1b[33m○\x1b[39m", "night"],
      ["\x1b[36m●\x1b[39m", "day"],
    ]) {
      assert.ok(stdout.includes(`${symbol} validation loss of ${name}: `), name);
    }
    const plain = await plot(["night", "day", "--width", "40"], {
      FORCE_COLOR: "1",
      NO_COLOR: "1",
    });
    assert.ok(
      plain.stdout
        .split("\n")
        .slice(0, -3)
        .every((line) => line.length <= 40),
    );
    assert.equal(stripVTControlCharacters(stdout), plain.stdout);
  });

  await t.test("the newest run, another metric, and points for scripts", async () => {
    const { stdout } = await plot(["--metric", "speed"]);
    assert.match(stdout, /○ chars\/s of day: 50,000 at step 60/);
    const { stdout: json } = await plot(["night", "--json"]);
    const [training, validation] = jsonLines(json);
    assert.deepEqual([training.run, training.curve], ["night", "training loss"]);
    // The loss that was no number is left out.
    assert.equal(training.points.length, 99);
    assert.deepEqual(
      validation.points.map(({ step }: { step: number }) => step),
      [10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
    );
    assert.deepEqual(Object.keys(validation.points[0]), ["step", "value", "least", "most"]);
  });

  await t.test("a curve that can't be drawn is explained", async () => {
    await runOf("torn", `${reports(10)}{"event":"st\n${reports(10)}`);
    const torn = await plot(["torn"]);
    assert.equal(torn.code, 0);
    assert.match(torn.stderr, /^Warning: .*metrics\.jsonl is damaged at line 12 of 23/);
    await runOf("unvalidated", reports(5));
    const none = await plot(["unvalidated", "--metric", "validation-loss"]);
    assert.deepEqual([none.code, none.stdout], [0, ""]);
    assert.match(none.stderr, /^Warning: unvalidated has reported no validation loss/);
    for (const [args, code, said] of [
      [["nights"], 1, /no run "nights".*\n.*night/],
      [["night", "--width", "39"], 2, /--width must be a whole number from 40/],
      [["night", "--metric", "lost"], 2, /loss, training-loss/],
    ] as const) {
      const outcome = await plot([...args]);
      assert.deepEqual([outcome.code, outcome.stdout], [code, ""]);
      assert.match(outcome.stderr, said);
    }
    const empty = path.join(cwd, "checkpoints", "unvalidated", "metrics.jsonl");
    await writeFile(empty, "");
    await appendFile(empty, "");
    assert.match((await plot(["unvalidated"])).stderr, /has nothing to show/);
  });
});
