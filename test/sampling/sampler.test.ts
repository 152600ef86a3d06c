import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Backend } from "#src/backends/backend.js";
import { modelConfig } from "#src/config/model.js";
import { Vocabulary } from "#src/data/vocabulary.js";
import { type Checkpoint, loadCheckpoint, type SampleSettings, sample } from "#src/index.js";
import type { CharRnn } from "#src/model/char-rnn.js";
import { Random } from "#src/random.js";
import { type GenerateSettings, generate } from "#src/sampling/sampler.js";
import { failsWith } from "../helpers/failure.js";
import { initialModel } from "../helpers/models.js";
import { testOnEveryBackend } from "../helpers/on-every-backend.js";
import { slow } from "../helpers/slow.js";
import { smallRun, trained, workplace } from "../helpers/training.js";
import { undisposed } from "../helpers/undisposed.js";

const PLAIN: GenerateSettings = { length: 40, count: 1, temperature: 0.8, topK: 0, topP: 1 };
const LETTERS = "abcdefgh \n";

testOnEveryBackend(
  "a sampler writes the likeliest character after all that was read, at temperature 0",
  (backend) => {
    const { model, vocabulary } = writer(backend, "lstm");
    const [text] = textsOf(model, vocabulary, { temperature: 0, prompt: "bad cafe", length: 25 });
    const likeliestText = () => {
      let written = "bad cafe";
      while (written.length < "bad cafe".length + 25) {
        const session = model.openDecodeSession(1);
        let values: Float32Array = new Float32Array();
        for (const token of vocabulary.encode(written)) values = session.step(Int32Array.of(token));
        session.dispose();
        const likeliest = values.indexOf(Math.max(...values));
        written += vocabulary.characterAt(likeliest);
      }
      return written.slice("bad cafe".length);
    };
    assert.equal(text, likeliestText());
  },
);

testOnEveryBackend(
  "a sampler writes the same text for the same random numbers, and another for others",
  (backend) => {
    const { model, vocabulary } = writer(backend);
    const write = (seed: number) => textsOf(model, vocabulary, {}, Random.fromSeed(seed))[0];
    assert.equal(write(1), write(1));
    assert.notEqual(write(2), write(1));
  },
);

testOnEveryBackend(
  "a sampler writes a k-th text that does not depend on how many there are",
  (backend) => {
    const { model, vocabulary } = writer(backend);
    const alone = textsOf(model, vocabulary, { prompt: "a" });
    const three = textsOf(model, vocabulary, { prompt: "a", count: 3 });
    const five = textsOf(model, vocabulary, { prompt: "a", count: 5 });
    assert.deepEqual(three.slice(0, 1), alone);
    assert.deepEqual(five.slice(0, 3), three);
    assert.equal(new Set(five).size, 5);
  },
);

testOnEveryBackend("a sampler writes a longer text that begins as the shorter one", (backend) => {
  const { model, vocabulary } = writer(backend);
  const [short] = textsOf(model, vocabulary, { length: 10 });
  const [long] = textsOf(model, vocabulary, { length: 30 });
  assert.equal(long.slice(0, 10), short);
});

testOnEveryBackend("a sampler writes as many characters as asked for", (backend) => {
  const { model, vocabulary } = writer(backend);
  for (const prompt of ["", "a"]) {
    for (const length of [0, 1, 2, 100]) {
      for (const text of textsOf(model, vocabulary, { prompt, length, count: 2 })) {
        assert.match(text, new RegExp(`^[${LETTERS}]{${length}}$`));
      }
    }
  }
});

testOnEveryBackend(
  "a sampler writes without end until nobody asks any more",
  (backend) => {
    const { model, vocabulary } = writer(backend);
    let written = 0;
    for (const _ of stepsThatWrite(model, vocabulary, { ...PLAIN, length: -1 }, random())) {
      if (++written === 2_000) break;
    }
    assert.equal(written, 2_000);
  },
  { define: slow },
);

testOnEveryBackend("a sampler counts characters beyond the first plane as one", (backend) => {
  const { model, vocabulary } = writer(backend, "gru", "😀🎈\n");
  const steps = [...stepsThatWrite(model, vocabulary, { ...PLAIN, prompt: "🎈" }, random())].flat();
  assert.equal(steps.length, 40);
  assert.deepEqual([...new Set(steps)].sort(), ["\n", "😀", "🎈"].sort());
});

testOnEveryBackend(
  "a sampler ends a text after the stop text, and lets the others go on",
  (backend) => {
    const { model, vocabulary } = writer(backend);
    const whole = textsOf(model, vocabulary, { count: 4, length: 200 });
    const stop = whole[2].slice(50, 52);
    const stopped = textsOf(model, vocabulary, { count: 4, length: 200, stop: [stop] });
    for (const [k, text] of whole.entries()) {
      const end = text.indexOf(stop);
      assert.equal(stopped[k], end === -1 ? text : text.slice(0, end + stop.length));
    }
  },
);

testOnEveryBackend(
  "a sampler does not take the end of the seed for the beginning of the stop text",
  (backend) => {
    const { model, vocabulary } = writer(backend);
    const [text] = textsOf(model, vocabulary, { prompt: "ab" });
    const stop = `b${text[0]}`;
    const [stopped] = textsOf(model, vocabulary, { prompt: "ab", stop: [stop] });
    const end = text.indexOf(stop);
    assert.equal(stopped, end === -1 ? text : text.slice(0, end + stop.length));
    assert.ok(stopped.length > 1);
  },
);

testOnEveryBackend("a sampler ends when every text has ended", (backend) => {
  const { model, vocabulary } = writer(backend);
  const settings = { ...PLAIN, prompt: "b", length: -1, count: 3, stop: ["a"] };
  const steps = [...stepsThatWrite(model, vocabulary, settings, random())];
  const texts = [0, 1, 2].map((k) => steps.map((step) => step[k]).join(""));
  for (const text of texts) assert.match(text, /^[^a]*a$/);
  assert.equal(steps.length, Math.max(...texts.map((text) => text.length)));
});

testOnEveryBackend(
  "a sampler without a seed begins a line, after some that are not shown",
  (backend) => {
    const { model, vocabulary } = writer(backend);
    const whole = textsOf(model, vocabulary, { prompt: "\n", length: 400, count: 3 });
    for (const prompt of [undefined, ""]) {
      const shown = textsOf(model, vocabulary, { prompt, count: 3 });
      assert.deepEqual(
        shown,
        whole.map((text) => {
          const start = text.indexOf("\n", 99) + 1;
          return text.slice(start, start + PLAIN.length);
        }),
      );
    }
  },
);

testOnEveryBackend(
  "a sampler without a seed, and where no line can begin, begins with any character",
  (backend) => {
    const { model, vocabulary } = writer(backend, "gru", "abcdefgh");
    const firsts = textsOf(model, vocabulary, { count: 60, length: 1 });
    assert.deepEqual([...new Set(firsts)].sort(), [..."abcdefgh"]);
  },
);

testOnEveryBackend(
  "a sampler refuses a seed with characters that the model does not know",
  (backend) => {
    const { model, vocabulary } = writer(backend);
    for (const documents of [undefined, "lines"] as const) {
      assert.throws(
        () => textsOf(model, vocabulary, { prompt: "a baÉ", documents }),
        failsWith("UNKNOWN_CHARACTER", "É", "line 1, column 5", /knows .*"e"/),
      );
    }
  },
);

testOnEveryBackend("a sampler of a model of lines writes one line, without its end", (backend) => {
  const { model, vocabulary } = writer(backend);
  const settings = { length: 500, count: 3, prompt: "bad" } as const;
  const asLines = textsOf(model, vocabulary, { ...settings, documents: "lines" });
  // The model of lines reads the line end that stands before each of its texts.
  const asText = textsOf(model, vocabulary, { ...settings, prompt: "\nbad" });
  assert.deepEqual(
    asLines,
    asText.map((text) => text.split("\n")[0]),
  );
});

testOnEveryBackend("a sampler leaves no tensors behind, whether it ends or is left", (backend) => {
  for (const cell of ["gru", "lstm"] as const) {
    const { model, vocabulary } = writer(backend, cell);
    const before = undisposed();
    textsOf(model, vocabulary, { prompt: "abc", count: 2 });
    for (const _ of stepsThatWrite(model, vocabulary, PLAIN, random())) break;
    assert.throws(() => textsOf(model, vocabulary, { prompt: "É" }));
    assert.equal(undisposed(), before);
  }
});

test("Sampling from a checkpoint writes what the model has learned", async (t) => {
  const checkpoint = await learned(t, "thou art more lovely\n".repeat(30), 200);
  const text = await sampled(checkpoint, { seed: "\nthou", length: 41, temperature: 0 });
  assert.equal(text, " art more lovely\nthou art more lovely\nthou".slice(0, 41));
});

test("Sampling from a checkpoint writes the same text for the same random seed, by default for the seed 0", async (t) => {
  const checkpoint = await learned(t);
  const text = await sampled(checkpoint, {});
  assert.equal([...text].length, 500);
  assert.equal(await sampled(checkpoint, { randomSeed: 0 }), text);
  assert.notEqual(await sampled(checkpoint, { randomSeed: 1 }), text);
});

test("Sampling from a checkpoint continues a seed with characters that the model does not know as it is told to", async (t) => {
  const checkpoint = await learned(t);
  const known = await sampled(checkpoint, { seed: "the ", length: 20 });
  const warnings: string[] = [];
  const write = async (seed: string, unknown: "map" | "skip" | "error") => {
    let text = "";
    const options = { onWarning: (message: string) => warnings.push(message) };
    for await (const [character] of sample(checkpoint, { seed, length: 20, unknown }, options)) {
      text += character;
    }
    return text;
  };
  assert.equal(await write("th\u00e9 ", "map"), known);
  assert.equal(await write("th\u8a9ee ", "skip"), known);
  assert.deepEqual(warnings.length, 2);
  assert.match(warnings[0], /^Of the seed, 1 character .*"\u00e9" as "e"/);
  assert.match(warnings[1], /^Of the seed, 1 character .*left out: "\u8a9e"/);
  await assert.rejects(
    write("th\u00e9 ", "error"),
    failsWith("UNKNOWN_CHARACTER", "`unknown: map`"),
  );
  await assert.rejects(write("\u8a9e", "map"), failsWith("UNKNOWN_CHARACTER", "none like it"));
});

test("Sampling from a checkpoint writes lines with a model of lines", async (t) => {
  const checkpoint = await learned(t, undefined, 3, "lines");
  const steps = [];
  for await (const step of sample(checkpoint, { count: 8, length: -1 })) steps.push(step);
  assert.equal(steps.flat().includes("\n"), false);
});

test("Sampling from a checkpoint leaves no tensors behind", async (t) => {
  const checkpoint = await learned(t);
  const before = undisposed();
  await sampled(checkpoint, {});
  for await (const _ of sample(checkpoint)) break;
  await assert.rejects(sampled(checkpoint, { seed: "É" }), failsWith("UNKNOWN_CHARACTER"));
  assert.equal(undisposed(), before);
});

test("Sampling from a checkpoint refuses a wrong setting, naming it", async (t) => {
  const checkpoint = await learned(t);
  for (const [setting, ...values] of [
    ["seed", 5],
    ["length", -2, 1.5, Number.NaN],
    ["temperature", -0.1, Number.NaN, Number.POSITIVE_INFINITY],
    ["topK", -1, 0.5],
    ["temperature", [], [0.5, -1]],
    ["topP", 0, 1.1, Number.NaN],
    ["minP", -0.1, 1],
    ["lines", 0],
    ["sentences", 0],
    ["bestOf", 0, 4_097],
    ["allow", "", "z-a", "É", "a]b"],
    ["forbid", "", "\\s\\S"],
    ["match", "(", "a(?=b)", "(a)\\1", "\\ba", "É", "(.{999}){999}", "a^b", "a$b"],
    ["maxRepeat", 0],
    ["include", [""]],
    ["count", 0, 4_097],
    ["stop", 1, "a", [""], ["É"]],
    ["randomSeed", -1],
    ["backend", "abacus"],
  ] as const) {
    for (const value of values) {
      const settings = { [setting]: value } as SampleSettings;
      const refused = failsWith("INVALID_SETTING", new RegExp(`^${setting}\\b`));
      await assert.rejects(sampled(checkpoint, settings), refused, `${value}`);
    }
  }
});

function writer(backend: Backend, cell: "gru" | "lstm" = "gru", characters = LETTERS) {
  const vocabulary = Vocabulary.fromCodePoints(
    Array.from(characters, (character) => character.codePointAt(0) as number),
  );
  const config = modelConfig({
    cell,
    layers: 2,
    hiddenSize: 8,
    embeddingSize: 0,
    vocabularySize: vocabulary.size,
  });
  return { model: initialModel(backend, config, Random.fromSeed(3)), vocabulary };
}

function random(): Random {
  return Random.fromSeed(5);
}

function textsOf(
  model: CharRnn,
  vocabulary: Vocabulary,
  settings: Partial<GenerateSettings>,
  numbers = random(),
): string[] {
  const all = { ...PLAIN, ...settings };
  const texts = new Array<string>(all.count).fill("");
  for (const characters of stepsThatWrite(model, vocabulary, all, numbers)) {
    for (const [k, character] of characters.entries()) texts[k] += character;
  }
  return texts;
}

async function learned(t: TestContext, text?: string, steps = 3, documents?: "lines") {
  const place = await workplace(t, text);
  await trained(smallRun(place, { steps, learningRate: 0.02, documents }));
  return loadCheckpoint("run", place);
}

async function sampled(checkpoint: Checkpoint, settings: SampleSettings): Promise<string> {
  let text = "";
  for await (const [character] of sample(checkpoint, settings)) text += character;
  return text;
}

/** What a sampler writes, without the steps in which it only reads. */
function* stepsThatWrite(
  ...given: Parameters<typeof generate>
): Generator<readonly string[], void> {
  for (const characters of generate(...given)) if (characters.length > 0) yield characters;
}
