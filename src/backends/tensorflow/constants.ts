import { type TensorFlowBinding, TYPES } from "./binding.js";
import { oneDnnProducts, type Transposed } from "./onednn.js";
import type { Id } from "./operations.js";

/** What operations run on, and tensors that never change, made once: sizes, axes and numbers. */
export class Constants {
  readonly #ids = new Map<string, Id>();
  /** Operations run on a graphics processor. */
  readonly onGpu: boolean;
  /** The products that oneDNN computes. */
  readonly oneDnn: ReadonlySet<Transposed>;

  constructor(readonly binding: TensorFlowBinding) {
    this.onGpu = binding.isUsingGpuDevice();
    this.oneDnn = this.onGpu ? new Set() : oneDnnProducts(binding);
  }

  /** Whole numbers, as a vector. */
  integers(...values: number[]): Id {
    return this.#of(`integers ${values}`, () =>
      this.binding.createTensor([values.length], TYPES.int32, Int32Array.from(values)),
    );
  }

  /** A whole number, as a scalar. */
  integer(value: number): Id {
    return this.#of(`integer ${value}`, () =>
      this.binding.createTensor([], TYPES.int32, Int32Array.of(value)),
    );
  }

  /** A whole number, as a scalar of 64 bits. */
  long(value: number): Id {
    return this.#of(`long ${value}`, () =>
      // In two halves, the lower first.
      this.binding.createTensor([], TYPES.int64, Int32Array.of(value, 0)),
    );
  }

  /** A scalar. */
  float(value: number): Id {
    return this.#of(`float ${value}`, () =>
      this.binding.createTensor([], TYPES.float32, Float32Array.of(value)),
    );
  }

  #of(name: string, make: () => Id): Id {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = make();
      this.#ids.set(name, id);
    }
    return id;
  }
}
