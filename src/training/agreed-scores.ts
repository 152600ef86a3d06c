import { CharnnError } from "../errors.js";
import type { Score } from "../model/char-rnn.js";
import { agree } from "../ranks/agreement.js";
import { makeParts, partOf } from "../ranks/parts.js";
import type { Ranks } from "../ranks/ranks.js";
import { sharesOf } from "../ranks/share.js";

const DONE = 0;
const STOPPED = 1;
const FAILED = 2;
/** Of a score: loss, characters, correct ones. */
const NUMBERS = 3;

/**
 * Gives all processes the scores of all workers in a step.
 *
 * @param own of each batch of the step, the scores of this process's workers; undefined where its signal stopped it, and an
 *   error where it has failed
 * @returns of each batch, the scores of all workers, in their order; undefined where a process was stopped
 * @throws CharnnError that of the lowest rank that has failed
 */
export function agreedScores(
  ranks: Ranks,
  own: readonly (readonly Score[])[] | CharnnError | undefined,
  { workers, parts }: { readonly workers: number; readonly parts: number },
): Score[][] | undefined {
  if (ranks.size === 1) {
    if (own instanceof CharnnError) throw own;
    return own?.map((scores) => [...scores]);
  }
  const counts = sharesOf(workers, ranks.size).map(({ begin, end }) => end - begin);
  const received = makeParts(counts.map((count) => 8 * (1 + parts * count * NUMBERS)));
  ranks.gather(encoded(own, parts * counts[ranks.rank] * NUMBERS), received);
  const numbers = counts.map((_, rank) => new Float64Array(partOf(received, rank).slice().buffer));
  const outcomes = numbers.map(([outcome]) => outcome);
  if (outcomes.includes(FAILED)) agree(ranks, own instanceof CharnnError ? own : undefined);
  if (outcomes.includes(STOPPED)) return undefined;
  return Array.from({ length: parts }, (_, part) =>
    counts.flatMap((count, rank) => {
      const first = 1 + part * count * NUMBERS;
      return scoresFrom(numbers[rank].subarray(first, first + count * NUMBERS));
    }),
  );
}

function encoded(
  own: readonly (readonly Score[])[] | CharnnError | undefined,
  length: number,
): Uint8Array {
  const numbers = new Float64Array(1 + length);
  if (own instanceof CharnnError) numbers[0] = FAILED;
  else if (own === undefined) numbers[0] = STOPPED;
  else {
    const scores = own
      .flat()
      .flatMap(({ loss, characters, correct }) => [loss, characters, correct]);
    numbers.set([DONE, ...scores]);
  }
  return new Uint8Array(numbers.buffer);
}

function scoresFrom(numbers: Float64Array): Score[] {
  return Array.from({ length: numbers.length / NUMBERS }, (_, k) => {
    const [loss, characters, correct] = numbers.subarray(k * NUMBERS);
    return { loss, characters, correct };
  });
}
