import type { ParameterArray } from "../model/parameters.js";

/** The gradients of several batches together, as of one large batch. */
export class GradientSum {
  #sum: Float32Array | undefined;
  #characters = 0;

  /** @param gradients of the mean loss over so many characters */
  add(gradients: ParameterArray, characters: number): void {
    const values = gradients.read();
    this.#sum ??= new Float32Array(values.length);
    const sum = this.#sum;
    for (let i = 0; i < sum.length; i++) sum[i] += characters * values[i];
    this.#characters += characters;
  }

  /** Overwrites `gradients` by those of the mean loss over all characters that were added. */
  takeMean(gradients: ParameterArray): void {
    const sum = this.#sum;
    if (!sum) return;
    for (let i = 0; i < sum.length; i++) sum[i] /= this.#characters;
    gradients.write(sum);
  }

  /** Forgets what was added. */
  clear(): void {
    this.#sum?.fill(0);
    this.#characters = 0;
  }
}
