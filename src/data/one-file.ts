import type { CharnnError } from "../errors.js";
import { encodingName } from "./decoding.js";
import { type ReadingSettings, readCharacters } from "./reading.js";
import { findSources, type ReadOptions } from "./sources.js";

/** How to read one short text. */
interface OneFileSettings extends Omit<ReadingSettings, "endLastLine" | "rewriter" | "signal"> {
  /** Characters that it may have. */
  readonly most: number;
  /** The error for a longer one. */
  readonly tooLong: () => CharnnError;
}

/**
 * Reads one file, or the standard input for `-`, as a string: for a model it is still to be prepared.
 *
 * @param settings `encoding` is any label that `TextDecoder` knows
 * @returns the text without a byte order mark, and plain sentences about bytes that are wrong in the encoding
 * @throws CharnnError `NOT_FOUND`, or `BAD_TEXT` for what is no file of plain text in that encoding; the
 *   signal's reason
 */
export async function readOneFile(
  name: string,
  { encoding: label, most, tooLong, ...reading }: OneFileSettings,
  options: ReadOptions,
): Promise<{ readonly text: string; readonly warnings: readonly string[] }> {
  const encoding = encodingName(label);
  const { sources } = await findSources([name], { encoding, filesOnly: true }, options);
  const pieces: string[] = [];
  let left = most;
  const all = { ...reading, encoding, rewriter: undefined, signal: options.signal };
  const warnings = await readCharacters(sources, all, (codePoints) => {
    left -= codePoints.length;
    if (left < 0) throw tooLong();
    pieces.push(stringOf(codePoints));
  });
  return { text: pieces.join(""), warnings };
}

function stringOf(codePoints: Int32Array): string {
  let text = "";
  for (const codePoint of codePoints) text += String.fromCodePoint(codePoint);
  return text;
}
