/** The vocabularies and maps that an import takes, and those that it refuses. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { importRun } from "#src/index.js";
import { failsWith } from "../helpers/failure.js";
import {
  CHARACTERS,
  filesToImport,
  foreignTensors,
  safetensorsOf,
} from "../helpers/foreign-model.js";

const tensors = foreignTensors();
const OBJECT = Object.fromEntries(CHARACTERS.map((it, index) => [it, index]));
const VOCABULARIES: readonly (readonly [what: string, text: string, file?: string])[] = [
  ["a JSON list", JSON.stringify(CHARACTERS, undefined, 2)],
  ["a JSON list in a file of any name", JSON.stringify(CHARACTERS), "chars"],
  ["a JSON object from characters to indices", JSON.stringify(OBJECT)],
  ["a JSON object from indices to characters", JSON.stringify({ ...CHARACTERS })],
  ["stoi", JSON.stringify({ stoi: OBJECT })],
  ["itos as a list", JSON.stringify({ itos: CHARACTERS })],
  [
    "itos as an object, beside other things",
    JSON.stringify({
      vocab_size: 5,
      itos: { ...CHARACTERS },
    }),
  ],
  ["plain text", CHARACTERS.join(""), "chars.txt"],
  ["plain text with a byte order mark", `\ufeff${CHARACTERS.join("")}`, "chars.txt"],
];

for (const [what, vocabulary, vocabularyFile] of VOCABULARIES) {
  test(`An imported model has its vocabulary from ${what}`, async (t) => {
    const settings = await filesToImport(t, tensors, { vocabulary, vocabularyFile });
    const { vocabulary: read } = await importRun(settings);
    assert.deepEqual(read.toJSON(), CHARACTERS);
  });
}

test("An imported model has its vocabulary from the metadata of the weights where no file is given", async (t) => {
  const metadata = { format: "pt", vocabulary: JSON.stringify(CHARACTERS) };
  const bytes = safetensorsOf(tensors, metadata);
  const { vocabulary: _, ...settings } = await filesToImport(t, bytes);
  assert.deepEqual((await importRun(settings)).vocabulary.toJSON(), CHARACTERS);
  const damaged = safetensorsOf(tensors, { vocabulary: '["a"]' });
  const { vocabulary: __, ...others } = await filesToImport(t, damaged);
  await assert.rejects(
    importRun(others),
    failsWith("BAD_CHECKPOINT", "metadata", "weights.safetensors", "1 character", "made for 5"),
  );
});

const BAD_VOCABULARIES: readonly (readonly [
  what: string,
  vocabulary: string | Uint8Array,
  ...says: string[],
])[] = [
  ["too few characters", '["a","b"]', "2 characters", "made for 5"],
  ["a character twice", '["a","b","c","d","a"]', '"a" (U+0061) twice', "entries 0 and 4"],
  ["a word", '["a","b","c","d","<unk>"]', 'entry 4 is "<unk>"', "one character"],
  ["a null", '["a","b","c","d",null]', "entry 4 is null"],
  ["an empty string", '["a","b","c","d",""]', 'entry 4 is ""'],
  ["half a character", '["a","b","c","d","\\ud83d"]', "entry 4 is", "one character"],
  ["an index that is missing", '{"a":0,"b":1,"c":2,"d":3,"e":5}', 'index of "e" is 5', "0 to 4"],
  ["names of modules", '{"encoder":"embed","rnn":"lstm"}', 'index of "embed" is "encoder"'],
  ["an index twice", '{"a":0,"b":1,"c":2,"d":3,"e":3}', '"d" and "e" have the same index, 3'],
  ["an index that is a text", '{"a":"x","b":1,"c":2,"d":3,"e":4}', 'index of "a" is "x"'],
  ["a name twice", '{"a":0,"a":1,"c":2,"d":3,"e":4}', "a name twice"],
  ["a number", "5", "no list or object"],
  ["broken JSON", '["a","b"', "not JSON", "A vocabulary is a JSON list"],
  ["lists in lists", `${"[".repeat(100)}${"]".repeat(100)}`, "too deep"],
  ["bytes that are not UTF-8", Uint8Array.of(0x61, 0xff), "not UTF-8"],
];

for (const [what, vocabulary, ...says] of BAD_VOCABULARIES) {
  test(`An import refuses a vocabulary with ${what}`, async (t) => {
    const settings = await filesToImport(t, tensors, { vocabulary });
    await assert.rejects(
      importRun(settings),
      failsWith("BAD_CHECKPOINT", "chars.json can't be used", ...says),
    );
    await assert.rejects(readdir(settings.out), { code: "ENOENT" });
  });
}

test("An import says of a vocabulary of plain text that its last newline counts", async (t) => {
  const vocabulary = "abcde\n";
  const settings = await filesToImport(t, tensors, { vocabulary, vocabularyFile: "chars.txt" });
  await assert.rejects(
    importRun(settings),
    failsWith("BAD_CHECKPOINT", "6 characters", "newline at its end"),
  );
});

test("An import says of a vocabulary with a character on each line that newlines count", async (t) => {
  const vocabulary = [...CHARACTERS].join("\n");
  const settings = await filesToImport(t, tensors, { vocabulary, vocabularyFile: "chars.txt" });
  await assert.rejects(
    importRun(settings),
    failsWith("BAD_CHECKPOINT", "newline (U+000A) twice", "each character counts, newlines too"),
  );
});

test("An import without a vocabulary says what to give", async (t) => {
  const { vocabulary: _, ...settings } = await filesToImport(t, tensors);
  await assert.rejects(
    importRun(settings),
    failsWith("INVALID_SETTING", "which 5 characters", "`vocabulary`"),
  );
});

const BAD_MAPS: readonly (readonly [what: string, map: string, ...says: string[]])[] = [
  ["is no object", '["rnn"]', "names.json can't be used", "not a JSON object"],
  ["is not JSON", "rnn: lstm", "names.json can't be used", "not JSON", '{"rnn": "lstm"}'],
  [
    "is the other way round",
    '{"lstm":"rnn"}',
    '"lstm" is no module or tensor of charnn',
    "encoder, ngram2 to ngram5, rnn and decoder",
  ],
  ["has a number", '{"rnn":3}', 'the value of "rnn" is 3, which is not a name'],
  ["names a module that is not there", '{"rnn":"lstm"}', "no module lstm", "`map`"],
  ["names a tensor that is not there", '{"decoder.bias":"bias"}', "no tensor bias", "`map`"],
  ["has a name twice", '{"rnn":"rnn","rnn":"rnn"}', "a name twice"],
];

for (const [what, map, ...says] of BAD_MAPS) {
  test(`An import refuses a map that ${what}`, async (t) => {
    const settings = await filesToImport(t, tensors, { map });
    await assert.rejects(importRun(settings), failsWith("BAD_CHECKPOINT", ...says));
  });
}
