import { printable, printableLine } from "../format/printable.js";

/** A text with a style of its own, such as one of chalk's. */
export interface Styled {
  readonly text: string;
  readonly style: (printable: string) => string;
}

/** What is written to a terminal. Only a style can hold characters that a terminal obeys. */
export type Piece = string | Styled;

export function styled(style: (printable: string) => string, text: string): Styled {
  return { text, style };
}

/** Several pieces as one, for one line. */
export function together(pieces: readonly Piece[]): Styled {
  return styled(() => shownLine(pieces), "");
}

/** Goes back to the start of the line, to cover what stands there. */
export const TO_LINE_START: Styled = styled(() => "\r", "");

/** Pieces as a terminal is to show them in one line. */
export function shownLine(pieces: readonly Piece[]): string {
  return shownBy(printableLine, pieces);
}

/** Pieces as a terminal is to show them. */
export function shownText(pieces: readonly Piece[]): string {
  return shownBy(printable, pieces);
}

/** Pieces for a program to read: nothing is written out but in styled text, which is for people. */
export function exactText(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === "string" ? piece : shownText([piece]))).join("");
}

function shownBy(show: (text: string) => string, pieces: readonly Piece[]): string {
  return pieces
    .map((piece) => (typeof piece === "string" ? show(piece) : piece.style(show(piece.text))))
    .join("");
}
