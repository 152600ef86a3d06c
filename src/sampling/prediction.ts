import type { Vocabulary } from "../data/vocabulary.js";
import type { Turns } from "../turns.js";
import { likeliest, type NextCharacter, softmax } from "./likeliest.js";
import type { Network } from "./mixture.js";

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

/**
 * The characters that a model expects after some tokens, and those of the last `count` that this depends on most.
 *
 * @param top how many characters
 * @throws the reason of the turns' signal once it is aborted
 */
export async function predictNext(
  model: Pick<Network, "openDecodeSession">,
  vocabulary: Vocabulary,
  tokens: readonly number[],
  { top, count }: { readonly top: number; readonly count: number },
  turns: Turns,
): Promise<Next> {
  const { whole, without } = await predictions(model, vocabulary.size, tokens, count, turns);
  const probabilities = softmax(whole);
  const characters = likeliest(probabilities, vocabulary, top);
  const depends = without.map((logits, index): Dependence => {
    const distance = count - index;
    const character = vocabulary.characterAt(tokens[tokens.length - distance]);
    return { distance, character, bits: divergence(probabilities, softmax(logits)) };
  });
  depends.sort((a, b) => b.bits - a.bits || a.distance - b.distance);
  return { characters, depends };
}

/**
 * The logits after all tokens, and after all but each of the last `count` in turn, the earliest first. The beginning
 * is read once, the rest side by side.
 */
async function predictions(
  model: Pick<Network, "openDecodeSession">,
  vocabularySize: number,
  tokens: readonly number[],
  count: number,
  turns: Turns,
): Promise<{ whole: Float32Array; without: Float32Array[] }> {
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
