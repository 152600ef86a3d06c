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
  const probabilities = new Float64Array(heldOut.length).fill(1 / vocabulary);
  // Of each position, the number of the string of so many characters that ends before it; -1: not
  // counted. Of no characters there is one.
  let ends = new Int32Array(tokens.length + 1);
  let best: CountScore | undefined;
  for (let length = 1; length <= LONGEST; length++) {
    await nextTurn();
    const strings = countStrings(tokens, counted.length, ends, vocabulary);
    let loss = 0;
    // The first character is not predicted by a model either.
    for (let i = 1; i < heldOut.length; i++) {
      const position = counted.length + i;
      const before = ends[position];
      // The last string that is counted may be followed by nothing that is.
      if (before >= 0 && strings.followers[before] > 0) {
        const [followers, distinct] = [strings.followers[before], strings.distinct[before]];
        const string = strings.ends[position + 1];
        const count = string >= 0 ? strings.counts[string] : 0;
        probabilities[i] = (count + distinct * probabilities[i]) / (followers + distinct);
      }
      loss -= Math.log(probabilities[i]);
    }
    loss /= heldOut.length - 1;
    if (best && loss >= best.loss) break;
    best = { order: length, loss };
    ends = strings.ends;
  }
  return best;
}

interface Strings {
  /** Of each position, the number of the string that ends before it; -1: not counted. */
  readonly ends: Int32Array<ArrayBuffer>;
  /** By the number of a string: how often it occurs in what is counted. */
  readonly counts: Int32Array;
  /** By the number of a string shorter by one: characters that follow it, and different ones. */
  readonly followers: Int32Array;
  readonly distinct: Int32Array;
}

/**
 * Counts the strings that are longer by one character than those in `before`.
 *
 * @param counted how many characters are counted; strings that end after them are only looked up
 */
function countStrings(
  tokens: Tokens,
  counted: number,
  before: Int32Array,
  vocabulary: number,
): Strings {
  const ends = new Int32Array(tokens.length + 1).fill(-1);
  const counts = new Int32Array(counted);
  const followers = new Int32Array(counted);
  const distinct = new Int32Array(counted);
  // Open addressing; a string's key is the shorter one's number and the character.
  const mask = 2 ** Math.ceil(Math.log2(2 * counted)) - 1;
  const keys = new Float64Array(mask + 1).fill(-1);
  const numbers = new Int32Array(mask + 1);
  let count = 0;
  for (let position = 0; position < tokens.length; position++) {
    const shorter = before[position];
    if (shorter < 0) continue;
    const key = shorter * vocabulary + tokens[position];
    let slot = (Math.imul(shorter, 0x9e3779b1) + Math.imul(tokens[position], 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    while (keys[slot] !== key && keys[slot] !== -1) slot = (slot + 1) & mask;
    if (position < counted) {
      if (keys[slot] === -1) {
        keys[slot] = key;
        numbers[slot] = count++;
        distinct[shorter]++;
      }
      counts[numbers[slot]]++;
      followers[shorter]++;
    }
    if (keys[slot] !== -1) ends[position + 1] = numbers[slot];
  }
  return { ends, counts, followers, distinct };
}
