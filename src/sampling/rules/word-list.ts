import type { NamedText } from "../../data/texts.js";
import type { Vocabulary } from "../../data/vocabulary.js";
import { inPieces } from "../../turns.js";

/** What a character is to the words of a text. */
export type Role = "letter" | "joiner" | "other";

const LETTER = /[\p{L}\p{M}\p{N}]/u;
/** An apostrophe between two letters belongs to the word. */
const JOINERS = ["'", "\u2019"];

export function roleOf(codePoint: number): Role {
  const character = String.fromCodePoint(codePoint);
  if (JOINERS.includes(character)) return "joiner";
  return LETTER.test(character) ? "letter" : "other";
}

const NONE = 0;

/**
 * The words of a text as a tree of their characters: letters, accents and digits in a row, and apostrophes
 * between them. Words with characters that a vocabulary lacks are left out.
 */
export class WordList {
  static readonly ROOT = 1;
  #codePoints = new Uint32Array(1024);
  #firstChild = new Uint32Array(1024);
  #sibling = new Uint32Array(1024);
  /** Letters that complete the shortest word from here on. */
  #shortest = new Uint16Array(1024).fill(0xffff);
  #size = 2;

  private constructor() {}

  /** @throws the reason of `signal` when it is aborted */
  static async of(
    texts: readonly NamedText[],
    vocabulary: Vocabulary,
    signal: AbortSignal | undefined,
  ): Promise<WordList> {
    const list = new WordList();
    for (const { numbers, codePoints } of texts) {
      const roles = codePoints.map(roleOf);
      const isKnown = codePoints.map((it) => vocabulary.indexOf(it) !== undefined);
      let word: number[] = [];
      /** An apostrophe that a letter may follow. */
      let joiner: number | undefined;
      let isWhole = true;
      const end = () => {
        if (word.length > 0 && isWhole) list.#add(word);
        word = [];
        joiner = undefined;
        isWhole = true;
      };
      await inPieces(numbers.length, signal, (from, to) => {
        for (let position = from; position < to; position++) {
          const number = numbers[position];
          const role = roles[number];
          if (role === "other") end();
          else if (role === "joiner") {
            if (word.length === 0 || joiner !== undefined) end();
            else joiner = number;
          } else {
            if (joiner !== undefined) {
              word.push(codePoints[joiner]);
              isWhole &&= isKnown[joiner];
              joiner = undefined;
            }
            word.push(codePoints[number]);
            isWhole &&= isKnown[number];
          }
        }
      });
      end();
    }
    return list;
  }

  get isEmpty(): boolean {
    return this.#size === 2;
  }

  /** The node of a word with one more character; undefined where no word begins so. */
  child(node: number, codePoint: number): number | undefined {
    let child = this.#firstChild[node];
    while (child !== NONE && this.#codePoints[child] !== codePoint) child = this.#sibling[child];
    return child === NONE ? undefined : child;
  }

  /** Calls `visit` for each character that can follow. */
  forEachChild(node: number, visit: (codePoint: number, child: number) => void): void {
    for (let child = this.#firstChild[node]; child !== NONE; child = this.#sibling[child]) {
      visit(this.#codePoints[child], child);
    }
  }

  /** How many more characters make a word; 0 where there is one. */
  shortest(node: number): number {
    return this.#shortest[node];
  }

  #add(word: readonly number[]): void {
    let node = WordList.ROOT;
    for (const [index, codePoint] of word.entries()) {
      const left = Math.min(word.length - index, 0xfffe);
      if (left < this.#shortest[node]) this.#shortest[node] = left;
      node = this.child(node, codePoint) ?? this.#append(node, codePoint);
    }
    this.#shortest[node] = 0;
  }

  #append(parent: number, codePoint: number): number {
    if (this.#size === this.#codePoints.length) this.#grow();
    const node = this.#size++;
    this.#codePoints[node] = codePoint;
    this.#sibling[node] = this.#firstChild[parent];
    this.#firstChild[parent] = node;
    return node;
  }

  #grow(): void {
    const longer = <Numbers extends Uint32Array | Uint16Array>(old: Numbers, made: Numbers) => {
      made.set(old);
      return made;
    };
    const length = 2 * this.#size;
    this.#codePoints = longer(this.#codePoints, new Uint32Array(length));
    this.#firstChild = longer(this.#firstChild, new Uint32Array(length));
    this.#sibling = longer(this.#sibling, new Uint32Array(length));
    this.#shortest = longer(this.#shortest, new Uint16Array(length).fill(0xffff));
  }
}
