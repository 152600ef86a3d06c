import { dispose as disposeTensors, type TensorContainer, tidy } from "./tfjs.js";

/** Runs `work` and frees every tensor it made but those in its result. */
export function scoped<Result>(work: () => Result): Result {
  // tfjs walks through any plain object or array; its type describes only those of tensors alone.
  return tidy(work as () => TensorContainer) as Result;
}

/** Frees all tensors in an object or array. */
export function disposeAll(holder: object): void {
  disposeTensors(holder as TensorContainer);
}
