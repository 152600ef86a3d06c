import { sizeOf } from "../../config/parameters.js";
import type { ParameterArray } from "../backend.js";
import { lengthOf, sliceOf } from "../plain-arrays.js";
import { unstoppable } from "../stop.js";
import type { Id, Operations } from "./operations.js";
import type { Runtime } from "./runtime.js";
import { TensorFlowSlice } from "./tensors.js";

/**
 * Tensors never change, so the whole and its slices are separate tensors: when one of them is replaced, the
 * others are freed, and are made from it again when they are next read.
 */
export class TensorFlowParameterArray implements ParameterArray {
  readonly flat: TensorFlowSlice;
  readonly byName: ReadonlyMap<string, TensorFlowSlice>;
  readonly #runtime: Runtime;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  /** At least one of the two is there. */
  #whole: Id | undefined;
  #slices: Map<string, Id> | undefined;

  constructor(runtime: Runtime, shapes: ReadonlyMap<string, readonly number[]>) {
    this.#runtime = runtime;
    this.#shapes = shapes;
    const length = lengthOf(shapes);
    this.#whole = runtime.tensor([length], new Float32Array(length));
    this.flat = new TensorFlowSlice(
      length,
      runtime,
      () => this.#wholeId(),
      (id) => this.#replaceWhole(id),
    );
    const byName = new Map<string, TensorFlowSlice>();
    for (const [name, shape] of shapes) {
      const id = () => sliceOf(this.#sliceIds(), name);
      const replace = (by: Id) => this.#replaceSlice(name, by);
      byName.set(name, new TensorFlowSlice(sizeOf(shape), runtime, id, replace));
    }
    this.byName = byName;
  }

  of(name: string): TensorFlowSlice {
    return sliceOf(this.byName, name);
  }

  read(): Float32Array {
    return this.flat.read();
  }

  write(values: Float32Array): void {
    this.#replaceWhole(this.#runtime.tensor([values.length], values.slice()));
  }

  writeSlice(name: string, values: Float32Array): void {
    const shape = sliceOf(this.#shapes, name);
    this.#replaceSlice(name, this.#runtime.tensor(shape, values.slice()));
  }

  dispose(): void {
    this.#freeWhole();
    this.#freeSlices();
  }

  #wholeId(): Id {
    this.#whole ??= this.#make((ops) => {
      const flat = [...this.#sliceIds().values()].map((slice) => ops.reshape(slice, -1));
      return ops.keep(ops.concat(flat, 0));
    });
    return this.#whole;
  }

  #sliceIds(): Map<string, Id> {
    this.#slices ??= this.#make((ops) => {
      const shapes = [...this.#shapes];
      const sizes = shapes.map(([, shape]) => sizeOf(shape));
      const parts = ops.splitV(this.#wholeId(), sizes, 0);
      return new Map(
        shapes.map(([name, shape], index) => [name, ops.keep(ops.reshape(parts[index], ...shape))]),
      );
    });
    return this.#slices;
  }

  #replaceWhole(id: Id): void {
    this.#freeWhole();
    this.#freeSlices();
    this.#whole = id;
  }

  #replaceSlice(name: string, id: Id): void {
    const slices = this.#sliceIds();
    this.#freeWhole();
    this.#runtime.free([sliceOf(slices, name)]);
    slices.set(name, id);
  }

  #freeWhole(): void {
    if (this.#whole !== undefined) this.#runtime.free([this.#whole]);
    this.#whole = undefined;
  }

  #freeSlices(): void {
    this.#runtime.free(this.#slices?.values() ?? []);
    this.#slices = undefined;
  }

  /** What is begun here must be finished: a signal may stop only the work that reads it. */
  #make<Result>(work: (ops: Operations) => Result): Result {
    return unstoppable(() => this.#runtime.run(work));
  }
}
