import type { Documents } from "./documents.js";

/** Parts are so short that there are about as many groups of a batch: only the last one has rows without a part. */
const MIN_GROUPS = 4;
/** In a part are this many windows or more, so that what a model remembers reaches over several. */
const MIN_WINDOWS = 8;

/**
 * Cuts documents into parts where some are so long that otherwise most of a batch would be padding: a novel among
 * letters would be read in one row for a long time, and all other rows would be empty. Each part is read from a
 * hidden state of zero, as a document is, but after the character before it. Parts are whole windows long, but for
 * the last one of a document.
 */
export function cutLongDocuments(
  documents: Documents,
  batchSize: number,
  seqLength: number,
): Documents {
  const { starts, ends } = documents;
  let [total, longest] = [0, 0];
  for (let index = 0; index < starts.length; index++) {
    const length = ends[index] - starts[index] + 1;
    total += length;
    longest = Math.max(longest, length);
  }
  // Sorted by length, no row is longer than any of the next group, so only the last group can be mostly padding.
  if (batchSize * longest <= total) return documents;
  const windows = Math.ceil(total / (MIN_GROUPS * batchSize * seqLength));
  const most = Math.max(windows, MIN_WINDOWS) * seqLength;
  const parts: { readonly start: number; readonly end: number }[] = [];
  for (let index = 0; index < starts.length; index++) {
    const length = ends[index] - starts[index] + 1;
    const count = Math.ceil(length / most);
    const step = Math.ceil(length / count / seqLength) * seqLength;
    for (let start = starts[index]; start <= ends[index]; start += step) {
      parts.push({ start, end: Math.min(start + step - 1, ends[index]) });
    }
  }
  return {
    ...documents,
    starts: Uint32Array.from(parts, ({ start }) => start),
    ends: Uint32Array.from(parts, ({ end }) => end),
  };
}
