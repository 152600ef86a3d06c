import assert from "node:assert/strict";
import { test } from "node:test";
import { modelConfig } from "#src/config/model.js";
import { defaultName, foldName, refuseUnsafeName } from "#src/runs/run-name.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";
import { isWindows } from "../helpers/system.js";

const MODEL = modelConfig({
  cell: "lstm",
  layers: 2,
  hiddenSize: 64,
  embeddingSize: 0,
  vocabularySize: 9,
});
const LARGEST = modelConfig({ ...MODEL, layers: 64, hiddenSize: 65_536 });

test("The default name of a run names the text and the model", () => {
  const names: [path: string, text: string][] = [
    ["data/shakespeare.txt", "shakespeare"],
    ["Ünïcode 日本.txt", "Ünïcode-日本"],
    ["हिन्दी.txt", "हिन्दी"],
    ["-", "stdin"],
    ["/dev/fd/63", "text"],
    ["v1.tar.gz", "v1.tar"],
  ];
  for (const [path, text] of names) assert.equal(defaultName([path], MODEL), `${text}-lstm-2x64`);
});

test("The default name of a run has only characters that every system, shell and terminal takes in a name", () => {
  const names: [path: string, text: string][] = [
    ["!!!.txt", "text"],
    ["---", "text"],
    ["...", "text"],
    ["-rf.txt", "rf"],
    [".hidden.txt", "hidden"],
    // A backslash parts folders on Windows, and a colon is behind a drive.
    ...(isWindows ? [] : ([["a: b?*<>|\"'\\.txt", "a-b"]] as [string, string][])),
    ["a\u202eb\u200bc\u3164d\n.txt", "a-b-c-d"],
    ["\u0301a.txt", "a"],
    ["con.foo.txt", "text-con.foo"],
    ["cafe\u0301.txt", "café"],
  ];
  for (const [path, text] of names) assert.equal(defaultName([path], MODEL), `${text}-lstm-2x64`);
});

test("The default name of a run leaves room for everything that is added to it", () => {
  for (const character of ["a", "é", "日", "🏴‍☠️", "e\u0301\u0302\u0303"]) {
    const path = `${character.repeat(300)}.txt`;
    const name = `${defaultName([path], LARGEST)}-99`;
    const file = `.${foldName(name, 100)}-report.html.4194304.tmp`;
    assert.ok(Buffer.byteLength(file) <= 143, `${Buffer.byteLength(file)} bytes`);
    refuseUnsafeName(name);
  }
});

test("The default name of a run is one that --name accepts", () => {
  const path = fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(path, (text) => {
      const name = defaultName([text], LARGEST);
      refuseUnsafeName(name);
      assert.match(name, /^[^-.]/);
    }),
  );
});

test("A name given by --name is refused where some system can't have it, or it is too long", () => {
  for (const [name, says] of [
    ["con", "a device on Windows"],
    ["NUL.txt", "a device on Windows"],
    ["com1", "a device on Windows"],
    ["a.", "ends in a dot"],
    ["a ", "or a space"],
    ["com² .txt", "a device on Windows"],
    ["a:b", "has :"],
    ['say "x"', 'has "'],
    ["a<b", "has <"],
    ["a|b", "has |, which Windows does not allow"],
    ["日".repeat(61), "183 bytes"],
  ]) {
    assert.throws(() => refuseUnsafeName(name), failsWith("INVALID_SETTING", says));
  }
});

test("A name given by --name may be any other", () => {
  for (const name of [
    "-x",
    "a b",
    "it's",
    "console",
    "com10",
    ".hidden",
    "日".repeat(60),
    "$HOME",
  ]) {
    refuseUnsafeName(name);
  }
});
