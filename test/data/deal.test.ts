import assert from "node:assert/strict";
import { test } from "node:test";
import { type Corpus, type CorpusSettings, loadCorpus } from "#src/data/corpus.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";

function deal(text: string, settings: Partial<CorpusSettings> = {}): Promise<Corpus> {
  async function* bytes() {
    yield Buffer.from(text);
  }
  const all: CorpusSettings = {
    files: ["-"],
    validation: 0.1,
    test: 0,
    encoding: "utf-8",
    documents: "lines",
    split: "random",
    ...settings,
  };
  return loadCorpus(all, { stdin: bytes() });
}

/** The lines of the training, the validation and the test part. */
function linesOf({ vocabulary, train, validation, test: kept }: Corpus): string[][] {
  return [train, validation, kept].map(({ tokens }) =>
    vocabulary.decode(tokens).split("\n").filter(Boolean),
  );
}

const names = Array.from({ length: 500 }, (_, i) => `${String.fromCharCode(97 + (i % 26))}x${i}`);

test("every line goes to one part, in its order, and equal lines go to the same one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 5 }), {
        minLength: 3,
        maxLength: 60,
      }),
      fc.nat(),
      async (lines, randomSeed) => {
        const filled = lines.filter(Boolean);
        fc.pre(new Set(filled).size > 2);
        const fractions = { validation: 0.2, test: 0.1, randomSeed };
        const parts = linesOf(await deal(`${lines.join("\n")}\n`, fractions));
        for (const part of parts) {
          assert.ok(part.length > 0);
          const own = new Set(part);
          assert.deepEqual(
            part,
            filled.filter((line) => own.has(line)),
          );
        }
        assert.equal(parts.flat().length, filled.length);
      },
    ),
  );
});

test("all characters are in one of the parts, empty lines too", async () => {
  const text = "\n\nabc\n\nde\n\n\nfghi\nj\n\n";
  const { train, validation, test: kept } = await deal(text, { validation: 0.3, test: 0.2 });
  const lengths = [train, validation, kept].map(({ tokens }) => tokens.length);
  assert.equal(
    lengths.reduce((sum, length) => sum + length),
    text.length,
  );
});

test("parts are as large as asked for, to within a line", async () => {
  const text = `${names.join("\n")}\n`;
  for (const [validation, kept] of [
    [0.1, 0],
    [0.3, 0.05],
    [0.02, 0.5],
  ]) {
    const corpus = await deal(text, { validation, test: kept });
    assert.ok(Math.abs(corpus.validation.tokens.length - validation * text.length) <= 3);
    assert.ok(Math.abs(corpus.test.tokens.length - kept * text.length) <= 3);
  }
});

test("a sorted list is divided as a shuffled one is, and other seeds divide it otherwise", async () => {
  const sorted = [...names].sort();
  const shuffled = sorted.map((_, i) => sorted[(i * 181) % sorted.length]);
  const heldOut = async (lines: string[], randomSeed: number) =>
    linesOf(await deal(lines.join("\n"), { randomSeed }))[1].sort();
  const first = await heldOut(sorted, 1);
  assert.deepEqual(await heldOut(shuffled, 1), first);
  assert.notDeepEqual(await heldOut(sorted, 2), first);
  // All letters are held out, not the last ones.
  assert.ok(new Set(first.map((line) => line[0])).size > 12, first.join(" "));
});

test("a larger vocabulary divides the lines in the same way", async () => {
  const alsoKnown = Vocabulary.fromCodePoints(
    [..."!é€"].map((test) => test.codePointAt(0) as number),
  );
  const text = names.join("\n");
  assert.deepEqual(linesOf(await deal(text, { alsoKnown })), linesOf(await deal(text)));
});

test("each line is held out by one fold, equal ones by the same, and folds are of one size", async () => {
  const lines = names.flatMap((name, i) => (i % 7 === 0 ? [name, name] : [name]));
  const text = `${lines.join("\n")}\n`;
  const held: string[] = [];
  const tests: string[][] = [];
  for (let index = 1; index <= 4; index++) {
    const fold = { index, of: 4 };
    const corpus = await deal(text, { fold, test: 0.1, randomSeed: 3 });
    const [train, validation, kept] = linesOf(corpus);
    assert.ok(validation.every((line) => !train.includes(line)));
    assert.ok(Math.abs(corpus.validation.tokens.length - 0.225 * text.length) < 8);
    held.push(...validation);
    tests.push(kept);
  }
  assert.deepEqual([...held, ...tests[0]].sort(), [...lines].sort());
  for (const kept of tests) assert.deepEqual(kept, tests[0]);
});

test("a line longer than all others together is trained on", async () => {
  const long = "long".repeat(500);
  const [train, validation] = linesOf(await deal(`${[long, ...names.slice(0, 9)].join("\n")}\n`));
  assert.ok(train.includes(long));
  assert.ok(validation.length > 0);
});

test("two lines make two parts, for any share", async () => {
  for (const validation of [0.01, 0.5, 0.99]) {
    const [train, held] = linesOf(await deal("one\ntwo\n", { validation }));
    assert.deepEqual([...train, ...held].sort(), ["one", "two"]);
    assert.equal(held.length, 1);
  }
});

test("where there are fewer different lines than parts, equal lines are held out, and a note says so", async () => {
  const corpus = await deal("one\none\none\n");
  assert.deepEqual(linesOf(corpus), [["one", "one"], ["one"], []]);
  assert.match(
    corpus.warnings.join(),
    /so few different lines that the held-out lines are also in the training part/,
  );
  assert.deepEqual((await deal("tow\ntwo\n")).warnings, []);
  const folds = await deal("one\ntwo\ntwo\n", { fold: { index: 1, of: 3 } });
  assert.match(folds.warnings.join(), /so few different lines/);
});

test("fewer lines than parts are refused, and what the hint says helps", async () => {
  await assert.rejects(
    deal("one\n"),
    failsWith("TEXT_TOO_SHORT", "this leaves no line for the validation part", "`validation: 0`"),
  );
  await deal("one\n", { validation: 0 });
  await assert.rejects(
    deal("one\ntwo\nthree\n", { test: 0.1, fold: { index: 1, of: 5 } }),
    failsWith("TEXT_TOO_SHORT", "fewer folds"),
  );
  await deal("one\ntwo\nthree\n", { test: 0.1, fold: { index: 1, of: 2 } });
});

test("without a share for them no line is held out", async () => {
  assert.deepEqual(linesOf(await deal("one\ntwo\n", { validation: 0 })), [["one", "two"], [], []]);
});
