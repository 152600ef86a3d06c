import { type Batch, IGNORED_TARGET } from "../data/batch.js";
import type { Vocabulary } from "../data/vocabulary.js";
import {
  type CharRnn,
  type ModelState,
  type PositionScores,
  type Score,
  scoreOf,
} from "../model/char-rnn.js";
import { softmax } from "../sampling/exponentials.js";
import type { OpenPart } from "../sampling/mixture.js";
import { Share } from "../sampling/share.js";
import type { Turns } from "../turns.js";

/**
 * Probabilities that are held at once, as long as they are not those of a single step: what several models predict
 * of a window can be more than memory holds.
 */
const MAX_PROBABILITIES = 2 ** 20;

/** What each model knows of a text so far. */
type MixtureState = readonly MemberState[];

interface MemberState {
  readonly state: ModelState;
  /** What it predicted last, `[rows, own characters]`; zeros before any text, when all are equally likely. */
  readonly logits: Float32Array;
}

/** Several models that score texts together, as {@link Share} says. */
export class MixturePredictor {
  readonly #members: readonly Member[];
  readonly #size: number;

  /**
   * @param parts the predictor's own from now on
   * @param vocabulary the characters of all models
   */
  constructor(parts: readonly OpenPart[], vocabulary: Vocabulary) {
    this.#members = parts.map((part) => new Member(part, vocabulary));
    this.#size = vocabulary.size;
  }

  zeroState(batch: number): MixtureState {
    return this.#members.map((member) => member.zeroState(batch));
  }

  async score(
    batch: Batch,
    state: MixtureState,
    turns: Turns,
  ): Promise<{ score: Score; positions: PositionScores; state: MixtureState }> {
    const { inputs, targets, time, batch: rows } = batch;
    const positions = {
      losses: new Float32Array(targets.length),
      predictions: new Int32Array(targets.length),
      ranks: new Int32Array(targets.length),
    };
    const steps = Math.min(Math.max(Math.floor(MAX_PROBABILITIES / (rows * this.#size)), 1), time);
    const room = new Float64Array(steps * rows * this.#size);
    const states = [...state];
    for (let first = 0; first < time * rows; first += steps * rows) {
      const piece = inputs.subarray(first, first + steps * rows);
      const probabilities = room.subarray(0, piece.length * this.#size).fill(0);
      for (const [k, member] of this.#members.entries()) {
        if (turns.isDue()) await turns.take();
        states[k] = member.addTo(probabilities, piece, states[k]);
      }
      for (let at = first; at < first + piece.length; at++) {
        if (targets[at] === IGNORED_TARGET) continue;
        const start = (at - first) * this.#size;
        const own = probabilities.subarray(start, start + this.#size);
        place(positions, at, own, targets[at]);
      }
    }
    return { score: scoreOf(batch, positions), positions, state: states };
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
    return { state: this.model.zeroState(rows), logits };
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
    let { state, logits: last } = before;
    for (let first = 0; first < tokens.length; ) {
      const end = endOfPiece(tokens, first, rows);
      const own = tokens.subarray(first, end);
      const ofPiece = logits.subarray(first * size, end * size);
      const after = this.#readPiece(own, state, ofPiece);
      for (const [row, token] of own.subarray(0, rows).entries()) {
        if (token >= 0) continue;
        ofPiece.set(last.subarray(row * size, (row + 1) * size), row * size);
        copyRow(after, state, row, rows);
      }
      state = after;
      last = ofPiece.subarray(ofPiece.length - rows * size);
      first = end;
    }
    return { state, logits: last.slice() };
  }

  #readPiece(tokens: Int32Array, state: ModelState, logits: Float32Array): ModelState {
    const [{ hidden }] = state;
    const batch = hidden.length / this.model.config.hiddenSize;
    const inputs = tokens.map((token) => Math.max(token, 0));
    const targets = new Int32Array(tokens.length).fill(IGNORED_TARGET);
    const time = tokens.length / batch;
    const read = { inputs, targets, time, batch, startsFresh: false };
    return this.model.scoreWithLogits(read, state, logits).state;
  }
}

/** Where the piece that begins at `first` ends: a single step, or all until one with a token below 0. */
function endOfPiece(tokens: Int32Array, first: number, rows: number): number {
  const unread = tokens.findIndex((token, at) => at >= first && token < 0);
  if (unread < 0) return tokens.length;
  const step = unread - (unread % rows);
  return step === first ? first + rows : step;
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

/** Writes down how a target was predicted. */
function place(
  { losses, predictions, ranks }: PositionScores,
  at: number,
  probabilities: Float64Array,
  target: number,
): void {
  const own = probabilities[target];
  let [likeliest, rank] = [0, 0];
  for (let token = 0; token < probabilities.length; token++) {
    if (probabilities[token] > probabilities[likeliest]) likeliest = token;
    const isBefore = token < target && probabilities[token] === own;
    if (probabilities[token] > own || isBefore) rank++;
  }
  losses[at] = -Math.log(own);
  predictions[at] = likeliest;
  ranks[at] = rank;
}
