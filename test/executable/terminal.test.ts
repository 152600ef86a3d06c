import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, foxFolder, SMALL, sentences } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { openScreen, withTmux } from "../helpers/screen.js";
import { slow } from "../helpers/slow.js";

const BAR = /[\u2588\u2591]/;
/** A bar with how much is done, which the bars of the comparison at the end are not. */
const PERCENT = /[\u2588\u2591] \d+%/;
/** What stands behind the bar in a narrow terminal, in this order; the last of it may have no room. */
const FACTS = [/^[\w ]+ left$/, /^training \d\.\d{3}$/, /^held out \d\.\d{3}$/];
/** The two lines of a wide one. */
const WHERE = /^[\u2588\u2591]+ \d+% {2}step [\d,]+ of 100,000, epoch \d+ of [\d,]+, [\w ]+ left$/;
const HOW_GOOD = /^loss: training \d\.\d{3}(, held out .*)?, [\d,]+ chars\/s$/;
const LONG = [
  "train",
  "fox.txt",
  "--hidden-size",
  "64",
  "--steps",
  "100000",
  "--eval-every",
  "50000",
  // So slow that an epoch's end does not take the bar away at every look.
  "--backend",
  "wasm",
];

/** Whether a screen shows how a run goes, each fact whole. */
function showsProgress(lines: readonly string[], columns: number): boolean {
  const at = lines.findIndex((line) => BAR.test(line));
  if (columns >= 80) return WHERE.test(lines[at] ?? "") && HOW_GOOD.test(lines[at + 1] ?? "");
  const [, facts] = /^[\u2588\u2591]+ \d+% {2}(.+)$/.exec(lines[at] ?? "") ?? [];
  return facts?.split(", ").every((fact, number) => FACTS[number]?.test(fact)) ?? false;
}

slow("while a model reads a long seed, the terminal says so", withTmux, async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await writeFile(path.join(cwd, "long.txt"), sentences(100_000));
  const args = ["sample", "fox", "--seed-file", "long.txt", "-n", "5"];
  const screen = await openScreen(t, args, { cwd, columns: 100 });
  await screen.shows(/^Reading the seed$/m);
  screen.press("C-c");
  const left = await screen.shows(/^code \d+$/m);
  assert.doesNotMatch(left.join("\n"), /Reading the seed/);
});

for (const columns of [40, 80, 120]) {
  (columns === 80 ? test : slow)(
    `a bar fits a terminal of ${columns} columns, and Ctrl-C leaves nothing of it`,
    withTmux,
    async (t) => {
      const cwd = await foxFolder(t);
      await writeFile(path.join(cwd, "fox.txt"), sentences(2000));
      const screen = await openScreen(t, [...LONG, "--name", "fox"], { cwd, columns });
      const running = await screen.shows({
        test: (text: string) => showsProgress(text.split("\n"), columns),
        toString: () => "a whole progress display",
      });
      assert.equal(running.filter((line) => BAR.test(line)).length, 1, running.join("\n"));
      assert.equal(screen.cursorIsShown(), false);

      screen.press("C-c");
      const left = await screen.shows(/^code \d+$/m);
      assert.equal(left.at(-1), "code 130");
      const text = left.join("\n");
      assert.match(text, /^checkpoints\/fox\/last\.safetensors$/m);
      assert.doesNotMatch(text, BAR);
      assert.ok(!text.includes("^C"), text);
      const announced = "Finishing this step and saving; Ctrl-C again stops at once.";
      if (columns > announced.length) assert.ok(left.includes(announced), text);
      const whole = left.join("").replaceAll(/ +/g, " ");
      for (const part of [
        "Interrupted and saved: step",
        "To continue: charnn train fox.txt --backend wasm --name fox --resume",
      ]) {
        assert.ok(whole.replaceAll(" ", "").includes(part.replaceAll(" ", "")), text);
      }
      assert.equal(screen.cursorIsShown(), true);
      // Words of the overview are not broken.
      const overview = left.slice(0, left.indexOf(""));
      assert.ok(overview.length >= 5, text);
      for (const line of overview) {
        assert.ok(line.length <= columns);
        assert.doesNotMatch(line, / (cha|charact|differ|paramete|mem|contin)$/);
      }
    },
  );
}

test(
  "every line of a run that ends stands on the terminal, whole and in order",
  withTmux,
  async (t) => {
    const cwd = await foxFolder(t);
    const args = ["train", "fox.txt", "--name", "fox", ...SMALL];
    const screen = await openScreen(t, args, { cwd, columns: 80 });
    const lines = await screen.shows(/^code 0$/m);
    const text = lines.join("\n");
    const order = [
      /^ {2}folder +checkpoints\/fox$/m,
      /^epoch +step +training +held out$/m,
      /^ {4}1 +3 +\d\.\d{3} +\d\.\d{3} {2}best$/m,
      /^ {4}2 +5 +\d\.\d{3} +\d\.\d{3} {2}best$/m,
      /^Done: step 5 of 5, in under 1 s\.\n\n {2}Bits per character .*\n {4}held-out part .*\n {4}training part .*\n {4}\d-gram baseline .*\n\nThe model predicts the held-out part no better [^.]*\. .*\n.*help\.\ncheckpoints\/fox\/best\.safetensors\n\nWrite: .*\nLook: .*\nTrain longer: .*\n?.*\ncode 0$/m,
    ].map((pattern) => text.search(pattern));
    assert.ok(!order.includes(-1), text);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.match(screen.lines(true).join("\n"), /\u001b\[(0;)?1m/);
  },
);

slow(
  "NO_COLOR keeps the bar and removes the colours, TERM=dumb removes both",
  withTmux,
  async (t) => {
    const cwd = await foxFolder(t);
    const args = ["train", "fox.txt", ...SMALL];
    const plain = await openScreen(t, args, { cwd, columns: 80, env: { NO_COLOR: "1" } });
    await plain.shows(/^code 0$/m);
    const bytes = await plain.sent();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(bytes, /\u001b\[[\d;]*m/);
    assert.match(bytes, BAR);

    const dumb = await openScreen(t, args, { cwd, columns: 80, env: { TERM: "dumb" } });
    await dumb.shows(/^code 0$/m);
    const dumbBytes = await dumb.sent();
    assert.match(dumbBytes, /Done: step 5/);
    assert.ok(!dumbBytes.includes("\u001b"));
    assert.doesNotMatch(dumbBytes, PERCENT);
  },
);

slow(
  "control characters in a sampled text are shown on a terminal, not obeyed",
  withTmux,
  async (t) => {
    const cwd = await temporaryFolder(t);
    await writeFile(path.join(cwd, "odd.txt"), "a\u001bb\u0007".repeat(500));
    await charnn(t, ["train", "odd.txt", "--quiet", ...SMALL], { cwd });
    const screen = await openScreen(t, ["sample", "-n", "60"], { cwd, columns: 300 });
    const lines = await screen.shows(/^code 0$/m);
    assert.match(lines.join("\n"), /\\x1b/);
    assert.match(lines.join("\n"), /\\x07/);
    const bytes = await screen.sent();
    assert.ok(!bytes.includes("\u001b") && !bytes.includes("\u0007"));
  },
);

slow("bench shows a bar, then its results alone; Ctrl-C ends it at once", withTmux, async (t) => {
  const cwd = await temporaryFolder(t);
  const bench = ["bench", "--hidden-size", "8", "--backend", "wasm"];
  const whole = await openScreen(t, [...bench, "--steps", "2"], { cwd, columns: 80 });
  await whole.shows(/^[\u2588\u2591]+ \d+% {2}sampling$/m);
  const lines = await whole.shows(/^code 0$/m);
  assert.match(lines[0], /^model +GRU, 1 layer of 8, /);
  assert.doesNotMatch(lines.join("\n"), BAR);

  const stopped = await openScreen(t, bench, { cwd, columns: 80 });
  await stopped.shows(/^[\u2588\u2591]+ \d+% {2}training$/m);
  assert.equal(stopped.cursorIsShown(), false);
  stopped.press("C-c");
  const left = await stopped.shows(/^code \d+$/m);
  assert.equal(left.at(-1), "code 130");
  assert.equal(stopped.cursorIsShown(), true);
});

slow(
  "bench says what it does before and during a first step that takes long",
  withTmux,
  async (t) => {
    const cwd = await temporaryFolder(t);
    const sizes = ["--hidden-size", "512", "--batch-size", "64", "--seq-length", "256"];
    const bench = ["bench", ...sizes, "--backend", "wasm", "--threads", "1"];
    const screen = await openScreen(t, bench, { cwd, columns: 80 });
    await screen.shows(/^Making the model$/m);
    await screen.shows(/^[\u2588\u2591]+ 0% {2}training$/m);
    screen.press("C-c");
    const left = await screen.shows(/^code \d+$/m);
    assert.deepEqual(left, ["code 130"]);
  },
);

const ANSWERS: [key: string, shows: RegExp][] = [
  ["C-c", /^Stopping; nothing is left of it\.\n+code 130$/m],
  ["C-d", /^Nothing was installed\.\ncode 0$/m],
  ["Enter", /^Nothing was installed\.\ncode 0$/m],
];
const askable = {
  skip: process.platform !== "linux" || process.arch !== "x64" ? "only there" : withTmux.skip,
};

for (const [key, shows] of ANSWERS) {
  test(`${key} does not count as consent to install TensorFlow`, askable, async (t) => {
    const cwd = await temporaryFolder(t);
    const env = { XDG_DATA_HOME: cwd, PYTHON: "true", CXX: "true" };
    const args = ["doctor", "--install-tensorflow"];
    const screen = await openScreen(t, args, { cwd, columns: 100, env });
    await screen.shows(/Continue\? \[y\/N\]/);
    screen.press(key);
    await screen.shows(shows);
    assert.deepEqual(await readdir(cwd), []);
  });
}
