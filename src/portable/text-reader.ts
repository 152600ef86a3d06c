import type { DecodeSession } from "../backends/backend.js";
import type { Tokens, Vocabulary } from "../data/vocabulary.js";
import type { Network } from "../sampling/mixture.js";
import { primingTokens } from "../sampling/sampler.js";
import { Turns } from "../turns.js";

/** Tokens from one state that is kept to the next. */
const INTERVAL = 32;
const NO_LOGITS = new Float32Array(0);

/** The model after some tokens. */
interface Place {
  readonly state: Float32Array;
  readonly logits: Float32Array;
}

/**
 * Reads a text that changes, such as one that is being typed: it goes on from where the text is another, and does not
 * begin again.
 */
export class TextReader {
  readonly #vocabulary: Vocabulary;
  readonly #documents: string | undefined;
  readonly #session: DecodeSession;
  readonly #beginning: Place;
  /** What is read before the text, and the text. */
  #tokens: number[] = [];
  /** How many of these are before the text. */
  #before = 0;
  /** Minus the binary logarithm of the probability of each token; undefined where there is no prediction. */
  #bits: (number | undefined)[] = [];
  /** After each {@link INTERVAL} tokens. */
  #places: Place[] = [];
  /** How many tokens the session has read, and what it predicts then. */
  #position = 0;
  #logits: Float32Array;

  constructor(
    { openDecodeSession }: Pick<Network, "openDecodeSession">,
    vocabulary: Vocabulary,
    documents: string | undefined,
  ) {
    this.#vocabulary = vocabulary;
    this.#documents = documents;
    this.#session = openDecodeSession(1);
    this.#beginning = { state: this.#session.readState(0), logits: NO_LOGITS };
    this.#logits = NO_LOGITS;
  }

  /**
   * Reads a text, as far as it has not been read before.
   *
   * @param onTurn called when it has worked for a while, before others get their turn
   * @returns how surprising each token is, in bits; undefined where nothing was predicted
   * @throws the signal's reason once it is aborted; what was read until then is kept
   */
  async read(
    text: Tokens,
    {
      signal,
      onTurn,
    }: { readonly signal?: AbortSignal | undefined; readonly onTurn?: () => void } = {},
  ): Promise<readonly (number | undefined)[]> {
    this.#change([...primingTokens(this.#vocabulary, text, this.#documents)]);
    this.#before = this.#tokens.length - text.length;
    await this.#goTo(this.#tokens.length, signal, onTurn);
    return this.bits;
  }

  /** As {@link read} returns them, of the tokens that have been read so far. */
  get bits(): readonly (number | undefined)[] {
    return this.#bits.slice(this.#before);
  }

  /** The logits after the first tokens of the text, as many as `count`; none where nothing is predicted. */
  async logitsAfter(count: number, signal?: AbortSignal): Promise<Float32Array | undefined> {
    await this.#goTo(this.#before + count, signal);
    return this.#position > 0 ? this.#logits : undefined;
  }

  /**
   * How surprising a token would be after all that the session has read, in bits; undefined where nothing is predicted.
   */
  surprisal(token: number): number | undefined {
    return this.#position > 0 ? surprisal(this.#logits, token) : undefined;
  }

  /**
   * A network for one text, which has read the whole text already: what it reads first is not read again. The reader
   * goes along with what is written.
   */
  async writing(signal?: AbortSignal): Promise<Pick<Network, "openDecodeSession">> {
    const prompt = this.#tokens.length;
    await this.#goTo(prompt, signal);
    let steps = 0;
    const session: DecodeSession = {
      step: ([token]) => {
        steps++;
        // Nobody looks at what is predicted within the prompt.
        if (steps < prompt) return NO_LOGITS;
        if (steps > prompt) {
          this.#tokens.push(token);
          this.#step();
        }
        return this.#logits.slice();
      },
      readState: () => this.#session.readState(0),
      writeState: (_, state) => this.#session.writeState(0, state),
      dispose() {},
    };
    return { openDecodeSession: () => session };
  }

  /** A network like another that knows the first tokens of the text: reading these, one after another, takes no time. */
  async knowing(
    count: number,
    { openDecodeSession }: Pick<Network, "openDecodeSession">,
    signal?: AbortSignal,
  ): Promise<Pick<Network, "openDecodeSession">> {
    const known = this.#before + count;
    await this.#goTo(known, signal);
    const { state, logits } = this.#place();
    return {
      openDecodeSession: (sequences) => {
        const session = openDecodeSession(sequences);
        let steps = 0;
        return {
          ...session,
          step: (tokens) => {
            if (++steps > known) return session.step(tokens);
            if (steps < known) return NO_LOGITS;
            session.writeState(0, state);
            return logits.slice();
          },
        };
      },
    };
  }

  /** Takes other tokens, and forgets what was read after they are no longer the same. */
  #change(tokens: number[]): void {
    let same = 0;
    while (same < Math.min(tokens.length, this.#tokens.length)) {
      if (tokens[same] !== this.#tokens[same]) break;
      same++;
    }
    this.#bits.length = Math.min(this.#bits.length, same);
    this.#places.length = Math.min(this.#places.length, Math.floor(same / INTERVAL));
    if (this.#position > same) this.#goBack(same);
    this.#tokens = tokens;
  }

  /** Lets the session have read so many tokens. */
  async #goTo(position: number, signal?: AbortSignal, onTurn?: () => void): Promise<void> {
    const nearest = Math.min(Math.floor(position / INTERVAL), this.#places.length) * INTERVAL;
    if (this.#position > position || this.#position < nearest) this.#goBack(position);
    const turns = new Turns(signal);
    while (this.#position < position) {
      this.#step();
      if (turns.isDue()) {
        onTurn?.();
        await turns.take();
      }
    }
  }

  /** To the last place that is kept and not after a position. */
  #goBack(position: number): void {
    const kept = Math.min(Math.floor(position / INTERVAL), this.#places.length);
    const { state, logits } = kept > 0 ? this.#places[kept - 1] : this.#beginning;
    this.#session.writeState(0, state);
    this.#logits = logits;
    this.#position = kept * INTERVAL;
  }

  /** Reads the next token. */
  #step(): void {
    const token = this.#tokens[this.#position];
    if (this.#bits.length === this.#position) this.#bits.push(this.surprisal(token));
    this.#logits = this.#session.step(Int32Array.of(token));
    this.#position++;
    if (this.#position === (this.#places.length + 1) * INTERVAL) this.#places.push(this.#place());
  }

  #place(): Place {
    return { state: this.#session.readState(0), logits: this.#logits.slice() };
  }
}

/** Minus the binary logarithm of the probability of a token. */
function surprisal(logits: Float32Array, token: number): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > highest) highest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  return Math.max((highest + Math.log(sum) - logits[token]) / Math.LN2, 0);
}
