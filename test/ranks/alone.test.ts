import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { alone } from "#src/ranks/alone.js";
import { broadcastBytes, exchangeBytes, gatherBytes } from "../helpers/rank-work.js";

test("A process alone receives what it sends", () => {
  const ranks = alone();
  for (const length of [0, 1, 1000]) {
    exchangeBytes(ranks, () => length);
    gatherBytes(ranks, () => length);
    broadcastBytes(ranks, () => length);
  }
});

test("A process alone is rank 0 of 1 on its machine, and needs no library", () => {
  const { rank, size, machine, library } = alone();
  assert.deepEqual(
    { rank, size, machine, library },
    { rank: 0, size: 1, machine: hostname(), library: undefined },
  );
});
