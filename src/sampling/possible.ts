import type { Vocabulary } from "../data/vocabulary.js";
import { CharnnError, shortened } from "../errors.js";
import { DOCUMENT_END, NEWLINE } from "../text.js";
import { type EndSettings, sentencesEnd } from "./ends.js";
import type { Rule } from "./rules/rule.js";

/** What can come in a text of a model, and why all else can't. */
export class Possible {
  readonly #vocabulary: Vocabulary;
  readonly #rules: readonly Rule[];

  constructor(vocabulary: Vocabulary, rules: readonly Rule[]) {
    this.#vocabulary = vocabulary;
    this.#rules = rules;
  }

  /**
   * Refuses ends that end every text, or none.
   *
   * @throws CharnnError `INVALID_SETTING`
   */
  refuseEnds({ stop = [], lines, sentences }: Omit<EndSettings, "length">): void {
    for (const text of stop) this.#refuseStop(text);
    if (lines !== undefined) this.#refuseLines();
    if (sentences !== undefined) this.#refuseSentences();
  }

  /**
   * Refuses words that no text can contain.
   *
   * @param length the most characters of a text; -1: no limit
   * @throws CharnnError `INVALID_SETTING`
   */
  refuseInclude(words: readonly string[], length: number): void {
    for (const word of words) {
      if (word === "") throw invalid("include", "include is empty, which every text contains.");
      const characters = Array.from(word).length;
      const isTooLong = length !== -1 && characters > length;
      const why = isTooLong
        ? `it has ${characters} characters, and ${length} are to be written`
        : this.#whyNot(word);
      if (why !== undefined) throw cantCome("include", word, why);
    }
  }

  #refuseStop(stop: string): void {
    if (stop === "") {
      throw invalid("stop", "stop is empty, which would end a text before it begins.");
    }
    const why = this.#whyNot(stop);
    if (why === undefined) return;
    const typed = stop.includes("\\n") ? " A newline is typed as `stop: $'\\n'`." : "";
    throw cantCome("stop", stop, why, typed);
  }

  #refuseLines(): void {
    if (this.#vocabulary.indexOf(NEWLINE) === undefined) {
      throw invalid(
        "lines",
        "lines can't be counted: the model was trained on a text without line breaks.",
        "Leave out `lines`, or use `sentences`.",
      );
    }
    const rule = this.#ruleAgainst(NEWLINE);
    if (!rule) return;
    throw invalid(
      "lines",
      `lines can't be counted: ${rule.setting} leaves out line breaks.`,
      "Allow them, or leave out `lines`.",
    );
  }

  #refuseSentences(): void {
    const known = [...this.#vocabulary.codePoints()].filter((it) => it !== DOCUMENT_END);
    const written = known.filter((codePoint) => !this.#ruleAgainst(codePoint));
    if (sentencesEnd(written.map((it) => String.fromCodePoint(it)))) return;
    throw invalid(
      "sentences",
      written.length < known.length
        ? "sentences can't be counted: the limits leave out the characters that end one."
        : "sentences can't be counted: the model knows no character that ends one.",
      "Leave out `sentences`, or use `lines`.",
    );
  }

  /** Why a text can't come, where that is sure. */
  #whyNot(text: string): string | undefined {
    for (const character of text) {
      const codePoint = character.codePointAt(0) as number;
      const named = JSON.stringify(character);
      if (this.#vocabulary.indexOf(codePoint) === undefined) {
        return `the model does not know the character ${named}`;
      }
      const rule = this.#ruleAgainst(codePoint);
      if (rule) return `${rule.setting} leaves out the character ${named}`;
    }
    return undefined;
  }

  #ruleAgainst(codePoint: number): Rule | undefined {
    return this.#rules.find((rule) => rule.permits?.(codePoint) === false);
  }
}

function cantCome(setting: string, text: string, why: string, hint = ""): CharnnError {
  return invalid(
    setting,
    `${setting} ${JSON.stringify(shortened(text))} can't come: ${why}.`,
    `Leave it out, or give one that the model can write.${hint}`,
  );
}

function invalid(setting: string, message: string, hint?: string): CharnnError {
  return new CharnnError("INVALID_SETTING", message, hint, { setting });
}
