/** What processes of MPICH do so that none of them waits for ever. */
import { writeSync } from "node:fs";
import { gatherMessages } from "./messages.js";
import type { Ranks } from "./ranks.js";

/**
 * MPICH's launcher does not notice the end of a process that has not joined the others, which then wait for it. So it
 * is told when this process ends with an error.
 *
 * @param file the descriptor through which it listens, for lines of the protocol PMI-1
 */
export function abortAtExit(file: number): void {
  process.once("exit", (code) => {
    if (code === 0) return;
    try {
      writeSync(file, `cmd=abort exitcode=${code}\n`);
    } catch {
      // It has ended before.
    }
  });
}

/**
 * Whether MPI_Finalize may hang, by the name of the library. In MPICH before 4.2 over UCX, a process that has sent
 * everything waits there for the others and does not serve their connections (pull request 6596 of MPICH). One that was
 * still at work when it began waits for it in turn.
 */
export function mayHangAtEnd(library: string): boolean {
  const [, major, minor] = /^MPICH (\d+)\.(\d+)/.exec(library) ?? [];
  return Number(major) < 4 || (Number(major) === 4 && Number(minor) < 2);
}

/** By how much a process may be later than another, milliseconds. */
const LATE = 100;

/** Returns when all ranks have come to it and ended what they did before. Each calls it at the same time. */
export function settle(ranks: Ranks): void {
  gatherMessages(ranks, new Uint8Array());
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LATE);
}
