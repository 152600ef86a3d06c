import { NEWLINE } from "../text.js";
import { joinsPrevious } from "./twins.js";

/** Takes characters one by one, each with its position in the text that it comes from. */
export type Take = (codePoint: number, position: number) => void;

/** One of several steps in which a text is rewritten, character by character. */
export interface Stage {
  readonly push: Take;
  /** Hands on what was held back, at the end of a file of the text, which is at a position. */
  endFile(position: number): void;
}

const CARRIAGE_RETURN = 0x0d;
/** No accent is below. */
const FIRST_ACCENT = 0x300;
/** Accents on one letter; a text with more on one is a play with them. */
const MAX_LENGTH = 32;

/** Puts characters together that belong together: a letter and the accents after it, and CR LF. */
export class Clusters implements Stage {
  #cluster: number[] = [];
  #positions: number[] = [];
  readonly #joins = new Map<number, boolean>();

  /** @param take gets each cluster, and the position of each of its characters; both are used again */
  constructor(
    readonly take: (codePoints: readonly number[], positions: readonly number[]) => void,
  ) {}

  readonly push: Take = (codePoint, position) => {
    const { length } = this.#cluster;
    if (length > 0 && (length === MAX_LENGTH || !this.#goesOn(codePoint, length))) this.endFile();
    this.#cluster.push(codePoint);
    this.#positions.push(position);
  };

  endFile(): void {
    if (this.#cluster.length === 0) return;
    this.take(this.#cluster, this.#positions);
    this.#cluster.length = 0;
    this.#positions.length = 0;
  }

  #goesOn(codePoint: number, length: number): boolean {
    if (codePoint < FIRST_ACCENT) {
      return codePoint === NEWLINE && length === 1 && this.#cluster[0] === CARRIAGE_RETURN;
    }
    const known = this.#joins.get(codePoint);
    if (known !== undefined) return known;
    const joins = joinsPrevious(codePoint);
    this.#joins.set(codePoint, joins);
    return joins;
  }
}
