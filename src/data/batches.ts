import { numbersBelow } from "../arrays.js";
import type { Random } from "../random.js";
import { atOnce, inTurns, type Parts } from "../turns.js";
import { type Batch, BatchArrays, fillRow } from "./batch.js";
import { tooShort } from "./batch-shape.js";
import type { TextPart } from "./corpus.js";
import {
  type Documents,
  documentBatch,
  documentEndOf,
  findDocuments,
  groupDocuments,
} from "./documents.js";
import { cutLongDocuments } from "./long-documents.js";
import { orderSections, windowAt } from "./sections.js";
import type { Tokens, Vocabulary } from "./vocabulary.js";

/** How a text is cut into batches. */
export interface BatchSettings {
  /**
   * `"lanes"`: the text is cut into `batchSize` parts, one for each row of the batches, and the hidden
   * state is carried from batch to batch. `"windows"`: pieces of the text in random order, each from a
   * hidden state of zero.
   */
  readonly batching: "lanes" | "windows";
  readonly batchSize: number;
  /** Characters per window: how far back through time gradients reach. */
  readonly seqLength: number;
  /** Characters from the beginning of one window to the next (`"windows"` only). */
  readonly stride: number;
  /**
   * `"lanes"` only: each part is read in sections of at most this many windows, in a random order each epoch, the state
   * carried within a section. 0, and when left out: from its beginning to its end.
   */
  readonly sectionWindows?: number | undefined;
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
   * anywhere with nothing stored. The next call uses its arrays again: copy what must be kept.
   */
  at(epoch: number, index: number): Batch;
}

/**
 * Cuts a text into batches for training.
 *
 * With `documents` each of them is a separate text, read as the token of an end and its characters, predicted as
 * its characters and that token (see {@link documentEndOf}), each from a hidden state of zero, in a new order each
 * epoch. Documents of about one length go together; those longer than `seqLength` go on in the batches that follow,
 * the state carried. Where a few are much longer than all others, they are cut into parts (see
 * {@link cutLongDocuments}). `batching`, `stride` and `sectionWindows` are ignored then.
 *
 * A text too short for one batch is a {@link CharnnError} `TEXT_TOO_SHORT`: see {@link fitBatchShape}.
 */
export function createBatches(
  part: TextPart,
  documents: string | undefined,
  vocabulary: Vocabulary,
  settings: BatchSettings,
  random: Random,
): Batches {
  if (documents !== undefined) {
    return documentBatches(part.tokens, documentEndOf(vocabulary, documents), settings, random);
  }
  return settings.batching === "lanes"
    ? laneBatches(part.tokens, settings, random)
    : windowBatches(part.tokens, settings, random);
}

/**
 * Each row reads its own part of the text; all parts have the same length. They begin at a different offset each
 * epoch, from 0 to `seqLength` - 1, so that windows fall differently; the last window of an epoch may be
 * shorter. With sections the rows read those of their parts in the same random order, so that what an epoch has read
 * is a sample of the whole text from its beginning on.
 */
function laneBatches(tokens: Tokens, settings: BatchSettings, random: Random): Batches {
  const { batchSize, seqLength, sectionWindows = 0 } = settings;
  // The largest offset leaves this many inputs; the last character is only a target.
  const rowLength = Math.floor((tokens.length - 1 - (seqLength - 1)) / batchSize);
  if (rowLength < 1) throw tooShort(tokens.length, settings, { batching: "lanes" });
  const batches = Math.ceil(rowLength / seqLength);
  const offsetOf = (epoch: number) => random.fork("lanes", epoch).below(seqLength);
  const sections = new OfEpoch((epoch) =>
    orderSections(batches, sectionWindows || batches, random.fork("sections", epoch)),
  );
  const arrays = new BatchArrays(seqLength, batchSize);
  return {
    prepare: sections.prepare,
    batchesInEpoch: () => batches,
    at(epoch, index) {
      checkIndex(index, batches);
      const { window, isFirst } = windowAt(sections.of(epoch), index);
      const first = window * seqLength;
      const batch = arrays.empty(Math.min(seqLength, rowLength - first), isFirst);
      const offset = offsetOf(epoch);
      for (let row = 0; row < batchSize; row++) {
        fillRow(batch, row, tokens, offset + row * rowLength + first);
      }
      return batch;
    },
  };
}

/** Every window once per epoch, in random order. The last batch may be filled up with padding. */
function windowBatches(tokens: Tokens, settings: BatchSettings, random: Random): Batches {
  const { batchSize, seqLength, stride } = settings;
  const windows = Math.floor((tokens.length - 1 - seqLength) / stride) + 1;
  if (windows < 1) throw tooShort(tokens.length, settings, { batching: "windows" });
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
      for (const [row, window] of order
        .of(epoch)
        .subarray(start, start + batchSize)
        .entries()) {
        fillRow(batch, row, tokens, window * stride);
      }
      return batch;
    },
  };
}

function documentBatches(
  tokens: Tokens,
  end: number,
  settings: BatchSettings,
  random: Random,
): Batches {
  const { batchSize, seqLength } = settings;
  let documents: Documents | undefined;
  const lines = new OfEpoch(function* (epoch) {
    documents ??= cutLongDocuments(yield* findDocuments(tokens, end), batchSize, seqLength);
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
