/** Where a piece of a text begins that people read. */
export interface TextStart {
  /** The first character that is shown. */
  readonly position: number;
  /** What begins there: the text, or a line or a word of it; or it is the middle of a word. */
  readonly at: "text" | "line" | "word" | "middle";
}

/** Characters within which a line or a word is looked for. */
const TO_LINE = 400;
const TO_WORD = 100;

/**
 * Where to begin with a text so that nobody has to read half a word: at its first whole line, or else at its
 * first whole word.
 *
 * @param isCut whether something stands before the text
 */
export function textStart(characters: readonly string[], isCut: boolean): TextStart {
  if (!isCut) return { position: 0, at: "text" };
  const half = Math.floor(characters.length / 2);
  const line = characters.slice(0, Math.min(TO_LINE, half)).indexOf("\n");
  if (line >= 0) return { position: line + 1, at: "line" };
  const word = characters.slice(0, Math.min(TO_WORD, half)).findIndex((it) => /\s/u.test(it));
  return word >= 0 ? { position: word + 1, at: "word" } : { position: 0, at: "middle" };
}
