import { setImmediate as nextTurn } from "node:timers/promises";
import { createTokens, type Tokens } from "../data/vocabulary.js";

/** Longest strings that are counted, in characters. */
const LONGEST = 10;
/** Of a longer text only the end is counted: it takes half a second and 100 MB for each million. */
const MOST_CHARACTERS = 8_000_000;

/** How well counting alone predicts a text. */
export interface CountScore {
  /** The length of the strings that were counted: of all, the one that predicts best. */
  readonly order: number;
  /** Nats/character. */
  readonly loss: number;
}

/**
 * Scores a model that counts which character follows which, for a run to be judged by: strings of up
 * to n characters with back-off to shorter ones, interpolated as by Witten and Bell ("The
 * Zero-Frequency Problem", 1991, method C; Chen and Goodman, 1998, section 2.5):
 *
 *     p(c | s) = (count(s c) + distinct(s) p(c | s without its first character)) / (count(s) + distinct(s))
 *
 * where distinct(s) is how many different characters follow s. The first is a uniform distribution.
 *
 * @returns that of the best order up to 10; undefined for a text of less than two characters
 */
export async function countScore(
  train: Tokens,
  heldOut: Tokens,
  vocabulary: number,
): Promise<CountScore | undefined> {
  if (heldOut.length < 2 || train.length < 2) return undefined;
  const counted = train.subarray(-MOST_CHARACTERS);
  // One after the other: the strings of the text to score are looked up as those to count are made.
  const tokens = createTokens(vocabulary, counted.length + heldOut.length);
  tokens.set(counted);
  tokens.set(heldOut, counted.length);
  // The first character is not predicted by a model either.
  return bestOrder({ tokens, vocabulary, counted: counted.length, first: counted.length + 1 });
}

/**
 * The same of a model that begins with nothing, and counts each character of a text after it has
 * predicted it, as compressors do.
 *
 * @returns undefined for a text of less than two characters, and for one so long that counting it would
 *   take more memory than there may be
 */
export async function adaptiveCountScore(
  tokens: Tokens,
  vocabulary: number,
): Promise<CountScore | undefined> {
  if (tokens.length < 2 || tokens.length > MOST_CHARACTERS) return undefined;
  return bestOrder({ tokens, vocabulary, counted: tokens.length, first: 1 });
}

/** What is counted, and what is predicted. */
interface Counting {
  readonly tokens: Tokens;
  /** How many characters there can be. */
  readonly vocabulary: number;
  /** So many characters from the beginning are counted; the others are only looked up. */
  readonly counted: number;
  /** Those from here on are predicted, each before it is counted. */
  readonly first: number;
}

async function bestOrder(counting: Counting): Promise<CountScore> {
  const { tokens, vocabulary, first } = counting;
  const probabilities = new Float64Array(tokens.length - first).fill(1 / vocabulary);
  // Of each position, the number of the string of so many characters that ends before it; -1: not
  // counted. Of no characters there is one.
  let ends = new Int32Array(tokens.length + 1);
  let best: CountScore | undefined;
  for (let length = 1; length <= LONGEST; length++) {
    await nextTurn();
    ends = countStrings(counting, ends, (position, count, followers, distinct) => {
      // The last string that is counted may be followed by nothing that is.
      if (followers === 0) return;
      const i = position - first;
      probabilities[i] = (count + distinct * probabilities[i]) / (followers + distinct);
    });
    let loss = 0;
    for (const probability of probabilities) loss -= Math.log(probability);
    loss /= probabilities.length;
    if (best && loss >= best.loss) break;
    best = { order: length, loss };
  }
  return best as CountScore;
}

/**
 * Counts the strings that are longer by one character than those in `before`.
 *
 * @param before of each position, the number of the string that ends before it; -1: not counted
 * @param predict is told of each position to be predicted how often its string was counted so far, how
 *   many characters followed the string without it, and how many different ones
 * @returns `before` for the longer strings
 */
function countStrings(
  { tokens, vocabulary, counted, first }: Counting,
  before: Int32Array,
  predict: (position: number, count: number, followers: number, distinct: number) => void,
): Int32Array<ArrayBuffer> {
  const ends = new Int32Array(tokens.length + 1).fill(-1);
  const counts = new Int32Array(counted);
  const followers = new Int32Array(counted);
  const distinct = new Int32Array(counted);
  // Open addressing; a string's key is the shorter one's number and the character.
  const mask = 2 ** Math.ceil(Math.log2(2 * counted)) - 1;
  const keys = new Float64Array(mask + 1).fill(-1);
  const numbers = new Int32Array(mask + 1);
  let strings = 0;
  for (let position = 0; position < tokens.length; position++) {
    const shorter = before[position];
    if (shorter < 0) continue;
    const key = shorter * vocabulary + tokens[position];
    let slot = (Math.imul(shorter, 0x9e3779b1) + Math.imul(tokens[position], 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    while (keys[slot] !== key && keys[slot] !== -1) slot = (slot + 1) & mask;
    const isKnown = keys[slot] === key;
    if (position >= first) {
      const count = isKnown ? counts[numbers[slot]] : 0;
      predict(position, count, followers[shorter], distinct[shorter]);
    }
    if (position < counted) {
      if (!isKnown) {
        keys[slot] = key;
        numbers[slot] = strings++;
        distinct[shorter]++;
      }
      counts[numbers[slot]]++;
      followers[shorter]++;
      ends[position + 1] = numbers[slot];
    } else if (isKnown) {
      ends[position + 1] = numbers[slot];
    }
  }
  return ends;
}
