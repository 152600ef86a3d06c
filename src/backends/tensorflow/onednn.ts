import { readFileSync } from "node:fs";
import { type Attribute, string, type TensorFlowBinding, TYPES } from "./binding.js";

/** TensorFlow's product of matrices by oneDNN, by the name that its own rewriting gives it. */
export const ONEDNN_PRODUCT = "_MklMatMul";

/** How TensorFlow marks that an operation was meant for oneDNN. */
export const FOR_ONEDNN: Attribute = string("_kernel", "MklNameChangeOp");

/** The factor of a product whose transpose is taken. */
export type Transposed = "none" | "left" | "right";

const LEFT = Float32Array.of(1, 2, 3, 4, 5, 6);
const RIGHT = Float32Array.of(1, 0, 2, -1, 1, 3);
const PRODUCT = [8, 7, 20, 13];

/**
 * The products that are faster with oneDNN, where TensorFlow's library has it: all with AVX-512, and
 * without it the gradients of weights, whose sums are long. TensorFlow itself takes all of oneDNN's
 * operations or none, on some processors only, and prints lines where it does; this one says nothing
 * when it is called by its name.
 */
export function oneDnnProducts(binding: TensorFlowBinding): ReadonlySet<Transposed> {
  if (!multiplies(binding)) return new Set();
  return new Set(hasAvx512() ? ["none", "left", "right"] : ["left"]);
}

/** Whether the library has oneDNN's product, and it works here. */
function multiplies(binding: TensorFlowBinding): boolean {
  const made: number[] = [];
  const keep = (id: number) => {
    made.push(id);
    return id;
  };
  try {
    const left = keep(binding.createTensor([2, 3], TYPES.float32, LEFT.slice()));
    const right = keep(binding.createTensor([3, 2], TYPES.float32, RIGHT.slice()));
    const [product] = binding.executeOp(ONEDNN_PRODUCT, [FOR_ONEDNN], [left, right], 1);
    const values = binding.tensorDataSync(keep(product.id));
    return PRODUCT.every((number, i) => values[i] === number);
  } catch {
    return false;
  } finally {
    for (const id of made) binding.deleteTensor(id);
  }
}

/** Whether the processor has it, where the system tells. */
function hasAvx512(): boolean {
  try {
    return /\bavx512f\b/.test(readFileSync("/proc/cpuinfo", "latin1"));
  } catch {
    return false;
  }
}
