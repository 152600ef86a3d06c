import { isWeight, readCheckpoint } from "../checkpoint/checkpoint.js";
import { membersOf } from "../checkpoint/members.js";
import type { Batch } from "../data/batch.js";
import { charactersRead, evaluationBatches, isPartOf } from "../data/evaluation-batches.js";
import { meanLoss } from "../evaluation/mean-loss.js";
import { CharRnn } from "../model/char-rnn.js";
import { loadWeights } from "../model/load-weights.js";
import { parameterArray } from "../model/parameters.js";
import type { Speed } from "../planning/forecast.js";
import { charactersAtEnd, isTimeForWhole } from "../planning/forecast.js";
import { unlessAborted } from "../turns.js";
import type { EndEvent } from "./events.js";
import { heldOutBatches } from "./held-out.js";
import type { Run } from "./run.js";

export type FinalScores = Pick<
  EndEvent,
  "wholeLoss" | "evalCharacters" | "testLoss" | "testedCharacters"
>;

/**
 * Scores a checkpoint when a run is over: on the test part, of which a part is enough where time is
 * short, and on the whole validation part where evaluations scored only a part of it and there is time.
 *
 * @param signal aborted: what is not scored yet stays so
 */
export async function finalScores(
  run: Run,
  path: string,
  { isNew, speed, signal }: { isNew: boolean; speed: Speed; signal: AbortSignal | undefined },
): Promise<FinalScores> {
  const { config, clock, corpus } = run;
  const { test, validation, documents, vocabulary } = corpus;
  const { evalCharacters } = config.training;
  const scored = evalCharacters ?? Number.POSITIVE_INFINITY;
  const isPart = isPartOf(validation.tokens.length, scored);
  const facts = isPart ? { evalCharacters } : {};
  const wantsWhole = isPart && isNew && run.progress.bestLoss !== undefined;
  if (signal?.aborted || (test.tokens.length === 0 && !wantsWhole)) return facts;

  const { maxTime } = config.limits;
  const secondsLeft = () =>
    isNew && maxTime !== undefined ? maxTime - clock() : Number.POSITIVE_INFINITY;
  const secondsFor = (characters: number) =>
    speed.secondsPerCharacter * charactersRead(characters, documents);
  const models = run.members.map(({ evalModel: { backend, workspace } }) => {
    const parameters = parameterArray(backend, config.model);
    return new CharRnn(backend, config.model, parameters, workspace);
  });
  const lossOf = async (batches: AsyncIterable<Batch>) => {
    const score = await meanLoss(models, batches, signal);
    return score && { loss: score.loss / score.characters, characters: score.characters };
  };
  try {
    const reading = readCheckpoint(path, { onTensor: isWeight, signal });
    const checkpoint = await unlessAborted(reading, signal);
    if (!checkpoint) return facts;
    for (const [index, member] of membersOf(checkpoint).entries()) {
      loadWeights(models[index], member.tensors);
    }
    const { length } = test.tokens;
    const most = charactersAtEnd(secondsLeft(), length, secondsFor(length));
    const part = { most, pieceLength: config.text.scoredPiece, signal };
    const tested =
      length > 0
        ? await lossOf(evaluationBatches(test.tokens, documents, vocabulary, part))
        : undefined;
    const forWhole = secondsFor(validation.tokens.length);
    const isTime = isTimeForWhole(secondsLeft(), maxTime ?? 0, forWhole);
    const whole =
      wantsWhole && isTime
        ? await lossOf(heldOutBatches(config, corpus, undefined, signal))
        : undefined;
    return {
      ...facts,
      ...(whole && { wholeLoss: whole.loss }),
      ...(tested && { testLoss: tested.loss, testedCharacters: tested.characters }),
    };
  } finally {
    for (const model of models) model.dispose();
  }
}
