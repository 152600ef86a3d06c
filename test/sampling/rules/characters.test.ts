import assert from "node:assert/strict";
import { test } from "node:test";
import { characterRule } from "#src/sampling/rules/characters.js";
import { repeatRule } from "#src/sampling/rules/repeats.js";
import { failsWith } from "../../helpers/failure.js";
import fc from "../../helpers/fast-check.js";
import { vocabularyOf, writeByRules } from "../../helpers/rules.js";

const vocabulary = vocabularyOf("abcdEF-]^\\ \n9");

test("Only characters of an allowed set are written, and each of them is", () => {
  for (const [set, expected] of [
    ["a-c", "abc"],
    ["ab\\-", "-ab"],
    ["\\p{Lu}9", "9EF"],
    ["^a-d\\s", "-9EF\\]^"],
    ["\\]\\\\", "\\]"],
    ["\\n", "\n"],
  ] as const) {
    const rule = characterRule("allow", set, vocabulary);
    const text = writeByRules(vocabulary, [rule], { length: 300 });
    assert.equal([...new Set(text)].sort().join(""), expected, set);
  }
});

test("No character of a forbidden set is written, and each other one is", () => {
  const rule = characterRule("forbid", "a-cE\\s", vocabulary);
  const text = writeByRules(vocabulary, [rule], { length: 300 });
  assert.equal([...new Set(text)].sort().join(""), "-9F\\]^d");
});

test("What is no set, or leaves no character, is refused", () => {
  for (const [setting, set] of [
    ["allow", ""],
    ["allow", "z-a"],
    ["allow", "a]b"],
    ["allow", "x"],
    ["allow", "\\q"],
    ["forbid", "\\s\\S"],
  ] as const) {
    assert.throws(
      () => characterRule(setting, set, vocabulary),
      failsWith("INVALID_SETTING", new RegExp(`^${setting} `)),
      set,
    );
  }
});

test("No string of the length occurs twice in a text without repeats, its prompt included", () => {
  const few = vocabularyOf("abc");
  const property = fc.property(
    fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 }),
    fc.integer({ min: 1, max: 5 }),
    fc.nat(1000),
    (prompt, length, seed) => {
      const own = new Set<string>();
      for (let end = length; end <= prompt.length; end++) own.add(prompt.slice(end - length, end));
      const isRepeating = own.size < prompt.length - length + 1;
      const rules = [repeatRule(length, few)];
      let text = prompt;
      try {
        text += writeByRules(few, rules, { prompt, length: 20, seed });
        assert.equal(text.length, prompt.length + 20);
      } catch (error) {
        // A text of three letters can't always go on.
        assert.ok(
          failsWith("NOTHING_ALLOWED", `\`maxRepeat: ${length}\` leaves no`)(error as Error),
        );
      }
      if (isRepeating) return;
      const strings: string[] = [];
      for (let end = length; end <= text.length; end++) strings.push(text.slice(end - length, end));
      assert.equal(new Set(strings).size, strings.length, text);
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("A text without repeats of one character has each of them once", () => {
  const letters = vocabularyOf("abcdef");
  const text = writeByRules(letters, [repeatRule(1, letters)], { length: 6 });
  assert.deepEqual([...text].sort(), [..."abcdef"]);
  assert.throws(
    () => writeByRules(letters, [repeatRule(1, letters)], { length: 7 }),
    failsWith("NOTHING_ALLOWED", "`maxRepeat: 1`"),
  );
});

test("An error of several limits names them all and the end of the text", () => {
  const letters = vocabularyOf("abc");
  const rules = [characterRule("allow", "a", letters), repeatRule(2, letters)];
  assert.throws(
    () => writeByRules(letters, rules, { prompt: "ba", length: 9 }),
    failsWith(
      "NOTHING_ALLOWED",
      '`allow: "a"` and `maxRepeat: 2` leave no character that can follow "baa"',
    ),
  );
});
