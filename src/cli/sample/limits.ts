import { getHeapStatistics } from "node:v8";
import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { MAX_TEXTS } from "../../config/names.js";
import { SAMPLE_DEFAULTS as DEFAULTS, type SampleSettings } from "../../config/sample.js";
import { CharnnError } from "../../errors.js";
import { memoryLeft } from "../../memory.js";
import { formatCount, memorySize } from "../../text.js";

const BYTES_PER_CHARACTER = 2;
/**
 * The share of the memory for strings that texts may take: each piece exists twice for a moment, and other work
 * needs some.
 */
const HEAP_SHARE = 0.4;
/** The share of that which an advice leaves free. */
const SPARE = 0.1;
/** A string of JavaScript can't be longer than 2 ** 29, and JSON may double a text. */
const MAX_TEXT_LENGTH = 2 ** 27;

/** Texts that are written when they are done have to fit into the memory that Node.js has for strings. */
export function refuseTooMuch(settings: SampleSettings): void {
  const { length = DEFAULTS.length, count = DEFAULTS.count, bestOf = DEFAULTS.bestOf } = settings;
  const texts = count * bestOf;
  // Settings that no sample can have are refused where it is written.
  if (length === -1 || Math.max(count, bestOf) > MAX_TEXTS) return;
  const alone = "One text alone, without --json, may be of any length.";
  if (length > MAX_TEXT_LENGTH) {
    throw new CharnnError(
      "INVALID_SETTING",
      `With --count, --best-of or --json a text has at most ${formatCount(MAX_TEXT_LENGTH)} characters, not ${formatCount(length)}.`,
      `Give --length ${MAX_TEXT_LENGTH} or less. ${alone}`,
    );
  }
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  const left = (Math.min(limit - used, memoryLeft()) * HEAP_SHARE) / BYTES_PER_CHARACTER;
  const fittingCount = Math.floor(left / length);
  const fittingLength = Math.floor(left / texts);
  if (texts <= fittingCount && length <= fittingLength) return;
  const bytes = BYTES_PER_CHARACTER * length * texts;
  const fits = [
    ...fitting("best-of", bestOf > 1 ? fittingCount / count : 0),
    ...fitting("count", bestOf === 1 || count > 1 ? fittingCount / bestOf : 0),
    ...fitting("length", fittingLength),
  ];
  throw new CharnnError(
    "INVALID_SETTING",
    `Texts of ${formatCount(length)} characters, ${formatCount(texts)} at a time, need ${memorySize(bytes)} of memory; there are ${memorySize(left * BYTES_PER_CHARACTER)}.`,
    `${fits.length > 0 ? `What fits: ${fits.join(", or ")}. ` : ""}${alone}`,
  );
}

/** A little less than the most, since a moment later there may be less memory. */
function fitting(option: string, most: number): string[] {
  const fits = Math.floor(most * (1 - SPARE));
  const unit = 10 ** Math.max(Math.floor(Math.log10(fits)) - 1, 0);
  return fits >= 1 ? [`--${option} ${Math.floor(fits / unit) * unit}`] : [];
}

/** Texts that are written when they are done must come to an end. */
export function refuseEndless(
  { length, stop, lines, sentences }: SampleSettings,
  { config }: Checkpoint,
): void {
  const end = stop ?? lines ?? sentences ?? config.text.documents;
  if (length !== -1 || end !== undefined) return;
  throw new CharnnError(
    "INVALID_SETTING",
    "--length -1 never ends, but several texts and --json are printed only once they are complete.",
    "Give a --length, or an end: --lines, --sentences or --stop.",
  );
}
