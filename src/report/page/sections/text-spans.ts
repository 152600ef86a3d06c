import { type Html, html } from "../html.js";

/** What stands for a control character: few fonts have pictures of them. */
const UNSEEN = "\u00b7";

/**
 * A text with an element for each character.
 *
 * @param classOf of the character at a position; empty for none
 */
export function textSpans(
  characters: readonly string[],
  classOf: (position: number) => string = () => "",
): Html[] {
  return characters.map((character, position) => {
    const isUnseen = /[^\P{Cc}\n\t]/u.test(character);
    const names = [classOf(position), isUnseen ? "unseen" : ""].filter(Boolean).join(" ");
    const shown = isUnseen ? UNSEEN : character;
    return names ? html`<span class="${names}">${shown}</span>` : html`<span>${shown}</span>`;
  });
}

/** A text with its line ends as newlines, whichever they are, and control characters as above. */
export function readable(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(/[^\P{Cc}\n\t]/gu, UNSEEN);
}
