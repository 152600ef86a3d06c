import { CharnnError } from "../errors.js";
import type { Score } from "../model/char-rnn.js";
import { agree } from "../ranks/agreement.js";
import { makeParts, partOf } from "../ranks/parts.js";
import type { Ranks } from "../ranks/ranks.js";
import { sharesOf } from "../ranks/share.js";

/** What a process brings to a step. */
export interface OwnScores {
  /**
   * Of each batch of the step, the scores of its workers; undefined where its signal has stopped it, and an error where
   * it has failed.
   */
  readonly scores: readonly (readonly Score[])[] | CharnnError | undefined;
  /** Of the weights before the step, which must be the same in all processes; 0 where they are not compared. */
  readonly checksum: number;
}

const DONE = 0;
const STOPPED = 1;
const FAILED = 2;
/** What came of a step, and a checksum. */
const HEAD = 2;
/** Of a score: loss, characters, correct ones. */
const NUMBERS = 3;

/**
 * Gives all processes the scores of all workers in a step.
 *
 * @returns of each batch, the scores of all workers, in their order; undefined where a process was stopped
 * @throws CharnnError in all of them: that of the lowest rank that has failed, and `WORKERS_DIFFER`
 */
export function agreedScores(
  ranks: Ranks,
  own: OwnScores,
  { workers, parts }: { readonly workers: number; readonly parts: number },
): Score[][] | undefined {
  const { scores, checksum } = own;
  if (ranks.size === 1) {
    if (scores instanceof CharnnError) throw scores;
    return scores?.map((ofPart) => [...ofPart]);
  }
  const counts = sharesOf(workers, ranks.size).map(({ begin, end }) => end - begin);
  const received = makeParts(counts.map((count) => 8 * (HEAD + parts * count * NUMBERS)));
  ranks.gather(encoded(own, parts * counts[ranks.rank] * NUMBERS), received);
  const numbers = counts.map((_, rank) => new Float64Array(partOf(received, rank).slice().buffer));
  const outcomes = numbers.map(([outcome]) => outcome);
  const [[, first]] = numbers;
  const differs = numbers.some(([, other]) => other !== first);
  if (differs || outcomes.includes(FAILED)) {
    agree(ranks, scores instanceof CharnnError ? scores : checksum !== first && otherWeights());
  }
  if (outcomes.includes(STOPPED)) return undefined;
  return Array.from({ length: parts }, (_, part) =>
    counts.flatMap((count, rank) => {
      const begin = HEAD + part * count * NUMBERS;
      return scoresFrom(numbers[rank].subarray(begin, begin + count * NUMBERS));
    }),
  );
}

function otherWeights(): CharnnError {
  return new CharnnError(
    "WORKERS_DIFFER",
    "The weights here no longer equal those of rank 0. This should never happen; the memory of this machine may be faulty.",
    "Continue from the last checkpoint with `resume`, without this machine.",
  );
}

function encoded({ scores, checksum }: OwnScores, length: number): Uint8Array {
  const numbers = new Float64Array(HEAD + length);
  const outcome = scores instanceof CharnnError ? FAILED : scores === undefined ? STOPPED : DONE;
  numbers.set([outcome, checksum]);
  if (Array.isArray(scores)) numbers.set(scores.flat().flatMap(numbersOf), HEAD);
  return new Uint8Array(numbers.buffer);
}

function numbersOf({ loss, characters, correct }: Score): number[] {
  return [loss, characters, correct];
}

function scoresFrom(numbers: Float64Array): Score[] {
  return Array.from({ length: numbers.length / NUMBERS }, (_, k) => {
    const [loss, characters, correct] = numbers.subarray(k * NUMBERS);
    return { loss, characters, correct };
  });
}
