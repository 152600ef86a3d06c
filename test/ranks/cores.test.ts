import assert from "node:assert/strict";
import { test } from "node:test";
import { type CoresOfRank, sharedCores } from "#src/ranks/cores.js";

const onA = (...allowed: number[]): CoresOfRank => ({ machine: "a", allowed, ofLauncher: 4 });
const onB = (...allowed: number[]): CoresOfRank => ({ machine: "b", allowed, ofLauncher: 4 });

test("Processes of a machine share the cores that they may all use", () => {
  const all = [onA(0, 1, 2, 3), onA(0, 1, 2, 3), onB(0, 1, 2, 3)];
  assert.deepEqual(sharedCores(all, 0), { sharers: 2, warnings: [] });
  assert.deepEqual(sharedCores(all, 2), { sharers: 1, warnings: [] });
});

test("Processes that are bound to different cores share none", () => {
  const all = [onA(0, 1), onA(2, 3)];
  assert.deepEqual(sharedCores(all, 1), { sharers: 1, warnings: [] });
});

test("Cores that a launcher leaves unused are told, with its option that ends it", () => {
  const { sharers, warnings } = sharedCores([onA(0), onA(1), onB(0, 1, 2, 3)], 2);
  assert.equal(sharers, 1);
  assert.deepEqual(warnings, [
    "mpirun leaves 2 of 4 cores of a unused, since it binds each process to 1 core: start it as mpirun --bind-to none.",
  ]);
});
