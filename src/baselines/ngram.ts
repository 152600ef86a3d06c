import { createTokens, type Tokens } from "../data/vocabulary.js";
import { memoryLeft } from "../memory.js";
import { Turns } from "../turns.js";

/** Longest strings that are counted, in characters. */
const MAX_ORDER = 10;
/** Of a longer text for training only the end is counted: a million characters take about 0.3 s. */
const MAX_COUNTED = 4_000_000;
/** Of a longer held-out text pieces are predicted that lie evenly over it. */
const MAX_PREDICTED = 500_000;
const PIECE_LENGTH = 10_000;
/** The longest text of which each character is predicted and then counted. */
const MAX_ADAPTIVE = 8_000_000;
/** A probability in double precision, a position in two orders, and the character. */
const BYTES_PER_CHARACTER = 8 + 2 * 4 + 2;
/** After this many positions, which take some milliseconds, other work gets a turn. */
const POSITIONS_IN_TURN = 100_000;

/** How well an n-gram model predicts a text. */
export interface NgramBaseline {
  /** The length of the longest context in characters, n - 1, with which the model predicts best. */
  readonly order: number;
  /** Nats/character. */
  readonly loss: number;
}

export interface NgramOptions {
  /** Aborted: the work ends with the signal's reason as its error. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the fraction that is done, from 0 to 1, many times a second. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  /** At most this many characters of the training text are counted; fewer take less time. */
  readonly most?: number | undefined;
  /** A token that ends documents: what comes before it says nothing about what comes after. */
  readonly documentEnd?: number | undefined;
}

/**
 * The n-gram baseline of a run: how well a text is predicted by a model that only counts which character follows
 * which strings of up to n characters, with back-off to shorter ones, interpolated as by Witten and Bell ("The
 * Zero-Frequency Problem", 1991, method C; Chen and Goodman, 1998, section 2.5):
 *
 *     p(c | s) = (count(s c) + distinct(s) p(c | s without its first character)) / (count(s) + distinct(s))
 *
 * where distinct(s) is how many different characters follow s. The lowest order backs off to a uniform distribution.
 * Of a long text the last 4 million characters are counted, and of a long held-out text half a million
 * predicted, in pieces that lie evenly over it.
 *
 * @returns the baseline of the best order up to 10; undefined for a text of less than two characters, and where
 *   there is no memory for it
 */
export async function ngramBaseline(
  train: Tokens,
  heldOut: Tokens,
  vocabulary: number,
  { most = MAX_COUNTED, documentEnd, ...options }: NgramOptions = {},
): Promise<NgramBaseline | undefined> {
  if (heldOut.length < 2 || train.length < 2) return undefined;
  if (!fits(Math.min(train.length + heldOut.length, MAX_COUNTED + MAX_PREDICTED))) return undefined;
  const counted = train.subarray(-Math.min(most, MAX_COUNTED));
  const pieces = evenPieces(heldOut, Math.min(most, MAX_PREDICTED));
  const predicted = pieces.reduce((sum, piece) => sum + piece.length, 0);
  // One after the other, so that all strings are sorted together.
  const tokens = createTokens(vocabulary, counted.length + predicted);
  tokens.set(counted);
  let end = counted.length;
  for (const piece of pieces) {
    tokens.set(piece, end);
    end += piece.length;
  }
  // The first character is not predicted by a model either.
  const first = counted.length + 1;
  const input = { tokens, vocabulary, counted: counted.length, first, documentEnd };
  return bestOrder(input, options);
}

/**
 * The same for a model that starts knowing nothing, and counts each character of a text after it has
 * predicted it, as compressors do.
 *
 * @returns undefined for a text of less than two characters, and for one so long that counting it would
 *   take more memory than there may be
 */
export async function adaptiveNgramBaseline(
  tokens: Tokens,
  vocabulary: number,
  { documentEnd, ...options }: Omit<NgramOptions, "most"> = {},
): Promise<NgramBaseline | undefined> {
  if (tokens.length < 2 || tokens.length > MAX_ADAPTIVE || !fits(tokens.length)) return undefined;
  return bestOrder({ tokens, vocabulary, counted: tokens.length, first: 1, documentEnd }, options);
}

/** Whether a text of this many characters can be counted in the memory that is left. */
function fits(characters: number): boolean {
  return BYTES_PER_CHARACTER * characters <= memoryLeft();
}

/** All of a text, or, of one that is longer than `most`, pieces at even distances. */
function evenPieces(tokens: Tokens, most: number): Tokens[] {
  if (tokens.length <= most) return [tokens];
  const length = Math.min(PIECE_LENGTH, most);
  const count = Math.floor(most / length);
  const distance = tokens.length / count;
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor(index * distance);
    return tokens.subarray(start, start + length);
  });
}

/** The text that is counted and predicted. */
interface NgramInput {
  readonly tokens: Tokens;
  /** How many characters there can be. */
  readonly vocabulary: number;
  /** The number of characters, from the first, that are counted. */
  readonly counted: number;
  /** The first character that is predicted; all after it are too, each before it is counted. */
  readonly first: number;
  readonly documentEnd: number | undefined;
}

async function bestOrder(
  input: NgramInput,
  { signal, onProgress }: Pick<NgramOptions, "signal" | "onProgress">,
): Promise<NgramBaseline> {
  const { tokens, vocabulary, first } = input;
  const probabilities = new Float64Array(tokens.length - first).fill(1 / vocabulary);
  let positions = firstPositions(tokens.length);
  const turns = new Turns(signal);
  let best: NgramBaseline | undefined;
  for (let length = 1; length <= MAX_ORDER; length++) {
    // Strings of one character begin with the end of a document, longer ones don't go back beyond it.
    const barrier = length > 1 ? input.documentEnd : undefined;
    const pass = new Pass(input, positions, probabilities, barrier);
    for (let isOver = false; !isOver; ) {
      isOver = pass.advance(POSITIONS_IN_TURN);
      onProgress?.((length - 1 + pass.fraction) / MAX_ORDER);
      await turns.give();
    }
    const loss = meanLoss(probabilities);
    if (best && loss >= best.loss) break;
    best = { order: length, loss };
    positions = pass.next;
  }
  onProgress?.(1);
  return best as NgramBaseline;
}

/** Adds up in the order of the text, so that the sum does not depend on how strings are sorted. */
function meanLoss(probabilities: Float64Array): number {
  let loss = 0;
  for (let i = 0; i < probabilities.length; i++) loss -= Math.log(probabilities[i]);
  return loss / probabilities.length;
}

/**
 * Positions in a text, sorted by the characters before them, so that those after one string are
 * together: a group. Within a group they are in the order of the text.
 */
interface SortedPositions {
  /** A position; where a group begins its complement (`~position`), which is negative. */
  readonly entries: Int32Array;
  /** There is a stretch of entries for each character that may come before, with room after it. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** After no characters: all positions are one group. */
function firstPositions(length: number): SortedPositions {
  const entries = new Int32Array(length);
  for (let position = 0; position < length; position++) entries[position] = position;
  entries[0] = ~0;
  return { entries, starts: Int32Array.of(0), ends: Int32Array.of(length) };
}

/** Room for every position, by the character before it. */
function emptyPositions(tokens: Tokens, vocabulary: number): SortedPositions {
  const starts = new Int32Array(vocabulary);
  const counts = new Int32Array(vocabulary);
  for (let position = 0; position < tokens.length; position++) counts[tokens[position]]++;
  for (let character = 1; character < vocabulary; character++) {
    starts[character] = starts[character - 1] + counts[character - 1];
  }
  return { entries: new Int32Array(tokens.length), starts, ends: starts.slice() };
}

/**
 * Counts what follows each string of one length, and updates the probabilities with it.
 *
 * Sorting by one more character takes one pass: the positions after those of a group have the
 * group's string and one character before them, so when they are dealt out by that character, group
 * after group, they come sorted. Where nothing counted comes before something to predict, nothing is
 * learned from longer strings either, and a group goes no further.
 */
class Pass {
  /** The positions sorted by one character more, when the pass is over. */
  readonly next: SortedPositions;
  /** The stretch and the entry in it that come next. */
  #stretch = 0;
  #entry: number;
  // The group at hand, and what followed its string so far:
  #group = 0;
  #followers = 0;
  #distinct = 0;
  /** How often each character did; out of date where `#countedIn` names another group. */
  readonly #counts: Int32Array;
  readonly #countedIn: Int32Array;
  /** The last group of which a position was dealt to each character. */
  readonly #dealtIn: Int32Array;

  constructor(
    readonly input: NgramInput,
    readonly positions: SortedPositions,
    readonly probabilities: Float64Array,
    /** No longer string has this character but at its beginning. */
    readonly barrier: number | undefined,
  ) {
    const { tokens, vocabulary } = input;
    this.next = emptyPositions(tokens, vocabulary);
    this.#entry = positions.starts[0];
    this.#counts = new Int32Array(vocabulary);
    this.#countedIn = new Int32Array(vocabulary);
    this.#dealtIn = new Int32Array(vocabulary);
  }

  /** How much of it is done, from 0 to 1. */
  get fraction(): number {
    return Math.min(this.#entry / this.positions.entries.length, 1);
  }

  /**
   * Visits about `most` positions.
   *
   * @returns whether the pass is over
   */
  advance(most: number): boolean {
    // All in local variables: this loop takes nearly all the time.
    const { entries, starts, ends } = this.positions;
    const { tokens, counted, first } = this.input;
    const { probabilities } = this;
    const { entries: dealt, ends: dealtEnds } = this.next;
    const [counts, countedIn, dealtIn] = [this.#counts, this.#countedIn, this.#dealtIn];
    const lastPosition = tokens.length - 1;
    const { barrier } = this;
    let [stretch, entry] = [this.#stretch, this.#entry];
    let [group, followers, distinct] = [this.#group, this.#followers, this.#distinct];
    let stretchEnd = ends[stretch];
    for (let left = most; left > 0; left--) {
      while (entry === stretchEnd) {
        if (++stretch === starts.length) return true;
        entry = starts[stretch];
        stretchEnd = ends[stretch];
      }
      let position = entries[entry];
      if (position < 0) {
        position = ~position;
        let end = entry + 1;
        while (end < stretchEnd && entries[end] >= 0) end++;
        const isOfUse = end - entry > 1 && position < counted && entries[end - 1] >= first - 1;
        if (!isOfUse) {
          entry = end;
          continue;
        }
        group++;
        followers = 0;
        distinct = 0;
      }
      const character = tokens[position];
      const count = countedIn[character] === group ? counts[character] : 0;
      if (position >= first && followers > 0) {
        const i = position - first;
        probabilities[i] = (count + distinct * probabilities[i]) / (followers + distinct);
      }
      if (position < counted) {
        if (count === 0) distinct++;
        countedIn[character] = group;
        counts[character] = count + 1;
        followers++;
      }
      if (position < lastPosition && character !== barrier) {
        const end = dealtEnds[character]++;
        dealt[end] = dealtIn[character] === group ? position + 1 : ~(position + 1);
        dealtIn[character] = group;
      }
      entry++;
    }
    [this.#stretch, this.#entry] = [stretch, entry];
    [this.#group, this.#followers, this.#distinct] = [group, followers, distinct];
    return false;
  }
}
