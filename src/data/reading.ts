import { untilAborted } from "../turns.js";
import { createDecoder } from "./decoding.js";
import { formatOf, wrongFormat } from "./formats.js";
import type { Source } from "./sources.js";

export const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = 0xfeff;

/** How to read a text. */
export interface ReadingSettings {
  /** A name from `encodingName`. */
  readonly encoding: string;
  /** Whether a last line without a newline gets one. */
  readonly endLastLine?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads sources one after the other as one text, and hands it on as chunks of code points, each valid
 * during its call only. Texts are joined as they are, but one that does not end in a newline gets one
 * when another follows, and with `endLastLine` so does the last. A byte order mark at the beginning of a source is left out.
 *
 * Returns warnings. Bytes that are wrong in the encoding, and sources that can't be read, are a
 * {@link CharnnError} `BAD_TEXT`. Throws the signal's reason within a moment once it is aborted.
 */
export async function readCharacters(
  sources: readonly Source[],
  { encoding, endLastLine = false, signal }: ReadingSettings,
  onCharacters: (codePoints: Int32Array, source: Source) => void,
): Promise<string[]> {
  const marked: string[] = [];
  /** The last code point handed on. */
  let last = NEWLINE;
  for (const source of sources) {
    let markSought = false;
    let joined = false;
    const pass = (decoded: Int32Array) => {
      let codePoints = decoded;
      if (!markSought && codePoints.length > 0) {
        markSought = true;
        if (codePoints[0] === BYTE_ORDER_MARK) {
          marked.push(source.name);
          codePoints = codePoints.subarray(1);
        }
      }
      if (codePoints.length === 0) return;
      if (!joined && last !== NEWLINE) onCharacters(Int32Array.of(NEWLINE), source);
      joined = true;
      onCharacters(codePoints, source);
      last = codePoints[codePoints.length - 1];
    };
    const decoder = createDecoder(encoding, source.name);
    let isFirst = true;
    for await (const bytes of untilAborted(source.read(signal), signal)) {
      const format = isFirst ? formatOf(bytes) : undefined;
      if (format) throw wrongFormat(source.name, format);
      isFirst = false;
      pass(decoder.decode(bytes));
    }
    pass(decoder.end());
  }
  if (endLastLine && last !== NEWLINE)
    onCharacters(Int32Array.of(NEWLINE), sources[sources.length - 1]);
  if (marked.length === 0) return [];
  const names = marked.length === 1 ? marked[0] : `${marked[0]} and ${marked.length - 1} more`;
  return [
    `A byte order mark at the beginning of ${names} was left out: it is not part of the text.`,
  ];
}
