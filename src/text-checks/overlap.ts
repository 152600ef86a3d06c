import type { Tokens } from "../data/vocabulary.js";
import { inPieces } from "../turns.js";

/** In characters: a passage this long that occurs twice was copied, or occurs in every text of its kind. */
const WINDOW = 200;
/** In characters: in a shorter part chance decides. */
const MIN_CHARACTERS = 100;
/** Windows or documents of the held-out part that are looked for. */
const MAX_SOUGHT = 500;
/** The multiplier of the rolling hash, odd and with its bits well mixed (2^32 divided by the golden ratio). */
const FACTOR = 0x9e3779b1;
const FILTER_BITS = 16;

/**
 * The fraction of a held-out part that the training part has too, word for word: that of windows of 200
 * characters from all over it, which are looked for by a rolling hash (Karp and Rabin, 1987).
 *
 * @returns from 0 to 1; 0 for a part that is too short to tell
 * @throws the signal's reason once it is aborted
 */
export async function sharedText(
  train: Tokens,
  heldOut: Tokens,
  signal: AbortSignal | undefined,
): Promise<number> {
  const length = Math.min(WINDOW, heldOut.length);
  if (length < MIN_CHARACTERS || train.length < length) return 0;
  const starts = evenStarts(heldOut.length - length, MAX_SOUGHT);
  const wanted = new Map<number, number[]>();
  const filter = new Uint8Array(2 ** FILTER_BITS);
  for (const start of starts) {
    const hash = hashOf(heldOut.subarray(start, start + length));
    filter[hash >>> (32 - FILTER_BITS)] = 1;
    wanted.set(hash, [...(wanted.get(hash) ?? []), start]);
  }
  let found = 0;
  let hash = hashOf(train.subarray(0, length - 1));
  const first = power(length - 1);
  await inPieces(train.length - length + 1, signal, (from, to) => {
    for (let start = from; start < to; start++) {
      hash = (Math.imul(hash, FACTOR) + train[start + length - 1]) | 0;
      if (filter[hash >>> (32 - FILTER_BITS)] === 1 && wanted.has(hash)) {
        const others = wanted.get(hash) as number[];
        const left = others.filter((other) => !isSame(train, start, heldOut, other, length));
        found += others.length - left.length;
        if (left.length > 0) wanted.set(hash, left);
        else wanted.delete(hash);
      }
      hash = (hash - Math.imul(train[start], first)) | 0;
    }
    return wanted.size === 0 ? "stop" : undefined;
  });
  return found / starts.length;
}

/**
 * The fraction of the documents of a held-out part that the training part has too, of those from all over it.
 *
 * @returns from 0 to 1; 0 where there is none
 * @throws the signal's reason once it is aborted
 */
export async function sharedDocuments(
  train: Tokens,
  heldOut: Tokens,
  end: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const all: number[] = [];
  await eachDocument(heldOut, end, signal, (hash) => all.push(hash));
  if (all.length === 0) return 0;
  const sought = evenStarts(all.length - 1, MAX_SOUGHT).map((index) => all[index]);
  const left = new Set(sought);
  await eachDocument(train, end, signal, (hash) => left.delete(hash));
  return sought.filter((hash) => !left.has(hash)).length / sought.length;
}

/** Calls `use` with the hash of each document that is not empty. */
async function eachDocument(
  tokens: Tokens,
  end: number,
  signal: AbortSignal | undefined,
  use: (hash: number) => void,
): Promise<void> {
  let [hash, length] = [0, 0];
  const finish = () => {
    if (length > 0) use(hash);
    [hash, length] = [0, 0];
  };
  await inPieces(tokens.length, signal, (from, to) => {
    for (let at = from; at < to; at++) {
      if (tokens[at] === end) finish();
      else {
        hash = (Math.imul(hash, FACTOR) + tokens[at] + 1) | 0;
        length++;
      }
    }
  });
  finish();
}

/** Places from 0 to `last` at even distances. */
function evenStarts(last: number, most: number): number[] {
  const count = Math.min(last + 1, most);
  return Array.from({ length: count }, (_, k) =>
    count === 1 ? 0 : Math.round((k * last) / (count - 1)),
  );
}

function hashOf(tokens: Tokens): number {
  let hash = 0;
  for (const token of tokens) hash = (Math.imul(hash, FACTOR) + token) | 0;
  return hash;
}

function power(exponent: number): number {
  let result = 1;
  for (let k = 0; k < exponent; k++) result = Math.imul(result, FACTOR);
  return result;
}

function isSame(a: Tokens, startA: number, b: Tokens, startB: number, length: number): boolean {
  for (let k = 0; k < length; k++) if (a[startA + k] !== b[startB + k]) return false;
  return true;
}
