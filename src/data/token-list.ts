import { createTokens, type Tokens } from "./vocabulary.js";

/** Tokens that come one by one, each with the position of the character that it comes from. */
export class TokenList {
  #tokens: Tokens;
  #positions: Int32Array;
  #length = 0;

  /** `expected` is about how many will come: it saves making room later. */
  constructor(
    readonly vocabularySize: number,
    expected: number,
  ) {
    this.#tokens = createTokens(vocabularySize, expected);
    this.#positions = new Int32Array(expected);
  }

  push(token: number, position: number): void {
    if (this.#length === this.#tokens.length) this.#grow();
    this.#tokens[this.#length] = token;
    this.#positions[this.#length++] = position;
  }

  /** All so far. They share memory with the list. */
  finish(): { readonly tokens: Tokens; readonly positions: Int32Array } {
    return {
      tokens: this.#tokens.subarray(0, this.#length),
      positions: this.#positions.subarray(0, this.#length),
    };
  }

  #grow(): void {
    const room = Math.ceil(1.5 * this.#length) + 16;
    const [tokens, positions] = [createTokens(this.vocabularySize, room), new Int32Array(room)];
    tokens.set(this.#tokens);
    positions.set(this.#positions);
    [this.#tokens, this.#positions] = [tokens, positions];
  }
}
