import type { Backend } from "../backends/backend.js";
import { createLearner } from "../benchmark/training-speed.js";
import { memberCount } from "../config/members.js";
import { CharnnError } from "../errors.js";
import { CharRnn, modelWorkspace } from "../model/char-rnn.js";
import { parameterArray } from "../model/parameters.js";
import { batchesOf } from "../planning/resolve-config.js";
import { trialWithoutText } from "../planning/step-trial.js";
import { agreeToTrain } from "../ranks/join.js";
import { openBackendOf } from "../ranks/open-backend.js";
import type { Ranks } from "../ranks/ranks.js";
import type { Timed } from "../ranks/timed.js";
import { type Command, nextCommand, shareCorpus } from "./commands.js";
import { evaluateTogether } from "./evaluate-together.js";
import { createMembers, disposeMembers } from "./member.js";
import { gatherStates, type SharedRun, shareNumbers } from "./shared-run.js";
import { takeStep } from "./step.js";

/**
 * What a rank above 0 does while rank 0 trains: its share of every step and evaluation. It reads no file and prints
 * nothing, and ends when rank 0 says so.
 */
export async function follow(ranks: Ranks): Promise<void> {
  const follower = new Follower(ranks);
  for (let command = nextCommand(ranks); command.kind !== "end"; command = nextCommand(ranks)) {
    try {
      await follower.obey(command);
    } catch (error) {
      // Rank 0 throws it too, reports it, and ends.
      if (!(error instanceof CharnnError)) throw error;
    }
  }
  await follower.dispose();
}

/** What this process has from earlier commands. */
class Follower {
  readonly #ranks: Ranks;
  #backend: Backend | undefined;
  #timed: Timed | undefined;
  #run: SharedRun | undefined;

  constructor(ranks: Ranks) {
    this.#ranks = ranks;
  }

  async obey(command: Exclude<Command, { readonly kind: "end" }>): Promise<void> {
    const ranks = this.#ranks;
    const backend = this.#backend as Backend;
    const run = this.#run as SharedRun;
    switch (command.kind) {
      case "join":
        this.#backend = await join(ranks, command);
        return;
      case "trial":
        this.#timed = trialWithoutText(new CharRnn(backend, command.model), command, ranks);
        return;
      case "benchmark":
        this.#timed = await createLearner(backend, command.model, command.shape, { ranks });
        return;
      case "run":
        return this.#timed?.run(command.part);
      case "dispose":
        await this.#timed?.dispose();
        this.#timed = undefined;
        return;
      case "open":
        if (run) disposeMembers(run.members);
        this.#run = openRun(ranks, backend, command);
        return;
      case "load":
        return shareNumbers(run);
      case "step":
        Object.assign(run.progress, command.at);
        await takeStep(run, command.learningRate);
        return;
      case "evaluate":
        await evaluateTogether(run, command);
        return;
      case "state":
        return gatherStates(run);
    }
  }

  async dispose(): Promise<void> {
    await this.#timed?.dispose();
    if (this.#run) disposeMembers(this.#run.members);
  }
}

/** @throws CharnnError where a rank can't work with the others */
async function join(ranks: Ranks, command: Extract<Command, { kind: "join" }>): Promise<Backend> {
  const { backend, threads, version } = command;
  const selected = await openBackendOf(ranks, backend, threads).catch((error) => {
    if (error instanceof CharnnError) return error;
    throw error;
  });
  agreeToTrain(ranks, selected, version);
  return (selected as Exclude<typeof selected, CharnnError>).backend;
}

function openRun(
  ranks: Ranks,
  backend: Backend,
  { config, text }: Extract<Command, { kind: "open" }>,
): SharedRun {
  const corpus = shareCorpus(ranks, text);
  const workspace = modelWorkspace(backend, config.model);
  const parameters = () => parameterArray(backend, config.model);
  const models = Array.from(
    { length: memberCount(config) },
    () => new CharRnn(backend, config.model, parameters(), workspace),
  );
  return {
    ranks,
    members: createMembers(models, config, ranks),
    config,
    corpus,
    batches: batchesOf(config, corpus),
    progress: { step: 0, epoch: 0, batch: 0 },
  };
}
