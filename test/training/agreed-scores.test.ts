import assert from "node:assert/strict";
import { test } from "node:test";
import { CharnnError } from "#src/errors.js";
import type { Score } from "#src/model/char-rnn.js";
import { sharesOf } from "#src/ranks/share.js";
import { agreedScores, type OwnScores } from "#src/training/agreed-scores.js";
import { inLockstep } from "../helpers/lockstep-ranks.js";

const [WORKERS, PARTS] = [5, 2];
const MACHINES = ["a", "a", "b"];
/** Of each batch, of each worker. */
const SCORES: readonly (readonly Score[])[] = Array.from({ length: PARTS }, (_, part) =>
  Array.from({ length: WORKERS }, (_, worker) => ({
    loss: part + worker / 7,
    characters: 10 * worker,
    correct: worker + part,
  })),
);

/** What each of three ranks gets. */
function agreed(change: (rank: number, own: OwnScores) => OwnScores = (_, own) => own) {
  const shares = sharesOf(WORKERS, MACHINES.length);
  return inLockstep(MACHINES, (ranks) => {
    const { begin, end } = shares[ranks.rank];
    const own = { scores: SCORES.map((ofPart) => ofPart.slice(begin, end)), checksum: 7 };
    const shape = { workers: WORKERS, parts: PARTS };
    return agreedScores(ranks, change(ranks.rank, own), shape);
  });
}

test("All processes get the scores of all workers, in their order", () => {
  assert.deepEqual(
    agreed(),
    MACHINES.map(() => ({ status: "fulfilled", value: SCORES })),
  );
});

test("A process that was stopped stops the step in all", () => {
  assert.deepEqual(
    agreed((rank, own) => (rank === 1 ? { ...own, scores: undefined } : own)),
    MACHINES.map(() => ({ status: "fulfilled", value: undefined })),
  );
});

test("An error of one process is thrown by all", () => {
  const error = new CharnnError("OUT_OF_MEMORY", "There is too little memory.");
  for (const { message } of errorsOf((rank, own) =>
    rank === 2 ? { ...own, scores: error } : own,
  )) {
    assert.equal(message, "On machine b: There is too little memory.");
  }
});

test("A process whose weights are not those of rank 0 is told apart", () => {
  for (const { code, message } of errorsOf((rank, own) =>
    rank === 2 ? { ...own, checksum: 8 } : own,
  )) {
    assert.equal(code, "WORKERS_DIFFER");
    assert.match(message, /^On machine b: The weights here no longer equal those of rank 0/);
  }
});

function errorsOf(change: (rank: number, own: OwnScores) => OwnScores): CharnnError[] {
  return agreed(change).map((result) => {
    assert.ok(result.status === "rejected" && result.reason instanceof CharnnError);
    return result.reason;
  });
}
