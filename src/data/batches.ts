import { CharnnError } from "../errors.js";
import type { Random } from "../random.js";
import { atOnce, inTurns, type Parts } from "../turns.js";
import { type Batch, BatchArrays, IGNORED_TARGET, type PlacedBatch } from "./batch.js";
import type { TextPart } from "./corpus.js";
import {
  type Documents,
  documentBatch,
  findDocuments,
  type Groups,
  groupDocuments,
  numbersBelow,
} from "./documents.js";
import { NEWLINE } from "./reading.js";
import type { Tokens, Vocabulary } from "./vocabulary.js";

/** Evaluation reads one more lane for so many characters, up to the most lanes. */
const CHARACTERS_PER_LANE = 10_000;
/** Where only a part of a text is scored: shorter lanes come from more places. */
const CHARACTERS_PER_LANE_OF_PART = 4_000;
/** A larger share of a text is not worth leaving the rest out. */
const MAX_PART = 0.9;
const MAX_BATCH_ROWS = 64;
/** Characters read before a lane's own, unscored, so that its hidden state fits the text. */
const WARM_UP = 1_000;
const EVALUATION_SEQ_LENGTH = 256;

/** How a text is cut into batches. */
export interface BatchSettings {
  /**
   * `"lanes"`: the text is cut into `batchSize` lanes read side by side, the hidden state carried from
   * batch to batch. `"windows"`: pieces of the text in random order, each from a hidden state of zero.
   */
  readonly batching: "lanes" | "windows";
  readonly batchSize: number;
  /** Characters per window: how far back through time gradients reach. */
  readonly seqLength: number;
  /** Characters from the beginning of one window to the next (`"windows"` only). */
  readonly stride: number;
}

/** A text as batches, epoch after epoch. */
export interface Batches {
  /**
   * Puts the batches of an epoch in order, which takes seconds for millions of them. Otherwise the first
   * look at the epoch does so, without turns for other work.
   *
   * @throws the signal's reason once it is aborted
   */
  prepare(epoch: number, signal: AbortSignal | undefined): Promise<void>;
  batchesInEpoch(epoch: number): number;
  /**
   * The batch at `index`, from 0, of an epoch: a function of these two alone, so that a run can go on
   * anywhere with nothing stored. Its arrays are used again by the next call: copy what must last.
   */
  at(epoch: number, index: number): Batch;
}

/**
 * Cuts a text into batches for training.
 *
 * With `documents` each line is a text of its own, read as a newline and the line, predicted as the
 * line and a newline, each from a hidden state of zero, in a new order each epoch. Lines of about one
 * length go together; those longer than `seqLength` go on in the batches that follow, the state
 * carried. `batching` and `stride` mean nothing then.
 *
 * A text too short for one batch is a {@link CharnnError} `TEXT_TOO_SHORT`: see {@link fitBatchShape}.
 */
export function createBatches(
  part: TextPart,
  documents: "lines" | undefined,
  vocabulary: Vocabulary,
  settings: BatchSettings,
  random: Random,
): Batches {
  if (documents === "lines") {
    return documentBatches(part.tokens, newlineOf(vocabulary), settings, random);
  }
  return settings.batching === "lanes"
    ? laneBatches(part.tokens, settings, random)
    : windowBatches(part.tokens, settings, random);
}

/**
 * Lanes of one length side by side. They begin at another offset each epoch, from 0 to
 * `seqLength` - 1, so that windows fall differently; the last window of an epoch may be shorter.
 */
function laneBatches(tokens: Tokens, settings: BatchSettings, random: Random): Batches {
  const { batchSize, seqLength } = settings;
  // The largest offset leaves so many inputs, the last character being a target only.
  const laneLength = Math.floor((tokens.length - 1 - (seqLength - 1)) / batchSize);
  if (laneLength < 1) throw tooShort(tokens.length, settings, "lanes");
  const batches = Math.ceil(laneLength / seqLength);
  const offsetOf = (epoch: number) => random.fork("lanes", epoch).below(seqLength);
  const arrays = new BatchArrays(seqLength, batchSize);
  return {
    prepare: async () => {},
    batchesInEpoch: () => batches,
    at(epoch, index) {
      checkIndex(index, batches);
      const first = index * seqLength;
      const batch = arrays.empty(Math.min(seqLength, laneLength - first), index === 0);
      const offset = offsetOf(epoch);
      for (let lane = 0; lane < batchSize; lane++) {
        fillColumn(batch, lane, tokens, offset + lane * laneLength + first);
      }
      return batch;
    },
  };
}

/** Every window once per epoch, in random order. The last batch may be filled up with padding. */
function windowBatches(tokens: Tokens, settings: BatchSettings, random: Random): Batches {
  const { batchSize, seqLength, stride } = settings;
  const windows = Math.floor((tokens.length - 1 - seqLength) / stride) + 1;
  if (windows < 1) throw tooShort(tokens.length, settings, "windows");
  const batches = Math.ceil(windows / batchSize);
  const order = new OfEpoch(function* (epoch) {
    const numbers = numbersBelow(windows);
    yield* random.fork("windows", epoch).shuffling(numbers);
    return numbers;
  });
  const arrays = new BatchArrays(seqLength, batchSize);
  return {
    prepare: order.prepare,
    batchesInEpoch: () => batches,
    at(epoch, index) {
      checkIndex(index, batches);
      const batch = arrays.empty(seqLength, true);
      const start = index * batchSize;
      for (const [lane, window] of order
        .of(epoch)
        .subarray(start, start + batchSize)
        .entries()) {
        fillColumn(batch, lane, tokens, window * stride);
      }
      return batch;
    },
  };
}

function documentBatches(
  tokens: Tokens,
  newline: number,
  settings: BatchSettings,
  random: Random,
): Batches {
  const { batchSize, seqLength } = settings;
  let documents: Documents | undefined;
  const lines = new OfEpoch(function* (epoch) {
    documents ??= yield* findDocuments(tokens, newline);
    const ofEpoch = random.fork("lines", epoch);
    const groups = yield* groupDocuments(documents, batchSize, seqLength, ofEpoch);
    return { documents, groups };
  });
  const batchesInEpoch = (epoch: number) => lines.of(epoch).groups.firstBatch.at(-1) as number;
  const arrays = new BatchArrays(seqLength, batchSize);
  return {
    prepare: lines.prepare,
    batchesInEpoch,
    at(epoch, index) {
      checkIndex(index, batchesInEpoch(epoch));
      const { documents, groups } = lines.of(epoch);
      return documentBatch(documents, groups, index, seqLength, arrays);
    },
  };
}

/**
 * Batches for scoring a text: all characters but the first are targets exactly once. A long text is
 * read in up to 64 lanes, each of which first reads 1,000 characters before its own whose targets are
 * {@link IGNORED_TARGET}. With `documents` each line's characters and the newline after it are scored,
 * as in {@link createBatches}. The arrays of a batch are used again by the next.
 *
 * @param most of a longer text about this many characters are scored, always the same: lanes, or lines,
 *   at even distances
 * @throws the signal's reason once it is aborted while lines are put in order
 */
export async function* evaluationBatches(
  tokens: Tokens,
  documents: "lines" | undefined,
  vocabulary: Vocabulary,
  {
    most = Number.POSITIVE_INFINITY,
    signal,
  }: { readonly most?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<PlacedBatch, void> {
  if (documents !== "lines") yield* laneEvaluation(tokens, most);
  else {
    const lines = inLines(tokens, newlineOf(vocabulary), most);
    yield* documentEvaluation(await inTurns(lines, signal));
  }
}

/** Characters that are read to score a text, those included whose targets are not scored. */
export function charactersRead(
  length: number,
  documents: "lines" | undefined,
  most: number = Number.POSITIVE_INFINITY,
): number {
  if (documents === "lines") return isPartOf(length, most) ? most : length;
  const { lanes, steps } = evaluationLanes(length, most);
  return lanes * steps;
}

/** Whether an evaluation of about `most` characters leaves a part of a text of this length out. */
export function isPartOf(length: number, most: number): boolean {
  return most < MAX_PART * length;
}

/** The largest windows in which a text is read to be scored, however long it is. */
export const MAX_EVALUATION = { time: EVALUATION_SEQ_LENGTH, batch: MAX_BATCH_ROWS };

/** The windows in which a text is read to be scored. */
export function evaluationShape(
  length: number,
  documents: "lines" | undefined,
): { time: number; batch: number } {
  if (documents === "lines") return MAX_EVALUATION;
  const { lanes, steps } = evaluationLanes(length, Number.POSITIVE_INFINITY);
  return { time: Math.min(EVALUATION_SEQ_LENGTH, steps), batch: lanes };
}

/** How many lanes side by side, of how many characters each, with those that are not scored. */
function evaluationLanes(length: number, most: number): { lanes: number; steps: number } {
  const isPart = isPartOf(length, most);
  const scored = isPart ? most : Math.max(length - 1, 0);
  const perLane = isPart ? CHARACTERS_PER_LANE_OF_PART : CHARACTERS_PER_LANE;
  const lanes = Math.max(1, Math.min(MAX_BATCH_ROWS, Math.floor((scored + 1) / perLane)));
  const steps = Math.ceil((scored + (lanes - 1) * WARM_UP) / lanes);
  return { lanes, steps };
}

/**
 * The lanes begin at even distances, the first at the beginning, and the last ends with the text. All
 * but the first have a warm-up; where the whole text is scored, it reads what the lane before scores.
 */
function* laneEvaluation(tokens: Tokens, most: number): Generator<PlacedBatch> {
  const { lanes, steps } = evaluationLanes(tokens.length, most);
  const distance = isPartOf(tokens.length, most)
    ? (tokens.length - 1 - steps) / Math.max(lanes - 1, 1)
    : steps - WARM_UP;
  const arrays = new BatchArrays(Math.min(EVALUATION_SEQ_LENGTH, steps), lanes);
  for (let first = 0; first < steps; first += EVALUATION_SEQ_LENGTH) {
    const batch = arrays.empty(Math.min(EVALUATION_SEQ_LENGTH, steps - first), first === 0);
    for (let lane = 0; lane < lanes; lane++) {
      fillColumn(batch, lane, tokens, Math.floor(lane * distance) + first);
      const unscored = lane === 0 ? 0 : Math.min(WARM_UP - first, batch.time);
      for (let step = 0; step < unscored; step++) {
        batch.targets[step * lanes + lane] = IGNORED_TARGET;
      }
    }
    yield batch;
  }
}

/** The lines of a text that are scored, and how. */
interface ScoredLines {
  readonly documents: Documents;
  readonly groups: Groups;
  readonly batchSize: number;
}

function* inLines(tokens: Tokens, newline: number, most: number): Parts<ScoredLines> {
  const all = yield* findDocuments(tokens, newline);
  const isPart = isPartOf(tokens.length, most);
  const documents = isPart ? evenDocuments(all, most / tokens.length) : all;
  const batchSize = Math.max(1, Math.min(MAX_BATCH_ROWS, documents.starts.length));
  const groups = yield* groupDocuments(documents, batchSize, EVALUATION_SEQ_LENGTH, undefined);
  return { documents, groups, batchSize };
}

function* documentEvaluation({
  documents,
  groups,
  batchSize,
}: ScoredLines): Generator<PlacedBatch> {
  const arrays = new BatchArrays(EVALUATION_SEQ_LENGTH, batchSize);
  const batches = groups.firstBatch.at(-1) as number;
  for (let index = 0; index < batches; index++) {
    yield documentBatch(documents, groups, index, EVALUATION_SEQ_LENGTH, arrays);
  }
}

/** A share of the documents, at even distances; one at least. */
function evenDocuments(documents: Documents, share: number): Documents {
  const all = documents.starts.length;
  const count = Math.min(Math.max(Math.ceil(all * share), 1), all);
  const pick = (places: Uint32Array) =>
    Uint32Array.from({ length: count }, (_, index) => places[Math.floor((index * all) / count)]);
  return { ...documents, starts: pick(documents.starts), ends: pick(documents.ends) };
}

/**
 * A batch size and a sequence length that fit a text for training: each lane has a whole window, or,
 * for windows, there is one for each place in a batch. What was asked for stays, and is a
 * {@link CharnnError} `TEXT_TOO_SHORT` where it can't fit; defaults are halved until they fit, which
 * `note` tells in a sentence. Lines (`documents`) always fit.
 */
export function fitBatchShape(
  characters: number,
  asked: { readonly batchSize?: number | undefined; readonly seqLength?: number | undefined },
  defaults: { readonly batchSize: number; readonly seqLength: number },
  batching: "lanes" | "windows" = "lanes",
): { batchSize: number; seqLength: number; note?: string } {
  let batchSize = asked.batchSize ?? defaults.batchSize;
  let seqLength = asked.seqLength ?? defaults.seqLength;
  const wanted = { batchSize, seqLength };
  while (charactersNeeded(batchSize, seqLength, batching) > characters) {
    const batchCanShrink = asked.batchSize === undefined && batchSize > 1;
    const lengthCanShrink = asked.seqLength === undefined && seqLength > 1;
    if (!batchCanShrink && !lengthCanShrink) {
      throw tooShort(characters, { batchSize, seqLength }, batching);
    }
    if (batchCanShrink && (batchSize >= seqLength || !lengthCanShrink)) {
      batchSize = Math.floor(batchSize / 2);
    } else {
      seqLength = Math.floor(seqLength / 2);
    }
  }
  if (batchSize === wanted.batchSize && seqLength === wanted.seqLength) {
    return { batchSize, seqLength };
  }
  const note = `The text for training is short (${characters.toLocaleString("en")} characters): batch size ${batchSize} and sequence length ${seqLength} are used in place of ${wanted.batchSize} and ${wanted.seqLength}.`;
  return { batchSize, seqLength, note };
}

/** Characters that a shape needs at least. */
function charactersNeeded(
  batchSize: number,
  seqLength: number,
  batching: "lanes" | "windows",
): number {
  return batching === "lanes" ? (batchSize + 1) * seqLength : batchSize + seqLength;
}

function tooShort(
  characters: number,
  { batchSize, seqLength }: { readonly batchSize: number; readonly seqLength: number },
  batching: "lanes" | "windows",
): CharnnError {
  const lanes = batching === "lanes";
  const largestBatch = lanes ? Math.floor(characters / seqLength) - 1 : characters - seqLength;
  const longest = lanes ? Math.floor(characters / (batchSize + 1)) : characters - batchSize;
  const needed = charactersNeeded(batchSize, seqLength, batching).toLocaleString("en");
  const fits = [
    ...(longest >= 1 ? [`--batch-size ${batchSize} with --seq-length ${longest}`] : []),
    ...(largestBatch >= 1 ? [`--batch-size ${largestBatch} with --seq-length ${seqLength}`] : []),
  ];
  return new CharnnError(
    "TEXT_TOO_SHORT",
    `Batch size ${batchSize} and sequence length ${seqLength} need a text of ${needed} characters, and the text for training has ${characters.toLocaleString("en")}.`,
    fits.length > 0 ? `What fits: ${fits.join("; ")}.` : "Give a longer text, or smaller numbers.",
  );
}

/** Writes the characters from `position` on, and those that follow them, into one column of a batch. */
function fillColumn(batch: PlacedBatch, column: number, tokens: Tokens, position: number): void {
  const steps = Math.min(batch.time, tokens.length - 1 - position);
  for (let step = 0; step < steps; step++) {
    batch.inputs[step * batch.batch + column] = tokens[position + step];
    batch.targets[step * batch.batch + column] = tokens[position + step + 1];
    batch.positions[step * batch.batch + column] = position + step + 1;
  }
}

/** What is made for each epoch; that of the last one is kept, since batches are taken epoch by epoch. */
class OfEpoch<Value> {
  #last: { readonly epoch: number; readonly value: Value } | undefined;

  constructor(readonly make: (epoch: number) => Parts<Value>) {}

  of(epoch: number): Value {
    if (this.#last?.epoch === epoch) return this.#last.value;
    const value = atOnce(this.make(epoch));
    this.#last = { epoch, value };
    return value;
  }

  readonly prepare = async (epoch: number, signal: AbortSignal | undefined): Promise<void> => {
    if (this.#last?.epoch === epoch) return;
    this.#last = { epoch, value: await inTurns(this.make(epoch), signal) };
  };
}

function checkIndex(index: number, batches: number): void {
  if (!(index >= 0 && index < batches)) {
    throw new RangeError(`batch ${index} of an epoch of ${batches} batches`);
  }
}

function newlineOf(vocabulary: Vocabulary): number {
  const newline = vocabulary.indexOf(NEWLINE);
  if (newline === undefined) {
    throw new CharnnError(
      "BAD_TEXT",
      "The model knows no newline, so it can't read a text line by line.",
      "Train it on lines to begin with.",
    );
  }
  return newline;
}
