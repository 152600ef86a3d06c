import { type AST, RegExpParser } from "@eslint-community/regexpp";
import type { Vocabulary } from "../../data/vocabulary.js";
import { CharnnError } from "../../errors.js";

/** Of a distance: it can't be reached. */
export const NEVER = 0xffffffff;
/** States of an expression: more than anyone writes by hand, unless by `{1000}` inside of `{1000}`. */
const MAX_STATES = 200_000;
/** Bytes of what is kept of places, before all of it is made anew. */
const MAX_KEPT_BYTES = 64e6;

/** How far a text has come in an expression. */
export interface Place {
  /** Whether what is there matches. */
  readonly isMatch: boolean;
  /** By token: how many characters after it complete a match at the least; {@link NEVER} where none can. */
  readonly distances: Uint32Array;
}

interface KeptPlace extends Place {
  readonly states: readonly number[];
  readonly next: Map<number, KeptPlace>;
}

/**
 * A regular expression over the characters of a vocabulary, as a nondeterministic automaton (Thompson,
 * "Regular Expression Search Algorithm", 1968). Sets of its states are made deterministic as texts come to them.
 */
export class Automaton {
  readonly #vocabulary: Vocabulary;
  /** By state: the states that are reached without a character. */
  readonly #free: number[][] = [];
  /** By state: the characters that lead to the state after it, which {@link #to} names. */
  readonly #tokens: (Uint8Array | undefined)[] = [];
  readonly #to: number[] = [];
  /** By state: how many characters complete a match. */
  readonly #distances: Uint32Array;
  readonly #sets = new Map<string, Uint8Array>();
  readonly #places = new Map<string, KeptPlace>();
  readonly #match: number;
  readonly start: Place;
  /** Characters of the shortest match; {@link NEVER} where the vocabulary's characters make none. */
  readonly shortest: number;

  /**
   * @param source without slashes, with the meaning that it has in JavaScript with the flag `u`
   * @param without tokens that never belong to a match
   * @throws CharnnError `INVALID_SETTING` for what is no expression, or has what an automaton can't follow
   */
  constructor(source: string, vocabulary: Vocabulary, without: readonly number[] = []) {
    this.#vocabulary = vocabulary;
    const { alternatives } = parsed(source);
    const start = this.#state();
    this.#match = this.#state();
    const flags = { ignoreCase: false, dotAll: false };
    for (const { elements } of alternatives) {
      const from = this.#next(start);
      this.#join(this.#sequence(withoutEdges(elements), from, flags), this.#match);
    }
    for (const set of this.#sets.values()) for (const token of without) set[token] = 0;
    this.#distances = this.#findDistances();
    this.shortest = this.#distances[start];
    this.start = this.#place([start]);
  }

  /** The place after one more character; undefined where nothing that begins so can match. */
  after(place: Place, token: number): Place | undefined {
    if (place.distances[token] === NEVER) return undefined;
    const { states, next } = place as KeptPlace;
    let after = next.get(token);
    if (!after) {
      const reached = states.filter((state) => this.#tokens[state]?.[token] === 1);
      after = this.#place(reached.map((state) => this.#to[state]));
      next.set(token, after);
    }
    return after;
  }

  #place(reached: readonly number[]): KeptPlace {
    const states = this.#closure(reached);
    const key = states.join();
    const known = this.#places.get(key);
    if (known) return known;
    const distances = new Uint32Array(this.#vocabulary.size).fill(NEVER);
    for (const state of states) {
      const tokens = this.#tokens[state];
      const distance = tokens ? this.#distances[this.#to[state]] : NEVER;
      if (!tokens || distance === NEVER) continue;
      for (let token = 0; token < tokens.length; token++) {
        if (tokens[token] === 1 && distance < distances[token]) distances[token] = distance;
      }
    }
    if (this.#places.size * distances.byteLength > MAX_KEPT_BYTES) {
      for (const place of this.#places.values()) place.next.clear();
      this.#places.clear();
    }
    const isMatch = states.includes(this.#match);
    const place: KeptPlace = { isMatch, distances, states, next: new Map() };
    this.#places.set(key, place);
    return place;
  }

  /** These states and all that are reached from them without a character, sorted; only those that matter. */
  #closure(from: readonly number[]): number[] {
    const seen = new Set<number>();
    const open = [...from];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      if (seen.has(state)) continue;
      seen.add(state);
      for (const next of this.#free[state]) open.push(next);
    }
    return [...seen]
      .filter((state) => this.#tokens[state] !== undefined || state === this.#match)
      .sort((a, b) => a - b);
  }

  /** Breadth first from the match backwards; steps without a character come first. */
  #findDistances(): Uint32Array {
    const before: { state: number; characters: 0 | 1 }[][] = this.#free.map(() => []);
    for (let state = 0; state < this.#free.length; state++) {
      for (const next of this.#free[state]) before[next].push({ state, characters: 0 });
      if (this.#tokens[state]?.includes(1)) before[this.#to[state]].push({ state, characters: 1 });
    }
    const distances = new Uint32Array(before.length).fill(NEVER);
    let now = [this.#match];
    for (let distance = 0; now.length > 0; distance++) {
      const later: number[] = [];
      for (let state = now.pop(); state !== undefined; state = now.pop()) {
        if (distances[state] !== NEVER) continue;
        distances[state] = distance;
        for (const step of before[state]) (step.characters === 0 ? now : later).push(step.state);
      }
      now = later;
    }
    return distances;
  }

  #state(): number {
    if (this.#free.length === MAX_STATES) {
      throw cannotFollow(
        `it repeats so much that it has more than ${MAX_STATES.toLocaleString("en")} states`,
        undefined,
        "Write + or * in place of large counts: `length` limits a text too.",
      );
    }
    this.#tokens.push(undefined);
    this.#to.push(-1);
    return this.#free.push([]) - 1;
  }

  #join(from: number, to: number): void {
    this.#free[from].push(to);
  }

  /** @returns the state after these elements */
  #sequence(elements: readonly AST.Element[], from: number, flags: Flags): number {
    let state = from;
    for (const element of elements) state = this.#element(element, state, flags);
    return state;
  }

  #alternatives(alternatives: readonly AST.Alternative[], from: number, flags: Flags): number {
    const after = this.#state();
    for (const { elements } of alternatives) {
      const start = this.#state();
      this.#join(from, start);
      this.#join(this.#sequence(elements, start, flags), after);
    }
    return after;
  }

  #element(element: AST.Element, from: number, flags: Flags): number {
    switch (element.type) {
      case "Group":
        return this.#alternatives(element.alternatives, from, modified(flags, element.modifiers));
      case "CapturingGroup":
        return this.#alternatives(element.alternatives, from, flags);
      case "Quantifier":
        return this.#repeated(element, from, flags);
      case "Assertion":
        throw cannotFollow(`it has ${ASSERTIONS[element.kind]}`, element.raw);
      case "Backreference":
        throw cannotFollow("it has a back-reference", element.raw);
      default: {
        const after = this.#state();
        this.#tokens[from] = this.#setOf(element.raw, flags);
        this.#to[from] = after;
        return after;
      }
    }
  }

  #repeated({ element, min, max }: AST.Quantifier, from: number, flags: Flags): number {
    let state = from;
    for (let i = 0; i < min; i++) state = this.#element(element, this.#next(state), flags);
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#next(state);
      this.#join(this.#element(element, this.#next(loop), flags), loop);
      return this.#next(loop);
    }
    const after = this.#state();
    for (let i = min; i < max; i++) {
      this.#join(state, after);
      state = this.#element(element, this.#next(state), flags);
    }
    this.#join(state, after);
    return after;
  }

  /** A new state that is reached without a character. */
  #next(from: number): number {
    const state = this.#state();
    this.#join(from, state);
    return state;
  }

  /** The tokens that one character, class or escape stands for: 1 for each. */
  #setOf(raw: string, { ignoreCase, dotAll }: Flags): Uint8Array {
    const flags = `u${ignoreCase ? "i" : ""}${dotAll ? "s" : ""}`;
    const key = `${flags} ${raw}`;
    let set = this.#sets.get(key);
    if (!set) {
      const expression = new RegExp(`^${raw}$`, flags);
      set = new Uint8Array(this.#vocabulary.size);
      for (const codePoint of this.#vocabulary.codePoints()) {
        const isIn = expression.test(String.fromCodePoint(codePoint));
        if (isIn) set[this.#vocabulary.indexOf(codePoint) as number] = 1;
      }
      this.#sets.set(key, set);
    }
    return set;
  }
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

const ASSERTIONS = {
  start: "a ^ that is not at the beginning of an alternative of the whole",
  end: "a $ that is not at the end of an alternative of the whole",
  word: "a word boundary",
  lookahead: "a look-ahead",
  lookbehind: "a look-behind",
};

function parsed(source: string): AST.Pattern {
  try {
    return new RegExpParser().parsePattern(source, 0, source.length, { unicode: true });
  } catch (error) {
    const [, reason = String(error)] = /\/u?: (.*)$/s.exec((error as Error).message) ?? [];
    throw new CharnnError(
      "INVALID_SETTING",
      `match is not a regular expression: ${reason}.`,
      "The syntax is that of JavaScript with the flag u.",
      { setting: "match", cause: error },
    );
  }
}

/** A match is all of a text anyway. */
function withoutEdges(elements: readonly AST.Element[]): readonly AST.Element[] {
  const isEdge = (element: AST.Element | undefined, kind: "start" | "end") =>
    element?.type === "Assertion" && element.kind === kind;
  const from = isEdge(elements[0], "start") ? 1 : 0;
  const to = isEdge(elements.at(-1), "end") ? -1 : undefined;
  return elements.slice(from, to);
}

function modified(flags: Flags, modifiers: AST.Modifiers | null): Flags {
  if (!modifiers) return flags;
  const { add, remove } = modifiers;
  return {
    ignoreCase: add.ignoreCase || (flags.ignoreCase && !remove?.ignoreCase),
    dotAll: add.dotAll || (flags.dotAll && !remove?.dotAll),
  };
}

function cannotFollow(
  why: string,
  what?: string,
  hint = "What works: characters, classes, groups, | and the quantifiers * + ? {n,m}.",
): CharnnError {
  return new CharnnError(
    "INVALID_SETTING",
    `match can't be followed character by character: ${why}${what === undefined ? "" : `, ${what}`}.`,
    hint,
    { setting: "match" },
  );
}
