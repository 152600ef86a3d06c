import { alone } from "#src/ranks/alone.js";
import type { Parts } from "#src/ranks/parts.js";
import { partOf } from "#src/ranks/parts.js";
import type { Ranks } from "#src/ranks/ranks.js";

/**
 * Runs the work of several ranks that only gather, in one process: first each for itself, to learn what it gives,
 * and then again with what the others gave. The work may neither look at what it gets nor fail on it before its last
 * call.
 *
 * @returns what each rank's work returns or throws
 */
export function inLockstep<Result>(
  machines: readonly string[],
  work: (ranks: Ranks) => Result,
): PromiseSettledResult<Result>[] {
  const given = machines.map((): Uint8Array[] => []);
  const ranksOf = (rank: number, gather: Ranks["gather"]): Ranks => ({
    ...alone(),
    rank,
    size: machines.length,
    machine: machines[rank],
    gather,
  });
  machines.forEach((_, rank) => {
    settle(() =>
      work(
        ranksOf(rank, (own, received) => {
          given[rank].push(own.slice());
          fill(received, () => own);
        }),
      ),
    );
  });
  return machines.map((_, rank) => {
    let call = 0;
    const gather = (_own: Uint8Array, received: Parts) => {
      fill(received, (from) => given[from][call]);
      call++;
    };
    return settle(() => work(ranksOf(rank, gather)));
  });
}

function fill(received: Parts, bytesOf: (rank: number) => Uint8Array): void {
  for (const rank of received.lengths.keys()) partOf(received, rank).set(bytesOf(rank));
}

function settle<Result>(work: () => Result): PromiseSettledResult<Result> {
  try {
    return { status: "fulfilled", value: work() };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}
