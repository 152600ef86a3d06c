import { quotedOrNamed } from "../../../report/page/script/character-names.js";
import { element, make } from "../../../report/page/script/elements.js";
import { ExpectedList } from "./expected-list.js";
import type { Dependence, Expected } from "./messages.js";

const EXPECTED = 8;
const DEPENDENCES = 5;

/** What is expected at a place of the text, and which earlier characters that depends on. */
export class PredictionPanel {
  readonly #expected: ExpectedList;

  /** @param onTake called with a character that was chosen */
  constructor(onTake: (character: string) => void) {
    this.#expected = new ExpectedList(EXPECTED, onTake);
  }

  /** The likeliest character that can be taken; undefined where nothing is predicted. */
  get likeliest(): string | undefined {
    return this.#expected.likeliest;
  }

  /** Whether what is shown is not that of the text as it is now. */
  set isBusy(value: boolean) {
    element("next").setAttribute("aria-busy", String(value));
  }

  /** Shows what may come where the caret is. */
  showNext(expected: readonly Expected[], isAtEnd: boolean): void {
    const where = isAtEnd ? "at the end of the text" : "at the caret";
    element("expected-title").textContent = "Next character";
    element("place").textContent =
      expected.length > 0 ? where : "Nothing is predicted before the first character.";
    this.#expected.show(expected);
  }

  /** Shows what was expected in the place of a character, and its surprisal in bits. */
  showCame(expected: readonly Expected[], character: string, bits: number): void {
    element("expected-title").textContent = "Expected here";
    element("place").textContent = `${quotedOrNamed(character)} came: ${bits.toFixed(2)} bits`;
    this.#expected.show(expected, { character, probability: 2 ** -bits });
  }

  /**
   * Names the characters that a prediction depends on most.
   *
   * @param depends those that matter most come first
   * @param place where the prediction is
   */
  showDepends(depends: readonly Dependence[], text: string, place: number): void {
    const items = depends.slice(0, DEPENDENCES).map(({ start, bits }) => {
      const characters = Array.from(text.slice(start, place));
      const where = characters.length === 1 ? "the last one" : `${characters.length} back`;
      const item = make("li", "");
      item.append(
        make("b", "", quotedOrNamed(characters[0])),
        ` ${where}: ${bits.toFixed(2)} bits`,
      );
      return item;
    });
    element("depends").replaceChildren(...items);
    element("depends-none").hidden = items.length > 0;
  }
}
