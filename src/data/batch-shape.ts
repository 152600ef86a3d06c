import { CharnnError } from "../errors.js";
import { formatCount } from "../text.js";

/**
 * A batch size and a sequence length that fit a text for training: each row has a whole window, or,
 * for windows, there is one for each row of a batch. What was asked for stays, and is a
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
  const note = `The text for training is short (${formatCount(characters)} characters): batch size ${batchSize} and sequence length ${seqLength} are used in place of ${wanted.batchSize} and ${wanted.seqLength}.`;
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

/** The error for a text with fewer characters than a shape needs. */
export function tooShort(
  characters: number,
  { batchSize, seqLength }: { readonly batchSize: number; readonly seqLength: number },
  batching: "lanes" | "windows",
): CharnnError {
  const isCarried = batching === "lanes";
  const largestBatch = isCarried ? Math.floor(characters / seqLength) - 1 : characters - seqLength;
  const longest = isCarried ? Math.floor(characters / (batchSize + 1)) : characters - batchSize;
  const needed = formatCount(charactersNeeded(batchSize, seqLength, batching));
  const fits = [
    ...(longest >= 1 ? [`\`batchSize: ${batchSize}\` with \`seqLength: ${longest}\``] : []),
    ...(largestBatch >= 1
      ? [`\`batchSize: ${largestBatch}\` with \`seqLength: ${seqLength}\``]
      : []),
  ];
  return new CharnnError(
    "TEXT_TOO_SHORT",
    `Batch size ${batchSize} and sequence length ${seqLength} need a text of ${needed} characters, and the text for training has ${formatCount(characters)}.`,
    fits.length > 0 ? `What fits: ${fits.join("; ")}.` : "Give a longer text, or smaller numbers.",
  );
}
