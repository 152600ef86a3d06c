import { CharnnError } from "../errors.js";

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
    return UNSPACED_ENDS.test(end) || /\s/.test(character);
  }
}

/**
 * Refuses stop texts that end every text or none.
 *
 * @param isKnown whether the model knows a character
 * @throws CharnnError `INVALID_SETTING`
 */
export function refuseStops(
  stops: readonly string[],
  isKnown: (codePoint: number) => boolean,
): void {
  for (const stop of stops) {
    if (stop === "") {
      throw invalidStop("stop is empty, which would end a text before it begins.");
    }
    const lacking = Array.from(stop).find((it) => !isKnown(it.codePointAt(0) as number));
    if (lacking === undefined) continue;
    const typed = stop.includes("\\n") ? " A newline is typed as `stop: $'\\n'`." : "";
    throw invalidStop(
      `stop ${JSON.stringify(stop)} can't come: the model does not know the character ${JSON.stringify(lacking)}.`,
      `Leave it out, or give one that the model can write.${typed}`,
    );
  }
}

function invalidStop(message: string, hint?: string): CharnnError {
  return new CharnnError("INVALID_SETTING", message, hint, { setting: "stop" });
}
