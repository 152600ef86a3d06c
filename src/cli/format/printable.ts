/**
 * What a terminal obeys or does not show: controls but tab and newline, separators of lines and
 * paragraphs, marks of direction, characters without width, and halves of surrogate pairs. The signs of
 * Arabic and Syriac that stand before numbers are formats too, but can be seen.
 */
const UNSEEN =
  /(?![\t\n\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;
/** More characters than any of charnn's own messages has, but for long paths. */
const MAX_MESSAGE_LENGTH = 1_000;

/** Text with the characters that a terminal obeys or does not show written out: `\x1b`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNSEEN, writtenOut);
}

/** The same for a text that is to stay in one line: newlines are written out too. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n");
}

/** A message in one line, without its middle where a file's content made it too long to be read. */
export function printableMessage(text: string): string {
  const line = printableLine(text);
  if (line.length <= MAX_MESSAGE_LENGTH) return line;
  const half = MAX_MESSAGE_LENGTH / 2;
  // A character outside the basic plane has two halves, which stay together.
  return `${line.slice(0, half).replace(/[\ud800-\udbff]$/, "")} ... ${line.slice(-half).replace(/^[\udc00-\udfff]/, "")}`;
}

function writtenOut(character: string): string {
  const code = character.codePointAt(0) as number;
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\u{${digits}}`;
}
