import { DOCUMENT_END, formatCount } from "../text.js";
import { inPieces } from "../turns.js";
import { describeCharacter, listFew } from "./characters.js";
import type { Tokens, Vocabulary } from "./vocabulary.js";

/** Roughly the loss of a character that a model has never read, and a usual loss, in nats/char. */
const LOSS_OF_UNSEEN = 10;
const USUAL_LOSS = 1.5;
/** A smaller change of the loss need not be mentioned. */
const CHANGE_TO_TELL = 0.01;

/**
 * The characters that occur in a held-out part and not in the training part, where they are enough to raise the loss
 * by more than a hundredth.
 *
 * @returns no sentence or one
 * @throws the signal's reason once it is aborted
 */
export async function neverLearned(
  name: "validation" | "test",
  part: Tokens,
  train: Tokens,
  vocabulary: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const counts = new Float64Array(vocabulary.size);
  await inPieces(part.length, signal, (start, end) => {
    for (let position = start; position < end; position++) counts[part[position]]++;
  });
  let left = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  await inPieces(train.length, signal, (start, end) => {
    for (let position = start; position < end && left > 0; position++) {
      if (counts[train[position]] > 0) left--;
      counts[train[position]] = 0;
    }
    return left === 0 ? "stop" : undefined;
  });
  const occurrences = counts.reduce((sum, count) => sum + count, 0);
  const change = (occurrences * LOSS_OF_UNSEEN) / (part.length * USUAL_LOSS);
  if (left === 0 || change <= CHANGE_TO_TELL) return [];
  const characters = Array.from(counts.keys())
    .filter((index) => counts[index] > 0)
    .map((index) =>
      index === vocabulary.unknown
        ? "the unknown character"
        : describeCharacter(vocabulary.characterAt(index).codePointAt(0) ?? DOCUMENT_END),
    );
  const which = left === 1 ? "1 character occurs" : `${formatCount(left)} characters occur`;
  const times = `${formatCount(occurrences)} of its ${formatCount(part.length)} characters`;
  return [
    `${which} only in the ${name} part (${times}): ${listFew(characters)}. The model can't learn them, and they raise the ${name} loss.`,
  ];
}
