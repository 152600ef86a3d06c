/** Masks of dropout: what makes them, and their numbers by the definition. */
import type { DropoutMask } from "#src/backends/backend.js";
import type { Draw } from "../../helpers/numbers.js";
import { dropoutMask } from "../../reference/dropout.js";

export function drawMask(length: number, draw: Draw): DropoutMask {
  return { length, rate: 0.4, key: [draw.below(2 ** 32), draw.below(2 ** 32)] };
}

/** In single precision, as backends have them. */
export function maskNumbers({ length, rate, key }: DropoutMask): Float32Array {
  return Float32Array.from(dropoutMask(length, rate, key));
}
