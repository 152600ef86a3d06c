import { element, make } from "../../../report/page/script/elements.js";
import { CONTINUED, type Dependence, UNKNOWN } from "./messages.js";

/** In bits: from each of them on a character has the next class. */
const LEVELS = [1, 2, 4, 6];
/** At the end of a line, so that an empty one is as high as others. */
const NOTHING = "\u200b";
/** A dependence as strong as this, in bits, has the full colour. */
const STRONG = 1;
/** Characters of a line that get their colours together. */
const CHUNK = 200;
/** A longer text is printed without colours. */
const MAX_PRINTED = 200_000;

/**
 * A text with each character in the colour of its surprisal. Only what can be seen has an element for each character:
 * a browser would take seconds to place those of a whole book.
 */
export class ColouredText {
  readonly #shown = element("shown");
  /** What scrolls over the text. */
  readonly #frame: HTMLElement;
  #lines: Line[] = [];
  /** Of each unit of UTF-16, as the worker gives them. */
  #bits: ArrayLike<number> = [];
  #coloured: readonly Placed[] = [];
  #marks: readonly Dependence[] = [];
  #marked: HTMLElement[] = [];

  constructor(frame: HTMLElement) {
    this.#frame = frame;
    const colour = () => this.#colour(this.#visible());
    frame.addEventListener("scroll", colour);
    const observer = new ResizeObserver(colour);
    for (const each of [frame, this.#shown]) observer.observe(each);
    addEventListener("beforeprint", () => {
      this.#colour(this.#bits.length <= MAX_PRINTED ? this.#placed() : []);
    });
    addEventListener("afterprint", colour);
  }

  /**
   * Shows a text in place of the one before.
   *
   * @param bits of each unit of UTF-16, as the worker gives them
   * @param from where the texts begin to differ
   */
  show(text: string, bits: ArrayLike<number>, from: number): void {
    let [first, start] = [0, 0];
    while (first < this.#lines.length && start + this.#lines[first].text.length < from) {
      start += this.#lines[first].text.length + 1;
      first++;
    }
    const texts = text.slice(start).split("\n");
    const old = this.#lines.slice(first);
    let [before, after] = [0, 0];
    const least = Math.min(old.length, texts.length);
    while (before < least && old[before].text === texts[before]) before++;
    while (after < least - before && old.at(-1 - after)?.text === texts.at(-1 - after)) after++;
    const changed = old.slice(before, old.length - after);
    const next = old[old.length - after]?.element ?? null;
    const made = texts.slice(before, texts.length - after).map((text) => {
      const line = changed.shift() ?? new Line();
      line.show(text);
      return line;
    });
    for (const { element } of changed) element.remove();
    for (const { element } of made) {
      if (!element.parentElement) this.#shown.insertBefore(element, next);
    }
    const [head, tail] = [this.#lines.slice(0, first + before), old.slice(old.length - after)];
    this.#lines = [...head, ...made, ...tail];
    this.colour(bits);
  }

  colour(bits: ArrayLike<number>): void {
    this.#bits = bits;
    this.#colour(this.#visible());
  }

  /** Marks those characters that a prediction depends on, the stronger the more. */
  mark(depends: readonly Dependence[]): void {
    this.#marks = depends.filter(({ bits }) => bits >= STRONG / 50);
    this.#mark();
  }

  /** The place of the character at a point of the window; undefined where there is none. */
  placeAt(x: number, y: number): number | undefined {
    const spans = document.elementsFromPoint(x, y);
    for (const { chunk, start } of this.#coloured) {
      const span = spans.find((it) => it.parentElement === chunk.element);
      if (span) return start + chunk.offsetOf(span);
    }
    return undefined;
  }

  #colour(placed: readonly Placed[]): void {
    const chunks = new Set(placed.map(({ chunk }) => chunk));
    for (const { chunk } of this.#coloured) if (!chunks.has(chunk)) chunk.show();
    for (const { chunk, start } of placed) chunk.colour(this.#bits, start);
    this.#coloured = placed;
    this.#mark();
  }

  #mark(): void {
    for (const span of this.#marked) span.style.boxShadow = "";
    this.#marked = this.#marks.flatMap(({ start: place, bits }) => {
      const { chunk, start } = this.#coloured.findLast((it) => it.start <= place) ?? {};
      const span = chunk?.spanAt(place - (start as number));
      if (!span) return [];
      const strength = Math.round(100 * Math.min(0.25 + bits / STRONG, 1));
      span.style.boxShadow = `inset 0 -.2em color-mix(in srgb, var(--link) ${strength}%, transparent)`;
      return [span];
    });
  }

  #visible(): Placed[] {
    const { top, bottom } = this.#frame.getBoundingClientRect();
    const first = firstBelow(this.#lines, top);
    const end = firstBelow(this.#lines, bottom) + 1;
    return this.#placed(first, end).filter(({ chunk }) => {
      const box = chunk.element.getBoundingClientRect();
      return box.bottom > top && box.top < bottom;
    });
  }

  #placed(first = 0, end = this.#lines.length): Placed[] {
    let start = 0;
    for (const { text } of this.#lines.slice(0, first)) start += text.length + 1;
    return this.#lines.slice(first, end).flatMap(({ chunks }) => {
      const placed = chunks.map((chunk) => {
        const it = { chunk, start };
        start += chunk.text.length;
        return it;
      });
      start++;
      return placed;
    });
  }
}

/** A chunk, and where it begins in the text. */
interface Placed {
  readonly chunk: Chunk;
  readonly start: number;
}

class Line {
  readonly element = document.createElement("div");
  text = "";
  chunks: Chunk[] = [];

  show(text: string): void {
    this.text = text;
    const texts = chunksOf(text);
    let same = 0;
    const isSame = (k: number) =>
      this.chunks[k].text === texts[k] && this.chunks[k].isLast === (k === texts.length - 1);
    while (same < Math.min(this.chunks.length, texts.length) && isSame(same)) same++;
    for (const { element } of this.chunks.splice(same)) element.remove();
    for (const [k, text] of texts.entries()) {
      if (k < same) continue;
      const chunk = new Chunk(text, k === texts.length - 1);
      this.element.append(chunk.element);
      this.chunks.push(chunk);
    }
  }
}

/** A part of a line. */
class Chunk {
  readonly element = document.createElement("span");
  /** The classes of its characters, while it is coloured. */
  #classes: string | undefined;

  /** @param isLast whether the line ends after it */
  constructor(
    readonly text: string,
    readonly isLast: boolean,
  ) {
    this.show();
  }

  /** Shows it without colours. */
  show(): void {
    this.#classes = undefined;
    this.element.textContent = this.text + (this.isLast ? NOTHING : "");
  }

  colour(bits: ArrayLike<number>, start: number): void {
    const length = this.text.length + (this.isLast ? 1 : 0);
    const classes = Array.from({ length }, (_, k) => classOf(bits[start + k]));
    const key = classes.join();
    if (key === this.#classes) return;
    this.#classes = key;
    const spans: HTMLElement[] = [];
    for (let at = 0; at < this.text.length; ) {
      let end = at + 1;
      while (end < this.text.length && classes[end] === "c") end++;
      spans.push(make("span", classes[at], this.text.slice(at, end)));
      at = end;
    }
    if (this.isLast) spans.push(make("span", `end ${classes[this.text.length]}`, NOTHING));
    this.element.replaceChildren(...spans);
  }

  /** Where a character of it begins, while it is coloured. */
  offsetOf(span: Element): number {
    let offset = 0;
    for (let it = span.previousSibling; it; it = it.previousSibling) {
      offset += it.textContent?.length ?? 0;
    }
    return offset;
  }

  spanAt(offset: number): HTMLElement | undefined {
    return Array.from(this.element.children).find((span) => this.offsetOf(span) === offset) as
      | HTMLElement
      | undefined;
  }
}

/** A line in parts of about the same length; an empty one has one. */
function chunksOf(line: string): string[] {
  const chunks: string[] = [];
  let start = 0;
  do {
    let end = start + CHUNK;
    if (isInsidePair(line, end)) end++;
    chunks.push(line.slice(start, end));
    start = end;
  } while (start < line.length);
  return chunks;
}

/** The first of several lines, by number, of which something is below a height of the window. */
function firstBelow(lines: readonly Line[], height: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle].element.getBoundingClientRect().bottom > height) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** `s1` to `s4` as in a report; a letter for others. */
function classOf(bits: number | undefined): string {
  if (bits === undefined || Number.isNaN(bits)) return "n";
  if (bits === CONTINUED) return "c";
  if (bits === UNKNOWN) return "u";
  return `s${LEVELS.filter((level) => bits >= level).length}`;
}

/** Whether a place is in the middle of a character of two units of UTF-16. */
export function isInsidePair(text: string, place: number): boolean {
  return /[\uD800-\uDBFF]/.test(text[place - 1] ?? "") && /[\uDC00-\uDFFF]/.test(text[place] ?? "");
}
