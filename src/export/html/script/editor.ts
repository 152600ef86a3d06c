import { element } from "../../../report/page/script/elements.js";
import { ColouredText, isInsidePair } from "./coloured-text.js";
import type { Version } from "./history.js";
import { CONTINUED, type Dependence, UNKNOWN, UNPREDICTED } from "./messages.js";

/**
 * The text box, and behind its transparent letters the same text with each character in the colour of its surprisal:
 * a text box can't have colours of its own.
 */
export class Editor {
  readonly box = element<HTMLTextAreaElement>("text");
  readonly #frame = element("editor");
  readonly #coloured = new ColouredText(this.#frame);
  #text = "";
  /** Of each unit of UTF-16, as the worker gives them. */
  #bits: number[] = [];

  constructor() {
    // Browsers may keep what was typed when a page is loaded again.
    this.#text = this.box.value;
    this.#bits = unreadBits(this.#text);
    this.#show(0);
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
    this.#show(start);
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
    this.#show(start);
    if (isAtEnd) this.#frame.scrollTop = this.#frame.scrollHeight;
  }

  finish(): void {
    this.box.value = this.#text;
    this.box.setSelectionRange(this.#text.length, this.#text.length);
  }

  /** Colours the text. */
  colour(bits: Float32Array): void {
    this.#bits = Array.from(bits);
    this.#coloured.colour(this.#bits);
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
    this.#coloured.mark(depends);
  }

  /** The place of the character at a point of the window; undefined where there is none. */
  placeAt(x: number, y: number): number | undefined {
    return this.#coloured.placeAt(x, y);
  }

  #show(from: number): void {
    this.#coloured.show(this.#text, this.#bits, from);
  }
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
