import { isInUse } from "./in-use.js";

/** Each attempt on a file that is in use takes two seconds. */
const MILLISECONDS_BETWEEN_ATTEMPTS = 20_000;

/** What is to be written to a file in order, and waits in memory while another program has the file open. */
export class Backlog<Item> {
  readonly #write: (item: Item) => Promise<void>;
  #waiting: Item[] = [];
  #nextAttempt = Number.NEGATIVE_INFINITY;

  /** @param write one item, of which nothing is left in the file where that fails */
  constructor(write: (item: Item) => Promise<void>) {
    this.#write = write;
  }

  /** Of what waits, keeps only this. */
  keep(isValid: (item: Item) => boolean): void {
    this.#waiting = this.#waiting.filter(isValid);
  }

  /**
   * Writes all that waits, and then these.
   *
   * @returns the error where the file is in use, once for each attempt
   * @throws any other error, after which nothing waits
   */
  async add(items: readonly Item[]): Promise<Error | undefined> {
    for (const item of items) this.#waiting.push(item);
    if (performance.now() < this.#nextAttempt) return undefined;
    try {
      await this.finish();
    } catch (error) {
      if (!isInUse(error)) {
        this.#waiting = [];
        throw error;
      }
      this.#nextAttempt = performance.now() + MILLISECONDS_BETWEEN_ATTEMPTS;
      return error as Error;
    }
    return undefined;
  }

  /**
   * Writes all that waits.
   *
   * @throws the error of a file that is in use, too
   */
  async finish(): Promise<void> {
    for (let item = this.#waiting.at(0); item !== undefined; item = this.#waiting.at(0)) {
      await this.#write(item);
      this.#waiting.shift();
    }
  }
}
