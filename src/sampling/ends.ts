/** Where a text ends. */
export interface EndSettings {
  /** New characters at the most; -1: no limit. */
  readonly length: number;
  /** A text ends after any of these. */
  readonly stop?: readonly string[] | undefined;
  /** Lines of new text, the one that the prompt has begun included; the last has no newline. */
  readonly lines?: number | undefined;
  /** Sentences of new text, the one that the prompt has begun included. */
  readonly sentences?: number | undefined;
}

/** What a character is to the text that it was chosen for: a part of it, its last one, or what comes after it. */
export type Part = "inside" | "last" | "after";

const SENTENCE_ENDS = /[.!?\u2026\u3002\uff01\uff1f\u0964\u061f]/;
/** With these no space follows a sentence. */
const UNSPACED_ENDS = /[\u3002\uff01\uff1f]/;
const CLOSERS = /["'\u2019\u201d\u00bb)\]}\u300d\u300f\u3011]/;

/** Whether a sentence can end where only these characters come. */
export function sentencesEnd(characters: readonly string[]): boolean {
  const ends = characters.filter((it) => SENTENCE_ENDS.test(it));
  return ends.some((it) => UNSPACED_ENDS.test(it)) || (ends.length > 0 && characters.some(isSpace));
}

function isSpace(character: string): boolean {
  return /\s/.test(character);
}

/** Counts what a text has, and says where it ends. */
export class End {
  readonly #settings: EndSettings;
  readonly #longestStop: number;
  #written = 0;
  #lines = 0;
  #sentences = 0;
  /** The last characters, as many as the longest stop text has. */
  #tail = "";
  /** The last sentence end, if nothing but closing quotes and brackets followed it. */
  #sentenceEnd: string | undefined;

  constructor(settings: EndSettings) {
    this.#settings = settings;
    this.#longestStop = (settings.stop ?? []).reduce((most, it) => Math.max(most, it.length), 0);
  }

  /** How many characters the text may still get. */
  get left(): number {
    const { length } = this.#settings;
    return length === -1 ? Number.POSITIVE_INFINITY : length - this.#written;
  }

  /** Takes note of the next character. */
  take(character: string): Part {
    const { stop, lines, sentences } = this.#settings;
    if (lines !== undefined && character === "\n" && ++this.#lines === lines) return "after";
    if (sentences !== undefined && this.#beginsAfterSentence(character)) {
      if (++this.#sentences === sentences) return "after";
    }
    this.#written++;
    if (this.left === 0) return "last";
    if (this.#longestStop === 0) return "inside";
    this.#tail = (this.#tail + character).slice(-this.#longestStop);
    return stop?.some((text) => this.#tail.endsWith(text)) ? "last" : "inside";
  }

  /** Whether the sentence before a character has ended: `.` with a space behind it, `."` with a newline. */
  #beginsAfterSentence(character: string): boolean {
    const end = this.#sentenceEnd;
    if (SENTENCE_ENDS.test(character)) this.#sentenceEnd = character;
    else if (end !== undefined && CLOSERS.test(character)) return false;
    else this.#sentenceEnd = undefined;
    if (end === undefined || this.#sentenceEnd !== undefined) return false;
    return UNSPACED_ENDS.test(end) || isSpace(character);
  }
}
