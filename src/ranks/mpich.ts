/** How processes of MPICH end so that none of them waits for ever. */
import { gatherMessages } from "./messages.js";
import type { Ranks } from "./ranks.js";

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
