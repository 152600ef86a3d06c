import { DOCUMENT_END, formatCount } from "../text.js";

/** Speaking of single characters: how to name one in a message. */

/** How to name characters that can't be shown. */
const NAMES: Readonly<Record<number, string>> = {
  0: "null character",
  9: "tab",
  10: "newline",
  13: "carriage return",
  27: "escape",
  32: "space",
  127: "delete",
  160: "no-break space",
  8203: "zero-width space",
  65279: "byte order mark",
  [DOCUMENT_END]: "end of a document",
};

const MAX_LISTED = 5;

/** A character in a message: `"é"`; one that can't be shown by its name, or else as `U+0007`. */
export function showCharacter(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  if (codePoint in NAMES) return NAMES[codePoint];
  // Controls, half surrogate pairs, separators and fillers show nothing, or disturb the terminal.
  if (/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u.test(character))
    return codePointNumber(codePoint);
  if (character === '"') return "'\"'";
  // A combining mark would sit on the quote.
  return /\p{M}/u.test(character) ? `"\u25cc${character}"` : `"${character}"`;
}

/** A character with its code point: `"é" (U+00E9)`, `tab (U+0009)`, `U+0007`. */
export function describeCharacter(codePoint: number): string {
  const shown = showCharacter(codePoint);
  const number = codePointNumber(codePoint);
  return shown === number ? number : `${shown} (${number})`;
}

/** The first few of many things for a message: `a, b, c, d, e and 4 more`. */
export function listFew(items: readonly string[], most = MAX_LISTED): string {
  const listed = items.slice(0, most).join(", ");
  const left = items.length - most;
  return left > 0 ? `${listed} and ${formatCount(left)} more` : listed;
}

/** The code point of a string that is one whole character, else undefined. */
export function singleCodePoint(value: unknown): number | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const codePoint = value.codePointAt(0) as number;
  const isHalfPair = codePoint >= 0xd800 && codePoint <= 0xdfff;
  return isHalfPair || value !== String.fromCodePoint(codePoint) ? undefined : codePoint;
}

function codePointNumber(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
}
