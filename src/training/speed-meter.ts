/** How many seconds back the measured speed looks, about. */
const MEMORY_SECONDS = 5;

/** Characters per second, averaged so that older steps count for less and less. */
export class SpeedMeter {
  #characters = 0;
  #seconds = 0;

  add(characters: number, seconds: number): void {
    const kept = Math.exp(-seconds / MEMORY_SECONDS);
    this.#characters = this.#characters * kept + characters;
    this.#seconds = this.#seconds * kept + seconds;
  }

  get charsPerSecond(): number {
    return this.#characters / this.#seconds;
  }
}
