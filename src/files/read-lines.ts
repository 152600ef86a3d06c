import { type FileHandle, open } from "node:fs/promises";
import { cleanUpAfter, closeRead } from "../clean-up.js";

/** A line of a file, without its line end. */
export interface Line {
  /** Good until more lines are asked for; undefined for a line that is longer than any should be. */
  readonly bytes: Buffer | undefined;
  /** Where it begins in the file, and where what follows it does. */
  readonly start: number;
  readonly end: number;
  /** Whether it has its line end; the last one may still be being written. */
  readonly isWhole: boolean;
}

/** Longer than any line that charnn writes. */
const MAX_LINE_LENGTH = 2 ** 20;
const LINE_END = 0x0a;

/** Which lines of a file to read. */
interface LineOptions {
  /** Where the first one begins. */
  readonly from?: number;
  /** Bytes of the longest one that is kept. */
  readonly longest?: number;
}

/**
 * Reads the lines of a file of any size, many at a time, in little memory.
 *
 * @throws the system's error for a file that can't be read
 */
export async function* readLines(
  path: string,
  options: LineOptions = {},
): AsyncGenerator<readonly Line[], void> {
  const file = await open(path, "r");
  yield* cleanUpAfter(linesOf(file, options), () => closeRead(file));
}

/** As {@link readLines}, of a file that is open already and stays so. */
export async function* linesOf(
  file: FileHandle,
  { from = 0, longest = MAX_LINE_LENGTH }: LineOptions = {},
): AsyncGenerator<readonly Line[], void> {
  const buffer = Buffer.allocUnsafe(longest + 1);
  /** Where the line begins that is not yet read to its end, and where the buffer does. */
  let [start, position] = [from, from];
  /** Bytes of that line in the buffer, unless it is too long and they were dropped. */
  let held = 0;
  for (;;) {
    if (held === buffer.length) {
      position += held;
      held = 0;
    }
    const { bytesRead } = await file.read(buffer, held, buffer.length - held, position + held);
    if (bytesRead === 0) break;
    const filled = buffer.subarray(0, held + bytesRead);
    const lines: Line[] = [];
    let [begin, end] = [0, filled.indexOf(LINE_END, held)];
    while (end >= 0) {
      const isTooLong = position + begin > start;
      const bytes = isTooLong ? undefined : filled.subarray(begin, end);
      lines.push({ bytes, start, end: position + end + 1, isWhole: true });
      begin = end + 1;
      start = position + begin;
      end = filled.indexOf(LINE_END, begin);
    }
    if (lines.length > 0) yield lines;
    held = filled.length - begin;
    buffer.copyWithin(0, begin, filled.length);
    position += begin;
  }
  const end = position + held;
  if (end === start) return;
  const bytes = position > start ? undefined : buffer.subarray(0, held);
  yield [{ bytes, start, end, isWhole: false }];
}
