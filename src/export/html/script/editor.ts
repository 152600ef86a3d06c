import { element } from "../../../report/page/script/elements.js";
import type { Version } from "./history.js";
import { CONTINUED, type Dependence, UNKNOWN, UNPREDICTED } from "./messages.js";

/** In bits: from each of them on a character has the next class. */
const LEVELS = [1, 2, 4, 6];
/** At the end of a line, so that an empty one is as high as others. */
const NOTHING = "\u200b";
/** A dependence as strong as this, in bits, has the full colour. */
const STRONG = 1;

/** A line as it is shown. */
interface Line {
  readonly text: string;
  /** Its text, and the classes of its characters. */
  readonly key: string;
  readonly element: HTMLElement;
}

/**
 * The text box, and behind its transparent letters the same text with each character in the colour of its surprisal:
 * a text box can't have colours of its own.
 */
export class Editor {
  readonly box = element<HTMLTextAreaElement>("text");
  readonly #frame = element("editor");
  readonly #shown = element("shown");
  #text = "";
  /** Of each unit of UTF-16, as the worker gives them. */
  #bits: number[] = [];
  #lines: Line[] = [];
  #marked: HTMLElement[] = [];

  constructor() {
    // Browsers may keep what was typed when a page is loaded again.
    this.#text = this.box.value;
    this.#bits = unreadBits(this.#text);
    this.#render(0);
  }

  get text(): string {
    return this.#text;
  }

  get caret(): number {
    return this.box.selectionEnd;
  }

  get version(): Version {
    return { text: this.#text, caret: this.caret };
  }

  /** Takes what stands in the text box. */
  readBox(): void {
    const { value } = this.box;
    const start = commonStart(this.#text, value);
    const most = Math.min(this.#text.length, value.length) - start;
    const end = commonEnd(this.#text, value, most);
    const changed = value.slice(start, value.length - end);
    this.#bits = [
      ...this.#bits.slice(0, start),
      ...unreadBits(changed),
      ...this.#bits.slice(this.#text.length - end),
    ];
    this.#text = value;
    this.#render(start);
  }

  /** Puts another text into the box. */
  show({ text, caret }: Version): void {
    this.box.value = text;
    this.box.setSelectionRange(caret, caret);
    this.readBox();
  }

  /** Puts characters in the place of what is selected. */
  insert(characters: string): void {
    const { selectionStart, selectionEnd } = this.box;
    this.box.setRangeText(characters, selectionStart, selectionEnd, "end");
    this.readBox();
  }

  /** Shows more of a text that is being written; the box gets it when {@link finish} is called. */
  append(text: string, bits: Iterable<number>): void {
    const isAtEnd =
      this.#frame.scrollTop + this.#frame.clientHeight > this.#frame.scrollHeight - 30;
    const start = this.#text.length;
    this.#text += text;
    for (const each of bits) this.#bits.push(each);
    this.#render(start);
    if (isAtEnd) this.#frame.scrollTop = this.#frame.scrollHeight;
  }

  finish(): void {
    this.box.value = this.#text;
    this.box.setSelectionRange(this.#text.length, this.#text.length);
  }

  /** Colours the text. */
  colour(bits: Float32Array): void {
    this.#bits = Array.from(bits);
    this.#render(0);
  }

  /** The surprisal of the character at a place; undefined where it is not known. */
  bitsAt(place: number): number | undefined {
    const bits = this.#bits[place];
    return bits >= 0 && bits < UNKNOWN ? bits : undefined;
  }

  /** The character at a place. */
  characterAt(place: number): string {
    return String.fromCodePoint(this.#text.codePointAt(place) as number);
  }

  /** Those that the model does not know, each once. */
  get unknown(): string[] {
    const characters = new Set<string>();
    for (const [place, bits] of this.#bits.entries()) {
      if (bits === UNKNOWN) characters.add(this.characterAt(place));
    }
    return [...characters];
  }

  /** Marks those characters that a prediction depends on, the stronger the more. */
  mark(depends: readonly Dependence[]): void {
    for (const span of this.#marked) span.style.boxShadow = "";
    this.#marked = depends.flatMap(({ start, bits }) => {
      const span = this.#spanAt(start);
      if (!span || bits < STRONG / 50) return [];
      const strength = Math.round(100 * Math.min(0.25 + bits / STRONG, 1));
      span.style.boxShadow = `inset 0 -.2em color-mix(in srgb, var(--link) ${strength}%, transparent)`;
      return [span];
    });
  }

  /** The place of the character at a point of the window; undefined where there is none. */
  placeAt(x: number, y: number): number | undefined {
    const span = document
      .elementsFromPoint(x, y)
      .find((it) => it instanceof HTMLElement && it.parentElement?.parentElement === this.#shown);
    if (!span) return undefined;
    let place = 0;
    for (const { text, element } of this.#lines) {
      if (element === span.parentElement) break;
      place += text.length + 1;
    }
    for (let it = span.previousSibling; it; it = it.previousSibling) {
      place += it.textContent?.length ?? 0;
    }
    return place;
  }

  #spanAt(place: number): HTMLElement | undefined {
    let left = place;
    const line = this.#lines.find(({ text }) => {
      const isIn = left <= text.length;
      if (!isIn) left -= text.length + 1;
      return isIn;
    });
    let span = line?.element.firstElementChild;
    for (; span; span = span.nextElementSibling) {
      if (left === 0) return span as HTMLElement;
      left -= span.textContent?.length ?? 0;
    }
    return undefined;
  }

  /** Makes the lines again in which something has changed. */
  #render(from: number): void {
    let [first, start] = [0, 0];
    while (first < this.#lines.length && start + this.#lines[first].text.length < from) {
      start += this.#lines[first].text.length + 1;
      first++;
    }
    // What was before the change may have ended a line.
    if (start > this.#text.length) [first, start] = [0, 0];
    const old = this.#lines.slice(first);
    const texts = this.#text.slice(start).split("\n");
    const made = texts.map((text, k): Line | { text: string; key: string; start: number } => {
      const hasEnd = k < texts.length - 1;
      const key = `${text}\n${this.#classes(start, text.length + (hasEnd ? 1 : 0))}`;
      const line = { text, key, start };
      start += text.length + 1;
      return line;
    });
    let [before, after] = [0, 0];
    const least = Math.min(old.length, made.length);
    while (before < least && old[before].key === made[before].key) before++;
    while (after < least - before && old.at(-1 - after)?.key === made.at(-1 - after)?.key) after++;
    for (const { element } of old.slice(before, old.length - after)) element.remove();
    const next = after > 0 ? old[old.length - after].element : null;
    const fresh = made.slice(before, made.length - after).map((line) => {
      const { text, key, start } = line as { text: string; key: string; start: number };
      return { text, key, element: this.#lineElement(text, start) };
    });
    for (const { element } of fresh) this.#shown.insertBefore(element, next);
    const kept = after > 0 ? old.slice(-after) : [];
    this.#lines = [...this.#lines.slice(0, first), ...old.slice(0, before), ...fresh, ...kept];
  }

  /** The classes of characters, a letter each. */
  #classes(start: number, length: number): string {
    let classes = "";
    for (let place = start; place < start + length; place++) classes += classOf(this.#bits[place]);
    return classes;
  }

  #lineElement(text: string, start: number): HTMLElement {
    const line = document.createElement("div");
    for (let at = 0; at < text.length; ) {
      let length = 1;
      while (this.#bits[start + at + length] === CONTINUED && at + length < text.length) length++;
      line.append(spanOf(text.slice(at, at + length), classOf(this.#bits[start + at])));
      at += length;
    }
    const end = classOf(this.#bits[start + text.length]);
    line.append(spanOf(NOTHING, `end ${end}`));
    return line;
  }
}

function spanOf(text: string, className: string): HTMLElement {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

/** `s1` to `s4` as in a report; a letter for others. */
function classOf(bits: number | undefined): string {
  if (bits === undefined || Number.isNaN(bits)) return "n";
  if (bits === CONTINUED) return "c";
  if (bits === UNKNOWN) return "u";
  return `s${LEVELS.filter((level) => bits >= level).length}`;
}

/** Of characters that were not read yet. */
function unreadBits(text: string): number[] {
  return Array.from(text, (it) => [UNPREDICTED, CONTINUED].slice(0, it.length)).flat();
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return isInsidePair(b, length) || isInsidePair(a, length) ? length - 1 : length;
}

function commonEnd(a: string, b: string, most: number): number {
  let length = 0;
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
  return isInsidePair(b, b.length - length) || isInsidePair(a, a.length - length)
    ? length - 1
    : length;
}

/** Whether a place is in the middle of a character of two units. */
function isInsidePair(text: string, place: number): boolean {
  return /[\uD800-\uDBFF]/.test(text[place - 1] ?? "") && /[\uDC00-\uDFFF]/.test(text[place] ?? "");
}
