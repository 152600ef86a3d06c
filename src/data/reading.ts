import { DOCUMENT_END, formatCount, NEWLINE } from "../text.js";
import { untilAborted } from "../turns.js";
import { createDecoder, type Invalid } from "./decoding.js";
import { formatOf, wrongFormat } from "./formats.js";
import type { Source } from "./sources.js";
import type { TextRewriter } from "./text-rewriter.js";

const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = 0xfeff;
/** The most warnings about sources, where many are doubtful. */
const MAX_DOUBTS = 5;

/** Whether line ends stay as they are, or all become newlines. */
export type LineEnds = "keep" | "lf";

/** How to read a text. */
export interface ReadingSettings {
  /** A name from `encodingName`. */
  readonly encoding: string;
  /** What to do with bytes that are wrong in it: `"error"` when left out. */
  readonly invalid?: Invalid | undefined;
  /** Whether U+FFFD can be read, so that errors may advise `"replace"`. `true` when left out. */
  readonly canReplace?: boolean | undefined;
  /** `"lf"`: CR LF and CR by themselves are read as newlines. `"keep"` when left out. */
  readonly lineEnds?: LineEnds | undefined;
  /** Whether a last line without a newline gets one. */
  readonly endLastLine?: boolean;
  /** What the characters become before they are handed on; undefined where they stay, or are rewritten later. */
  readonly rewriter: TextRewriter | undefined;
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
  settings: ReadingSettings,
  onCharacters: (codePoints: Int32Array, source: Source) => void,
): Promise<string[]> {
  const { encoding, invalid = "error", canReplace, lineEnds = "keep" } = settings;
  const { endLastLine = false, rewriter, signal } = settings;
  const marked: string[] = [];
  const doubts: string[] = [];
  /** The last code point handed on. */
  let last = NEWLINE;
  for (const source of sources) {
    let markSought = false;
    const newlines = lineEnds === "lf" ? new NewlineReader() : undefined;
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
      if (newlines) codePoints = newlines.read(codePoints);
      if (rewriter) codePoints = rewriter.rewrite(codePoints);
      handOn(codePoints);
    };
    const handOn = (codePoints: Int32Array) => {
      if (codePoints.length === 0) return;
      if (!joined && last !== NEWLINE && last !== DOCUMENT_END) {
        onCharacters(Int32Array.of(NEWLINE), source);
      }
      joined = true;
      onCharacters(codePoints, source);
      last = codePoints[codePoints.length - 1];
    };
    const decoder = createDecoder(encoding, source.name, invalid, canReplace);
    let isFirst = true;
    for await (const bytes of untilAborted(source.read(signal), signal)) {
      const format = isFirst ? formatOf(bytes) : undefined;
      if (format) throw wrongFormat(source.name, format);
      isFirst = false;
      pass(decoder.decode(bytes));
    }
    pass(decoder.end());
    if (rewriter) handOn(rewriter.endFile());
    for (const doubt of decoder.warnings()) doubts.push(doubt);
  }
  if (endLastLine && last !== NEWLINE)
    onCharacters(Int32Array.of(NEWLINE), sources[sources.length - 1]);
  const warnings = doubts.slice(0, MAX_DOUBTS);
  if (doubts.length > MAX_DOUBTS) {
    const left = formatCount(doubts.length - MAX_DOUBTS);
    warnings.push(`And ${left} more such lines on other files.`);
  }
  if (marked.length === 0) return warnings;
  const names = marked.length === 1 ? marked[0] : `${marked[0]} and ${marked.length - 1} more`;
  return [
    ...warnings,
    `A byte order mark at the beginning of ${names} was left out: it is not part of the text.`,
  ];
}

/** Makes newlines of CR LF and CR, wherever a text is cut. */
class NewlineReader {
  #endsInReturn = false;

  /** In place. */
  read(codePoints: Int32Array): Int32Array {
    if (codePoints.length === 0) return codePoints;
    const endsInReturn = codePoints[codePoints.length - 1] === CARRIAGE_RETURN;
    let count = 0;
    let before = this.#endsInReturn ? CARRIAGE_RETURN : NEWLINE;
    for (const codePoint of codePoints) {
      const isSecondHalf = codePoint === NEWLINE && before === CARRIAGE_RETURN;
      if (!isSecondHalf) codePoints[count++] = codePoint === CARRIAGE_RETURN ? NEWLINE : codePoint;
      before = codePoint;
    }
    this.#endsInReturn = endsInReturn;
    return codePoints.subarray(0, count);
  }
}
