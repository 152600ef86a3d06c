import type { Reader } from "../data/known-part.js";
import { normalizedText } from "../data/prepare-text.js";

/** A part of a text that the model reads by itself. */
export interface Piece {
  /** UTF-16 units. */
  readonly length: number;
  /** None where the model does not know it. */
  readonly tokens: readonly number[];
}

/**
 * A text in its characters, or, for a model that was trained on a normal form or on small letters, in those clusters
 * that become others together, such as a letter with its accent.
 */
export function piecesOf(
  text: string,
  { vocabulary, normalize, lowercase }: Omit<Reader, "documents">,
): Piece[] {
  const tokensOf = (characters: string) =>
    Array.from(characters, (it) => vocabulary.tokenOf(it.codePointAt(0) as number)).filter(
      (token) => token !== undefined,
    );
  if (!normalize && !lowercase) {
    return Array.from(text, (it) => ({ length: it.length, tokens: tokensOf(it) }));
  }
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => {
    const tokens = tokensOf(normalizedText(segment, { normalize, lowercase }));
    return { length: segment.length, tokens };
  });
}
