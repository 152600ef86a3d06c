import { lastAtMost } from "../arrays.js";
import { Random } from "../random.js";
import { type Parts as InParts, inTurns, Turns } from "../turns.js";
import { type Documents, findDocuments } from "./documents.js";
import type { Fold, Fractions, Parts } from "./split.js";
import { createTokens, type Tokens, type Vocabulary } from "./vocabulary.js";

const [TRAIN, VALIDATION, TEST] = [0, 1, 2];
/** In place of a part's number: a document that belongs to no part yet. */
const FREE = 0xff;
/** Between two looks at the clock. */
const DOCUMENTS_PER_LOOK = 1 << 10;
const CHARACTERS_PER_LOOK = 1 << 20;
/** Above all keys of documents. */
const KEYS_END = 2 ** 53;
/** Keys that are sorted at a time. */
const KEYS_IN_BUCKET = 1 << 14;

/** How to divide. */
interface Dealing {
  readonly fractions: Fractions;
  readonly fold: Fold | undefined;
  readonly randomSeed: number;
}

/** The different documents of a text. */
interface Distinct {
  /** A number for each, by which they are sorted: their random order. */
  readonly keys: Float64Array;
  /** Characters of all documents that are equal to it, their ends included. */
  readonly sizes: Float64Array;
}

/**
 * Deals the documents of a text to the parts at random, so that all parts are alike however the text is
 * sorted. Which part a document goes to depends on what it says, on the other documents and on the random
 * seed, not on its position: equal documents go to one part, and a sorted list is divided as a shuffled one
 * is. Parts are as close to their fractions, in characters, as whole documents can be, and one that was asked
 * for has at least one. Within a part documents keep their order.
 *
 * @param tokens documents that all end by the token `end`; overwritten, since the training part is moved
 *   together in its memory
 * @returns undefined, with the tokens as they were, for fewer different documents than parts
 * @throws the signal's reason once it is aborted
 */
export async function dealDocuments(
  tokens: Tokens,
  vocabulary: Vocabulary,
  end: number,
  { fractions, fold, randomSeed }: Dealing,
  signal?: AbortSignal,
): Promise<Parts | undefined> {
  const turns = new Turns(signal);
  const documents = await inTurns(findDocuments(tokens, end), signal);
  const random = Random.fromSeed(randomSeed).fork("documents");
  const keys = await keysOf(documents, vocabulary, random, turns);
  const distinct = await distinctOf(documents, keys, turns);
  const asked = (fold?.of ?? 1 + Math.ceil(fractions.validation)) + Math.ceil(fractions.test);
  if (distinct.keys.length < asked) return undefined;
  const dealing = fold ? dealFolds(distinct, fractions, fold) : dealParts(distinct, fractions);
  const parts = await inTurns(dealing, signal);
  const partOf = (document: number) => parts[lastAtMost(distinct.keys, keys[document])];
  return gather(tokens, vocabulary, documents, partOf, turns);
}

/** A random number for what each document says, of 53 bits, so that different ones hardly ever share it. */
async function keysOf(
  { tokens, starts, ends }: Documents,
  vocabulary: Vocabulary,
  random: Random,
  turns: Turns,
): Promise<Float64Array> {
  // Characters and not tokens, so that a larger vocabulary divides a text in the same way.
  const codePoints = Uint32Array.from(vocabulary.codePoints());
  const seeds = [random.uint32(), random.uint32()];
  const keys = new Float64Array(starts.length);
  for (let document = 0; document < keys.length; document++) {
    if (document % DOCUMENTS_PER_LOOK === 0) await turns.give();
    let [high, low] = seeds;
    for (let position = starts[document]; position < ends[document]; position++) {
      if (position % CHARACTERS_PER_LOOK === 0) await turns.give();
      const codePoint = codePoints[tokens[position]];
      high = mixed(high ^ codePoint, 0x85ebca6b);
      low = mixed(low ^ codePoint, 0xc2b2ae35);
    }
    high = mixed(mixed(high, 0xc2b2ae35), 0x85ebca6b);
    low = mixed(mixed(low, 0x85ebca6b), 0xc2b2ae35);
    keys[document] = (high >>> 0) * 2 ** 21 + (low >>> 11);
  }
  return keys;
}

function mixed(value: number, factor: number): number {
  const product = Math.imul(value ^ (value >>> 15), factor);
  return product ^ (product >>> 13);
}

async function distinctOf(
  { starts, ends }: Documents,
  ofEach: Float64Array,
  turns: Turns,
): Promise<Distinct> {
  const sorted = await sortedKeys(ofEach, turns);
  let count = 0;
  for (let index = 0; index < sorted.length; index++) {
    if (index % DOCUMENTS_PER_LOOK === 0) await turns.give();
    if (count === 0 || sorted[count - 1] !== sorted[index]) sorted[count++] = sorted[index];
  }
  const keys = sorted.slice(0, count);
  const sizes = new Float64Array(count);
  for (let document = 0; document < ofEach.length; document++) {
    if (document % DOCUMENTS_PER_LOOK === 0) await turns.give();
    sizes[lastAtMost(keys, ofEach[document])] += ends[document] - starts[document] + 1;
  }
  return { keys, sizes };
}

/** Keys in order. They are spread evenly, so that each stretch of numbers has about as many of them. */
async function sortedKeys(keys: Float64Array, turns: Turns): Promise<Float64Array> {
  const buckets = Math.ceil(keys.length / KEYS_IN_BUCKET);
  const bucketOf = (key: number) => Math.floor((key / KEYS_END) * buckets);
  const ends = new Uint32Array(buckets + 1);
  for (let k = 0; k < keys.length; k++) {
    if (k % DOCUMENTS_PER_LOOK === 0) await turns.give();
    ends[bucketOf(keys[k]) + 1]++;
  }
  for (let bucket = 1; bucket <= buckets; bucket++) ends[bucket] += ends[bucket - 1];
  // The start of each bucket, which moves to its end as the bucket is filled.
  const sorted = new Float64Array(keys.length);
  for (let k = 0; k < keys.length; k++) {
    if (k % DOCUMENTS_PER_LOOK === 0) await turns.give();
    sorted[ends[bucketOf(keys[k])]++] = keys[k];
  }
  for (let bucket = 0; bucket < buckets; bucket++) {
    await turns.give();
    sorted.subarray(bucket > 0 ? ends[bucket - 1] : 0, ends[bucket]).sort();
  }
  return sorted;
}

function* dealParts({ sizes }: Distinct, fractions: Fractions): InParts<Uint8Array> {
  const parts = new Uint8Array(sizes.length).fill(FREE);
  const total = yield* sum(sizes);
  const asked = [
    ...(fractions.test > 0 ? [{ part: TEST, size: total * fractions.test }] : []),
    ...(fractions.validation > 0 ? [{ part: VALIDATION, size: total * fractions.validation }] : []),
  ];
  for (const [index, { part, size }] of asked.entries()) {
    // Each part that follows, and the training part, must get a document too.
    yield* fill(parts, sizes, part, size, asked.length - index);
  }
  return parts.map((part) => (part === FREE ? TRAIN : part));
}

/** The test part first, the same for each fold; each other document to the smallest fold so far. */
function* dealFolds({ sizes }: Distinct, { test }: Fractions, fold: Fold): InParts<Uint8Array> {
  const parts = new Uint8Array(sizes.length).fill(FREE);
  const total = yield* sum(sizes);
  if (test > 0) yield* fill(parts, sizes, TEST, total * test, fold.of);
  const folds = new Float64Array(fold.of);
  const deal = (document: number) => {
    const smallest = folds.indexOf(folds.reduce((a, b) => Math.min(a, b)));
    folds[smallest] += sizes[document];
    parts[document] = smallest === fold.index - 1 ? VALIDATION : TRAIN;
  };
  // Large ones first, by powers of two: small ones then even the folds out.
  for (let magnitude = Math.floor(Math.log2(total)); magnitude >= 0; magnitude--) {
    for (let document = 0; document < sizes.length; document++) {
      if (document % DOCUMENTS_PER_LOOK === 0) yield;
      const isOfMagnitude = Math.floor(Math.log2(sizes[document])) === magnitude;
      if (isOfMagnitude && parts[document] === FREE) deal(document);
    }
  }
  return parts;
}

/**
 * Gives a part those free documents, in their random order, that bring its size closer to `target`; at
 * least the smallest. At least `reserved` stay free.
 */
function* fill(
  parts: Uint8Array,
  sizes: Float64Array,
  part: number,
  target: number,
  reserved: number,
): InParts<void> {
  let free = 0;
  for (let document = 0; document < parts.length; document++) {
    if (document % DOCUMENTS_PER_LOOK === 0) yield;
    if (parts[document] === FREE) free++;
  }
  let size = 0;
  let smallest = -1;
  for (let document = 0; document < sizes.length && free > reserved; document++) {
    if (document % DOCUMENTS_PER_LOOK === 0) yield;
    if (parts[document] !== FREE) continue;
    if (smallest < 0 || sizes[document] < sizes[smallest]) smallest = document;
    if (Math.abs(size + sizes[document] - target) >= Math.abs(size - target)) continue;
    parts[document] = part;
    size += sizes[document];
    free--;
  }
  if (size === 0) parts[smallest] = part;
}

/** The parts, each with its documents in the order of the text. Empty ones stay with those before. */
async function gather(
  tokens: Tokens,
  vocabulary: Vocabulary,
  { starts }: Documents,
  partOf: (document: number) => number,
  turns: Turns,
): Promise<Parts> {
  const from = (document: number) => (document === 0 ? 0 : starts[document]);
  const to = (document: number) =>
    document + 1 < starts.length ? starts[document + 1] : tokens.length;
  const lengths = [0, 0, 0];
  for (let document = 0; document < starts.length; document++) {
    if (document % DOCUMENTS_PER_LOOK === 0) await turns.give();
    lengths[partOf(document)] += to(document) - from(document);
  }
  const parts = lengths.map((length, part) =>
    part === TRAIN ? tokens.subarray(0, length) : createTokens(vocabulary.size, length),
  );
  const ends = [0, 0, 0];
  for (let document = 0; document < starts.length; document++) {
    if (document % DOCUMENTS_PER_LOOK === 0) await turns.give();
    const part = partOf(document);
    parts[part].set(tokens.subarray(from(document), to(document)), ends[part]);
    ends[part] += to(document) - from(document);
  }
  return { train: parts[TRAIN], validation: parts[VALIDATION], test: parts[TEST] };
}

function* sum(sizes: Float64Array): InParts<number> {
  let total = 0;
  for (let document = 0; document < sizes.length; document++) {
    if (document % DOCUMENTS_PER_LOOK === 0) yield;
    total += sizes[document];
  }
  return total;
}
