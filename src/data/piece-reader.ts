import { DOCUMENT_END, NEWLINE } from "../text.js";
import type { Stage, Take } from "./stages.js";

const [SPACE, TAB, CARRIAGE_RETURN] = [0x20, 0x09, 0x0d];

/**
 * Puts a mark at the end of each piece of a text, in place of what parts the pieces: empty lines
 * (`"paragraphs"`), the ends of files (`"files"`), or a separator, which is any other string. Whatever it is, a
 * file ends its last piece. Newlines at the beginning and the end of a piece, and pieces without anything
 * else, are left out.
 */
export class PieceReader implements Stage {
  readonly #take: Take;
  readonly #separator: Separator | undefined;
  /** Whether empty lines part pieces. */
  readonly #byEmptyLines: boolean;
  #isInPiece = false;
  /** Newlines that may be the end of a piece, and what shows nothing between and after them. */
  #held: { readonly codePoint: number; readonly position: number }[] = [];
  #newlines = 0;
  #hasSeparator = false;

  /** @param take gets what becomes of the text, with marks at the positions where pieces end */
  constructor(documents: string, take: Take) {
    this.#take = take;
    this.#byEmptyLines = documents === "paragraphs";
    if (documents === "paragraphs" || documents === "files") return;
    this.#separator = new Separator(
      documents,
      (codePoint, position) => this.#read(codePoint, position),
      (position) => {
        this.#hasSeparator = true;
        this.#endPiece(position);
      },
    );
  }

  /** Whether the separator has come, so far. */
  get hasSeparator(): boolean {
    return this.#hasSeparator;
  }

  readonly push: Take = (codePoint, position) => {
    if (this.#separator) this.#separator.push(codePoint, position);
    else this.#read(codePoint, position);
  };

  /** Ends a file, whose characters have been read, at a position. */
  endFile(position: number): void {
    this.#separator?.end();
    this.#endPiece(position);
  }

  #read(codePoint: number, position: number): void {
    if (codePoint === NEWLINE) this.#newlines++;
    else if (!this.#mayBeEmptyLine(codePoint)) {
      if (this.#held.length > 0) this.#release();
      this.#take(codePoint, position);
      this.#isInPiece = true;
      return;
    }
    this.#held.push({ codePoint, position });
  }

  /** Whether a character other than a newline may stand on a line that is otherwise empty. */
  #mayBeEmptyLine(codePoint: number): boolean {
    if (!this.#byEmptyLines || (this.#isInPiece && this.#held.length === 0)) return false;
    return codePoint === SPACE || codePoint === TAB || codePoint === CARRIAGE_RETURN;
  }

  /** A line goes on that is not empty: what was held belongs to a piece, or parts it from the one before. */
  #release(): void {
    const held = this.#held;
    const isBetween = !this.#isInPiece || (this.#byEmptyLines && this.#newlines > 1);
    if (isBetween && this.#isInPiece) this.#take(DOCUMENT_END, held[0].position);
    const indentation = held.findLastIndex(({ codePoint }) => codePoint === NEWLINE) + 1;
    for (const { codePoint, position } of isBetween ? held.slice(indentation) : held) {
      this.#take(codePoint, position);
    }
    this.#forget();
  }

  #endPiece(position: number): void {
    if (this.#isInPiece) this.#take(DOCUMENT_END, this.#held[0]?.position ?? position);
    this.#isInPiece = false;
    this.#forget();
  }

  #forget(): void {
    if (this.#held.length > 0) this.#held = [];
    this.#newlines = 0;
  }
}

/** Finds a string in a text that comes character by character (Knuth, Morris and Pratt, 1977). */
class Separator {
  readonly #codePoints: readonly number[];
  /** For each length of a beginning of the string, the longest shorter one with which it ends. */
  readonly #shorter: readonly number[];
  /** The positions of the characters that are a beginning of the string. */
  readonly #found: number[] = [];

  /**
   * @param pass gets the characters that are not part of the string
   * @param onFound gets the position where the string begins
   */
  constructor(
    text: string,
    readonly pass: Take,
    readonly onFound: (position: number) => void,
  ) {
    this.#codePoints = Array.from(text, (it) => it.codePointAt(0) as number);
    const shorter = [0, 0];
    for (let length = 1, common = 0; length < this.#codePoints.length; length++) {
      while (common > 0 && this.#codePoints[common] !== this.#codePoints[length]) {
        common = shorter[common];
      }
      if (this.#codePoints[common] === this.#codePoints[length]) common++;
      shorter.push(common);
    }
    this.#shorter = shorter;
  }

  push(codePoint: number, position: number): void {
    const found = this.#found;
    while (found.length > 0 && this.#codePoints[found.length] !== codePoint) {
      this.#giveUp(found.length - this.#shorter[found.length]);
    }
    if (this.#codePoints[found.length] !== codePoint) {
      this.pass(codePoint, position);
      return;
    }
    found.push(position);
    if (found.length < this.#codePoints.length) return;
    this.onFound(found[0]);
    found.length = 0;
  }

  end(): void {
    this.#giveUp(this.#found.length);
  }

  /** The first few characters of what was found are no part of the string. */
  #giveUp(count: number): void {
    for (let k = 0; k < count; k++) this.pass(this.#codePoints[k], this.#found[k]);
    this.#found.splice(0, count);
  }
}
