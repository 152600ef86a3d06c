import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { createBatches } from "#src/data/batches.js";
import { loadCorpus } from "#src/data/corpus.js";
import { dealDocuments } from "#src/data/deal.js";
import { evaluationBatches } from "#src/data/evaluation-batches.js";
import { knownPart } from "#src/data/known-part.js";
import { readTexts } from "#src/data/texts.js";
import { countTokens, Vocabulary } from "#src/data/vocabulary.js";
import { Random } from "#src/random.js";
import { inPieces, isStopped, stopped, Turns, untilAborted } from "#src/turns.js";
import { temporaryFolder } from "./helpers/folder.js";
import { Draw } from "./helpers/numbers.js";
import { slow } from "./helpers/slow.js";
import { abortedAfterTurns, tickingClock, turnsDuring } from "./helpers/turns.js";

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
  test(`a reader that ${what} is stopped by the signal`, { timeout: 60_000 }, async () => {
    const options = { stdin: stdin(), signal: abortSoon() };
    await assert.rejects(loadCorpus(SETTINGS, options), STOP);
    const again = { stdin: stdin(), signal: abortSoon() };
    await assert.rejects(
      readTexts(["-"], { encoding: "utf-8", rewriting: undefined, joined: true }, again),
      STOP,
    );
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

test("long work on tokens gives others their turn, and is stopped by the signal", async (t) => {
  const [text] = (
    await readTexts(
      ["-"],
      { encoding: "utf-8", rewriting: undefined, joined: true },
      { stdin: ofLength(50_000_000) },
    )
  ).texts;
  const vocabulary = Vocabulary.fromCodePoints(text.codePoints);
  tickingClock(t);
  const work = (signal?: AbortSignal) => knownPart(text, { vocabulary }, "error", signal);
  assert.ok((await turnsDuring(work)) > 1);
  await assert.rejects(work(abortedAfterTurns(1, STOP)), STOP);
});

/** What is done with a list of many lines, or with many windows, before and between epochs. */
const LONG_ORDERS: [what: string, work: (signal?: AbortSignal) => Promise<unknown>][] = [
  ["lines are put into batches", (signal) => batchesOf({ documents: "lines" }).prepare(0, signal)],
  ["windows are put in order", (signal) => batchesOf({ batching: "windows" }).prepare(0, signal)],
  [
    "lines are put in order to be scored",
    (signal) => evaluationBatches(manyLines(), "lines", LETTERS, { signal }).next(),
  ],
  [
    "lines are dealt to the parts",
    (signal) => {
      const how = { fractions: { validation: 0.1, test: 0.1 }, fold: undefined, randomSeed: 0 };
      return dealDocuments(manyLines(), LETTERS, 0, how, signal);
    },
  ],
  ["characters are counted", (signal) => countTokens(manyLines(30), LETTERS.size, signal)],
];

for (const [what, work] of LONG_ORDERS) {
  test(`others get their turn while ${what}, and the signal ends it`, async (t) => {
    tickingClock(t);
    const turns = await turnsDuring(work);
    assert.ok(turns > 1, `${turns} turns`);
    await assert.rejects(work(abortedAfterTurns(1, STOP)), STOP);
  });
}

slow("an epoch that was prepared has the batches of one that was not", async () => {
  for (const settings of [{ documents: "lines" }, { batching: "windows" }, {}] as const) {
    const [one, other] = [batchesOf(settings), batchesOf(settings)];
    await one.prepare(3, undefined);
    assert.equal(one.batchesInEpoch(3), other.batchesInEpoch(3));
    assert.deepEqual(one.at(3, 5), other.at(3, 5));
  }
});

const LETTERS = Vocabulary.fromCodePoints(Array.from("\nabcdefgh", (test) => test.charCodeAt(0)));

/** Lines of 1 to 7 characters, most of them unlike the others. */
function manyLines(times = 1): Uint8Array {
  const draw = new Draw(1);
  const lines = Uint8Array.from({ length: 2_000_000 }, () => draw.below(LETTERS.size));
  const tokens = new Uint8Array(times * lines.length);
  for (let time = 0; time < times; time++) tokens.set(lines, time * lines.length);
  tokens[tokens.length - 1] = 0;
  return tokens;
}

function batchesOf({
  documents,
  batching = "lanes",
}: {
  documents?: "lines";
  batching?: "lanes" | "windows";
}) {
  const settings = { batching, batchSize: 4, seqLength: 16, stride: 1 };
  const part = { tokens: manyLines() };
  return createBatches(part, documents, LETTERS, settings, Random.fromSeed(1));
}

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

test("work of which a kernel was stopped is done again, unless the signal was meant for it", async () => {
  let calls = 0;
  const work = () => {
    if (++calls < 3) throw stopped();
    return "done";
  };
  assert.equal(await new Turns().during(work), "done");
  assert.equal(calls, 3);
  calls = 0;
  await assert.rejects(new Turns(AbortSignal.abort(STOP)).during(work), STOP);
  assert.equal(calls, 1);
  const never = () => {
    throw stopped();
  };
  await assert.rejects(new Turns().during(never), isStopped);
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
