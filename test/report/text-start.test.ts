import assert from "node:assert/strict";
import { test } from "node:test";
import { textStart } from "#src/report/text-start.js";

test("A text that is cut is shown from its first whole line on, or else from its first whole word", () => {
  const lines = [...`ckage of words\n${"more of them ".repeat(5)}`];
  assert.deepEqual(textStart(lines, true), { position: 15, at: "line" });
  const words = [..."ckage ".concat("of words ".repeat(50))];
  assert.deepEqual(textStart(words, true), { position: 6, at: "word" });
  // Nothing is left out of a long row of characters, as in Chinese.
  assert.deepEqual(textStart([..."文".repeat(900)], true), { position: 0, at: "middle" });
});

test("A text that is whole is shown from its beginning on", () => {
  assert.deepEqual(textStart([..."a line\nand another"], false), { position: 0, at: "text" });
});

test("A short text that is cut keeps half of it at least", () => {
  assert.deepEqual(textStart([..."abcdefgh\nij"], true), { position: 0, at: "middle" });
});
