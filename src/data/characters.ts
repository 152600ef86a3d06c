/** Speaking of single characters: how to name one, and what could stand in its place. */

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
};

/** Each character stands for nearly the same as the others of its line. */
const LOOKALIKES = [
  "'‘’‚‛′`´ʼ",
  '"“”„‟″«»',
  "-‐‑‒–—―−",
  " \t\u00a0\u2002\u2003\u2009\u200a\u202f\u3000",
  "\n\r\u0085\u2028\u2029",
  ".…·•",
  "!¡",
  "?¿",
];

const MAX_LISTED = 5;

/** A character in a message: `"é"`; one that can't be shown by its name, or else as `U+0007`. */
export function showCharacter(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  if (codePoint in NAMES) return NAMES[codePoint];
  // Controls, half surrogate pairs and separators show nothing, or disturb the terminal.
  if (/[\p{C}\p{Z}]/u.test(character)) return codePointNumber(codePoint);
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
export function listFew(items: readonly string[]): string {
  const listed = items.slice(0, MAX_LISTED).join(", ");
  const left = items.length - MAX_LISTED;
  return left > 0 ? `${listed} and ${left.toLocaleString("en")} more` : listed;
}

/**
 * Characters that could stand in place of another, the most similar first: its other case, its letter
 * without accent, similar punctuation.
 */
export function similarCharacters(codePoint: number): string[] {
  const character = String.fromCodePoint(codePoint);
  // NFKD takes letters and accents apart.
  const [base] = character.normalize("NFKD");
  const lookalikes = LOOKALIKES.find((line) => line.includes(character)) ?? "";
  const forms = [character, base].flatMap((form) => [form, form.toLowerCase(), form.toUpperCase()]);
  return [...forms, ...lookalikes].filter((similar) => similar !== character);
}

/** Whether a character is a letter, a digit, or punctuation and all else. */
export function characterKind(codePoint: number): "letter" | "digit" | "other" {
  const character = String.fromCodePoint(codePoint);
  if (/\p{L}/u.test(character)) return "letter";
  return /\p{N}/u.test(character) ? "digit" : "other";
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
