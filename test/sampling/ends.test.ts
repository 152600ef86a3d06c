import assert from "node:assert/strict";
import { test } from "node:test";
import { End, type EndSettings } from "#src/sampling/ends.js";

const ENDLESS: EndSettings = { length: -1 };

test("A text ends after the first of several stop texts, whichever comes first", () => {
  const stop = ["end", "!", "the end of"];
  assert.equal(written("at the end of it", { ...ENDLESS, stop }), "at the end");
  assert.equal(written("en! of the end", { ...ENDLESS, stop }), "en!");
  assert.equal(written("the en d", { ...ENDLESS, stop }), "the en d");
});

test("A text ends before the newline that completes its lines", () => {
  const text = "one\ntwo\n\nfour\n";
  assert.equal(written(text, { ...ENDLESS, lines: 1 }), "one");
  assert.equal(written(text, { ...ENDLESS, lines: 2 }), "one\ntwo");
  assert.equal(written(text, { ...ENDLESS, lines: 3 }), "one\ntwo\n");
  assert.equal(written(text, { ...ENDLESS, lines: 4 }), "one\ntwo\n\nfour");
  assert.equal(written(text, { ...ENDLESS, lines: 5 }), text);
  assert.equal(written(text, { length: 5, lines: 4 }), "one\nt");
});

test("A text ends behind its sentences, with the quotes and brackets that close them", () => {
  for (const [text, sentences, expected] of [
    ["It is. It was.", 1, "It is."],
    ["It is! It was? No", 2, "It is! It was?"],
    ['"Is it?" said he. So', 1, '"Is it?"'],
    ["(It is.) It was.\nNo", 2, "(It is.) It was."],
    ["3.5 or 4.5 is it. No", 1, "3.5 or 4.5 is it."],
    ["Wait... what? No", 1, "Wait..."],
    ["What?! No", 1, "What?!"],
    ["\u4f60\u597d\u3002\u518d\u89c1\u3002", 1, "\u4f60\u597d\u3002"],
    ["\u300c\u4f60\u597d\u3002\u300d\u518d\u89c1", 1, "\u300c\u4f60\u597d\u3002\u300d"],
    ["no end", 1, "no end"],
  ] as const) {
    assert.equal(written(text, { ...ENDLESS, sentences }), expected, text);
  }
});

test("A text is at most as long as was asked for, whatever else may end it", () => {
  assert.equal(written("abcdef", { length: 3 }), "abc");
  assert.equal(written("abcdef", { length: 3, stop: ["b"], lines: 1 }), "ab");
  const end = new End({ length: 2 });
  assert.equal(end.left, 2);
  end.take("a");
  assert.equal(end.left, 1);
  assert.equal(new End(ENDLESS).left, Number.POSITIVE_INFINITY);
});

/** What of a text is written until it ends. */
function written(text: string, settings: EndSettings): string {
  const end = new End(settings);
  let result = "";
  for (const character of text) {
    const part = end.take(character);
    if (part === "after") return result;
    result += character;
    if (part === "last") return result;
  }
  return result;
}
