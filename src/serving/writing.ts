import type { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import type { TextStream } from "../sampling/text-stream.js";
import type { Job } from "./job-batch.js";

/** Where a text has come to: given to `write`, it continues from there as if it had never ended. */
export interface WritingState {
  /** The model's state, `[layers, states, hidden]`. */
  readonly numbers: Float32Array;
  /** Tokens of the text that the model has not read yet. */
  readonly unread: readonly number[];
  /** What the model predicted there, where it has read all: one number for each token. */
  readonly logits: Float32Array;
  /** Which model it is of: a checksum of the weights. */
  readonly model: string;
}

/** A text that is complete. */
export interface WrittenText {
  /** Without the prompt. */
  readonly text: string;
  readonly state: WritingState;
  /** The random seed that gives the same text again. */
  readonly randomSeed: number;
}

/** How many characters may wait for somebody to take them before the model goes on with other texts. */
const MAX_WAITING = 4096;

/** What {@link Writing} needs from whoever runs its job. */
export interface Host {
  /** Called when the job can go on. */
  wake(): void;
  /** Called when nobody wants the text any more. */
  cancel(): void;
  /** Called once, when the text is complete, or an error has ended it. */
  done(): void;
  /** Throws the signal's reason once it is aborted. */
  refuseAborted(): void;
}

/**
 * A text that is being written: an async iterable of its characters, and a promise of all of it. Where the signal
 * of the call is aborted, both end with its reason.
 */
export class Writing implements AsyncIterable<string>, PromiseLike<string> {
  readonly randomSeed: number;
  readonly #host: Host;
  #text = "";
  /** Where in the text the iterator is; undefined where there is none. */
  #taken: number | undefined;
  /** Whether somebody waits for all of it. */
  #isWanted = false;
  readonly #isEndless: boolean;
  #outcome: { readonly state: WritingState } | { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];

  constructor(randomSeed: number, isEndless: boolean, host: Host) {
    this.randomSeed = randomSeed;
    this.#isEndless = isEndless;
    this.#host = host;
  }

  /** @throws CharnnError as `Model.write` says; the reason of the signal once it is aborted */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void> {
    this.#taken ??= 0;
    try {
      for (;;) {
        while (this.#taken < this.#text.length) {
          // Characters that wait are not wanted any more then.
          this.#host.refuseAborted();
          const character = String.fromCodePoint(this.#text.codePointAt(this.#taken) as number);
          this.#taken += character.length;
          yield character;
        }
        if (this.#outcome && "error" in this.#outcome) throw this.#outcome.error;
        if (this.#outcome) return;
        this.#host.wake();
        await this.#change();
      }
    } finally {
      if (!this.#outcome && !this.#isWanted) this.#host.cancel();
    }
  }

  // biome-ignore lint/suspicious/noThenProperty: `await model.write(...)` gives the text.
  then<Result = string, Failure = never>(
    onDone?: ((text: string) => Result | PromiseLike<Result>) | null,
    onFailed?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return this.result()
      .then(({ text }) => text)
      .then(onDone, onFailed);
  }

  /**
   * The whole text, with where it has come to.
   *
   * @throws CharnnError as `Model.write` says; the reason of the signal once it is aborted
   */
  async result(): Promise<WrittenText> {
    if (this.#isEndless) {
      throw new CharnnError(
        "INVALID_SETTING",
        "length -1 never ends, so there is no whole text.",
        "Iterate over it, or give a length, lines, sentences or stop.",
        { setting: "length" },
      );
    }
    this.#isWanted = true;
    this.#host.wake();
    while (!this.#outcome) await this.#change();
    if ("error" in this.#outcome) throw this.#outcome.error;
    const { state } = this.#outcome;
    return { text: this.#text, state, randomSeed: this.randomSeed };
  }

  /** Whether more is to be written now, or enough waits for somebody to take it. */
  get isWanted(): boolean {
    return this.#isWanted || this.#text.length - (this.#taken ?? 0) < MAX_WAITING;
  }

  push(character: string): void {
    if (character === "") return;
    this.#text += character;
    // An endless text is not kept.
    if (this.#isEndless && this.#taken !== undefined && this.#taken > MAX_WAITING) {
      this.#text = this.#text.slice(this.#taken);
      this.#taken = 0;
    }
    this.#notify();
  }

  finish(outcome: { readonly state: WritingState } | { readonly error: unknown }): void {
    if (this.#outcome) return;
    this.#outcome = outcome;
    this.#host.done();
    this.#notify();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #notify(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Reads a prompt, and writes what follows. */
export class WritingJob implements Job {
  readonly #writing: Writing;
  readonly #stream: TextStream;
  readonly #vocabulary: Vocabulary;
  /** What is still to be read before the first character. */
  readonly #unread: number[];
  #token: number | undefined;
  readonly #logits: Float32Array;
  readonly #model: string;

  /**
   * @param unread all that is to be read first, the last one first
   * @param model what its state is marked with
   */
  constructor(
    writing: Writing,
    stream: TextStream,
    vocabulary: Vocabulary,
    unread: number[],
    model: string,
  ) {
    this.#model = model;
    this.#writing = writing;
    this.#stream = stream;
    this.#vocabulary = vocabulary;
    this.#unread = unread;
    this.#logits = new Float32Array(vocabulary.size);
  }

  get input(): number | undefined {
    const prompt = this.#unread.at(-1);
    if (prompt !== undefined) return prompt;
    return this.#writing.isWanted ? this.#token : undefined;
  }

  take(logits: Float32Array, start: number): boolean {
    if (this.#unread.length > 0) this.#unread.pop();
    if (this.#unread.length > 0) return true;
    this.#logits.set(logits.subarray(start, start + this.#vocabulary.size));
    return this.choose(logits, start);
  }

  /**
   * Writes a character by what was predicted.
   *
   * @param logits undefined where nothing was read: the first is left to chance
   * @returns whether there is more to write
   */
  choose(logits: Float32Array | undefined, start: number): boolean {
    const stream = this.#stream;
    this.#token = undefined;
    if (stream.ended) return false;
    const character = stream.next(logits, start);
    this.#writing.push(character);
    // What only ended the text is no part of it.
    if (character !== "" || !stream.ended) this.#token = stream.token;
    return !stream.ended;
  }

  end(numbers: Float32Array): void {
    const unread = this.#token === undefined ? [] : [this.#token];
    this.#writing.finish({
      state: { numbers, unread, logits: this.#logits.slice(), model: this.#model },
    });
  }

  fail(error: unknown): void {
    this.#writing.finish({ error });
  }
}
