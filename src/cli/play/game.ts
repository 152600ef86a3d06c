import { writeFile } from "node:fs/promises";
import { CharnnError } from "../../errors.js";
import type { Model } from "../../serving/model.js";
import { systemErrorCode } from "../../system-error-code.js";
import { notWritable } from "../../system-errors.js";

/** What of a text the model reads again each time: more than it remembers. */
const READ_AGAIN = 5_000;
/** A large model reads a longer text for a moment, in characters. */
const LONG_TEXT = 2_000;

/** What the commands change. */
interface Choices {
  length: number;
  temperature: number | readonly number[];
  /** Of the next continuation; drawn where there is none. */
  randomSeed: number | undefined;
}

/** Where what is written goes. */
export interface Player {
  /** A part of the text, as it comes. */
  write(text: string): Promise<void>;
  /** Whether what was typed is written too, since it is not seen otherwise. */
  readonly repeats: boolean;
  /** A line about it. */
  say(line: string): void;
  /** Shows that a long text is being read, and that this is over. */
  showReading(isReading: boolean): void;
}

const HELP = [
  "Type a text and press Enter: the model continues it. Enter alone: it goes on.",
  "  :again       write the last part anew",
  "  :undo        take the last part back",
  "  :new         begin a new text",
  "  :text        show the whole text",
  "  :t 0.5       set the temperature",
  "  :n 400       write this many characters at a time",
  "  :seed 7      use this random seed for the next part; :seed shows the last one",
  "  :save FILE   save the text",
  "  :quit        leave, as Ctrl-D does",
  "Ctrl-C stops the model.",
];

/** A text that a person and a model write in turn. */
export class Game {
  readonly #model: Model;
  readonly #player: Player;
  readonly #choices: Choices;
  /** The text before each part, and what was typed for it. */
  #parts: { readonly before: string; readonly typed: string }[] = [];
  #text = "";
  #lastSeed: number | undefined;

  constructor(model: Model, player: Player, choices: Pick<Choices, "length" | "temperature">) {
    this.#model = model;
    this.#player = player;
    this.#choices = { ...choices, randomSeed: undefined };
  }

  /**
   * Does what a line says.
   *
   * @param signal stops the model, and keeps what it has written
   * @returns whether the game goes on
   */
  async play(line: string, signal: AbortSignal): Promise<boolean> {
    const [, name, argument = ""] = /^:([a-z]+)(?:\s+(.*))?$/.exec(line) ?? [];
    if (name === "quit" || name === "q") return false;
    try {
      if (name === undefined) await this.#continue(line, signal);
      else await this.#command(name, argument.trim(), signal);
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
      // Hints name options of commands.
      this.#player.say(error.message);
    }
    return true;
  }

  async #command(name: string, argument: string, signal: AbortSignal): Promise<void> {
    const { say } = this.#player;
    switch (name) {
      case "help":
        for (const line of HELP) say(line);
        return;
      case "again": {
        const last = this.#parts.pop();
        if (!last) return say("There is nothing to write anew yet.");
        this.#text = last.before;
        return this.#continue(last.typed, signal);
      }
      case "undo": {
        const last = this.#parts.pop();
        if (!last) return say("There is nothing to take back.");
        this.#text = last.before;
        return this.#show();
      }
      case "new":
        this.#parts = [];
        this.#text = "";
        return say("A new text.");
      case "text":
        return this.#show();
      case "t":
        this.#choices.temperature = temperature(argument);
        return say(`Temperature ${argument}.`);
      case "n":
        this.#choices.length = wholeNumber(argument, 1);
        return say(`${this.#choices.length} characters at a time.`);
      case "seed":
        if (argument === "")
          return say(`The random seed of the last part: ${this.#lastSeed ?? "none yet"}.`);
        this.#choices.randomSeed = wholeNumber(argument, 0);
        return say(`Random seed ${this.#choices.randomSeed} for the next part.`);
      case "save":
        return this.#save(argument);
      default:
        return say(`There is no :${name}. :help shows what there is.`);
    }
  }

  async #continue(typed: string, signal: AbortSignal): Promise<void> {
    const before = this.#text;
    const prompt = (before + typed).slice(-READ_AGAIN);
    const { randomSeed, ...choices } = this.#choices;
    const writing = this.#model.write({ ...choices, prompt, randomSeed, unknown: "map", signal });
    let written = "";
    if (prompt.length > LONG_TEXT) this.#player.showReading(true);
    try {
      for await (const character of writing) {
        // With the first character, which shows that the model can read what was typed.
        if (written === "") {
          this.#player.showReading(false);
          this.#parts.push({ before, typed });
          this.#text += typed;
          this.#choices.randomSeed = undefined;
          this.#lastSeed = writing.randomSeed;
          if (this.#player.repeats) await this.#player.write(typed);
        }
        written += character;
        this.#text += character;
        await this.#player.write(character);
      }
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    } finally {
      this.#player.showReading(false);
    }
    await this.#player.write("\n");
  }

  async #show(): Promise<void> {
    await this.#player.write(`${this.#text}\n`);
  }

  async #save(path: string): Promise<void> {
    if (path === "") return this.#player.say("Name a file, such as :save story.txt");
    try {
      await writeFile(path, `${this.#text}\n`, { flag: "wx" });
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST")
        throw notWritable(path, error, "choose another file");
      throw new CharnnError(
        "NOT_WRITABLE",
        `There is a file "${path}" already. Choose another name.`,
      );
    }
    this.#player.say(`Saved in ${path}.`);
  }
}

/** @throws CharnnError `INVALID_SETTING` */
function temperature(text: string): number | readonly number[] {
  const values = text.split(",").map(Number);
  if (text === "" || values.some((value) => !(value >= 0 && Number.isFinite(value)))) {
    throw new CharnnError("INVALID_SETTING", "A temperature is a number from 0 up, such as :t 0.5");
  }
  return values.length === 1 ? values[0] : values;
}

/** @throws CharnnError `INVALID_SETTING` */
function wholeNumber(text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new CharnnError("INVALID_SETTING", `This must be a whole number from ${least} up.`);
}
