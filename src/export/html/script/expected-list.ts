import { nameOf, quotedOrNamed } from "../../../report/page/script/character-names.js";
import { element, make } from "../../../report/page/script/elements.js";
import type { Expected } from "./messages.js";

/** The likeliest next characters as bars, each a button that takes it. */
export class ExpectedList {
  readonly #list = element("expected");
  readonly #rows: { button: HTMLButtonElement; bar: HTMLElement; parts: HTMLElement[] }[];
  #shown: readonly Expected[] = [];

  /** @param onTake called with the character of a row that was chosen */
  constructor(rows: number, onTake: (character: string) => void) {
    this.#rows = Array.from({ length: rows }, (_, row) => {
      const button = make("button", "row") as HTMLButtonElement;
      button.type = "button";
      const [name, track, bar, percent] = ["name", "track", "bar", "percent"].map((it) =>
        make("span", it),
      );
      track.append(bar, percent);
      button.append(name, track);
      // The caret stays where it is.
      button.addEventListener("pointerdown", (event) => event.preventDefault());
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => {
        const { character } = this.#shown[row] ?? {};
        if (character) onTake(character);
      });
      return { button, bar, parts: [name, percent] };
    });
    for (const { button } of this.#rows) {
      const item = make("li", "");
      item.append(button);
      this.#list.append(item);
    }
    this.show([]);
  }

  /** The likeliest character that can be taken; undefined where nothing is predicted. */
  get likeliest(): string | undefined {
    return this.#shown[0]?.character || undefined;
  }

  /** @param came what stands in the text there, and its probability: shown last where it is not among the others */
  show(expected: readonly Expected[], came?: Expected): void {
    const isAmong = expected.some(({ character }) => character === came?.character);
    this.#shown = came && !isAmong ? [...expected.slice(0, this.#rows.length - 1), came] : expected;
    for (const [row, { button, bar, parts }] of this.#rows.entries()) {
      const shown: Expected | undefined = this.#shown[row];
      button.style.visibility = shown ? "" : "hidden";
      if (!shown) continue;
      const { character, probability } = shown;
      const percent = inPercent(probability);
      const hasCome = character === came?.character;
      button.className = hasCome ? "row came" : "row";
      button.disabled = character === "";
      button.setAttribute(
        "aria-label",
        `${quotedOrNamed(character)}, ${percent}${hasCome ? ", came" : ""}`,
      );
      parts[0].textContent = nameOf(character) ?? character;
      parts[1].textContent = percent;
      bar.style.width = `${(70 * probability).toFixed(1)}%`;
    }
  }
}

function inPercent(probability: number): string {
  if (probability < 0.001) return "under 0.1 %";
  return `${(100 * probability).toFixed(probability < 0.0995 ? 1 : 0)} %`;
}
