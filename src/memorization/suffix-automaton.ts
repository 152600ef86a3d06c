import type { Parts } from "../turns.js";

/** Symbols that are read between two stops. */
const SYMBOLS_IN_PART = 1 << 12;
/** Slots of the table for each character: less than half are ever used. */
const SLOTS_PER_CHARACTER = 8;
/** A slot holds a state, a symbol, and where they lead. */
const SLOT = 3;
const NONE = -1;

/**
 * The smallest automaton that reads every string which occurs in a sequence, and no other (Blumer et al.,
 * "The smallest automaton recognizing the subwords of a text", 1985), built from left to right in linear
 * time. State 0 has read nothing.
 */
export class SuffixAutomaton {
  /** Of each state, the length of the longest string that leads to it. */
  readonly lengths: Int32Array;
  /** The state of the longest suffix of a state's strings that is in another state; -1 of state 0. */
  readonly links: Int32Array;
  /** The state that the first i + 1 symbols lead to. */
  readonly prefixes: Int32Array;
  #states = 1;
  /** Transitions, by open addressing. */
  readonly #table: Int32Array;
  readonly #mask: number;
  /** The symbols that lead on from a state, as a list that begins at its head. */
  readonly #heads: Int32Array;
  readonly #listed: Int32Array;
  readonly #next: Int32Array;
  #transitions = 0;

  /** That of a sequence, of whole numbers from 0. */
  static *of(symbols: ArrayLike<number>): Parts<SuffixAutomaton> {
    const automaton = new SuffixAutomaton(symbols);
    let last = 0;
    for (let i = 0; i < symbols.length; i++) {
      last = automaton.prefixes[i] = automaton.#append(symbols[i], last);
      if (i % SYMBOLS_IN_PART === 0) yield;
    }
    return automaton;
  }

  private constructor(symbols: ArrayLike<number>) {
    const most = Math.max(2 * symbols.length, 2);
    this.lengths = new Int32Array(most);
    this.links = new Int32Array(most).fill(NONE);
    this.prefixes = new Int32Array(symbols.length);
    const slots = 2 ** Math.ceil(Math.log2(SLOTS_PER_CHARACTER * Math.max(symbols.length, 1)));
    this.#table = new Int32Array(SLOT * slots).fill(NONE);
    this.#mask = slots - 1;
    this.#heads = new Int32Array(most).fill(NONE);
    this.#listed = new Int32Array(3 * most);
    this.#next = new Int32Array(3 * most);
  }

  /** How many states there are. */
  get size(): number {
    return this.#states;
  }

  /** The state that a symbol leads to from another; -1: no such string occurs. */
  follow(state: number, symbol: number): number {
    return this.#table[this.#slotOf(state, symbol) + 2];
  }

  /** The states, those of longer strings first. */
  longestFirst(): Int32Array {
    // Sorted by counting, as lengths are small whole numbers.
    const counts = new Int32Array(this.prefixes.length + 2);
    for (let state = 0; state < this.#states; state++) counts[this.lengths[state]]++;
    for (let length = counts.length - 2; length >= 0; length--)
      counts[length] += counts[length + 1];
    const order = new Int32Array(this.#states);
    for (let state = 0; state < this.#states; state++) order[--counts[this.lengths[state]]] = state;
    return order;
  }

  /** Reads one more symbol of the sequence, all of which has led to `last`. */
  #append(symbol: number, last: number): number {
    const state = this.#states++;
    this.lengths[state] = this.lengths[last] + 1;
    let from = last;
    while (from !== NONE && this.follow(from, symbol) === NONE) {
      this.#lead(from, symbol, state);
      from = this.links[from];
    }
    this.links[state] = from === NONE ? 0 : this.#stateOfNext(from, symbol);
    return state;
  }

  /** The state whose longest string is that of `from` followed by a symbol; it is made where it is missing. */
  #stateOfNext(from: number, symbol: number): number {
    const next = this.follow(from, symbol);
    if (this.lengths[next] === this.lengths[from] + 1) return next;
    const clone = this.#states++;
    this.lengths[clone] = this.lengths[from] + 1;
    this.links[clone] = this.links[next];
    for (let entry = this.#heads[next]; entry !== NONE; entry = this.#next[entry]) {
      this.#lead(clone, this.#listed[entry], this.follow(next, this.#listed[entry]));
    }
    this.links[next] = clone;
    let shorter = from;
    while (shorter !== NONE && this.follow(shorter, symbol) === next) {
      this.#table[this.#slotOf(shorter, symbol) + 2] = clone;
      shorter = this.links[shorter];
    }
    return clone;
  }

  #lead(from: number, symbol: number, to: number): void {
    const slot = this.#slotOf(from, symbol);
    this.#table[slot] = from;
    this.#table[slot + 1] = symbol;
    this.#table[slot + 2] = to;
    const entry = this.#transitions++;
    this.#listed[entry] = symbol;
    this.#next[entry] = this.#heads[from];
    this.#heads[from] = entry;
  }

  /** Where a transition is in the table, or would be. */
  #slotOf(state: number, symbol: number): number {
    const table = this.#table;
    let hash = Math.imul(state, 0x9e3779b1) ^ Math.imul(symbol + 1, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = SLOT * (hash & this.#mask);
    while (table[slot] !== NONE && (table[slot] !== state || table[slot + 1] !== symbol)) {
      slot += SLOT;
      if (slot === table.length) slot = 0;
    }
    return slot;
  }
}
