import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { NEXT, NEXT_DEFAULTS, type NextSettings } from "../config/next.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { prepareText } from "../data/prepare-text.js";
import { leftOut, readAsOthers } from "../data/unknown-characters.js";
import type { CharRnn } from "../model/char-rnn.js";
import { Turns } from "../turns.js";
import { likeliest, type NextCharacter, softmax } from "./likeliest.js";
import { openNetwork } from "./open-network.js";
import { primingTokens } from "./sampler.js";

/** An earlier character, and what it does to the prediction. */
interface Dependence {
  /** 1 for the last character of the text, 2 for the one before it, and so on. */
  readonly distance: number;
  readonly character: string;
  /**
   * How much the prediction changes without the character: the Kullback-Leibler divergence of the prediction
   * without it from the one with it, in bits.
   */
  readonly bits: number;
}

/** What a model expects after a text. */
export interface Next {
  /** The likeliest first. */
  readonly characters: readonly NextCharacter[];
  /** Those that matter most first. */
  readonly depends: readonly Dependence[];
}

const schema = settingsSchema<NextSettings>(NEXT, ["text"]);

/**
 * The characters that a model expects after a text, and the earlier ones that this depends on most: each of the
 * last characters is left out in turn (as in "Visualizing memorization in RNNs", Madsen, Distill 2019, by leaving
 * out in place of gradients).
 *
 * @throws CharnnError `INVALID_SETTING`, `UNKNOWN_CHARACTER` for a text that the model can't read; the reason of the
 *   signal once it is aborted
 */
export async function nextCharacters(
  checkpoint: Checkpoint,
  settings: NextSettings,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onWarning?: ((message: string) => void) | undefined;
  } = {},
): Promise<Next> {
  const given = { ...NEXT_DEFAULTS, ...definedOnly(checked(schema, settings)) };
  const { config, vocabulary } = checkpoint;
  const { signal, onWarning } = options;
  const reader = { ...config.text, vocabulary };
  const prepared = await prepareText(given.text, reader, given.unknown, signal);
  const { skipped, skippedCharacters, mapped, mappings } = prepared;
  if (skipped > 0) onWarning?.(leftOut(skipped, skippedCharacters));
  if (mapped > 0) onWarning?.(readAsOthers(mapped, mappings));
  const text = vocabulary.encode(prepared.text);
  const tokens = [...primingTokens(vocabulary, text, config.text.documents)];
  const count = Math.min(given.depends, text.length);
  const purpose = { streams: Math.max(count, 1) };
  const model = await openNetwork(checkpoint, given, purpose, onWarning);
  try {
    const { whole, without } = await predictions(model, tokens, count, new Turns(signal));
    const probabilities = softmax(whole);
    const characters = likeliest(probabilities, vocabulary, given.top);
    const depends = without.map((logits, index): Dependence => {
      const distance = count - index;
      const character = vocabulary.characterAt(tokens[tokens.length - distance]);
      return { distance, character, bits: divergence(probabilities, softmax(logits)) };
    });
    depends.sort((a, b) => b.bits - a.bits || a.distance - b.distance);
    return { characters, depends };
  } finally {
    model.dispose();
  }
}

/**
 * The logits after all tokens, and after all but each of the last `count` in turn, the earliest first. The beginning
 * is read once, the rest side by side.
 */
async function predictions(
  model: CharRnn,
  tokens: readonly number[],
  count: number,
  turns: Turns,
): Promise<{ whole: Float32Array; without: Float32Array[] }> {
  const { vocabularySize } = model.config;
  const session = model.openDecodeSession(Math.max(count, 1));
  try {
    const start = tokens.length - count;
    let logits: Float32Array = new Float32Array(vocabularySize);
    const read = async (part: readonly number[]) => {
      for (const token of part) {
        logits = session.step(Int32Array.of(token));
        if (turns.isDue()) await turns.take();
      }
    };
    const zero = session.readState(0);
    await read(tokens.slice(0, start));
    const beginning = start === 0 ? zero : session.readState(0);
    const ofBeginning = logits.slice();
    await read(tokens.slice(start));
    const whole = logits.slice();
    if (count <= 1) return { whole, without: count === 1 ? [ofBeginning] : [] };
    for (let k = 0; k < count; k++) session.writeState(k, beginning);
    for (let step = 0; step < count - 1; step++) {
      // Sequence k leaves out the k-th token.
      const of = Int32Array.from(
        { length: count },
        (_, k) => tokens[start + step + (step < k ? 0 : 1)],
      );
      logits = session.step(of);
      if (turns.isDue()) await turns.take();
    }
    const without = Array.from({ length: count }, (_, k) =>
      logits.slice(k * vocabularySize, (k + 1) * vocabularySize),
    );
    return { whole, without };
  } finally {
    session.dispose();
  }
}

/** sum p log2(p / q) */
function divergence(p: Float64Array, q: Float64Array): number {
  let bits = 0;
  for (const [token, probability] of p.entries()) {
    if (probability > 0) bits += probability * Math.log2(probability / q[token]);
  }
  return Math.max(bits, 0);
}
