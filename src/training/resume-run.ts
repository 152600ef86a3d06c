import { backendWarnings, type SelectedBackend } from "../backends/select.js";
import { cleanUpOnFailure } from "../clean-up.js";
import { memberCount } from "../config/members.js";
import type { Progress, RunConfig } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Batches } from "../data/batches.js";
import { type Corpus, loadCorpus, textFingerprint } from "../data/corpus.js";
import type { ReadOptions } from "../data/sources.js";
import { CharnnError } from "../errors.js";
import { CharRnn, modelWorkspace } from "../model/char-rnn.js";
import { parameterArray } from "../model/parameters.js";
import { corpusSettings, type PlanOptions } from "../planning/corpus-settings.js";
import { NO_TIME } from "../planning/forecast.js";
import { haveSameEnd, resumedLimits } from "../planning/limits.js";
import { FIXED, refuseTooLarge, trainingShape } from "../planning/memory-need.js";
import { batchesOf, refuseEndlessSchedule } from "../planning/resolve-config.js";
import { lengthOfRun } from "../planning/run-length.js";
import type { Ranks } from "../ranks/ranks.js";
import { listRuns } from "../runs/all-runs.js";
import { findBestAside } from "../runs/best-aside.js";
import { claimRun } from "../runs/claim.js";
import { readLast } from "../runs/last-checkpoint.js";
import type { RunLock } from "../runs/lock.js";
import { lastSeconds, truncateMetricsAfter } from "../runs/metrics.js";
import { checkpointsOf, contentsOf } from "../runs/run-contents.js";
import { type RunFolder, runFolder } from "../runs/run-folder.js";
import { readRunFacts, statesBesideLast } from "../runs/saved-states.js";
import { quoted } from "../shell-words.js";
import { counted } from "../text.js";
import { firstModels } from "./first-models.js";
import {
  noRunWithSettings,
  type OtherSetting,
  otherSetting,
  refuseOtherSettings,
} from "./resumed-settings.js";
import { createRun, type Run } from "./run.js";
import { endReached } from "./run-end.js";
import { refuseUnknownPrompt } from "./samples.js";
import { restoreRun } from "./snapshot.js";
import { plannedChanges } from "./timekeeper.js";

/**
 * The run to resume: the one that is named, or the newest that learned from the text and can be resumed with
 * the settings.
 *
 * @param warnings gets a sentence for each run for which that can't be checked
 * @returns undefined where there is no such run, or it has no checkpoint
 * @throws CharnnError `CANNOT_RESUME` where there are runs on the text, and none can
 */
export async function findRunToResume(
  settings: TrainSettings,
  warnings: string[],
  options: ReadOptions,
): Promise<RunFolder | undefined> {
  const { out = TRAIN_DEFAULTS.out, name } = settings;
  if (name === undefined) return findRunOnText(settings, out, warnings, options);
  const folder = runFolder(out, name);
  return checkpointsOf(folder, await contentsOf(folder)).length > 0 ? folder : undefined;
}

/**
 * A run as it was at its last checkpoint, on the text it was started with.
 *
 * @throws CharnnError for a folder, checkpoint, text or settings with which it can't go on; the reason of the
 *   signal when it is aborted. Nothing is changed then.
 */
export async function resumeRun(
  folder: RunFolder,
  settings: TrainSettings,
  selected: SelectedBackend,
  options: PlanOptions,
): Promise<Run> {
  const lock = await claimRun(folder, options.signal);
  return cleanUpOnFailure(
    () => resumeClaimed(folder, lock, settings, selected, options),
    lock.release,
  );
}

async function resumeClaimed(
  folder: RunFolder,
  lock: RunLock,
  settings: TrainSettings,
  selected: SelectedBackend,
  { clock: clockOfProcess, rankZero, ...options }: PlanOptions,
): Promise<Run> {
  const { signal } = options;
  const { backend } = selected;
  const { ranks } = rankZero;
  const saved = await readLast(folder, signal);
  refuseImported(folder, saved.config);
  refuseOtherSettings(folder, saved.config, settings);
  refuseMoreRanks(folder, saved.config, ranks);
  refuseTooLarge(trainingShape(saved.config, backend, ranks), FIXED);
  const corpus = await loadCorpus(
    { ...corpusOfRun(saved.config, settings), alsoKnown: saved.vocabulary },
    options,
  );
  refuseOtherText(folder, saved.config, corpus);
  refuseUnknownPrompt(settings.samplePrompt, saved.config.text, saved.vocabulary);
  const config: RunConfig = {
    ...saved.config,
    training: {
      ...saved.config.training,
      evalEvery: settings.evalEvery ?? saved.config.training.evalEvery,
    },
    limits: resumedLimits(saved.config.limits, settings),
  };
  refuseEndlessSchedule(config);
  const progress = { ...saved.progress };
  const batches = batchesOf(config, corpus);
  refuseOutside(folder, progress, batches);
  await truncateMetricsAfter(folder.metrics, progress);
  const secondsBefore = await lastSeconds(folder.metrics);
  const clock = () => secondsBefore + clockOfProcess();

  // A time that is given again stays the number of steps that it was turned into.
  const areNew = !haveSameEnd(config.limits, saved.config.limits);
  // A run that is over already need not be tried.
  const isOver = !areNew && endReached({ config, progress }) !== undefined;
  const workspace = modelWorkspace(backend, config.model);
  if (!isOver) options.onPreparation?.("measuring");
  const { totalSteps, speed } = isOver
    ? { totalSteps: progress.totalSteps, speed: NO_TIME }
    : await lengthOfRun(backend, config, corpus, batches, progress, areNew, {
        signal,
        clock,
        workspace,
        rankZero,
      });
  if (areNew) {
    progress.totalSteps = totalSteps;
    progress.replan = plannedChanges(config.limits);
  }

  const models = Array.from(
    { length: memberCount(config) },
    () => new CharRnn(backend, config.model, parameterArray(backend, config.model), workspace),
  );
  const warnings = [...backendWarnings(selected, settings.threads), ...corpus.warnings];
  const run = createRun({
    ...{
      folder,
      lock,
      ranks,
      config,
      selected,
      corpus,
      batches,
      models,
      progress,
      speed,
      clock,
      warnings,
    },
    choice: undefined,
    wouldGoOn: endReached(saved) === undefined,
    // Made again, since few runs go back so far. Weights that --init-from gave are not known any more.
    async firstWeights() {
      const first = await firstModels(backend, config, corpus, { workspace });
      try {
        return first.map(({ parameters }) => parameters.read().slice());
      } finally {
        for (const { parameters } of first) parameters.dispose();
      }
    },
  });
  await cleanUpOnFailure(
    async () => {
      await restoreRun(run, folder.last, signal);
      run.bestAside = await findBestAside(folder, progress);
    },
    () => run.dispose(),
  );
  return run;
}

/** The text of a run, divided as the run has divided it. */
function corpusOfRun({ text, training }: RunConfig, settings: TrainSettings) {
  const { validation, test, fold, split, minCount, randomSeed } = training;
  const read = readingOf(text);
  const divided = { validation, test, fold, split, minCount, randomSeed, ...read };
  return { ...corpusSettings({ ...settings, documents: text.documents }), ...divided };
}

/** How a run has read its text. */
function readingOf({ documents, lineEnds = "keep", normalize, lowercase }: RunConfig["text"]) {
  return { documents, lineEnds, normalize, lowercase };
}

/**
 * The newest run that learned from the text in `settings`, and that can be resumed with them.
 *
 * @param warnings gets a sentence for each run for which that can't be checked
 * @throws CharnnError `CANNOT_RESUME` where there are runs on the text, and none can
 */
async function findRunOnText(
  settings: TrainSettings,
  out: string,
  warnings: string[],
  reading: ReadOptions,
): Promise<RunFolder | undefined> {
  const leaveOut = (path: string, { message }: CharnnError) =>
    warnings.push(`Can't check whether ${path} was trained on this text: ${message}`);
  const fingerprints = new Map<string, string>();
  let newest: { readonly folder: RunFolder; readonly other: OtherSetting } | undefined;
  for (const folder of await listRuns(out, leaveOut)) {
    let config: RunConfig | undefined;
    try {
      config = await configOf(folder);
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
      leaveOut(folder.path, error);
    }
    if (!config) continue;
    // As the run has read it.
    const read = readingOf(config.text);
    const how = JSON.stringify(read);
    const own =
      fingerprints.get(how) ??
      (await textFingerprint({ ...corpusSettings(settings), ...read }, reading));
    fingerprints.set(how, own);
    if (own !== config.text.fingerprint) continue;
    const other = otherSetting(config, settings);
    if (!other) return folder;
    newest ??= { folder, other };
  }
  if (newest) throw noRunWithSettings(newest.folder, newest.other);
  return undefined;
}

/** What a run says of itself, by any of its checkpoints. */
async function configOf(folder: RunFolder): Promise<RunConfig | undefined> {
  const contents = await contentsOf(folder);
  if (!contents) return undefined;
  const facts = await readRunFacts(folder, contents).catch(async (error: unknown) => {
    const [other] = await statesBesideLast(folder, contents);
    if (!other) throw error;
    return other.facts;
  });
  return facts.config;
}

/** What another program has trained has no optimizer moments, and no place in a text. */
function refuseImported({ name }: RunFolder, { imported }: RunConfig): void {
  if (!imported) return;
  throw new CharnnError(
    "CANNOT_RESUME",
    `The run ${name} was imported: it has weights, and no training to continue.`,
    `To train on from its weights, give \`initFrom: ${quoted(name)}\` and another \`name\` in place of \`resume\`.`,
  );
}

/** A worker is not divided among processes. */
function refuseMoreRanks({ name }: RunFolder, { training }: RunConfig, { size }: Ranks): void {
  const { workers = 1 } = training;
  if (size <= workers) return;
  throw new CharnnError(
    "CANNOT_RESUME",
    `The run ${name} has ${counted(workers, "worker")}, which ${size} processes can't share.`,
    workers === 1
      ? `Resume it without mpirun, or begin a new run with its weights: \`initFrom: ${quoted(name)}\` and another \`name\`.`
      : `Start at most ${workers} processes.`,
  );
}

function refuseOtherText(folder: RunFolder, { text }: RunConfig, corpus: Corpus): void {
  if (corpus.fingerprint === text.fingerprint) return;
  const count = (characters: number) => characters.toLocaleString("en");
  throw new CharnnError(
    "CANNOT_RESUME",
    `The run ${folder.name} learned from another text (${count(text.characters)} characters; ` +
      `this one has ${count(corpus.characters)}).`,
    "Give the files it was started with, or start a run of another `name`.",
  );
}

/** Refuses a checkpoint that was changed by hand, so that its text has no such batch. */
function refuseOutside({ last }: RunFolder, { epoch, batch }: Progress, batches: Batches): void {
  const count = batches.batchesInEpoch(epoch);
  if (batch < count) return;
  throw new CharnnError(
    "BAD_CHECKPOINT",
    `${last} can't be used: its next batch is number ${batch + 1} of an epoch of ${count}.`,
    "Start over with `overwrite`, or train another run with another `name`.",
  );
}
