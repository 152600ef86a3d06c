/** How characters are called that can't be seen. */
const NAMES: Readonly<Record<string, string>> = {
  "\n": "newline",
  "\r": "carriage return",
  "\t": "tab",
  "\v": "vertical tab",
  "\f": "form feed",
  "\0": "null",
  "\u001b": "escape",
  " ": "space",
  "\u0085": "next line",
  "\u00a0": "no-break space",
  "\u00ad": "soft hyphen",
  "\u2002": "en space",
  "\u2003": "em space",
  "\u2009": "thin space",
  "\u200a": "hair space",
  "\u200b": "zero-width space",
  "\u200c": "zero-width non-joiner",
  "\u200d": "zero-width joiner",
  "\u200e": "left-to-right mark",
  "\u200f": "right-to-left mark",
  "\u2028": "line separator",
  "\u2029": "paragraph separator",
  "\u202f": "narrow no-break space",
  "\u2060": "word joiner",
  "\u3000": "ideographic space",
  "\ufeff": "byte order mark",
  "\ufffd": "unknown character",
  "": "end of a document",
};

/** The name of a character that can't be seen, or else its code point; undefined for one that can. */
export function nameOf(character: string): string | undefined {
  if (Object.hasOwn(NAMES, character)) return NAMES[character];
  if (!/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u.test(character)) return undefined;
  const digits = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `U+${digits}`;
}

/** A character as it is spoken of in a sentence. */
export function quotedOrNamed(character: string): string {
  return nameOf(character) ?? `"${character}"`;
}
