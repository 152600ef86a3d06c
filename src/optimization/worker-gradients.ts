import type { Backend, ParameterArray } from "../backends/backend.js";
import { RECORD_BLOCK_BYTES, recordBlocks, recordBytes } from "../backends/gradient-record.js";
import { makeParts, type Parts, partOf } from "../ranks/parts.js";
import type { Ranks } from "../ranks/ranks.js";
import { type Share, shareOf, sharesOf } from "../ranks/share.js";

/**
 * The gradients of all workers in a step, 8 bits a number, so that few bytes go from one to the other, and their sum.
 * Each process has the records of its own workers. It gets a slice of every worker's record, adds up these, and gives
 * the sum of its slice to all: as many bytes as the fastest all-reduce sends (Thakur et al., "Optimization of
 * Collective Communication Operations in MPICH", 2005, section 4.5), but an order of additions that is always the same.
 */
export class WorkerGradients {
  readonly #backend: Backend;
  readonly #ranks: Ranks;
  /** Whose records are here. */
  readonly #own: Share;
  /** Of these workers, one after the other. */
  readonly #records: Uint8Array;
  readonly #sum: Uint8Array;
  /** The same as they go to others, and as they come from them; undefined in the only process. */
  readonly #transfer: Transfer | undefined;

  /** @param parameters how many numbers each worker's gradients have */
  constructor(backend: Backend, ranks: Ranks, workers: number, parameters: number) {
    const bytes = recordBytes(parameters);
    this.#backend = backend;
    this.#ranks = ranks;
    this.#own = shareOf(workers, ranks.rank, ranks.size);
    this.#records = new Uint8Array((this.#own.end - this.#own.begin) * bytes);
    this.#sum = new Uint8Array(bytes);
    this.#transfer = ranks.size > 1 ? transferOf(ranks, workers, parameters) : undefined;
  }

  /** Keeps what a worker of this process adds to the sum: its gradients times `factor`. */
  put(worker: number, gradients: ParameterArray, factor: number): void {
    this.#backend.packGradients(gradients, factor, this.#recordOf(worker));
  }

  /** Keeps that a worker of this process adds nothing to the sum. */
  putNothing(worker: number): void {
    this.#recordOf(worker).fill(0);
  }

  /** Overwrites gradients by the sum of what all workers have put. All processes call it in the same step. */
  join(gradients: ParameterArray): void {
    if (this.#transfer) this.#addInSlices(this.#transfer);
    else this.#backend.addRecords(this.#records, this.#sum);
    this.#backend.unpackGradients(this.#sum, gradients);
  }

  #addInSlices({ slices, sent, received, sum, sums }: Transfer): void {
    const records = this.#own.end - this.#own.begin;
    for (const [rank, { begin, end }] of slices.entries()) {
      const part = partOf(sent, rank);
      for (let k = 0; k < records; k++) {
        const at = k * this.#sum.length;
        part.set(this.#records.subarray(at + begin, at + end), k * (end - begin));
      }
    }
    this.#ranks.exchange(sent, received);
    if (sum.length > 0) this.#backend.addRecords(received.bytes, sum);
    this.#ranks.gather(sum, sums);
    this.#sum.set(sums.bytes);
  }

  #recordOf(worker: number): Uint8Array {
    const at = (worker - this.#own.begin) * this.#sum.length;
    return this.#records.subarray(at, at + this.#sum.length);
  }
}

/** What goes from process to process. */
interface Transfer {
  /** Of a record, by rank, in bytes: what each adds up. */
  readonly slices: readonly Share[];
  readonly sent: Parts;
  /** Of all workers, in their order. */
  readonly received: Parts;
  /** Of this process's slice. */
  readonly sum: Uint8Array;
  readonly sums: Parts;
}

function transferOf({ rank, size }: Ranks, workers: number, parameters: number): Transfer {
  const slices = sharesOf(recordBlocks(parameters), size).map(({ begin, end }) => ({
    begin: begin * RECORD_BLOCK_BYTES,
    end: end * RECORD_BLOCK_BYTES,
  }));
  const lengths = slices.map(({ begin, end }) => end - begin);
  const counts = sharesOf(workers, size).map(({ begin, end }) => end - begin);
  return {
    slices,
    sent: makeParts(lengths.map((length) => counts[rank] * length)),
    received: makeParts(counts.map((count) => count * lengths[rank])),
    sum: new Uint8Array(lengths[rank]),
    sums: makeParts(lengths),
  };
}
