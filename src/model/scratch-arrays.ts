/**
 * Arrays that every batch uses again. As garbage, they would make the collector look at all of the memory every few steps, on
 * the cores that train.
 */
export class ScratchArrays {
  readonly #floats = new Map<string, Float32Array>();
  readonly #integers = new Map<string, Int32Array>();

  /** @returns of this length, with what was left in it */
  floats(name: string, length: number): Float32Array {
    let array = this.#floats.get(name);
    if (array === undefined || array.length < length) {
      array = new Float32Array(length);
      this.#floats.set(name, array);
    }
    return array.subarray(0, length);
  }

  /** @returns of this length, with what was left in it */
  integers(name: string, length: number): Int32Array {
    let array = this.#integers.get(name);
    if (array === undefined || array.length < length) {
      array = new Int32Array(length);
      this.#integers.set(name, array);
    }
    return array.subarray(0, length);
  }
}
