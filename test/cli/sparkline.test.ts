import assert from "node:assert/strict";
import { test } from "node:test";
import { sparkline } from "#src/cli/terminal/chart.js";
import { ASCII_MARKS } from "#src/cli/terminal/marks.js";

test("a sparkline reaches from the least to the most of the last numbers", () => {
  assert.equal(sparkline([9, 3, 2, 1, 1.5], 4), "█▅▁▃");
  assert.equal(sparkline([8, 7, 6, 5, 4, 3, 2, 1], 10), "█▇▆▅▄▃▂▁");
  assert.equal(sparkline([2, 2], 10), "▁▁");
  assert.equal(sparkline([], 10), "");
  assert.equal(sparkline([8, 7, 6, 5, 4, 3, 2, 1], 10, ASCII_MARKS), "#*+=~-._");
});
