import assert from "node:assert/strict";
import { test } from "node:test";
import { Script } from "node:vm";
import { pageScript } from "#src/report/page/page-script.js";
import { nameOf, quotedOrNamed } from "#src/report/page/script/character-names.js";
import { axesFor, placesOf, placeText } from "#src/report/page/script/x-axis.js";

test("The script of the report's page is one script that imports nothing and can stand in a page", () => {
  const script = pageScript();
  new Script(`"use strict"; ${script}`);
  assert.doesNotMatch(script, /<\/script|<!--/i);
});

test("Characters that can't be seen have names", () => {
  assert.equal(nameOf("\r"), "carriage return");
  assert.equal(nameOf("\u00a0"), "no-break space");
  assert.equal(nameOf("\u0001"), "U+0001");
  assert.equal(nameOf("\u{e0001}"), "U+E0001");
  for (const seen of ["a", "é", "文", "😀", "­x"[1]]) assert.equal(nameOf(seen), undefined, seen);
  assert.equal(quotedOrNamed("a"), '"a"');
  assert.equal(quotedOrNamed("\n"), "newline");
});

const AXES = {
  steps: [10, 20, 40],
  lines: [
    { run: 0, metric: "seconds", values: [60, 120, 600] },
    { run: 0, metric: "characters", values: [1_000, 2_000, 4_000] },
    { run: 1, metric: "seconds", values: [null, 30, 60] },
  ],
} as const;

test("Steps are placed on the horizontal axis by what each run had done by then", () => {
  assert.deepEqual(axesFor(AXES, 2), ["step", "minutes"]);
  assert.deepEqual(axesFor(AXES, 1), ["step", "minutes", "characters"]);
  const minutes = placesOf(AXES, "minutes", 0);
  assert.deepEqual([5, 10, 15, 30, 40, 50].map(minutes), [0.5, 1, 1.5, 6, 10, 14]);
  assert.deepEqual([20, 30].map(placesOf(AXES, "minutes", 1)), [0.5, 0.75]);
  assert.equal(placesOf(AXES, "characters", 0)(30), 3_000);
  assert.equal(placesOf(AXES, "step", 0)(17), 17);
});

test("Places on the horizontal axis are written with their unit", () => {
  assert.equal(placeText("step", 1_200.4), "step 1,200");
  assert.equal(placeText("epoch", 1.256), "epoch 1.26");
  assert.equal(placeText("minutes", 2.5), "2 min 30 s");
  assert.equal(placeText("minutes", 0.1), "6 s");
  assert.equal(placeText("characters", 12_345), "12,345 characters");
});
