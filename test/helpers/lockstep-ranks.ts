import { alone } from "#src/ranks/alone.js";
import { makeParts, type Parts, partOf } from "#src/ranks/parts.js";
import type { Ranks } from "#src/ranks/ranks.js";

/** A transfer of all ranks: what each gives, and, for an exchange, where to. */
interface Transfer {
  readonly kind: "exchange" | "gather" | "broadcast";
  readonly given: readonly Parts[];
}

/** Ends the work of a rank at the first transfer of which the others' part is not known yet. */
class Waiting {
  constructor(
    readonly kind: Transfer["kind"],
    readonly given: Parts,
  ) {}
}

/**
 * Runs the work of several ranks in one process. Each works up to its next transfer, and then all begin again, with what
 * they got in those before: the work must do the same each time, and let through what it does not know.
 *
 * @returns what each rank's work returns or throws
 */
export function inLockstep<Result>(
  machines: readonly string[],
  work: (ranks: Ranks) => Result,
): PromiseSettledResult<Result>[] {
  const done: Transfer[] = [];
  for (;;) {
    const results = machines.map((machine, rank) => settle(() => work(ranksAt(rank, machine))));
    const waiting = results.map((result) => result.status === "rejected" && result.reason);
    if (!waiting.some((reason) => reason instanceof Waiting)) return results;
    const transfers = waiting.map((reason) => {
      if (reason instanceof Waiting) return reason;
      throw new Error("One rank waits for another that has ended.", { cause: reason });
    });
    done.push({ kind: transfers[0].kind, given: transfers.map(({ given }) => given) });
  }

  function ranksAt(rank: number, machine: string): Ranks {
    let call = 0;
    const next = (kind: Transfer["kind"], own: Parts): readonly Parts[] => {
      const transfer = done[call++];
      if (!transfer) throw new Waiting(kind, copyOf(own));
      if (transfer.kind !== kind) throw new Error(`${kind}, where others ${transfer.kind}`);
      return transfer.given;
    };
    return {
      ...alone(),
      rank,
      size: machines.length,
      machine,
      exchange(sent, received) {
        const given = next("exchange", sent);
        fill(received, (from) => partOf(given[from], rank));
      },
      gather(own, received) {
        const given = next("gather", whole(own));
        fill(received, (from) => given[from].bytes);
      },
      broadcast: (bytes, root) => bytes.set(next("broadcast", whole(bytes))[root].bytes),
    };
  }
}

function whole(bytes: Uint8Array): Parts {
  return { bytes, lengths: Int32Array.of(bytes.length) };
}

function copyOf({ bytes, lengths }: Parts): Parts {
  const copy = makeParts(lengths);
  copy.bytes.set(bytes);
  return copy;
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
