/** Processes that real launchers start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome } from "../helpers/executable.js";
import { jsonLines } from "../helpers/executable.js";
import { onEveryLauncher, runTogether } from "../helpers/mpi.js";
import { slow } from "../helpers/slow.js";

const WORK = new URL("../helpers/rank-work.js", import.meta.url).href;

const START = `
  import { hostname } from "node:os";
  import { agree } from "#src/ranks/agreement.js";
  import { CharnnError } from "#src/errors.js";
  import { findLauncher } from "#src/ranks/launcher.js";
  import { openMpiRanks } from "#src/ranks/mpi-ranks.js";
  import * as work from "${WORK}";
  const launcher = findLauncher(process.env);
  const say = (facts) => console.log(JSON.stringify(facts));`;

const OPEN = `${START}
  const ranks = openMpiRanks(launcher);`;

onEveryLauncher("Processes that are started together", (launcher) => {
  const { name, skip, otherLibrary } = launcher;

  for (const processes of [2, 3]) {
    test(`${processes} processes started by ${name} exchange, gather and broadcast bytes`, {
      skip,
    }, async (t) => {
      const outcome = await runTogether(
        t,
        launcher,
        processes,
        `${OPEN}
        const lengthOf = (from, to) => (from + 2 * to) % 3 * (1000 * from + to + 1);
        for (let round = 0; round < 3; round++) {
          work.exchangeBytes(ranks, lengthOf);
          work.gatherBytes(ranks, lengthOf);
          work.broadcastBytes(ranks, lengthOf);
        }
        work.exchangeBytes(ranks, () => 0);
        work.gatherBytes(ranks, () => 0);
        work.broadcastBytes(ranks, () => 0);
        const facts = agree(ranks, { ...ranks, localRank: launcher.localRank, launched: launcher.rank });
        if (ranks.rank === 0) say({ facts, here: hostname() });
        ranks.close();`,
      );
      assert.equal(outcome.code, 0, said(outcome));
      const [{ facts, here }] = jsonLines(outcome.stdout);
      assert.equal(facts.length, processes);
      for (const [rank, { library, ...others }] of facts.entries()) {
        assert.ok(library.startsWith(`${name} `), library);
        assert.match(library, /^[^,\n]+ \d+\.\d+\.\d+$/);
        assert.deepEqual(others, {
          rank,
          launched: rank,
          size: processes,
          localRank: rank,
          machine: here,
        });
      }
    });
  }

  slow(`2 processes started by ${name} broadcast more than one slice`, { skip }, async (t) => {
    const outcome = await runTogether(
      t,
      launcher,
      2,
      `${OPEN}
      work.broadcastBytes(ranks, (root) => (root === 1 ? 64 * 2 ** 20 + 1 : 3));
      ranks.close();`,
    );
    assert.equal(outcome.code, 0, said(outcome));
  });

  for (const [how, last] of [
    ["ends without closing", ""],
    ["calls process.exit", "process.exit(0);"],
    ["throws", "throw new Error('a bug');"],
    ["is killed", "process.kill(process.pid, 'SIGKILL');"],
  ]) {
    test(`A process that ${how} ends the others that ${name} has started`, { skip }, async (t) => {
      const outcome = await runTogether(
        t,
        launcher,
        3,
        `${OPEN}
        if (ranks.rank === 1) {
          ${last}
        } else {
          ranks.broadcast(new Uint8Array(1), 1);
          say("went on");
        }`,
      );
      assert.ok(outcome.code, said(outcome));
      assert.doesNotMatch(outcome.stdout, /went on/);
    });
  }

  test(`The exit code with which a process aborts all is that of ${name}`, { skip }, async (t) => {
    const outcome = await runTogether(
      t,
      launcher,
      2,
      `${OPEN}
      if (ranks.rank === 1) ranks.abort(7);
      ranks.broadcast(new Uint8Array(1), 1);`,
    );
    assert.equal(outcome.code, 7, said(outcome));
  });

  test(`Processes started by ${name} that load the library of another MPI say so`, {
    skip,
  }, async (t) => {
    const outcome = await runTogether(
      t,
      launcher,
      2,
      `${START}
      try {
        openMpiRanks({ ...launcher, libraries: ["${otherLibrary}"] });
      } catch ({ code, message, hint }) {
        say({ code, message, hint });
      }`,
    );
    const errors = jsonLines(outcome.stdout);
    if (errors.some(({ message }) => message.includes("no MPI library"))) {
      return t.skip(`the other MPI is not installed: ${otherLibrary}`);
    }
    assert.equal(outcome.code, 0, said(outcome));
    assert.equal(errors.length, 2);
    for (const { code, message, hint } of errors) {
      assert.equal(code, "MPI_UNAVAILABLE");
      assert.match(
        message,
        /^mpirun started 2 processes, and \S*libmpi\S* \(\w.* \d\S*\) sees only one: it belongs to another MPI\.$/,
      );
      assert.match(hint, new RegExp(name));
    }
  });

  test(`An error of one process started by ${name} is thrown by all`, { skip }, async (t) => {
    const outcome = await runTogether(
      t,
      launcher,
      3,
      `${OPEN}
      const wrong = new CharnnError("BAD_TEXT", "The text is wrong.", "Mend it.");
      const seen = { ...ranks, machine: "machine-" + ranks.rank };
      try {
        agree(seen, ranks.rank === 0 ? "all is well" : wrong);
      } catch ({ code, message, hint }) {
        const all = agree(ranks, { code, message, hint });
        if (ranks.rank === 0) say(all);
      }
      ranks.close();`,
    );
    assert.equal(outcome.code, 0, said(outcome));
    const error = {
      code: "BAD_TEXT",
      message: "On machine machine-1: The text is wrong.",
      hint: "Mend it.",
    };
    assert.deepEqual(jsonLines(outcome.stdout), [[error, error, error]]);
  });
});

function said({ stdout, stderr }: Outcome): string {
  return `${stdout}\n${stderr}`;
}
