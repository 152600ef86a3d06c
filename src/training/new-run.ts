import type { SelectedBackend } from "../backends/select.js";
import { cleanUpOnFailure } from "../clean-up.js";
import type { ModelConfig } from "../config/model.js";
import { firstProgress } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { loadCorpus } from "../data/corpus.js";
import { CharnnError } from "../errors.js";
import { inMemory } from "../memory.js";
import { corpusSettings, type PlanOptions } from "../planning/corpus-settings.js";
import { trainingOutOfMemory, trainingShape } from "../planning/memory-need.js";
import { resolveConfig } from "../planning/resolve-config.js";
import { claimRun } from "../runs/claim.js";
import { loadCheckpoint } from "../runs/load-checkpoint.js";
import type { RunLock } from "../runs/lock.js";
import { checkpointsOf, clearRun, contentsOf, setMetricsAside } from "../runs/run-contents.js";
import { freeName, type RunFolder, runFolder } from "../runs/run-folder.js";
import { defaultName, foldName } from "../runs/run-name.js";
import { firstModels } from "./first-models.js";
import { createRun, type Run } from "./run.js";
import { refuseUnknownPrompt } from "./samples.js";
import { plannedChanges } from "./timekeeper.js";

/**
 * Reads the text, decides all that is left open, takes a folder, and makes a model with its first weights.
 *
 * @throws CharnnError for what is wrong with the settings, the text or the folder, `RUN_EXISTS` where there is
 *   a run of its name; the reason of the signal when it is aborted. Nothing is changed then.
 */
export async function newRun(
  settings: TrainSettings,
  selected: SelectedBackend,
  options: PlanOptions,
): Promise<Run> {
  const { out = TRAIN_DEFAULTS.out, name } = settings;
  const { signal, clock, rankZero } = options;
  const { ranks } = rankZero;
  const { backend } = selected;
  // A name that can't be had is refused before a long text is read.
  const named =
    name === undefined ? undefined : await claim(settings, runFolder(out, name), signal);
  const { base, corpus, plan } = await cleanUpOnFailure(
    () => readAndPlan(settings, selected, options),
    () => named?.lock.release(),
  );
  const { config } = plan;
  options.onPreparation?.("initializing");
  const { folder, lock } = named ?? (await claimUnused(settings, config.model, signal));
  const build = async () => {
    const models = await firstModels(backend, config, corpus, {
      workspace: plan.workspace,
      base,
      signal,
    });
    const firstWeights = models.map(({ parameters }) => parameters.read().slice());
    const replan = plannedChanges(config.limits);
    const progress = { ...firstProgress(), totalSteps: plan.totalSteps, replan };
    const run = createRun({
      ...{ ...plan, folder, lock, ranks, selected, corpus, models, progress, clock },
      wouldGoOn: false,
      firstWeights: async () => firstWeights,
    });
    for (const [index, { learner }] of run.members.entries()) {
      learner.average?.write(firstWeights[index]);
    }
    return run;
  };
  const outOfMemory = (cause: unknown) =>
    trainingOutOfMemory(trainingShape(config, backend, ranks), cause);
  const run = await cleanUpOnFailure(() => inMemory(build, outOfMemory), lock.release);
  // As late as can be: a run to be overwritten is there until then.
  await cleanUpOnFailure(
    () => makeRoom(run, settings),
    () => run.close(),
  );
  return run;
}

/**
 * Reads the text, and decides all that is left open.
 *
 * @throws CharnnError for what is wrong with the settings or the text; the reason of the signal
 */
export async function readAndPlan(
  settings: TrainSettings,
  selected: SelectedBackend,
  options: PlanOptions,
) {
  const { initFrom, out = TRAIN_DEFAULTS.out } = settings;
  const { signal } = options;
  const base =
    initFrom === undefined
      ? undefined
      : await loadCheckpoint(initFrom, { out, signal, weightsOnly: true });
  const alsoKnown = base?.vocabulary;
  const corpus = await loadCorpus({ ...corpusSettings(settings), alsoKnown }, options);
  refuseUnknownPrompt(settings.samplePrompt, settings, corpus.vocabulary);
  const plan = await resolveConfig(settings, corpus, base, selected, options);
  return { base, corpus, plan };
}

/** A run's folder, as this process's own. */
interface Claimed {
  readonly folder: RunFolder;
  readonly lock: RunLock;
}

/** The folder of a run that was given no name. */
async function claimUnused(
  settings: TrainSettings,
  model: ModelConfig,
  signal: AbortSignal | undefined,
): Promise<Claimed> {
  const { out = TRAIN_DEFAULTS.out, overwrite } = settings;
  for (;;) {
    try {
      return await claim(settings, runFolder(out, await unusedName(settings, out, model)), signal);
    } catch (error) {
      // Another process took the free name at the same moment.
      const isTaken = error instanceof CharnnError && error.code === "RUN_EXISTS";
      if (!isTaken || overwrite) throw error;
    }
  }
}

/** The name of a run that was given none. It may be a name that is taken only where that run is to be overwritten. */
async function unusedName(
  { files, fold, overwrite }: TrainSettings,
  out: string,
  model: ModelConfig,
): Promise<string> {
  const wanted = defaultName(files, model);
  const folds = fold ? Array.from({ length: fold.of }, (_, k) => foldName("", k + 1)) : [""];
  const name = overwrite ? wanted : await freeName(out, wanted, folds);
  return fold ? foldName(name, fold.index) : name;
}

/** @throws CharnnError `RUN_EXISTS` where the folder has a run that is not to be overwritten, or is in use */
async function claim(
  { resume, overwrite }: TrainSettings,
  folder: RunFolder,
  signal: AbortSignal | undefined,
): Promise<Claimed> {
  const lock = await claimRun(folder, signal);
  return cleanUpOnFailure(async () => {
    const contents = await contentsOf(folder);
    if (!contents || overwrite || (resume && checkpointsOf(folder, contents).length === 0)) {
      return { folder, lock };
    }
    throw new CharnnError(
      "RUN_EXISTS",
      `There is a run ${folder.name} already, in ${folder.path}.`,
      "Add `resume` to continue it, `overwrite` to replace it, or choose another `name`.",
    );
  }, lock.release);
}

/** Removes the run that is overwritten, and keeps what a run without a checkpoint has reported. */
async function makeRoom(run: Run, settings: TrainSettings): Promise<void> {
  const { folder } = run;
  await run.lock.check();
  const warn = (message: string) => {
    run.warnings = [...run.warnings, message];
  };
  if (settings.resume) {
    warn(`There is no checkpoint to resume: ${folder.path} starts from the beginning.`);
  }
  if (settings.overwrite) await clearRun(folder);
  else if ((await contentsOf(folder))?.metrics) {
    warn(`What it reported before is now in ${await setMetricsAside(folder)}.`);
  }
}
