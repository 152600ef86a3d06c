import type { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import type { Random } from "../random.js";
import type { ChooseToken } from "./distribution.js";
import { End, type EndSettings } from "./ends.js";
import type { Prompt, Rule, TextRule } from "./rules/rule.js";
import { roleOf } from "./rules/word-list.js";

/**
 * A model that reads a text on and on hardly ever starts from a state of zero, and writes its first
 * words badly from there. Without a prompt it writes this much unseen first, and then to the line's end.
 */
const SETTLING_CHARACTERS = 100;
/** A text whose lines are long, or which has none, is begun anyway after this many. */
const MAX_SETTLING_CHARACTERS = 500;
/** Characters of a text that an error shows. */
const SHOWN_CHARACTERS = 20;

/** How each text of a sampling is written. */
export interface StreamSettings extends EndSettings {
  /** Several: one for each character of a word in turn, from its first on. */
  readonly temperature: number | readonly number[];
  readonly rules?: readonly Rule[];
  /** The token that ends the text where the model chooses it. */
  readonly documentEnd?: number | undefined;
  /** Whether {@link TextStream.surprisal} is kept. */
  readonly measures?: boolean;
}

/** One of the texts that are written. */
export class TextStream {
  /** Nothing more comes. */
  ended: boolean;
  /** The token chosen last, which the model reads next. */
  token = 0;
  /** Characters that were chosen for the text, with the one that ended it, where it is not written. */
  chosen = 0;
  /** Of all these together, by what the model itself predicts: nats. */
  surprisal = 0;
  /** Characters chosen unseen until the state has settled; undefined afterwards. */
  #settling: number | undefined;
  /** Letters of the word that the text is in. */
  #letters = 0;
  /** The end of the text, for an error. */
  #shown: string;
  readonly #vocabulary: Vocabulary;
  readonly #settings: StreamSettings;
  readonly #choose: ChooseToken;
  readonly #random: Random;
  readonly #rules: readonly TextRule[];
  readonly #forbidden: Uint8Array;
  readonly #end: End;

  /**
   * @param shared made once for all streams: what chooses, and room for what is forbidden
   * @throws CharnnError `INVALID_SETTING` where a rule leaves nothing that continues the prompt
   */
  constructor(
    vocabulary: Vocabulary,
    settings: StreamSettings,
    prompt: Prompt,
    random: Random,
    shared: { readonly choose: ChooseToken; readonly forbidden: Uint8Array },
    settles: boolean,
  ) {
    this.#vocabulary = vocabulary;
    this.#settings = settings;
    this.#choose = shared.choose;
    this.#forbidden = shared.forbidden;
    this.#random = random;
    this.#rules = (settings.rules ?? []).map((rule) => rule.begin(prompt));
    this.#end = new End(settings);
    this.#settling = settles ? 0 : undefined;
    this.#shown = prompt.text.slice(-SHOWN_CHARACTERS);
    if (typeof settings.temperature !== "number") {
      for (const character of prompt.text) this.#countLetters(character);
    }
    this.ended = settings.length === 0 || this.#isComplete();
  }

  /**
   * Chooses the next token.
   *
   * @param logits of several texts, where those of this one begin at `start`; overwritten. Undefined where
   *   there are none yet: the first token is left to chance
   * @returns the character that is written; `""` for one that is not seen
   */
  next(logits: Float32Array | undefined, start: number): string {
    const { unknown, size } = this.#vocabulary;
    const end = this.#settings.documentEnd;
    // A model of running text knows one where it began with the weights of another model.
    const neverEnd = end === undefined ? this.#vocabulary.documentEnd : undefined;
    const isSeen = this.#settling === undefined;
    if (!logits) {
      do this.token = this.#random.below(unknown ?? size);
      while (this.token === neverEnd);
    } else {
      const normalizer = this.#settings.measures ? logSumExp(logits, start, size) : 0;
      // It is read, but never written.
      if (unknown !== undefined) logits[start + unknown] = Number.NEGATIVE_INFINITY;
      if (neverEnd !== undefined) logits[start + neverEnd] = Number.NEGATIVE_INFINITY;
      if (isSeen && this.#rules.length > 0) this.#applyRules(logits, start);
      this.token = this.#choose(logits, start, this.#random, this.#temperature());
      if (isSeen) this.surprisal += normalizer - logits[start + this.token];
    }
    if (isSeen) this.chosen++;
    if (this.token === end) {
      this.ended = true;
      return "";
    }
    const character = this.#vocabulary.characterAt(this.token);
    return isSeen ? this.#write(character) : this.#settle(character);
  }

  #settle(character: string): "" {
    const characters = (this.#settling as number) + 1;
    const lineEnds = character === "\n" && characters >= SETTLING_CHARACTERS;
    const isSettled = lineEnds || characters >= MAX_SETTLING_CHARACTERS;
    this.#settling = isSettled ? undefined : characters;
    return "";
  }

  #write(character: string): string {
    const { left } = this.#end;
    const endsBefore = this.#rules.some((rule) => rule.endsBefore?.(this.token, left));
    const part = endsBefore ? "after" : this.#end.take(character);
    if (part === "after") {
      this.ended = true;
      return "";
    }
    this.#shown = (this.#shown + character).slice(-SHOWN_CHARACTERS);
    this.#countLetters(character);
    for (const rule of this.#rules) rule.wrote(this.token);
    this.ended = part === "last" || this.#isComplete();
    return character;
  }

  #isComplete(): boolean {
    return this.#rules.some((rule) => rule.isComplete?.());
  }

  #temperature(): number {
    const { temperature } = this.#settings;
    return typeof temperature === "number"
      ? temperature
      : temperature[this.#letters % temperature.length];
  }

  #countLetters(character: string): void {
    if (typeof this.#settings.temperature === "number") return;
    const isOther = roleOf(character.codePointAt(0) as number) === "other";
    this.#letters = isOther ? 0 : this.#letters + 1;
  }

  /** Overwrites the logits of what must not come by minus infinity. */
  #applyRules(logits: Float32Array, start: number): void {
    const forbidden = this.#forbidden;
    const { left } = this.#end;
    forbidden.fill(0);
    for (const rule of this.#rules) rule.forbid(forbidden, left);
    let isAnyAllowed = false;
    for (let token = 0; token < forbidden.length; token++) {
      if (forbidden[token]) logits[start + token] = Number.NEGATIVE_INFINITY;
      else if (token !== this.#vocabulary.unknown) isAnyAllowed = true;
    }
    if (!isAnyAllowed) throw this.#nothingAllowed();
  }

  #nothingAllowed(): CharnnError {
    const settings = (this.#settings.rules ?? []).map(({ setting }) => setting);
    const [last, ...others] = settings.reverse();
    const named =
      others.length > 0 ? `${others.reverse().join(", ")} and ${last} leave` : `${last} leaves`;
    const where = this.#shown === "" ? "begin the text" : `follow ${JSON.stringify(this.#shown)}`;
    return new CharnnError(
      "NOTHING_ALLOWED",
      `${named} no character that can ${where}.`,
      "Loosen the limit, or try another random seed.",
    );
  }
}

/** The logarithm of the sum of e^logit. */
function logSumExp(logits: Float32Array, start: number, size: number): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + size; i++) if (logits[i] > highest) highest = logits[i];
  let sum = 0;
  for (let i = start; i < start + size; i++) sum += Math.exp(logits[i] - highest);
  return highest + Math.log(sum);
}
