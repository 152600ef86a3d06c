/** Samples along the loss curve: that of a step of each run, side by side. */
import type { ListChange, RunData } from "./data.js";
import { element, make } from "./elements.js";
import type { SampleMarks } from "./marks.js";
import { runLabel } from "./run-style.js";

interface Sample {
  readonly run: number;
  readonly step: number;
  /** On the horizontal axis of the charts. */
  readonly place: number;
  readonly text: string;
}

/** What the samples are shown by. */
export interface SamplesOptions {
  readonly runs: () => readonly RunData[];
  readonly placeOf: (run: number, step: number) => number;
  /** Called with where the samples are. */
  readonly onMarks: (marks: SampleMarks) => void;
}

export class Samples {
  readonly #options: SamplesOptions;
  readonly #slider = element<HTMLInputElement>("sample-step");
  #samples: Sample[] = [];
  #places: number[] = [];
  /** The place that the reader chose; each run's best step as long as there is none. */
  #chosen: number | undefined;
  #key = "";

  constructor(options: SamplesOptions) {
    this.#options = options;
    this.#slider.addEventListener("input", () => {
      this.#chosen = this.#places[Number(this.#slider.value)];
      this.#show(this.#chosen);
    });
    element("sample-best").addEventListener("click", () => {
      this.#chosen = undefined;
      this.#show(undefined);
    });
    this.refresh();
  }

  /** Reads the samples of the page again, and places them on the axis of the charts. */
  refresh(): void {
    const items = [...element("samples-body").querySelectorAll("li")];
    this.#samples = items.map((item) => {
      const [run, step] = [Number(item.dataset.run), Number(item.dataset.step)];
      const text = item.querySelector("pre")?.textContent ?? "";
      return { run, step, place: this.#options.placeOf(run, step), text };
    });
    this.#places = [...new Set(this.#samples.map(({ place }) => place))].sort((a, b) => a - b);
    this.#slider.max = String(Math.max(this.#places.length - 1, 0));
    element("samples-none").hidden = items.length > 0;
    element("samples-some").hidden = items.length === 0;
    element("samples-count").textContent = String(items.length);
    this.#key = "";
    this.#show(this.#chosen);
  }

  /** Takes the end of the list that is new. */
  change({ from, items }: ListChange): void {
    const body = element("samples-body");
    for (const child of [...body.children].slice(from)) child.remove();
    body.insertAdjacentHTML("beforeend", items.join(""));
    this.refresh();
  }

  /** Shows what was written at a place or before; undefined for what the reader has chosen. */
  point(place: number | undefined): void {
    this.#show(place ?? this.#chosen);
  }

  /** Begins again with the best, as on another axis. */
  reset(): void {
    this.#chosen = undefined;
    this.refresh();
  }

  #show(place: number | undefined): void {
    const runs = this.#options.runs();
    const shown = runs.map((_, run) => this.#sampleAt(run, place));
    const key = JSON.stringify([place === undefined, shown.map((sample) => sample?.step)]);
    if (key === this.#key) return;
    this.#key = key;
    const cards = runs.map((data, run) => cardOf(data, run, shown[run]));
    element("samples-shown").replaceChildren(...cards);
    const places = shown.flatMap((sample) => sample?.place ?? []);
    const last = Math.max(...places);
    if (places.length > 0) this.#slider.value = String(this.#places.indexOf(last));
    const steps = shown.map((sample) => `step ${sample?.step.toLocaleString("en") ?? "none"}`);
    this.#slider.setAttribute("aria-valuetext", steps.join(", "));
    const marks = shown.flatMap((sample) => sample ?? []);
    this.#options.onMarks({ places: this.#places, shown: marks });
  }

  /** The last sample of a run up to a place or its best step, or else its first. */
  #sampleAt(run: number, place: number | undefined): Sample | undefined {
    const own = this.#samples.filter((sample) => sample.run === run);
    const best = this.#options.runs()[run].best?.step ?? Number.POSITIVE_INFINITY;
    const isUpTo = (sample: Sample) =>
      place === undefined ? sample.step <= best : sample.place <= place;
    return own.findLast(isUpTo) ?? own[0];
  }
}

function cardOf({ name, best }: RunData, run: number, sample: Sample | undefined): HTMLElement {
  const card = make("article", "card");
  card.dataset.run = String(run);
  const isBest = sample !== undefined && sample.step === best?.step;
  const step = sample
    ? `, step ${sample.step.toLocaleString("en")}${isBest ? ", the best" : ""}`
    : "";
  const title = make("p", "");
  title.append(runLabel(name, run), make("span", "", step));
  card.append(title, make("pre", "", sample?.text ?? ""));
  return card;
}
