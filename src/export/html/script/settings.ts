import { element } from "../../../report/page/script/elements.js";
import type { WriteSettings } from "./messages.js";

/** Random seeds that are drawn are below this: few digits to write down. */
const DRAWN_SEEDS = 1_000_000;

/** The fields by which a text is written. */
export class SettingsForm {
  readonly #form = element<HTMLFormElement>("settings");
  readonly #seed = element<HTMLInputElement>("seed");
  readonly #isNew = element<HTMLInputElement>("new-seed");

  constructor() {
    for (const range of this.#form.querySelectorAll<HTMLInputElement>("input[type=range]")) {
      const shown = element(`${range.id}-value`);
      const show = () => {
        shown.textContent = Number(range.value).toFixed(2);
      };
      range.addEventListener("input", show);
      show();
    }
    this.#seed.addEventListener("input", () => {
      this.#isNew.checked = false;
    });
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    if (this.#seed.value === "") this.#draw();
  }

  /** What is to be written now; undefined where a field has something wrong in it, which the browser then says. */
  settings(): WriteSettings | undefined {
    if (this.#isNew.checked) this.#draw();
    if (!this.#form.reportValidity()) return undefined;
    const numberIn = (id: string) => Number(element<HTMLInputElement>(id).value);
    return {
      length: numberIn("length"),
      temperature: numberIn("temperature"),
      topP: numberIn("top-p"),
      minP: numberIn("min-p"),
      randomSeed: numberIn("seed"),
    };
  }

  #draw(): void {
    this.#seed.value = String(Math.floor(Math.random() * DRAWN_SEEDS));
  }
}
