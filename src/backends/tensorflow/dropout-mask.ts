import { philox } from "../../random.js";
import type { DropoutMask } from "../backend.js";

const TWO_32 = 0x1_0000_0000;

/** Overwrites `mask` by zeros with probability `rate` and 1 / (1 - rate) elsewhere. */
export function fillDropoutMask(mask: Float32Array, { rate, key }: DropoutMask): void {
  const dropBelow = rate * TWO_32;
  const kept = 1 / (1 - rate);
  const block = new Uint32Array(4);
  for (let i = 0; i < mask.length; i++) {
    const word = i % 4;
    if (word === 0) {
      const counter = i / 4;
      block[0] = counter >>> 0;
      block[1] = Math.floor(counter / TWO_32) >>> 0;
      block[2] = 0;
      block[3] = 0;
      philox(block, key[0], key[1]);
    }
    mask[i] = block[word] < dropBelow ? 0 : kept;
  }
}
