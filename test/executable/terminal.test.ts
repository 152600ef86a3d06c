import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { charnn, foxFolder, SMALL, sentences } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { openScreen, withTmux } from "../helpers/screen.js";
import { slow } from "../helpers/slow.js";

const BAR = /[\u2588\u2591]/;
/** What stands behind the bar, in this order; the last of it may have no room. */
const FACTS = [
  /^loss \d\.\d{3}$/,
  /^[\w ]+ left$/,
  /^epoch \d+$/,
  /^[\d,]+ chars\/s$/,
  /^\d\.\d{3} bits\/char$/,
];
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

/** The bar, its percentage and one fact or more, each of them whole. */
function isProgressLine(line: string): boolean {
  const [, facts] = /^[\u2588\u2591]+ \d+% {2}(.+)$/.exec(line) ?? [];
  return facts?.split(", ").every((fact, number) => FACTS[number]?.test(fact)) ?? false;
}

for (const columns of [40, 80, 120]) {
  (columns === 80 ? test : slow)(
    `a bar fits a terminal of ${columns} columns, and Ctrl-C leaves nothing of it`,
    withTmux,
    async (t) => {
      const cwd = await foxFolder(t);
      await writeFile(path.join(cwd, "fox.txt"), sentences(2000));
      const screen = await openScreen(t, [...LONG, "--name", "fox"], { cwd, columns });
      const running = await screen.shows({
        test: (text: string) => text.split("\n").some(isProgressLine),
        toString: () => "a whole progress line",
      });
      assert.equal(running.filter((line) => BAR.test(line)).length, 1, running.join("\n"));
      assert.equal(screen.cursorIsShown(), false);

      screen.press("C-c");
      const left = await screen.shows(/^code \d+$/m);
      assert.equal(left.at(-1), "code 130");
      assert.equal(left.at(-2), "checkpoints/fox/last.safetensors");
      const text = left.join("\n");
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
      for (const line of left.slice(
        0,
        left.findIndex((line) => line.includes("expected")),
      )) {
        assert.ok(line.length <= columns);
        assert.doesNotMatch(line, / (cha|charact|differ|paramete|lea|learni)$/);
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
      /^Training: checkpoints\/fox$/m,
      /^step 3, epoch 1: training loss \d\.\d+, validation loss \d\.\d+, best so far$/m,
      /^step 5, epoch 2: training loss \d\.\d+, validation loss \d\.\d+, best so far$/m,
      /^Done: step 5 of 5, in under 1 s\.\nBest, at step \d: validation loss .*\n.*\d-gram baseline \d\.\d{3}\nThe model predicts the held-out part no better [^/]*nats\/char\)\. .*\n.*\ncheckpoints\/fox\/best\.safetensors\ncode 0$/m,
    ].map((pattern) => text.search(pattern));
    assert.ok(!order.includes(-1), text);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    assert.ok(screen.lines(true).join("\n").includes("\u001b[1m"));
  },
);

slow("NO_COLOR leaves the bar and takes the colours, TERM=dumb takes both", withTmux, async (t) => {
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
  assert.doesNotMatch(dumbBytes, BAR);
});

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

const ANSWERS: [key: string, shows: RegExp][] = [
  ["C-c", /^Stopping; nothing is left of it\.\n+code 130$/m],
  ["C-d", /^Nothing was installed\.\ncode 0$/m],
  ["Enter", /^Nothing was installed\.\ncode 0$/m],
];
const askable = {
  skip: process.platform !== "linux" || process.arch !== "x64" ? "only there" : withTmux.skip,
};

for (const [key, shows] of ANSWERS) {
  test(`${key} is no leave to install TensorFlow`, askable, async (t) => {
    const cwd = await temporaryFolder(t);
    const env = { XDG_DATA_HOME: cwd, PYTHON: "true", CXX: "true" };
    const args = ["doctor", "--install-tensorflow"];
    const screen = await openScreen(t, args, { cwd, columns: 100, env });
    await screen.shows(/Go on\? \[y\/N\]/);
    screen.press(key);
    await screen.shows(shows);
    assert.deepEqual(await readdir(cwd), []);
  });
}
