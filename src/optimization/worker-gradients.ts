import type { Backend, ParameterArray } from "../backends/backend.js";
import { recordBytes } from "../backends/gradient-record.js";

/**
 * The gradients of all workers in a step, 8 bits a number, so that few bytes go from one to the other, and their sum,
 * which is the same however many processes have learned them.
 */
export class WorkerGradients {
  readonly #backend: Backend;
  /** One after the other, in the order of the workers. */
  readonly #records: Uint8Array;
  readonly #sum: Uint8Array;

  /** @param parameters how many numbers each worker's gradients have */
  constructor(backend: Backend, workers: number, parameters: number) {
    const bytes = recordBytes(parameters);
    this.#backend = backend;
    this.#records = new Uint8Array(workers * bytes);
    this.#sum = new Uint8Array(bytes);
  }

  /** Keeps what a worker adds to the sum: its gradients times `factor`. */
  put(worker: number, gradients: ParameterArray, factor: number): void {
    this.#backend.packGradients(gradients, factor, this.#recordOf(worker));
  }

  /** Keeps that a worker adds nothing to the sum. */
  putNothing(worker: number): void {
    this.#recordOf(worker).fill(0);
  }

  /** Overwrites gradients by the sum of what all workers have put. */
  join(gradients: ParameterArray): void {
    this.#backend.addRecords(this.#records, this.#sum);
    this.#backend.unpackGradients(this.#sum, gradients);
  }

  #recordOf(worker: number): Uint8Array {
    const bytes = this.#sum.length;
    return this.#records.subarray(worker * bytes, (worker + 1) * bytes);
  }
}
