import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { Game } from "#src/cli/play/game.js";
import { openModel } from "#src/index.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

test("A typed text is continued, each time by as many characters as are set, and goes on with an empty line", async (t) => {
  const { play, written } = await begun(t);
  await play("thou ");
  assert.match(written(), /^thou .{12}\n$/s);
  await play(":n 5");
  await play("");
  await play("day");
  await play(":text");
  const [, text] = /^thou .{12}\n.{5}\nday.{5}\n(.*)\n$/s.exec(written()) as RegExpExecArray;
  assert.equal(text.length, 5 + 12 + 5 + 3 + 5);
});

test("A part is written anew, taken back, and repeated by its random seed", async (t) => {
  const { play, written, said } = await begun(t);
  await play(":seed 3");
  await play("thou ");
  const first = written();
  await play(":again");
  const second = written().slice(first.length);
  assert.notEqual(second, first);
  await play(":seed 3");
  await play(":again");
  assert.ok(written().endsWith(first));
  await play("day");
  await play(":undo");
  assert.ok(written().endsWith(first));
  await play(":undo");
  await play(":undo");
  assert.equal(said().at(-1), "There is nothing to take back.");
  await play(":again");
  assert.equal(said().at(-1), "There is nothing to write anew yet.");
});

test("What can't be done is said, and changes nothing", async (t) => {
  const { play, written, said } = await begun(t);
  await play("thou ");
  const before = written();
  for (const [line, answer] of [
    ["語", /does not know the character "語"/],
    [":t hot", /temperature is a number/],
    [":n 0", /whole number from 1/],
    [":seed -1", /whole number from 0/],
    [":save", /Name a file/],
    [":save no/such/folder/x.txt", /no\/such\/folder/],
    [":dance", /no :dance.*:help/],
  ] as const) {
    assert.equal(await play(line), true);
    assert.match(said().at(-1) as string, answer);
  }
  assert.equal(written(), before);
  await play(":text");
  assert.equal(written(), before + before);
});

test("A text is saved in a new file, and no other file is replaced", async (t) => {
  const { play, written, said, folder } = await begun(t);
  const file = path.join(folder, "story.txt");
  await play("thou ");
  await play(`:save ${file}`);
  assert.equal(await readFile(file, "utf8"), written());
  await play("day");
  await play(`:save ${file}`);
  assert.match(said().at(-1) as string, /already/);
  assert.ok(written().startsWith(await readFile(file, "utf8")));
});

test("A model that is stopped leaves what it has written, and the game goes on until :quit", async (t) => {
  const stop = new AbortController();
  const onWritten = (text: string) => {
    if (text.length > 20) stop.abort();
  };
  const { game, play, written } = await begun(t, { length: 100_000, onWritten });
  assert.equal(await game.play("thou ", stop.signal), true);
  const { length } = written();
  assert.ok(length > 6 && length < 100_000, `${length}`);
  await play(":n 4");
  await play("");
  assert.equal(written().length, length + 5);
  assert.equal(await play(":quit"), false);
});

test("That a long text is being read is shown until the model goes on with it", async (t) => {
  const { play, written, shown } = await begun(t);
  await play("thou ");
  assert.ok(shown().every(([isReading]) => !isReading));
  const before = written();
  await play("day ".repeat(600));
  const from = shown().findIndex(([isReading]) => isReading);
  assert.deepEqual(shown().slice(from, from + 2), [
    [true, before],
    [false, before],
  ]);
});

async function begun(t: TestContext, { length = 12, onWritten = (_text: string) => {} } = {}) {
  const place = await workplace(t);
  await trained(smallRun(place, { steps: 5 }));
  const model = await openModel("run", { out: place.out });
  t.after(() => model.close());
  let text = "";
  const lines: string[] = [];
  const shown: [isReading: boolean, written: string][] = [];
  const player = {
    repeats: true,
    write: async (part: string) => {
      text += part;
      onWritten(text);
    },
    say: (line: string) => {
      lines.push(line);
    },
    showReading: (isReading: boolean) => {
      shown.push([isReading, text]);
    },
  };
  const game = new Game(model, player, { length, temperature: 0.8 });
  return {
    game,
    play: (line: string) => game.play(line, new AbortController().signal),
    written: () => text,
    said: () => lines,
    shown: () => shown,
    folder: path.dirname(place.text),
  };
}
