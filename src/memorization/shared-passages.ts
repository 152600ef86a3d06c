import type { Parts } from "../turns.js";
import { SuffixAutomaton } from "./suffix-automaton.js";

/** Characters or states that are visited between two stops. */
const VISITED_IN_PART = 1 << 16;

/** A passage of a sample that occurs in a text word for word, and can't be made longer on either side. */
export interface SharedPassage {
  /** Where it begins in the sample, and at one of its occurrences in the text. */
  readonly start: number;
  readonly inText: number;
  readonly length: number;
}

/**
 * Looks for what a sample shares with a text that is read once from beginning to end: the sample is
 * indexed, and the text led through the index (matching statistics: Chang and Lawler, "Sublinear
 * approximate string matching and biological applications", 1994). Takes time for the characters of
 * both, and memory for those of the sample alone.
 */
export class SharedPassageFinder {
  readonly #automaton: SuffixAutomaton;
  readonly #symbols: ArrayLike<number>;
  /** Of each state, the longest string met in the text that ends there, and where that ends. */
  readonly #longest: Int32Array;
  readonly #ends: Float64Array;
  #state = 0;
  #length = 0;
  #read = 0;

  /** That of a sample, as whole numbers from 0. */
  static *of(symbols: ArrayLike<number>): Parts<SharedPassageFinder> {
    return new SharedPassageFinder(symbols, yield* SuffixAutomaton.of(symbols));
  }

  private constructor(symbols: ArrayLike<number>, automaton: SuffixAutomaton) {
    this.#automaton = automaton;
    this.#symbols = symbols;
    this.#longest = new Int32Array(this.#automaton.size);
    this.#ends = new Float64Array(this.#automaton.size);
  }

  /**
   * Reads the next piece of the text.
   *
   * @param symbolOf by code point; -1 for one that the sample does not have
   */
  read(codePoints: Int32Array, symbolOf: Int32Array): void {
    const automaton = this.#automaton;
    const { lengths, links } = automaton;
    const longest = this.#longest;
    let state = this.#state;
    let length = this.#length;
    for (let i = 0; i < codePoints.length; i++) {
      const symbol = symbolOf[codePoints[i]];
      if (symbol < 0) {
        state = 0;
        length = 0;
        continue;
      }
      let next = automaton.follow(state, symbol);
      // What was read is made shorter at its beginning until the symbol can follow it.
      while (next < 0 && state > 0) {
        state = links[state];
        length = lengths[state];
        next = automaton.follow(state, symbol);
      }
      if (next < 0) continue;
      state = next;
      length++;
      if (length > longest[state]) {
        longest[state] = length;
        this.#ends[state] = this.#read + i + 1;
      }
    }
    this.#state = state;
    this.#length = length;
    this.#read += codePoints.length;
  }

  /** The shared passages of the whole sample, in order; none of them is part of another. */
  *passages(): Parts<SharedPassage[]> {
    const met = yield* this.#metStates();
    const { prefixes } = this.#automaton;
    const passages: SharedPassage[] = [];
    let before: SharedPassage | undefined;
    for (let end = 1; end <= this.#symbols.length; end++) {
      if (end % VISITED_IN_PART === 0) yield;
      const state = met[prefixes[end - 1]];
      const length = this.#longest[state];
      const passage = { start: end - length, inText: this.#ends[state] - length, length };
      // The passage that ends one character before is continued by this one, or ends there.
      if (before && passage.start > before.start) passages.push(before);
      before = length > 0 ? passage : undefined;
    }
    if (before) passages.push(before);
    return passages;
  }

  /** Of each state, that of its longest suffix which was met in the text; 0 where none was. */
  *#metStates(): Parts<Int32Array> {
    const { lengths, links } = this.#automaton;
    const order = this.#automaton.longestFirst();
    let visited = 0;
    // Where a string was met, so were its suffixes.
    for (const state of order) {
      if (++visited % VISITED_IN_PART === 0) yield;
      const link = links[state];
      if (this.#longest[state] === 0 || link <= 0 || this.#longest[link] === lengths[link])
        continue;
      this.#longest[link] = lengths[link];
      this.#ends[link] = this.#ends[state];
    }
    const met = new Int32Array(order.length);
    for (const state of order.reverse()) {
      if (++visited % VISITED_IN_PART === 0) yield;
      if (state > 0) met[state] = this.#longest[state] > 0 ? state : met[links[state]];
    }
    return met;
  }
}
