import { IGNORED_TARGET, nothingBefore, tokensBeforeNext } from "../data/batch.js";
import type { Vocabulary } from "../data/vocabulary.js";
import type { CharRnn, ModelState } from "../model/char-rnn.js";
import type { Turns } from "../turns.js";
import { softmax } from "./exponentials.js";
import type { OpenPart } from "./mixture.js";
import { Share } from "./share.js";

/**
 * Probabilities that are held at once, as long as they are not those of a single step: what several models predict
 * of a window can be more than memory holds.
 */
const MAX_PROBABILITIES = 2 ** 20;

/** What each model knows of a text so far. */
export type MixtureState = readonly MemberState[];

interface MemberState {
  readonly state: ModelState;
  /** The last characters of its own that it read, as in a batch. */
  readonly before: Int32Array;
  /** What it predicted last, `[rows, own characters]`; zeros before any text, when all are equally likely. */
  readonly logits: Float32Array;
}

/** What is predicted after some steps of a window. */
export interface PredictedSteps {
  /** Where in the window they begin. */
  readonly first: number;
  /** `[steps, rows, characters of all models]`: overwritten by the next ones. */
  readonly probabilities: Float64Array;
  /** After them. */
  readonly state: MixtureState;
}

/** Models that read windows of text and predict together, as {@link Share} says. */
export class MixtureReader {
  readonly #members: readonly Member[];
  readonly #size: number;

  /**
   * @param parts the reader's own from now on
   * @param vocabulary the characters of all models
   */
  constructor(parts: readonly OpenPart[], vocabulary: Vocabulary) {
    this.#members = parts.map((part) => new Member(part, vocabulary));
    this.#size = vocabulary.size;
  }

  zeroState(rows: number): MixtureState {
    return this.#members.map((member) => member.zeroState(rows));
  }

  /**
   * Reads a window, as many steps at once as memory allows.
   *
   * @param inputs `[time, rows]`
   * @param turns given between the models
   */
  async *read(
    inputs: Int32Array,
    rows: number,
    before: MixtureState,
    turns: Turns,
  ): AsyncGenerator<PredictedSteps, void> {
    const perStep = rows * this.#size;
    const steps = Math.max(Math.floor(MAX_PROBABILITIES / perStep), 1);
    const room = new Float64Array(Math.min(steps, inputs.length / rows) * perStep);
    let state = before;
    for (let first = 0; first < inputs.length; first += steps * rows) {
      const piece = inputs.subarray(first, first + steps * rows);
      const probabilities = room.subarray(0, piece.length * this.#size).fill(0);
      const after: MemberState[] = [];
      for (const [k, member] of this.#members.entries()) {
        await turns.give();
        after.push(member.addTo(probabilities, piece, state[k]));
      }
      state = after;
      yield { first: first / rows, probabilities, state };
    }
  }

  dispose(): void {
    for (const { model } of this.#members) model.dispose();
  }
}

/** One model of a mixture. */
class Member {
  readonly model: CharRnn;
  readonly #share: Share;

  constructor({ network, vocabulary: own, weight }: OpenPart, vocabulary: Vocabulary) {
    this.model = network;
    this.#share = new Share(own, vocabulary, weight);
  }

  zeroState(rows: number): MemberState {
    const logits = new Float32Array(rows * this.#share.size);
    return { state: this.model.zeroState(rows), before: nothingBefore(rows), logits };
  }

  /**
   * Adds its share to the probabilities of what follows some inputs.
   *
   * @param probabilities `[time, rows, characters of all models]`
   * @param inputs tokens of the mixture, `[time, rows]`
   * @returns its state after them
   */
  addTo(probabilities: Float64Array, inputs: Int32Array, before: MemberState): MemberState {
    const { size } = this.#share;
    const all = new Float32Array(inputs.length * size);
    const after = this.#read(inputs, before, all);
    const own = new Float64Array(size);
    const step = probabilities.length / inputs.length;
    for (let at = 0; at < inputs.length; at++) {
      softmax(own, all, at * size);
      this.#share.add(probabilities, at * step, own);
    }
    return after;
  }

  /**
   * A character that the model does not read changes nothing in its row. So the steps with one are read by themselves,
   * and those between two of them at once.
   *
   * @param logits overwritten
   */
  #read(inputs: Int32Array, before: MemberState, logits: Float32Array): MemberState {
    const { size } = this.#share;
    const tokens = this.#share.tokensFor(inputs);
    const rows = before.logits.length / size;
    let { state, before: lastRead, logits: last } = before;
    for (let first = 0; first < tokens.length; ) {
      const end = endOfPiece(tokens, first, rows);
      const own = tokens.subarray(first, end);
      const ofPiece = logits.subarray(first * size, end * size);
      const after = this.#readPiece(own, lastRead, state, ofPiece);
      const next = tokensBeforeNext({ before: lastRead, inputs: own });
      for (const [row, token] of own.subarray(0, rows).entries()) {
        if (token >= 0) continue;
        for (let at = row; at < next.length; at += rows) next[at] = lastRead[at];
        ofPiece.set(last.subarray(row * size, (row + 1) * size), row * size);
        copyRow(after, state, row, rows);
      }
      lastRead = next;
      state = after;
      last = ofPiece.subarray(ofPiece.length - rows * size);
      first = end;
    }
    return { state, before: lastRead, logits: last.slice() };
  }

  #readPiece(
    tokens: Int32Array,
    before: Int32Array,
    state: ModelState,
    logits: Float32Array,
  ): ModelState {
    const [{ hidden }] = state;
    const batch = hidden.length / this.model.config.hiddenSize;
    const inputs = tokens.map((token) => Math.max(token, 0));
    const targets = new Int32Array(tokens.length).fill(IGNORED_TARGET);
    const time = tokens.length / batch;
    const read = { inputs, targets, before, time, batch, startsFresh: false };
    return this.model.scoreWithLogits(read, state, logits).state;
  }
}

/** Where the piece that begins at `first` ends: a single step, or all until one with a token below 0. */
function endOfPiece(tokens: Int32Array, first: number, rows: number): number {
  const unread = tokens.subarray(first).findIndex((token) => token < 0);
  if (unread < 0) return tokens.length;
  const steps = Math.floor(unread / rows);
  return first + Math.max(steps, 1) * rows;
}

/** Overwrites a row of a state by that of another. */
function copyRow(to: ModelState, from: ModelState, row: number, rows: number): void {
  for (const [layer, { hidden, cellState }] of from.entries()) {
    const size = hidden.length / rows;
    const [start, end] = [row * size, (row + 1) * size];
    to[layer].hidden.set(hidden.subarray(start, end), start);
    if (cellState) to[layer].cellState?.set(cellState.subarray(start, end), start);
  }
}
