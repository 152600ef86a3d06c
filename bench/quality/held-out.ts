import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import { membersOf } from "#src/checkpoint/members.js";
import { loadCorpus } from "#src/data/corpus.js";
import { evaluationBatches } from "#src/data/evaluation-batches.js";
import { meanLoss } from "#src/evaluation/mean-loss.js";
import { corpusSettings } from "#src/planning/corpus-settings.js";
import { openNetwork } from "#src/sampling/open-network.js";

/**
 * The losses on all that a run has held out of its text, nats/character: of its first model, of the first two
 * together, and so on.
 */
export async function wholeLosses(file: string, checkpoint: Checkpoint): Promise<number[]> {
  const { text, training } = checkpoint.config;
  const { randomSeed, validation, test, split, minCount } = training;
  const { documents, normalize, lowercase } = text;
  const divided = { randomSeed, validation, test, split, minCount };
  const settings = { files: [file], documents, normalize, lowercase, ...divided };
  const corpus = await loadCorpus(corpusSettings(settings));
  const { tokens } = corpus.validation;
  const models = [];
  const losses: number[] = [];
  for (const member of membersOf(checkpoint)) {
    models.push(await openNetwork(member, { threads: 1 }, { time: 512, batch: 64 }));
    const batches = evaluationBatches(tokens, corpus.documents, corpus.vocabulary);
    const sum = await meanLoss(models, batches);
    if (sum) losses.push(sum.loss / sum.characters);
  }
  for (const model of models) model.dispose();
  return losses;
}
