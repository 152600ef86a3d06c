import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import { IGNORED_TARGET } from "../data/batch.js";
import { evaluationBatches } from "../data/evaluation-batches.js";
import { type KnownText, knownPart, type NamedText } from "../data/texts.js";
import { createTokens, type Vocabulary } from "../data/vocabulary.js";
import type { CharRnn } from "../model/char-rnn.js";
import { bitsPerCharacter, NEWLINE } from "../text.js";
import { inPieces, Turns } from "../turns.js";
import { evaluate } from "./evaluate.js";

/** How a text is read. */
export interface ReadingSettings {
  readonly unknown: "error" | "skip";
  /** Whether each line is read from its beginning, knowing nothing of those before it. */
  readonly fresh: boolean;
}

/**
 * The surprisal of each character of a text to a model: minus the logarithm of its probability after all
 * that comes before it, in bits. A text is read as if a newline came before it, so that its first
 * character has something before it; where the model knows no newline, all first characters are equally likely.
 *
 * @returns by position; NaN for a character that the model does not know
 * @throws CharnnError `UNKNOWN_CHARACTER` unless they are to be skipped, `BAD_TEXT` where lines are to be read
 *   separately by a model that knows no newline
 */
export async function surprisals(
  model: CharRnn,
  { config, vocabulary }: CheckpointFacts,
  text: NamedText,
  { unknown, fresh }: ReadingSettings,
  signal?: AbortSignal,
): Promise<Float32Array> {
  await new Turns(signal).give();
  const known = await knownPart(text, vocabulary, unknown, signal);
  const inText = await positionsOfKnown(text, known, vocabulary, signal);
  const documents = fresh ? "lines" : config.text.documents;
  const newline = vocabulary.indexOf(NEWLINE);
  const shift = documents === undefined && newline !== undefined ? 1 : 0;
  const tokens = createTokens(vocabulary.size, known.tokens.length + shift);
  if (shift > 0) tokens[0] = newline as number;
  tokens.set(known.tokens, shift);
  const bits = new Float32Array(text.numbers.length).fill(Number.NaN);
  if (known.tokens.length === 0) return bits;
  if (!documents && shift === 0) bits[inText[0]] = Math.log2(vocabulary.size);
  const batches = evaluationBatches(tokens, documents, vocabulary, { signal });
  const score = await evaluate(model, batches, signal, ({ targets, positions }, { losses }) => {
    for (const [at, target] of targets.entries()) {
      // After the last line is a newline that the text may lack.
      if (target === IGNORED_TARGET || positions[at] >= tokens.length) continue;
      bits[inText[positions[at] - shift]] = bitsPerCharacter(losses[at]);
    }
  });
  if (!score) throw signal?.reason;
  return bits;
}

/** Where in the text each token of its known part stands. */
async function positionsOfKnown(
  { numbers, codePoints }: NamedText,
  { tokens }: KnownText,
  vocabulary: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const isKnown = codePoints.map((codePoint) => vocabulary.tokenOf(codePoint) !== undefined);
  const positions = new Int32Array(tokens.length);
  let token = 0;
  await inPieces(numbers.length, signal, (start, end) => {
    for (let position = start; position < end; position++) {
      if (isKnown[numbers[position]]) positions[token++] = position;
    }
  });
  return positions;
}
