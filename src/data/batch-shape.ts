import { CharnnError } from "../errors.js";
import { formatCount } from "../text.js";

interface Shape {
  readonly batchSize: number;
  readonly seqLength: number;
}

/** How a text is read for training. */
interface Reading {
  readonly batching?: "lanes" | "windows";
  /** Each has batches of its own. */
  readonly workers?: number;
}

/**
 * A batch size, of each worker, and a sequence length that fit a text for training: each row has a whole window, or,
 * for windows, there is one for each row of a batch. What was asked for stays, and is a
 * {@link CharnnError} `TEXT_TOO_SHORT` where it can't fit; defaults are halved until they fit, which
 * `note` tells in a sentence. Lines (`documents`) always fit.
 */
export function fitBatchShape(
  characters: number,
  asked: { readonly batchSize?: number | undefined; readonly seqLength?: number | undefined },
  defaults: Shape,
  { batching = "lanes", workers = 1 }: Reading = {},
): { batchSize: number; seqLength: number; note?: string } {
  let batchSize = asked.batchSize ?? defaults.batchSize;
  let seqLength = asked.seqLength ?? defaults.seqLength;
  const wanted = { batchSize, seqLength };
  while (charactersNeeded({ batchSize, seqLength }, { batching, workers }) > characters) {
    const batchCanShrink = asked.batchSize === undefined && batchSize > 1;
    const lengthCanShrink = asked.seqLength === undefined && seqLength > 1;
    if (!batchCanShrink && !lengthCanShrink) {
      throw tooShort(characters, { batchSize, seqLength }, { batching, workers });
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
  const note = `The text for training is short (${formatCount(characters)} characters${workers > 1 ? ` for ${formatCount(workers)} workers` : ""}): batch size ${batchSize} and sequence length ${seqLength} are used in place of ${wanted.batchSize} and ${wanted.seqLength}.`;
  return { batchSize, seqLength, note };
}

/** The part of a step of running text that a step of short documents reads: trials with names were best there. */
const STEP_OF_DOCUMENTS = 0.5;

/**
 * A batch size and a sequence length for documents, which always fit. Where they are much shorter than a window, a batch has
 * more rows by default, so that a step learns from half as many characters as one of running text.
 *
 * @param characters of all documents, their ends included
 * @param count how many documents there are
 */
export function documentBatchShape(
  characters: number,
  count: number,
  asked: { readonly batchSize?: number | undefined; readonly seqLength?: number | undefined },
  defaults: Shape,
): Shape {
  const seqLength = asked.seqLength ?? defaults.seqLength;
  if (asked.batchSize !== undefined) return { batchSize: asked.batchSize, seqLength };
  let times = Math.max(Math.floor((STEP_OF_DOCUMENTS * seqLength * count) / characters), 1);
  while (times > 1 && times * defaults.batchSize > count) times = Math.floor(times / 2);
  return { batchSize: times * defaults.batchSize, seqLength };
}

/** Characters that a shape needs at least. */
function charactersNeeded(
  { batchSize, seqLength }: Shape,
  { batching = "lanes", workers = 1 }: Reading,
): number {
  const rows = batchSize * workers;
  return batching === "lanes" ? (rows + 1) * seqLength : rows + seqLength;
}

/** The error for a text with fewer characters than a shape needs. */
export function tooShort(characters: number, shape: Shape, reading: Reading): CharnnError {
  const { batchSize, seqLength } = shape;
  const { workers = 1 } = reading;
  const needed = formatCount(charactersNeeded(shape, reading));
  const fits = waysToFit(characters, shape, reading);
  const ofWorkers = workers > 1 ? ` for each of ${workers} workers` : "";
  return new CharnnError(
    "TEXT_TOO_SHORT",
    `Batch size ${batchSize} and sequence length ${seqLength}${ofWorkers} need a text of ${needed} characters, and the text for training has ${formatCount(characters)}.`,
    fits.length > 0 ? `What fits: ${fits.join("; ")}.` : "Give a longer text, or smaller numbers.",
  );
}

/** What can be asked for in place of a shape that does not fit. */
function waysToFit(
  characters: number,
  { batchSize, seqLength }: Shape,
  { batching = "lanes", workers = 1 }: Reading,
): string[] {
  const rows = batchSize * workers;
  const isCarried = batching === "lanes";
  const most = isCarried ? Math.floor(characters / seqLength) - 1 : characters - seqLength;
  const [largestBatch, mostWorkers] = [Math.floor(most / workers), Math.floor(most / batchSize)];
  const longest = isCarried ? Math.floor(characters / (rows + 1)) : characters - rows;
  const sizes = [
    [batchSize, longest],
    [largestBatch, seqLength],
  ].filter(([batch, length]) => batch >= 1 && length >= 1);
  return [
    ...sizes.map(([batch, length]) => `\`batchSize: ${batch}\` with \`seqLength: ${length}\``),
    ...(workers > 1 && mostWorkers >= 1 ? [`\`workers: ${mostWorkers}\``] : []),
  ];
}
