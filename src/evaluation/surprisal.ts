import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import { IGNORED_TARGET } from "../data/batch.js";
import { evaluationBatches } from "../data/evaluation-batches.js";
import {
  AS_IT_IS,
  AS_UNKNOWN,
  type KnownText,
  knownPart,
  LEFT_OUT,
  type Unknown,
} from "../data/known-part.js";
import type { NamedText } from "../data/texts.js";
import { createTokens, type Vocabulary } from "../data/vocabulary.js";
import { bitsPerCharacter, NEWLINE } from "../text.js";
import { inPieces, Turns } from "../turns.js";
import { evaluate } from "./evaluate.js";
import type { Predictor } from "./predictor.js";

/** How a text is read. */
export interface ReadingSettings {
  readonly unknown: Unknown;
  /** Whether each line is read from its beginning, knowing nothing of those before it. */
  readonly fresh: boolean;
}

/** A text as a model reads it. */
export interface TextReading {
  /**
   * The surprisal of each character, bits; NaN for one that is left out, and for one that is never
   * predicted. Where a letter and its accents are read as one, they have it together, at the letter.
   */
  readonly bits: Float32Array;
  /** Of each character {@link AS_IT_IS} and so on. */
  readonly kinds: Uint8Array;
  readonly known: KnownText;
}

/**
 * The surprisal of each character of a text to a model: minus the logarithm of its probability after all
 * that comes before it, in bits. A text is read as if a newline came before it, so that its first
 * character has something before it; where the model knows no newline, all first characters are equally likely.
 *
 * @throws CharnnError `UNKNOWN_CHARACTER` unless they are to be skipped or mapped, `BAD_TEXT` where lines are
 *   to be read separately by a model that knows no newline
 */
export async function surprisals(
  model: Predictor,
  { config, vocabulary }: CheckpointFacts,
  text: NamedText,
  { unknown, fresh }: ReadingSettings,
  signal?: AbortSignal,
): Promise<TextReading> {
  await new Turns(signal).give();
  // Lines are read as what the model takes for a document.
  const documents = fresh ? linesFor(config.text.documents) : config.text.documents;
  const reader = { vocabulary, ...config.text, documents };
  const known = await knownPart(text, reader, unknown, signal);
  const kinds = known.kinds ?? (await kindsOf(text, known, vocabulary, signal));
  const inText = known.positions ?? (await positionsOfKnown(kinds, known, signal));
  const newline = vocabulary.indexOf(NEWLINE);
  const shift = documents === undefined && newline !== undefined ? 1 : 0;
  const tokens = createTokens(vocabulary.size, known.tokens.length + shift);
  if (shift > 0) tokens[0] = newline as number;
  tokens.set(known.tokens, shift);
  const bits = new Float32Array(text.numbers.length).fill(Number.NaN);
  if (known.tokens.length === 0) return { bits, kinds, known };
  if (known.positions) await zeroWithoutToken(bits, kinds, known.positions, signal);
  // Several tokens may stand for one character.
  const add = (position: number, value: number) => {
    bits[position] = Number.isNaN(bits[position]) ? value : bits[position] + value;
  };
  if (!documents && shift === 0) add(inText[0], Math.log2(vocabulary.size));
  const batches = evaluationBatches(tokens, documents, vocabulary, { signal });
  const score = await evaluate(model, batches, signal, ({ targets, positions }, { losses }) => {
    for (const [at, target] of targets.entries()) {
      // After the last line is a newline that the text may lack.
      if (target === IGNORED_TARGET || positions[at] >= tokens.length) continue;
      add(inText[positions[at] - shift], bitsPerCharacter(losses[at]));
    }
  });
  if (!score) throw signal?.reason;
  return { bits, kinds, known };
}

/** Each line as a document, for a model of documents of a kind or of running text. */
function linesFor(documents: string | undefined): string {
  return documents === undefined || documents === "lines" ? "lines" : "\n";
}

/** What is read together with a character before it, or parts documents, has no surprisal of its own. */
async function zeroWithoutToken(
  bits: Float32Array,
  kinds: Uint8Array,
  positions: Int32Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  let token = 0;
  await inPieces(bits.length, signal, (start, end) => {
    for (let position = start; position < end; position++) {
      while (positions[token] < position) token++;
      if (positions[token] !== position && kinds[position] !== LEFT_OUT) bits[position] = 0;
    }
  });
}

/** How each character of a text is read. */
async function kindsOf(
  { numbers, codePoints }: NamedText,
  { unknownCodePoints }: KnownText,
  vocabulary: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const asUnknown = new Set(unknownCodePoints);
  const kindOf = Uint8Array.from(codePoints, (codePoint) => {
    if (vocabulary.indexOf(codePoint) !== undefined) return AS_IT_IS;
    return asUnknown.has(codePoint) ? AS_UNKNOWN : LEFT_OUT;
  });
  const kinds = new Uint8Array(numbers.length);
  await inPieces(numbers.length, signal, (start, end) => {
    for (let position = start; position < end; position++) {
      kinds[position] = kindOf[numbers[position]];
    }
  });
  return kinds;
}

/** Where in the text each token of its known part stands. */
async function positionsOfKnown(
  kinds: Uint8Array,
  { tokens }: KnownText,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const positions = new Int32Array(tokens.length);
  let token = 0;
  await inPieces(kinds.length, signal, (start, end) => {
    for (let position = start; position < end; position++) {
      if (kinds[position] !== LEFT_OUT) positions[token++] = position;
    }
  });
  return positions;
}
