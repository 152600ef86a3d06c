import type { DecodeSession } from "../backends/backend.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { softmax } from "./exponentials.js";
import { Share } from "./share.js";

/** A model of a mixture that reads texts. */
export interface MemberSession {
  readonly session: DecodeSession;
  readonly vocabulary: Vocabulary;
  /** Its share of each probability: above 0; those of all add up to 1. */
  readonly weight: number;
}

/**
 * Texts that several models read side by side and predict together, as {@link Share} says. Before a model has read
 * anything, all characters that it knows are equally likely.
 */
export class MixtureSession implements DecodeSession {
  readonly #members: readonly Member[];
  readonly #probabilities: Float64Array;
  readonly #logits: Float32Array;

  /** @param vocabulary the characters of all models */
  constructor(members: readonly MemberSession[], vocabulary: Vocabulary, sequences: number) {
    this.#members = members.map((it) => new Member(it, vocabulary, sequences));
    this.#probabilities = new Float64Array(vocabulary.size);
    this.#logits = new Float32Array(sequences * vocabulary.size);
  }

  /** Numbers of a sequence's state. */
  get stateSize(): number {
    return this.#members.reduce((sum, { stateSize, share }) => sum + stateSize + share.size, 0);
  }

  /** Reads one more token of each sequence, or of the first ones. */
  read(tokens: Int32Array): void {
    for (const member of this.#members) member.read(tokens);
  }

  /**
   * The probabilities of the tokens that may follow a sequence. They add up to 1, or to less where a model may predict an
   * unknown character that is none of the mixture's. The next call overwrites them.
   */
  predict(sequence: number): Float64Array {
    const probabilities = this.#probabilities.fill(0);
    for (const { share, probabilities: own } of this.#members) {
      share.add(probabilities, 0, own[sequence]);
    }
    return probabilities;
  }

  step(tokens: Int32Array): Float32Array {
    this.read(tokens);
    const { length } = this.#probabilities;
    const logits = this.#logits.subarray(0, tokens.length * length);
    for (let sequence = 0; sequence < tokens.length; sequence++) {
      const probabilities = this.predict(sequence);
      for (let token = 0; token < length; token++) {
        logits[sequence * length + token] = Math.log(probabilities[token]);
      }
    }
    return logits;
  }

  readState(sequence: number): Float32Array {
    const state = new Float32Array(this.stateSize);
    let start = 0;
    for (const member of this.#members) {
      state.set(member.session.readState(sequence), start);
      state.set(member.probabilities[sequence], start + member.stateSize);
      start += member.stateSize + member.share.size;
    }
    return state;
  }

  writeState(sequence: number, state: Float32Array): void {
    let start = 0;
    for (const { session, stateSize, share, probabilities } of this.#members) {
      const { size } = share;
      const end = start + stateSize;
      session.writeState(sequence, state.subarray(start, end));
      const own = state.subarray(end, end + size);
      // All zeros is the state before any text.
      if (own.some((probability) => probability > 0)) probabilities[sequence].set(own);
      else probabilities[sequence].fill(1 / size);
      start = end + size;
    }
  }

  dispose(): void {
    for (const { session } of this.#members) session.dispose();
  }
}

/** One model in a session of a mixture. */
class Member {
  readonly session: DecodeSession;
  readonly share: Share;
  readonly stateSize: number;
  /** By sequence, what it predicted last: a character that it does not read changes nothing. */
  readonly probabilities: readonly Float64Array[];

  constructor(
    { session, vocabulary: own, weight }: MemberSession,
    vocabulary: Vocabulary,
    sequences: number,
  ) {
    this.session = session;
    this.share = new Share(own, vocabulary, weight);
    this.stateSize = session.readState(0).length;
    this.probabilities = Array.from({ length: sequences }, () =>
      new Float64Array(own.size).fill(1 / own.size),
    );
  }

  /** Reads what the model knows of the tokens. */
  read(tokens: Int32Array): void {
    const { session, share, probabilities } = this;
    const own = share.tokensFor(tokens);
    const unread = own.includes(-1) ? [...own.keys()].filter((it) => own[it] < 0) : [];
    const states = unread.map((sequence) => session.readState(sequence));
    const logits = session.step(unread.length > 0 ? own.map((it) => Math.max(it, 0)) : own);
    for (const [index, sequence] of unread.entries()) session.writeState(sequence, states[index]);
    for (let sequence = 0; sequence < tokens.length; sequence++) {
      if (own[sequence] >= 0) softmax(probabilities[sequence], logits, sequence * share.size);
    }
  }
}
