import { NEWLINE } from "../text.js";
import { inPieces } from "../turns.js";
import type { NumberedText } from "./text-builder.js";

/** Where in a text each of its code points occurs first. */
export async function firstPositions(
  { numbers, codePoints }: NumberedText,
  signal: AbortSignal | undefined,
): Promise<Map<number, number>> {
  const first = new Map<number, number>();
  const isFound = new Uint8Array(codePoints.length);
  await inPieces(numbers.length, signal, (start, end) => {
    for (let position = start; position < end; position++) {
      const number = numbers[position];
      if (isFound[number]) continue;
      isFound[number] = 1;
      first.set(codePoints[number], position);
    }
    return first.size === codePoints.length ? "stop" : undefined;
  });
  return first;
}

/**
 * `line 3, column 7`
 *
 * @param start where line 1 begins
 */
export async function lineAndColumn(
  { numbers, codePoints }: NumberedText,
  start: number,
  position: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const newline = codePoints.indexOf(NEWLINE);
  let line = 1;
  let lineStart = start;
  await inPieces(position - start, signal, (from, end) => {
    for (let before = start + from; before < start + end; before++) {
      if (numbers[before] !== newline) continue;
      line++;
      lineStart = before + 1;
    }
  });
  return `line ${line}, column ${position - lineStart + 1}`;
}
