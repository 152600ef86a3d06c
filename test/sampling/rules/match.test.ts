import assert from "node:assert/strict";
import { test } from "node:test";
import { matchRule } from "#src/sampling/rules/match.js";
import { failsWith } from "../../helpers/failure.js";
import fc from "../../helpers/fast-check.js";
import { vocabularyOf, writeByRules } from "../../helpers/rules.js";

const vocabulary = vocabularyOf("abcAB \n.1");

const EXPRESSIONS = [
  "abc",
  "a*",
  "(a|bc)+",
  "[a-c]{2,5}\\.",
  "[^a\\n]+",
  ".+",
  "\\w+( \\w+)*",
  "(?:ab?)?c{3}",
  "(?<name>a)\\d?",
  "^ab+$",
  "a{0}b",
  "(a*)*b",
  "(|a)(b|)c",
  "\\p{Lu}\\p{Ll}*",
  "a|b|^c$",
  "[\\s\\S]{4}",
];

test("A text by a regular expression matches it as a whole, whatever the expression and the length", () => {
  for (const source of EXPRESSIONS) {
    const expression = new RegExp(`^(?:${source})$`, "u");
    for (let seed = 0; seed < 40; seed++) {
      for (const length of [5, 12, 30]) {
        const rule = matchRule(source, vocabulary, { length });
        const text = writeByRules(vocabulary, [rule], { length, seed });
        assert.match(text, expression);
        assert.ok(text.length <= length);
      }
    }
  }
});

test("Lines by a regular expression match it one by one", () => {
  for (const source of EXPRESSIONS) {
    const expression = new RegExp(`^(?:${source})$`, "u");
    for (let seed = 0; seed < 20; seed++) {
      const settings = { lines: 3, length: 40, seed };
      const rule = matchRule(source, vocabulary, settings);
      const lines = writeByRules(vocabulary, [rule], settings).split("\n");
      assert.ok(lines.length <= 3);
      for (const line of lines) assert.match(line, expression);
    }
  }
});

test("A text by a regular expression can be any that matches", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 400; seed++) {
    const rule = matchRule("(a|b){1,2}", vocabulary, { length: 5 });
    seen.add(writeByRules(vocabulary, [rule], { seed }));
  }
  assert.deepEqual([...seen].sort(), ["a", "aa", "ab", "b", "ba", "bb"]);
});

test("A regular expression may turn flags on and off for a group", () => {
  const texts = (source: string) => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const rule = matchRule(source, vocabulary, { length: 5 });
      seen.add(writeByRules(vocabulary, [rule], { seed, length: 5 }));
    }
    return [...seen].sort();
  };
  assert.deepEqual(texts("(?i:a)b"), ["Ab", "ab"]);
  assert.deepEqual(texts("(?i:a(?-i:b))"), ["Ab", "ab"]);
  assert.equal(texts("(?s:.)").includes("\n"), true);
  assert.equal(texts("(?-s:.)").includes("\n"), false);
});

test("A text by a regular expression matches it where nothing limits its length", () => {
  for (const source of ["[a-c]{2,5}\\.", "a|bc", "(?:ab?)?c{3}", "^ab{3}$"]) {
    const expression = new RegExp(`^(?:${source})$`, "u");
    for (let seed = 0; seed < 40; seed++) {
      const rule = matchRule(source, vocabulary, { length: -1 });
      assert.match(writeByRules(vocabulary, [rule], { length: -1, seed }), expression);
      const lines = matchRule(source, vocabulary, { length: -1, lines: 2 });
      const both = writeByRules(vocabulary, [lines], { length: -1, lines: 2, seed }).split("\n");
      assert.equal(both.length, 2);
      for (const line of both) assert.match(line, expression);
    }
  }
});

test("A prompt is a part of what matches, and of its last line alone where each line matches", () => {
  const rule = matchRule("ab*c", vocabulary, { length: 10 });
  assert.match(writeByRules(vocabulary, [rule], { prompt: "ab", length: 10 }), /^b*c$/);
  const byLine = matchRule("ab*c", vocabulary, { length: 10, lines: 1 });
  assert.match(
    writeByRules(vocabulary, [byLine], { prompt: "B1\na", length: 10, lines: 1 }),
    /^b*c$/,
  );
  assert.throws(
    () => writeByRules(vocabulary, [rule], { prompt: "B" }),
    failsWith("INVALID_SETTING", /^match.*no match begins with the prompt, "B"/),
  );
});

test("A regular expression that the length or the vocabulary leaves no text for is refused", () => {
  assert.throws(
    () =>
      writeByRules(vocabulary, [matchRule("a{20}", vocabulary, { length: 19 })], { length: 19 }),
    failsWith("INVALID_SETTING", /needs 20 characters, and 19/),
  );
  const exact = matchRule("a{20}", vocabulary, { length: 20 });
  assert.equal(writeByRules(vocabulary, [exact], { length: 20 }), "a".repeat(20));
  assert.throws(
    () => matchRule("xyz", vocabulary, { length: 20 }),
    failsWith("INVALID_SETTING", /characters can spell/),
  );
});

test("What an automaton can't follow in a regular expression is refused by its name", () => {
  for (const [source, name] of [
    ["a(?=b)b", "a look-ahead, (?=b)"],
    ["(?<!b)a", "a look-behind, (?<!b)"],
    ["\\bab", "a word boundary, \\b"],
    ["(a)\\1", "a back-reference, \\1"],
    ["a(^b)", "a ^ that is not at the beginning"],
    ["(a$)b", "a $ that is not at the end"],
    ["(a{999}){999}", "more than 200,000 states"],
    ["[", "Unterminated character class"],
    ["a**", "Nothing to repeat"],
  ] as const) {
    assert.throws(
      () => matchRule(source, vocabulary, { length: 5 }),
      (error: Error) => failsWith("INVALID_SETTING", name)(error),
      source,
    );
  }
});

test("A text by any expression of a few operators matches it", () => {
  const atoms = fc.constantFrom("a", "b", "[ab]", ".", "\\d", "[^a]");
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 4 },
      atoms,
      fc.tuple(tie("expression"), tie("expression")).map(([one, other]) => one + other),
      fc.tuple(tie("expression"), tie("expression")).map(([one, other]) => `(?:${one}|${other})`),
      fc
        .tuple(tie("expression"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{2,}"))
        .map(([of, times]) => `(?:${of})${times}`),
    ),
  }));
  const property = fc.property(expression, fc.nat(1000), (source, seed) => {
    const rule = matchRule(source, vocabulary, { length: -1 });
    const text = writeByRules(vocabulary, [rule], { length: 200, seed });
    // The length may cut what has no limit here.
    if (text.length < 200) assert.match(text, new RegExp(`^(?:${source})$`, "u"));
  });
  fc.assert(property, { numRuns: 300 });
});
