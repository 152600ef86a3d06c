import { rmdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { backendWarnings, type SelectedBackend, selectBackend } from "../backends/select.js";
import { cleanUp, cleanUpOnFailure } from "../clean-up.js";
import type { ModelConfig } from "../config/model.js";
import type { Progress, RunConfig } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { type Batches, createBatches } from "../data/batches.js";
import { type Corpus, loadCorpus, textFingerprint } from "../data/corpus.js";
import { Inputs } from "../data/inputs.js";
import type { ReadOptions } from "../data/sources.js";
import { countTokens } from "../data/vocabulary.js";
import { CharnnError, systemErrorCode } from "../errors.js";
import { makeFolder, removeLeftovers } from "../files/durable-file.js";
import { inMemory } from "../memory.js";
import { CharRnn, modelWorkspace } from "../model/char-rnn.js";
import { parameterArray } from "../model/parameters.js";
import { Random } from "../random.js";
import { listRuns } from "../runs/find-runs.js";
import { readLast } from "../runs/last-checkpoint.js";
import { lockRun, type RunLock } from "../runs/lock.js";
import { lastSeconds, truncateMetricsAfter } from "../runs/metrics.js";
import {
  checkpointsOf,
  clearRun,
  contentsOf,
  type RunContents,
  setMetricsAside,
} from "../runs/run-contents.js";
import { freeName, type RunFolder, runFolder } from "../runs/run-folder.js";
import { defaultName, foldName, refuseUnsafeFolder } from "../runs/run-name.js";
import { readRunFacts, statesBesideLast } from "../runs/saved-states.js";
import { NO_TIME, type Speed } from "./forecast.js";
import { GradientSum } from "./gradient-sum.js";
import { beginWith } from "./init-from.js";
import { haveSameEnd, resumedLimits } from "./limits.js";
import { FIXED, refuseTooLarge, trainingOutOfMemory, trainingShape } from "./memory-need.js";
import { corpusSettings, refuseEndlessSchedule } from "./new-config.js";
import { createOptimizer } from "./optimizer.js";
import { type OpenOptions, type Plan, planRun } from "./plan.js";
import { plannedChanges } from "./replan.js";
import {
  noRunWithSettings,
  type OtherSetting,
  otherSetting,
  refuseOtherSettings,
} from "./resumed-settings.js";
import { firstProgress } from "./roll-back.js";
import { disposeRun, type Run } from "./run.js";
import { lengthOfNewRun, lengthOfRun } from "./run-length.js";
import { restoreRun } from "./snapshot.js";
import { endReached } from "./start-and-end.js";

/**
 * Makes ready what was asked for: a new run, or with `resume` one that goes on from its last
 * checkpoint.
 *
 * @throws CharnnError, and the reason of the signal when it is aborted: nothing is changed then
 */
export async function openRun(settings: TrainSettings, given: OpenOptions): Promise<Run> {
  const { resume = false, overwrite = false, out = TRAIN_DEFAULTS.out, name } = settings;
  // The text is read to find the run, and once more to go on with it.
  const readsAgain = resume && name === undefined;
  const inputs = given.inputs ?? (readsAgain ? new Inputs(given.stdin) : undefined);
  const onShare = (share: number) => given.onPreparing?.("reading", share);
  const options = { ...given, inputs, onShare };
  if (resume && overwrite) {
    throw new CharnnError(
      "INVALID_SETTING",
      "--resume goes on with a run and --overwrite starts it anew: both at once can't be.",
      "Leave one of them out.",
    );
  }
  // In a cross-validation some folds go on while others are still to begin.
  if (resume && settings.initFrom !== undefined && settings.fold === undefined) {
    throw new CharnnError(
      "INVALID_SETTING",
      "--resume goes on with a run and --init-from begins one: both at once can't be.",
      "Leave one of them out.",
    );
  }
  const backend = await selectBackend(settings.backend ?? TRAIN_DEFAULTS.backend, settings.threads);
  const leftOut: string[] = [];
  const named =
    name !== undefined
      ? runFolder(out, name)
      : resume
        ? await findRunOnText(settings, out, leftOut, options)
        : undefined;
  const plan = named ? undefined : await planRun(settings, backend, options);
  const openAt = (folder: RunFolder) =>
    withFolder(folder, options.signal, async (lock) => {
      const contents = await contentsOf(folder);
      if (resume && contents && checkpointsOf(folder, contents).length > 0) {
        return continueRun(folder, contents, lock, settings, backend, options);
      }
      if (!resume && !overwrite && contents) throw nameTaken(folder);
      const ready = plan ?? (await planRun(settings, backend, options));
      return inMemory(
        () => startRun(folder, contents, lock, settings, backend, ready, options),
        (cause) => trainingOutOfMemory(trainingShape(ready.config, backend.name), cause),
      );
    });
  const run = await (named ? openAt(named) : openUnnamed(settings, out, plan as Plan, openAt));
  return { ...run, warnings: [...leftOut, ...run.warnings] };
}

/** Opens a run under the first free name. Where another process takes that at the same moment, the next one. */
async function openUnnamed(
  settings: TrainSettings,
  out: string,
  { config }: Plan,
  openAt: (folder: RunFolder) => Promise<Run>,
): Promise<Run> {
  for (;;) {
    const folder = runFolder(out, await unnamed(settings, out, config.model));
    try {
      return await openAt(folder);
    } catch (error) {
      const isTaken = error instanceof CharnnError && error.code === "RUN_EXISTS";
      if (!isTaken || settings.overwrite) throw error;
    }
  }
}

/** The name of a run that was given none. Only to overwrite one it takes one that is taken. */
async function unnamed(
  { files, fold, overwrite }: TrainSettings,
  out: string,
  model: ModelConfig,
): Promise<string> {
  const wanted = defaultName(files, model);
  const folds = fold ? Array.from({ length: fold.of }, (_, k) => foldName("", k + 1)) : [""];
  const name = overwrite ? wanted : await freeName(out, wanted, folds);
  return fold ? foldName(name, fold.index) : name;
}

/** @param contents is overwritten where that is asked for, and else has no checkpoint */
async function startRun(
  folder: RunFolder,
  contents: RunContents | undefined,
  lock: RunLock,
  settings: TrainSettings,
  backend: SelectedBackend,
  { corpus, config: planned, base, choice, ...plan }: Plan,
  { signal, clock }: OpenOptions,
): Promise<Run> {
  const warnings = [...plan.warnings];
  if (settings.resume) {
    warnings.push(`There is no checkpoint to resume: ${folder.path} starts from the beginning.`);
  }
  const counts = await countTokens(corpus.train.tokens, corpus.vocabulary.size, signal);
  const batches = batchesOf(planned, corpus);
  const workspace = modelWorkspace(planned.model);
  const trial = { signal, clock, workspace };
  const length = await lengthOfNewRun(planned, settings, corpus, batches, trial);
  const { config, totalSteps, speed } = length;
  warnings.push(...timeWarnings(config, speed, clock()));
  const replan = plannedChanges(config.limits);
  const progress: Progress = { ...firstProgress(), totalSteps, replan };
  const random = runRandom(config).fork("model");
  const model = await CharRnn.initialInTurns(config.model, random, signal, counts, workspace);
  if (base) beginWith(model, corpus.vocabulary, base);
  const run = assembleRun(folder, config, corpus, batches, backend, model, progress);
  return orDisposed(run, async () => {
    run.average?.write(run.firstWeights);
    // As late as can be: a run to be overwritten is there until then.
    await lock.check();
    if (settings.overwrite) await clearRun(folder);
    else if (contents?.metrics) {
      warnings.push(`What it reported before is now in ${await setMetricsAside(folder)}.`);
    }
    return { ...run, speed, clock, choice, warnings, lock };
  });
}

/** What the user should know of a limited time before it is spent. */
function timeWarnings({ limits }: RunConfig, { secondsPerStep }: Speed, seconds: number): string[] {
  const { maxTime } = limits;
  if (maxTime === undefined || seconds + secondsPerStep <= maxTime) return [];
  const inSeconds = (time: number) =>
    `${time.toLocaleString("en", { maximumFractionDigits: 1 })} s`;
  return [
    `Before the first step ${inSeconds(seconds)} have gone of the ${inSeconds(maxTime)} of --max-time, and a step takes about ${inSeconds(secondsPerStep)}: the run takes one step, and longer than it should.`,
  ];
}

async function continueRun(
  folder: RunFolder,
  contents: RunContents,
  lock: RunLock,
  settings: TrainSettings,
  backend: SelectedBackend,
  { clock: clockOfProcess, ...options }: OpenOptions,
): Promise<Run> {
  const checkpoint = await readLast(folder, contents, options.signal);
  const { text, training, limits } = checkpoint.config;
  refuseOtherSettings(folder, checkpoint.config, settings);
  const shape = trainingShape(checkpoint.config, backend.name);
  refuseTooLarge(shape, FIXED);
  const { validation, test, fold, split, minCount, randomSeed } = training;
  const { documents, lineEnds = "keep" } = text;
  const alsoKnown = checkpoint.vocabulary;
  const divided = { validation, test, fold, split, minCount, randomSeed, documents, lineEnds };
  const corpus = await loadCorpus(
    { ...corpusSettings({ ...settings, documents }), ...divided, alsoKnown },
    options,
  );
  refuseOtherText(folder, checkpoint.config, corpus);
  await truncateMetricsAfter(folder.metrics, checkpoint.progress);
  const secondsBefore = await lastSeconds(folder.metrics);
  const clock = () => secondsBefore + clockOfProcess();

  const config: RunConfig = {
    ...checkpoint.config,
    training: { ...training, evalEvery: settings.evalEvery ?? training.evalEvery },
    limits: resumedLimits(limits, settings),
  };
  refuseEndlessSchedule(config);
  const progress = { ...checkpoint.progress };
  const batches = batchesOf(config, corpus);
  refuseOutside(folder, progress, batches);
  // A time that is given again stays the number of steps that it was turned into.
  const areNew = !haveSameEnd(config.limits, limits);
  // A run that is over already need not be tried.
  const isOver = !areNew && endReached({ config, progress }) !== undefined;
  const workspace = modelWorkspace(config.model);
  const trial = { signal: options.signal, clock, workspace };
  const { totalSteps, speed } = isOver
    ? { totalSteps: progress.totalSteps, speed: NO_TIME }
    : await lengthOfRun(config, corpus, batches, progress, areNew, trial);
  if (areNew) {
    progress.totalSteps = totalSteps;
    progress.replan = plannedChanges(config.limits);
  }
  const model = new CharRnn(config.model, parameterArray(config.model), workspace);
  const run = assembleRun(folder, config, corpus, batches, backend, model, progress);
  return orDisposed(run, async () => {
    await restoreRun(run, folder.last, options.signal);
    const warnings = [...backendWarnings(backend, settings.threads), ...corpus.warnings];
    return { ...run, speed, clock, choice: undefined, warnings, lock };
  });
}

/**
 * Opens a run in a folder that is this process's own until the run is released. Folders that were
 * made for it and hold nothing then go again.
 */
async function withFolder(
  folder: RunFolder,
  signal: AbortSignal | undefined,
  open: (lock: RunLock) => Promise<Run>,
): Promise<Run> {
  await refuseUnsafeFolder(folder);
  const firstMade = await makeFolder(folder.path);
  const removeMade = async () => {
    if (firstMade) await removeEmpty(resolve(folder.path), resolve(firstMade));
  };
  const held = await cleanUpOnFailure(() => lockRun(folder, signal), removeMade);
  const release = () => cleanUp(held.release, removeMade);
  return cleanUpOnFailure(async () => {
    await removeLeftovers(folder.path);
    return open({ ...held, release });
  }, release);
}

/** Removes a folder and those around it up to `outermost`, as far as they are empty. */
async function removeEmpty(folder: string, outermost: string): Promise<void> {
  try {
    for (let path = folder; path.startsWith(outermost); path = dirname(path)) await rmdir(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOTEMPTY") throw error;
  }
}

/** Makes a run ready, and frees it where that fails. */
async function orDisposed(
  run: Parameters<typeof disposeRun>[0],
  makeReady: () => Promise<Run>,
): Promise<Run> {
  try {
    return await makeReady();
  } catch (error) {
    disposeRun(run);
    throw error;
  }
}

function runRandom({ training }: RunConfig): Random {
  return Random.fromSeed(training.randomSeed);
}

function batchesOf(config: RunConfig, { train, documents, vocabulary }: Corpus): Batches {
  const random = runRandom(config).fork("batches");
  return createBatches(train, documents, vocabulary, config.training, random);
}

function assembleRun(
  folder: RunFolder,
  config: RunConfig,
  corpus: Corpus,
  batches: Batches,
  backend: SelectedBackend,
  model: CharRnn,
  progress: Progress,
) {
  const { training, model: modelShape } = config;
  const random = runRandom(config);
  const average = training.averageDecay > 0 ? parameterArray(modelShape) : undefined;
  return {
    folder,
    config,
    corpus,
    backend,
    model,
    average,
    gradients: parameterArray(modelShape),
    scored: average ? new CharRnn(modelShape, average) : model,
    optimizer: createOptimizer(modelShape, training),
    gradientSum: new GradientSum(),
    batches,
    random,
    progress,
    firstWeights: model.parameters.read().slice(),
    state: model.zeroState(training.batchSize),
  };
}

/**
 * The newest run that learned from the text in `settings`, and that can go on with them.
 *
 * @param leftOut gets a sentence for each run of which that can't be told
 * @throws CharnnError `CANNOT_RESUME` where there are runs on the text, and none can
 */
async function findRunOnText(
  settings: TrainSettings,
  out: string,
  leftOut: string[],
  reading: ReadOptions,
): Promise<RunFolder | undefined> {
  const leaveOut = (path: string, { message }: CharnnError) =>
    leftOut.push(`Whether ${path} learned from this text can't be told: ${message}`);
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
    const { documents, lineEnds = "keep" } = config.text;
    const how = `${documents} ${lineEnds}`;
    const own =
      fingerprints.get(how) ??
      (await textFingerprint({ ...corpusSettings(settings), documents, lineEnds }, reading));
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

function refuseOtherText(folder: RunFolder, { text }: RunConfig, corpus: Corpus): void {
  if (corpus.fingerprint === text.fingerprint) return;
  const count = (characters: number) => characters.toLocaleString("en");
  throw new CharnnError(
    "CANNOT_RESUME",
    `The run ${folder.name} learned from another text (${count(text.characters)} characters; ` +
      `this one has ${count(corpus.characters)}).`,
    "Give the files it was started with, or start a run of another --name.",
  );
}

/** Refuses a checkpoint that was changed by hand, so that its text has no such batch. */
function refuseOutside({ last }: RunFolder, { epoch, batch }: Progress, batches: Batches): void {
  const count = batches.batchesInEpoch(epoch);
  if (batch < count) return;
  throw new CharnnError(
    "BAD_CHECKPOINT",
    `${last} can't be used: its next batch is number ${batch + 1} of an epoch of ${count}.`,
    "Start over with --overwrite, or train another run with another --name.",
  );
}

function nameTaken(folder: RunFolder): CharnnError {
  return new CharnnError(
    "RUN_EXISTS",
    `There is a run ${folder.name} already, in ${folder.path}.`,
    "Add --resume to go on with it, --overwrite to start it anew, or choose another --name.",
  );
}
