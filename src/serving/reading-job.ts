import type { Job } from "./job-batch.js";

/** Reads tokens, and hands over what the model predicts after each. */
export class ReadingJob implements Job {
  readonly #tokens: ArrayLike<number>;
  #position = 0;
  readonly #visit: (position: number, logits: Float32Array, start: number) => void;
  readonly #settle: (error?: unknown) => void;

  /**
   * @param tokens at least one
   * @param visit called after each token, with its place among them, and with logits that begin at `start`
   * @param settle called once, at the end, or with the error that ended it
   */
  constructor(
    tokens: ArrayLike<number>,
    visit: (position: number, logits: Float32Array, start: number) => void,
    settle: (error?: unknown) => void,
  ) {
    this.#tokens = tokens;
    this.#visit = visit;
    this.#settle = settle;
  }

  get input(): number {
    return this.#tokens[this.#position];
  }

  take(logits: Float32Array, start: number): boolean {
    this.#visit(this.#position++, logits, start);
    return this.#position < this.#tokens.length;
  }

  end(): void {
    this.#settle();
  }

  fail(error: unknown): void {
    this.#settle(error);
  }
}
