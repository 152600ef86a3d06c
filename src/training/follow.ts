import { CharnnError } from "../errors.js";
import { CharRnn } from "../model/char-rnn.js";
import { batchesOf } from "../planning/resolve-config.js";
import type { Ranks } from "../ranks/ranks.js";
import { agreeToTrain } from "./agree-to-train.js";
import { type Command, nextCommand, shareCorpus } from "./commands.js";
import { evaluateTogether } from "./evaluate-together.js";
import { openBackendOf } from "./open-backend.js";
import {
  disposeLearning,
  gatherState,
  learningParts,
  type SharedRun,
  secondsToJoin,
  shareNumbers,
} from "./shared-run.js";
import { takeStep } from "./step.js";

/**
 * What a rank above 0 does while rank 0 trains: its share of every step and evaluation. It reads no file and prints
 * nothing, and ends when rank 0 says so.
 */
export async function follow(ranks: Ranks): Promise<void> {
  let run: SharedRun | undefined;
  for (let command = nextCommand(ranks); command.kind !== "end"; command = nextCommand(ranks)) {
    try {
      if (command.kind === "open") {
        if (run) disposeLearning(run);
        run = await open(ranks, command);
      } else {
        await obey(command, run as SharedRun);
      }
    } catch (error) {
      // Rank 0 throws it too, reports it, and ends.
      if (!(error instanceof CharnnError)) throw error;
    }
  }
  if (run) disposeLearning(run);
}

async function obey(
  command: Exclude<Command, { readonly kind: "open" | "end" }>,
  run: SharedRun,
): Promise<void> {
  if (command.kind === "load") return shareNumbers(run);
  if (command.kind === "state") return gatherState(run);
  if (command.kind === "time") {
    secondsToJoin(run);
    return;
  }
  if (command.kind === "evaluate") {
    await evaluateTogether(run, command.most);
    return;
  }
  Object.assign(run.progress, command.at);
  await takeStep(run, command.learningRate);
}

async function open(
  ranks: Ranks,
  { config, text, threads, ...first }: Extract<Command, { kind: "open" }>,
): Promise<SharedRun> {
  const corpus = shareCorpus(ranks, text);
  const selected = await openBackendOf(ranks, first.backend, threads).catch((error) => {
    if (error instanceof CharnnError) return error;
    throw error;
  });
  agreeToTrain(ranks, selected, first);
  const { backend } = selected as Exclude<typeof selected, CharnnError>;
  const model = new CharRnn(backend, config.model);
  return {
    ...learningParts(model, config, ranks),
    config,
    corpus,
    batches: batchesOf(config, corpus),
    progress: { step: 0, epoch: 0, batch: 0 },
  };
}
