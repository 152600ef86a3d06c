import type { Tokens } from "../../data/vocabulary.js";

/** The text that is continued. */
export interface Prompt {
  readonly text: string;
  /** Its characters, those that the model does not know as the vocabulary's unknown one. */
  readonly tokens: Tokens;
}

/** A limit on what is written, the same for all texts of a sampling. */
export interface Rule {
  /** The setting that asks for it, for messages: `maxCopy: 30` in backquotes. */
  readonly setting: string;
  /** Whether it lets a character come anywhere in a text; where the method is missing, it may let each. */
  permits?(codePoint: number): boolean;
  /**
   * The limit for one text.
   *
   * @throws CharnnError `INVALID_SETTING` where no text can continue the prompt
   */
  begin(prompt: Prompt): TextRule;
}

/** A limit on one text: what may come next depends on what is there. */
export interface TextRule {
  /**
   * Marks the tokens that must not come next.
   *
   * @param forbidden by token: set to 1 for these, unchanged for all others
   * @param left how many characters the text may still get, this one included; infinite where nothing limits it
   */
  forbid(forbidden: Uint8Array, left: number): void;
  /** Takes note of the next character of the text. */
  wrote(token: number): void;
  /**
   * Whether the text ends where the model chose this token, which is then not written. Where the method is
   * missing, a text never ends by the rule.
   */
  endsBefore?(token: number, left: number): boolean;
  /** Whether no character can follow, and the text is complete. */
  isComplete?(): boolean;
}
