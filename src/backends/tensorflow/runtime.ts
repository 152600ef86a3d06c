import { type TensorFlowBinding, TYPES } from "./binding.js";
import { Constants } from "./constants.js";
import { type Id, Operations } from "./operations.js";

/** Runs operations, and frees tensors that outlived a run. */
export class Runtime {
  readonly #constants: Constants;

  constructor(readonly binding: TensorFlowBinding) {
    this.#constants = new Constants(binding);
  }

  get onGpu(): boolean {
    return this.#constants.onGpu;
  }

  /** Runs operations, and frees what they made except what was kept. */
  run<Result>(work: (ops: Operations) => Result): Result {
    const ops = new Operations(this.#constants);
    try {
      return work(ops);
    } finally {
      ops.free();
    }
  }

  /** A tensor that the caller owns. It may share the memory of `values`, which must not change. */
  tensor(shape: readonly number[], values: Float32Array): Id {
    return this.binding.createTensor(shape, TYPES.float32, values);
  }

  /** Frees tensors that were kept of a run. */
  free(ids: Iterable<Id>): void {
    for (const id of ids) this.binding.deleteTensor(id);
  }
}
