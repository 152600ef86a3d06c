import { ngramBaseline } from "../baselines/ngram.js";
import { createTokens, type Tokens } from "../data/vocabulary.js";

/** Pieces of this many characters are compared: enough to learn what follows what within them. */
const PIECE_LENGTH = 1_000;
/** Pieces of the training part and of the held-out part, spread evenly: more only take more time. */
const MAX_TRAINING_PIECES = 200;
const MAX_HELD_OUT_PIECES = 50;
/** With fewer, chance decides. */
const MIN_PIECES = 10;
/** Every fourth piece of the training part is held out in turn. */
const FOLDS = 4;
/** Different chapters of a book stay below this ratio of losses, and another kind of text is above it. */
const FAR_ABOVE = 1.2;
/** Texts of one kind stay above this one. */
const FAR_BELOW = 0.7;

/** How much harder or easier a held-out part is to predict than what lies within the training part. */
export interface Unlikeness {
  /** Losses of n-gram baselines, nats/character: of the held-out part ... */
  readonly heldOut: number;
  /** ... and of pieces of the training part that were left out in turn. */
  readonly within: number;
}

/**
 * Finds out whether a held-out part is unlike the training part, as is the end of a sorted list, the last
 * one of several texts, or a table at the end. Strings are counted in pieces from all over the training part, which predict
 * other pieces of it and the held-out part (`countScore`).
 *
 * @returns undefined where it is alike, and for texts that are too short to tell
 * @throws the signal's reason once it is aborted
 */
export async function unlikeTraining(
  train: Tokens,
  heldOut: Tokens,
  vocabulary: number,
  signal: AbortSignal | undefined,
): Promise<Unlikeness | undefined> {
  const pieces = evenPieces(train, MAX_TRAINING_PIECES);
  const others = evenPieces(heldOut, MAX_HELD_OUT_PIECES);
  if (pieces.length < MIN_PIECES || others.length === 0) return undefined;
  const lossOf = async (counted: readonly Tokens[], predicted: readonly Tokens[]) => {
    const [one, other] = [joined(counted, vocabulary), joined(predicted, vocabulary)];
    return (await ngramBaseline(one, other, vocabulary, { signal }))?.loss ?? Number.NaN;
  };
  let within = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const isLeftOut = (_: Tokens, index: number) => index % FOLDS === fold;
    const counted = pieces.filter((piece, index) => !isLeftOut(piece, index));
    within += (await lossOf(counted, pieces.filter(isLeftOut))) / FOLDS;
  }
  // As many pieces are counted as for the others, since more predict better.
  const loss = await lossOf(
    pieces.filter((_, index) => index % FOLDS !== 0),
    others,
  );
  const isAlike = !(loss > FAR_ABOVE * within || loss < FAR_BELOW * within);
  return isAlike ? undefined : { heldOut: loss, within };
}

/** Pieces at even distances, without the rest of a short text that makes no whole one. */
function evenPieces(tokens: Tokens, most: number): Tokens[] {
  const count = Math.min(Math.floor(tokens.length / PIECE_LENGTH), most);
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor((index * tokens.length) / count);
    return tokens.subarray(start, start + PIECE_LENGTH);
  });
}

function joined(pieces: readonly Tokens[], vocabulary: number): Tokens {
  const tokens = createTokens(vocabulary, pieces.length * PIECE_LENGTH);
  for (const [index, piece] of pieces.entries()) tokens.set(piece, index * PIECE_LENGTH);
  return tokens;
}
