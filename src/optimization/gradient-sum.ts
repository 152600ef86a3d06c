import type { ParameterArray } from "../backends/backend.js";

/** Gradients of several batches, each of a mean loss, which become those of the mean over all of them. */
export class GradientSum {
  readonly #values: Float32Array;
  /** Of the batches that were added. */
  characters = 0;

  /** @param parameters how many numbers gradients have */
  constructor(parameters: number) {
    this.#values = new Float32Array(parameters);
  }

  add(gradients: ParameterArray, characters: number): void {
    const values = gradients.read();
    const sum = this.#values;
    for (let i = 0; i < sum.length; i++) sum[i] += characters * values[i];
    this.characters += characters;
  }

  /** Overwrites gradients by the mean of those that were added. */
  writeMean(gradients: ParameterArray): void {
    const sum = this.#values;
    for (let i = 0; i < sum.length; i++) sum[i] /= this.characters;
    gradients.write(sum);
  }

  clear(): void {
    this.#values.fill(0);
    this.characters = 0;
  }
}
