import assert from "node:assert/strict";
import { test } from "node:test";
import { type CoresOfRank, sharedCores } from "#src/ranks/cores.js";

/** A process on a machine with four cores, two in each of its packages. */
const on =
  (machine: string, system = machine) =>
  (...allowed: number[]): CoresOfRank => {
    const packages = [...new Set(allowed.map((core) => core >> 1))];
    return { machine, system, allowed, packages, ofLauncher: 4 };
  };
const onA = on("a");
const onB = on("b");

const coresOf = (
  all: readonly CoresOfRank[],
  rank: number,
  command: "mpirun" | "srun" = "mpirun",
) => sharedCores(all, rank, command);

test("Processes of a machine share the cores that they may all use", () => {
  const all = [onA(0, 1, 2, 3), onA(0, 1, 2, 3), onB(0, 1, 2, 3)];
  assert.deepEqual(coresOf(all, 0), { sharers: 2, here: 2, warnings: [] });
  assert.deepEqual(coresOf(all, 2), { sharers: 1, here: 1, warnings: [] });
});

test("Processes that are bound to different cores share none", () => {
  const all = [onA(0, 1), onA(2, 3)];
  assert.deepEqual(coresOf(all, 1), { sharers: 1, here: 2, warnings: [] });
});

test("Cores that a launcher leaves unused are told, with its option that ends it", () => {
  const { sharers, warnings } = coresOf([onA(0), onA(1), onB(0, 1, 2, 3)], 2);
  assert.equal(sharers, 1);
  assert.deepEqual(warnings, [
    "mpirun binds each process to 1 core, which leaves 2 of 4 cores unused on a. Start it as mpirun --bind-to none.",
  ]);
});

test("Unused cores of several machines are told in one sentence", () => {
  const { warnings } = coresOf([onA(0), onB(0)], 0);
  assert.deepEqual(warnings, [
    "mpirun binds each process to 1 core, which leaves 3 of 4 cores unused on each of a, b. Start it as mpirun --bind-to none.",
  ]);
  assert.deepEqual(coresOf([onA(0), onB(0, 1)], 0, "srun").warnings, [
    "srun gives each task 1 of 4 cores on a. Start it as srun --cpus-per-task=4.",
    "srun gives each task 2 of 4 cores on b. Start it as srun --cpus-per-task=4.",
  ]);
  const many = ["a", "b", "c", "d", "e"].map((name) => on(name)(0));
  assert.match(
    coresOf(many, 0).warnings[0],
    / leaves 3 of 4 cores unused on each of 5 machines\. /,
  );
});

test("Machines of one name are told apart, and containers of one machine are not", () => {
  const first = on("localhost", "1")(0, 1, 2, 3);
  const second = on("localhost", "2")(0, 1, 2, 3);
  assert.equal(coresOf([first, second], 0).sharers, 1);
  const inContainers = [on("x", "1")(0, 1, 2, 3), on("y", "1")(0, 1, 2, 3)];
  assert.equal(coresOf(inContainers, 0).sharers, 2);
  assert.equal(coresOf(inContainers, 0).here, 1);
});

test("Processes that have nothing that one of them would not have are warned of", () => {
  const warning =
    "All 2 processes run on one machine: a single process with as many workers trains the same model, and is as fast.";
  const small = (...allowed: number[]) => ({ ...onA(...allowed), ofLauncher: 2 });
  assert.deepEqual(coresOf([small(0, 1), small(0, 1)], 0).warnings, [warning]);
  assert.deepEqual(coresOf([small(0), small(1)], 1).warnings, [warning]);
  // Where the system does not tell of packages.
  const unknown = { ...small(0, 1), packages: [] };
  assert.deepEqual(coresOf([unknown, unknown], 0).warnings, [warning]);
  assert.deepEqual(coresOf([onA(0, 1), onA(2, 3)], 0).warnings, []);
  assert.deepEqual(coresOf([small(0, 1), { ...onB(0, 1), ofLauncher: 2 }], 0).warnings, []);
  assert.deepEqual(coresOf([small(0, 1)], 0).warnings, []);
});
