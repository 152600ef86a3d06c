import assert from "node:assert/strict";
import { test } from "node:test";
import { GramSet } from "#src/memorization/gram-set.js";
import fc from "../helpers/fast-check.js";

const numbers = fc.array(fc.nat(3), { maxLength: 400, size: "max" });

test("A set of strings of a growing text has those that occur in it, and no others", () => {
  const property = fc.property(
    numbers,
    fc.integer({ min: 1, max: 6 }),
    numbers,
    (text, length, looked) => {
      const set = new GramSet(length);
      for (const number of text) set.append(number);
      const occurring = new Set<string>();
      for (let end = length; end <= text.length; end++) {
        occurring.add(text.slice(end - length, end).join());
      }
      for (let end = length; end <= looked.length; end++) {
        const string = looked.slice(end - length, end);
        const occurs = set.lookUp(string.slice(0, -1));
        for (let last = 0; last < 4; last++) {
          assert.equal(occurs(last), occurring.has([...string.slice(0, -1), last].join()));
        }
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test("A set of strings of a complete text is that of the text grown to it", () => {
  const text = Uint8Array.from({ length: 3_000 }, (_, i) => (i * i) % 7);
  const complete = new GramSet(5, text);
  const grown = new GramSet(5);
  for (const number of text) {
    complete.addNext();
    grown.append(number);
  }
  for (let code = 0; code < 7 ** 4; code++) {
    const before = [0, 1, 2, 3].map((place) => Math.floor(code / 7 ** place) % 7);
    const [one, other] = [complete.lookUp(before), grown.lookUp(before)];
    for (let last = 0; last < 7; last++) assert.equal(one(last), other(last));
  }
});
