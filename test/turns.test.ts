import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { loadCorpus } from "#src/data/corpus.js";
import { knownPart, readTexts } from "#src/data/texts.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { inPieces, untilAborted } from "#src/turns.js";
import { temporaryFolder } from "./helpers/folder.js";

const SETTINGS = { files: ["-"], validation: 0.1, test: 0, encoding: "utf-8" };
const STOP = new Error("stop");

/** A stream that brings a few bytes and then nothing more, and never ends. */
async function* stalled(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("some text");
  await new Promise(() => {});
}

/** More text than can be read in a moment, always ready. */
async function* endless(): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.from("the quick brown fox\n".repeat(5_000));
  for (;;) yield chunk;
}

function abortSoon(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(STOP), 100);
  return controller.signal;
}

for (const [what, stdin] of [
  ["waits for more", stalled],
  ["reads without a pause", endless],
] as const) {
  test(`who ${what} is stopped by the signal`, { timeout: 60_000 }, async () => {
    const options = { stdin: stdin(), signal: abortSoon() };
    await assert.rejects(loadCorpus(SETTINGS, options), STOP);
    const again = { stdin: stdin(), signal: abortSoon() };
    await assert.rejects(readTexts(["-"], { encoding: "utf-8", joined: true }, again), STOP);
  });
}

test("a signal that was aborted before stops the reading of a file and of a folder", async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "a.txt");
  await writeFile(file, "some text");
  for (const name of [file, folder]) {
    const options = { signal: AbortSignal.abort(STOP) };
    await assert.rejects(loadCorpus({ ...SETTINGS, files: [name] }, options), STOP);
  }
});

test("long work on tokens gives timers their turn, and is stopped by the signal", async () => {
  const [text] = (
    await readTexts(["-"], { encoding: "utf-8", joined: true }, { stdin: ofLength(50_000_000) })
  ).texts;
  const vocabulary = Vocabulary.fromCodePoints(text.codePoints);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await knownPart(text, vocabulary, "error");
  clearInterval(timer);
  assert.ok(turns > 1);
  const controller = new AbortController();
  setImmediate(() => controller.abort(STOP));
  await assert.rejects(knownPart(text, vocabulary, "error", controller.signal), STOP);
});

test("pieces make up the whole range, and work can end them", async () => {
  const pieces: number[][] = [];
  await inPieces(2_500_000, undefined, (...piece) => pieces.push(piece));
  assert.equal(pieces[0][0], 0);
  assert.equal(pieces.at(-1)?.[1], 2_500_000);
  for (const [k, [start]] of pieces.entries()) if (k > 0) assert.equal(start, pieces[k - 1][1]);
  let calls = 0;
  await inPieces(1e12, undefined, () => (++calls === 3 ? "stop" : undefined));
  assert.equal(calls, 3);
});

test("a stream that is left early is closed, and one that fails throws", async () => {
  let isClosed = false;
  async function* numbers() {
    try {
      yield 1;
      yield 2;
    } finally {
      isClosed = true;
    }
  }
  for await (const number of untilAborted(numbers(), undefined)) {
    assert.equal(number, 1);
    break;
  }
  assert.ok(isClosed);
  async function* failing() {
    yield 1;
    throw STOP;
  }
  await assert.rejects(async () => {
    for await (const _ of untilAborted(failing(), undefined));
  }, STOP);
});

async function* ofLength(length: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.from("abcdefghi\n".repeat(10_000));
  for (let sent = 0; sent < length; sent += chunk.length) yield chunk;
}
