import assert from "node:assert/strict";
import { test } from "node:test";
import { CharnnError } from "#src/errors.js";
import { agree } from "#src/ranks/agreement.js";
import { alone } from "#src/ranks/alone.js";
import { inLockstep } from "../helpers/lockstep-ranks.js";

test("All ranks get the values of all, in the order of ranks", () => {
  const values = [{ name: "Zoë", sizes: [1, 2] }, "", null];
  const results = inLockstep(["a", "a", "b"], (ranks) => agree(ranks, values[ranks.rank]));
  assert.deepEqual(
    results,
    values.map(() => ({ status: "fulfilled", value: values })),
  );
});

test("All ranks throw the error of the lowest rank that has one", () => {
  const errors = [
    undefined,
    new CharnnError("NOT_FOUND", "`minCount: 3` is wrong.", "Change it.", { setting: "minCount" }),
    new CharnnError("BAD_TEXT", "The text is wrong."),
  ];
  const results = inLockstep(["a", "a", "b"], (ranks) => agree(ranks, errors[ranks.rank] ?? 5));
  assert.deepEqual(results.map(errorIn), Array(3).fill(errors[1]));
});

test("An error from another machine than that of rank 0 names its machine", () => {
  const error = new CharnnError("NOT_FOUND", "It is missing.", "Make it.", { setting: "out" });
  const expected = new CharnnError("NOT_FOUND", "On machine b: It is missing.", "Make it.");
  const fails = (rank: number) =>
    inLockstep(["a", "b", "a"], (ranks) => agree(ranks, ranks.rank === rank ? error : 5));
  assert.deepEqual(fails(1).map(errorIn), Array(3).fill(expected));
  assert.deepEqual(fails(2).map(errorIn), Array(3).fill(error));
});

test("A process alone agrees with itself", () => {
  assert.deepEqual(agree(alone(), { a: 1 }), [{ a: 1 }]);
  const error = new CharnnError("BAD_TEXT", "The text is wrong.", "Mend it.");
  assert.throws(() => agree(alone(), error), error);
});

/** Without where it was thrown. */
function errorIn(result: PromiseSettledResult<unknown>): CharnnError {
  assert.ok(result.status === "rejected" && result.reason instanceof CharnnError);
  return result.reason;
}
