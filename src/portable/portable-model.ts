import { openDecodeSession } from "../backends/kernels/decode-session.js";
import { openWritingModule } from "../backends/wasm/writing-module.js";
import type { UnknownName } from "../config/names.js";
import { documentEndOf } from "../data/documents.js";
import { prepareText } from "../data/prepare-text.js";
import { type Tokens, Vocabulary } from "../data/vocabulary.js";
import { type NextCharacter, softmax } from "../sampling/likeliest.js";
import type { Network } from "../sampling/mixture.js";
import { type Next, predictNext } from "../sampling/prediction.js";
import { generate, primingTokens, randomOf } from "../sampling/sampler.js";
import { Turns } from "../turns.js";
import { type PackedModel, unpackWeights } from "./packed-model.js";
import { TextReader } from "./text-reader.js";

/** What to write, and how. */
export interface PortableSettings {
  /** New characters; -1: without end. Default: 500. */
  readonly length?: number;
  /** 0 always takes the likeliest character. Default: 0.8. */
  readonly temperature?: number;
  /** Chooses among this many of the likeliest characters; 0: all. Default: 0. */
  readonly topK?: number;
  /** Chooses among the likeliest characters that together have this probability. Default: 1. */
  readonly topP?: number;
  /** Chooses among characters at least this fraction as likely as the likeliest. Default: 0. */
  readonly minP?: number;
  /** The text ends when one of these has been written. */
  readonly stop?: readonly string[];
  /** The text has this many lines, the one that the prompt begins included. */
  readonly lines?: number;
  /** The same number writes the same text. Default: another each time. */
  readonly randomSeed?: number;
  /** What to do with characters of the prompt that the model does not know. Default: `error`. */
  readonly unknown?: UnknownName;
  readonly signal?: AbortSignal;
}

/** How surprising a character is. */
export interface PortableScore {
  readonly character: string;
  /** Minus the binary logarithm of its probability; undefined for the first one, unless it begins a document. */
  readonly bits: number | undefined;
}

const DEFAULTS = { length: 500, temperature: 0.8, topK: 0, topP: 1, minP: 0 };
/** Random seeds that are drawn are below this: few digits to write down. */
const DRAWN_SEEDS = 1_000_000;

/**
 * A model that writes text wherever JavaScript and WebAssembly run: it needs nothing of Node. It writes the same
 * characters as `charnn sample --backend wasm`, by the same code.
 */
export class PortableModel {
  readonly vocabulary: Vocabulary;
  readonly #packed: PackedModel;
  readonly #network: Pick<Network, "openDecodeSession">;

  private constructor(packed: PackedModel, network: Pick<Network, "openDecodeSession">) {
    this.#packed = packed;
    this.#network = network;
    this.vocabulary = Vocabulary.fromJSON(packed.vocabulary);
  }

  /**
   * @param weights as `packWeights` gives them
   * @param module the bytes of `writing.wasm`
   */
  static async open(
    packed: PackedModel,
    weights: Uint8Array,
    module: Uint8Array,
  ): Promise<PortableModel> {
    const kernels = await openWritingModule(module);
    const parameters = unpackWeights(packed, weights);
    const numbers = (name: string) => parameters.get(name) as Float32Array;
    return new PortableModel(packed, {
      openDecodeSession: (sequences) =>
        openDecodeSession(kernels, packed.model, numbers, sequences),
    });
  }

  /** Reads texts that change. */
  reader(): TextReader {
    return new TextReader(this.#network, this.vocabulary, this.#packed.text.documents);
  }

  /**
   * Continues a text.
   *
   * @param reader has read a part of the prompt perhaps, and goes along with what is written
   * @returns the characters as they come
   * @throws CharnnError `UNKNOWN_CHARACTER` for a prompt that the model can't read; the signal's reason once it is
   *   aborted
   */
  async *generate(
    prompt = "",
    settings: PortableSettings = {},
    reader?: TextReader,
  ): AsyncGenerator<string, void> {
    const { signal, unknown = "error", randomSeed = drawnSeed(), ...given } = settings;
    const text = await this.#readable(prompt, unknown, signal);
    const { documents } = this.#packed.text;
    const choice = { ...DEFAULTS, ...definedOnly(given) };
    const generating = { ...choice, prompt: text, documents, count: 1 };
    await reader?.read(this.vocabulary.encode(text), { signal });
    const model = reader ? await reader.writing(signal) : this.#network;
    const turns = new Turns(signal);
    signal?.throwIfAborted();
    for (const [character] of generate(model, this.vocabulary, generating, randomOf(randomSeed))) {
      if (character) yield character;
      if (turns.isDue()) await turns.take();
      signal?.throwIfAborted();
    }
  }

  /** The likeliest next characters after a text. */
  async next(text: string, top = 10): Promise<readonly NextCharacter[]> {
    const { characters } = await this.predict(text, { top, depends: 0 });
    return characters;
  }

  /** The likeliest next characters after a text, and how much each of its last ones matters. */
  async predict(
    text: string,
    { top, depends, signal }: { top: number; depends: number; signal?: AbortSignal },
  ): Promise<Next> {
    const tokens = this.vocabulary.encode(await this.#readable(text, "error", signal));
    return this.predictAfter(tokens, { top, depends, signal });
  }

  /**
   * The same after tokens.
   *
   * @param reader has read a text that begins with them
   */
  async predictAfter(
    tokens: Tokens,
    { top, depends, signal }: { top: number; depends: number; signal?: AbortSignal | undefined },
    reader?: TextReader,
  ): Promise<Next> {
    const read = [...primingTokens(this.vocabulary, tokens, this.#packed.text.documents)];
    const count = Math.min(depends, tokens.length);
    const known = tokens.length - count;
    const model = reader ? await reader.knowing(known, this.#network, signal) : this.#network;
    return predictNext(model, this.vocabulary, read, { top, count }, new Turns(signal));
  }

  /** How surprising each character of a text is. */
  async score(
    text: string,
    { unknown = "error", signal }: { unknown?: UnknownName; signal?: AbortSignal } = {},
  ): Promise<PortableScore[]> {
    const { vocabulary } = this;
    const { documents } = this.#packed.text;
    const tokens = vocabulary.encode(await this.#readable(text, unknown, signal));
    const turns = new Turns(signal);
    const session = this.#network.openDecodeSession(1);
    const scores: PortableScore[] = [];
    try {
      let logits: Float32Array | undefined;
      if (documents !== undefined)
        logits = session.step(Int32Array.of(documentEndOf(vocabulary, documents)));
      for (const token of tokens) {
        const bits = logits && -Math.log2(softmax(logits)[token]);
        scores.push({ character: vocabulary.characterAt(token), bits });
        logits = session.step(Int32Array.of(token));
        if (turns.isDue()) await turns.take();
      }
    } finally {
      session.dispose();
    }
    return scores;
  }

  async #readable(text: string, unknown: UnknownName, signal?: AbortSignal): Promise<string> {
    const reader = { ...this.#packed.text, vocabulary: this.vocabulary };
    return (await prepareText(text, reader, unknown, signal)).text;
  }
}

function drawnSeed(): number {
  return Math.floor(Math.random() * DRAWN_SEEDS);
}

function definedOnly<Of extends object>(settings: Of): Partial<Of> {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Of>;
}
