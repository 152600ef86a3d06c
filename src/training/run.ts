import { mkdir, rmdir } from "node:fs/promises";
import { totalmem } from "node:os";
import { basename, extname } from "node:path";
import { tensor } from "@tensorflow/tfjs-core";
import { type SelectedBackend, selectBackend } from "../backends/select.js";
import {
  type Checkpoint,
  momentName,
  readCheckpoint,
  readCheckpointFacts,
  stateName,
} from "../checkpoint/checkpoint.js";
import { notWritable, removeLeftovers } from "../checkpoint/durable-file.js";
import { truncateMetricsAfter } from "../checkpoint/metrics-file.js";
import type { Limits, Progress, RunConfig } from "../checkpoint/run-config.js";
import {
  clearRun,
  freeName,
  listRuns,
  lockRun,
  type RunFolder,
  runFolder,
} from "../checkpoint/run-folder.js";
import type { NamedTensor } from "../checkpoint/safetensors.js";
import { type Batches, createBatches, fitBatchShape } from "../data/batches.js";
import { type Corpus, loadCorpus } from "../data/corpus.js";
import { TRAIN_DEFAULTS } from "../defaults.js";
import { CharnnError } from "../errors.js";
import { CharRnn, type ModelState } from "../model/char-rnn.js";
import { type ModelConfig, modelConfig, parameterCount } from "../model/config.js";
import { loadWeights } from "../model/load-weights.js";
import { parameterViews } from "../model/parameters.js";
import { Random } from "../random.js";
import { createOptimizer, type Optimizer } from "./optimizer.js";
import type { TrainSettings } from "./settings.js";

/** A run, ready to take its next step. */
export interface Run {
  readonly folder: RunFolder;
  readonly config: RunConfig;
  readonly corpus: Corpus;
  readonly backend: SelectedBackend;
  readonly model: CharRnn;
  readonly optimizer: Optimizer;
  readonly batches: Batches;
  readonly random: Random;
  readonly progress: Progress;
  /** The state carried to the next batch. */
  state: ModelState;
  /** Seconds to be turned into a number of steps, once the speed is known. */
  readonly timeLimit: number | undefined;
  /** What the user should know before it starts. */
  readonly warnings: readonly string[];
  /** Lets other processes have the run. */
  release(): Promise<void>;
}

/** Steps that a run is made of before a time limit is turned into a number of them. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

/**
 * Makes ready what was asked for: a new run, or with `resume` one that goes on from its last
 * checkpoint.
 */
export async function openRun(
  settings: TrainSettings,
  stdin: AsyncIterable<Uint8Array> | undefined,
): Promise<Run> {
  const { resume = false, overwrite = false, out = TRAIN_DEFAULTS.out, name } = settings;
  if (resume && overwrite) {
    throw new CharnnError(
      "INVALID_SETTING",
      "resume goes on with a run and overwrite starts it anew: both at once can't be.",
      "Leave one of them out.",
      { setting: "resume" },
    );
  }
  const backend = await selectBackend(settings.backend ?? TRAIN_DEFAULTS.backend);
  const named = name === undefined ? undefined : runFolder(out, name);
  const saved = named && (await readLast(named));
  if (named && saved && !resume && !overwrite) throw nameTaken(named);
  if (resume) {
    const found = saved
      ? { folder: named as RunFolder, checkpoint: saved }
      : named
        ? undefined
        : await findRunOnText(settings, out, stdin);
    if (found) return continueRun(found.folder, found.checkpoint, settings, backend, stdin);
  }
  return startRun(named, settings, backend, stdin, out);
}

async function startRun(
  named: RunFolder | undefined,
  settings: TrainSettings,
  backend: SelectedBackend,
  stdin: AsyncIterable<Uint8Array> | undefined,
  out: string,
): Promise<Run> {
  const corpus = await loadCorpus(corpusSettings(settings), stdin);
  const { config, note } = newConfig(settings, corpus);
  const folder = named ?? runFolder(out, await freeName(out, defaultName(settings, config.model)));
  const release = await takeFolder(folder);
  try {
    if (settings.overwrite) await clearRun(folder);
    const random = Random.fromSeed(config.training.randomSeed);
    const model = CharRnn.initial(config.model, random.fork("model"));
    const run = assembleRun(folder, config, corpus, backend, model, {
      step: 0,
      epoch: 0,
      batch: 0,
      totalSteps: UNLIMITED,
      evaluatedAt: 0,
      lossSum: 0,
      lossCharacters: 0,
    });
    const warnings = [...corpus.warnings, ...(note ? [note] : [])];
    if (settings.resume)
      warnings.push(`There is no checkpoint to resume: ${folder.path} starts from the beginning.`);
    run.progress.totalSteps = stepsWithin(config.limits, run.batches);
    const timeLimit = config.limits.maxTime;
    return { ...run, timeLimit, warnings, release: () => leaveFolder(folder, release) };
  } catch (error) {
    await leaveFolder(folder, release);
    throw error;
  }
}

async function continueRun(
  folder: RunFolder,
  checkpoint: Checkpoint,
  settings: TrainSettings,
  backend: SelectedBackend,
  stdin: AsyncIterable<Uint8Array> | undefined,
): Promise<Run> {
  const { text, training, model: modelShape } = checkpoint.config;
  const { validation, test } = training;
  refuseDifferences(folder, { ...modelShape, ...training, documents: text.documents }, settings);
  const corpus = await loadCorpus(
    { ...corpusSettings(settings), validation, test, documents: text.documents },
    stdin,
  );
  if (corpus.fingerprint !== text.fingerprint) {
    throw new CharnnError(
      "CANNOT_RESUME",
      `The run ${folder.name} learned from another text (${text.characters.toLocaleString("en")} ` +
        `characters; this one has ${corpus.characters.toLocaleString("en")}).`,
      "Give the files it was started with, or start a run of another --name.",
    );
  }
  const asked = limitsOf(settings);
  const limits = asked ?? checkpoint.config.limits;
  const config = {
    ...checkpoint.config,
    training: { ...training, evalEvery: settings.evalEvery ?? training.evalEvery },
    limits,
  };
  const release = await takeFolder(folder);
  try {
    await removeLeftovers(folder.path);
    await truncateMetricsAfter(folder.metrics, checkpoint.progress.step);
    const model = new CharRnn(config.model);
    const run = assembleRun(folder, config, corpus, backend, model, { ...checkpoint.progress });
    restore(run, checkpoint.tensors);
    if (asked) run.progress.totalSteps = stepsWithin(asked, run.batches);
    const { warnings } = corpus;
    const timeLimit = asked?.maxTime;
    return { ...run, timeLimit, warnings, release: () => leaveFolder(folder, release) };
  } catch (error) {
    await leaveFolder(folder, release);
    throw error;
  }
}

function assembleRun(
  folder: RunFolder,
  config: RunConfig,
  corpus: Corpus,
  backend: SelectedBackend,
  model: CharRnn,
  progress: Progress,
) {
  const { training, model: modelShape } = config;
  const random = Random.fromSeed(training.randomSeed);
  const { train, documents, vocabulary } = corpus;
  const batches = createBatches(train, documents, vocabulary, training, random.fork("batches"));
  const optimizer = createOptimizer(modelShape, training);
  const state = model.zeroState(1);
  return { folder, config, corpus, backend, model, optimizer, batches, random, progress, state };
}

/** All that a checkpoint keeps of a run between two steps; views of the live arrays. */
export function checkpointOf(run: Run): Checkpoint {
  const { config, progress, corpus, model, optimizer, state } = run;
  const tensors = new Map<string, NamedTensor>();
  const put = (name: string, shape: readonly number[], data: Float32Array) =>
    tensors.set(name, { name, shape, data });
  for (const [name, { shape, data }] of parameterViews(config.model, model.parameters.values)) {
    put(name, shape, data);
  }
  for (const [moment, { values }] of optimizer.moments) {
    for (const [name, { shape, data }] of parameterViews(config.model, values)) {
      put(momentName(name, moment), shape, data);
    }
  }
  for (const [layer, { hidden, cellState }] of state.entries()) {
    put(stateName(layer, "hidden"), hidden.shape, hidden.dataSync<"float32">());
    if (cellState) {
      put(stateName(layer, "cell"), cellState.shape, cellState.dataSync<"float32">());
    }
  }
  return { config, vocabulary: corpus.vocabulary, progress, tensors };
}

/** Puts back what {@link checkpointOf} took. */
function restore(
  run: Pick<Run, "config" | "model" | "optimizer" | "state">,
  tensors: ReadonlyMap<string, NamedTensor>,
): void {
  const { config, model, optimizer } = run;
  const saved = (name: string) => tensors.get(name) as NamedTensor & { data: Float32Array };
  loadWeights(model, tensors);
  for (const [moment, { values }] of optimizer.moments) {
    for (const [name, { data }] of parameterViews(config.model, values)) {
      data.set(saved(momentName(name, moment)).data);
    }
  }
  const stateTensor = (name: string) => {
    const { shape, data } = saved(name);
    return tensor(data, [...shape], "float32");
  };
  run.state = run.state.map((layerState, layer) => {
    const hidden = stateTensor(stateName(layer, "hidden"));
    if (!layerState.cellState) return { hidden };
    return { hidden, cellState: stateTensor(stateName(layer, "cell")) };
  });
}

/** The configuration of a new run: what was asked for, and for the rest the defaults. */
function newConfig(
  settings: TrainSettings,
  corpus: Corpus,
): { config: RunConfig; note: string | undefined } {
  const all = { ...TRAIN_DEFAULTS, ...definedOnly(settings) };
  const shape = fitBatchShape(corpus.train.tokens.length, settings, TRAIN_DEFAULTS, all.batching);
  const { batchSize, seqLength, note } = corpus.documents
    ? { ...all, note: undefined }
    : { note: undefined, ...shape };
  const config: RunConfig = {
    model: modelConfig({
      cell: all.cell,
      layers: all.layers,
      hiddenSize: all.hiddenSize,
      embeddingSize: all.embeddingSize,
      dropout: all.dropout,
      vocabularySize: corpus.vocabulary.size,
    }),
    text: {
      fingerprint: corpus.fingerprint,
      characters: corpus.characters,
      trainCharacters: corpus.train.tokens.length,
      validationCharacters: corpus.validation.tokens.length,
      testCharacters: corpus.test.tokens.length,
      documents: corpus.documents,
    },
    training: {
      validation: all.validation,
      test: all.test,
      batching: all.batching,
      batchSize,
      seqLength,
      stride: settings.stride ?? seqLength,
      optimizer: all.optimizer,
      learningRate: all.learningRate,
      schedule: all.schedule,
      warmupSteps: all.warmupSteps,
      clipNorm: all.clipNorm,
      weightDecay: all.weightDecay,
      evalEvery: all.evalEvery,
      randomSeed: all.randomSeed,
    },
    limits: limitsOf(settings) ?? { epochs: TRAIN_DEFAULTS.epochs },
  };
  refuseTooLarge(config.model);
  return { config, note };
}

function corpusSettings(settings: TrainSettings) {
  const { files, validationFile, documents } = settings;
  return {
    files,
    validationFile,
    documents,
    validation: settings.validation ?? TRAIN_DEFAULTS.validation,
    test: settings.test ?? TRAIN_DEFAULTS.test,
    encoding: settings.encoding ?? TRAIN_DEFAULTS.encoding,
  };
}

/** The limits that were asked for; undefined when none was. */
function limitsOf({ epochs, steps, maxTime }: TrainSettings): Limits | undefined {
  const limits = definedOnly({ epochs, steps, maxTime });
  return Object.keys(limits).length > 0 ? limits : undefined;
}

/** The number of steps within the limits that are not of time. */
function stepsWithin({ epochs, steps }: Limits, batches: Batches): number {
  let within = steps ?? UNLIMITED;
  if (epochs !== undefined) {
    let batchesInAll = 0;
    for (let epoch = 0; epoch < epochs; epoch++) batchesInAll += batches.batchesInEpoch(epoch);
    within = Math.min(within, batchesInAll);
  }
  return within;
}

/** @throws CharnnError when a setting given differs from that of the run to go on with. */
function refuseDifferences(
  folder: RunFolder,
  saved: Readonly<Record<string, unknown>>,
  settings: TrainSettings,
): void {
  for (const [name, value] of Object.entries(definedOnly(settings))) {
    // How often to evaluate is a matter of reporting.
    if (!(name in saved) || name === "evalEvery" || saved[name] === value) continue;
    throw new CharnnError(
      "CANNOT_RESUME",
      `${name} is ${saved[name]} in the run ${folder.name}, not ${value}.`,
      "Leave it out to go on with the run, or start one of another --name.",
      { setting: name },
    );
  }
}

/** A model whose training could not fit into this machine's memory is refused before it is made. */
function refuseTooLarge(model: ModelConfig): void {
  // Weights, gradients and two moments of four bytes each.
  const bytes = parameterCount(model) * 16;
  if (bytes <= totalmem()) return;
  const gigabytes = (value: number) => `${(value / 1e9).toFixed(1)} GB`;
  throw new CharnnError(
    "INVALID_SETTING",
    `A model with ${parameterCount(model).toLocaleString("en")} parameters needs at least ` +
      `${gigabytes(bytes)} of memory to train; this machine has ${gigabytes(totalmem())}.`,
    "Choose a smaller --hidden-size or fewer --layers.",
  );
}

/** The newest run that learned from the text in `settings`. */
async function findRunOnText(
  settings: TrainSettings,
  out: string,
  stdin: AsyncIterable<Uint8Array> | undefined,
): Promise<{ folder: RunFolder; checkpoint: Checkpoint } | undefined> {
  if (settings.files.includes("-")) {
    throw new CharnnError(
      "CANNOT_RESUME",
      "A run on standard input can be resumed only by its name.",
      "Add --name, with the name it was started with.",
    );
  }
  const runs = await listRuns(out);
  if (runs.length === 0) return undefined;
  const { fingerprint } = await loadCorpus(corpusSettings(settings), stdin);
  for (const folder of runs) {
    const facts = await readCheckpointFacts(folder.last).catch(() => undefined);
    if (facts?.config.text.fingerprint !== fingerprint) continue;
    return { folder, checkpoint: await readCheckpoint(folder.last) };
  }
  return undefined;
}

async function readLast(folder: RunFolder): Promise<Checkpoint | undefined> {
  try {
    return await readCheckpoint(folder.last);
  } catch (error) {
    if (error instanceof CharnnError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

function nameTaken(folder: RunFolder): CharnnError {
  return new CharnnError(
    "RUN_EXISTS",
    `There is a run ${folder.name} already, in ${folder.path}.`,
    "Add --resume to go on with it, --overwrite to start it anew, or choose another --name.",
  );
}

/** `shakespeare-gru-1x128` */
function defaultName({ files }: TrainSettings, { cell, layers, hiddenSize }: ModelConfig): string {
  const [first] = files;
  const text = first === "-" ? "stdin" : basename(first, extname(first)) || "text";
  return `${text}-${cell}-${layers}x${hiddenSize}`.replace(/[^\p{L}\p{N}._-]+/gu, "-");
}

async function takeFolder(folder: RunFolder): Promise<() => Promise<void>> {
  try {
    await mkdir(folder.path, { recursive: true });
  } catch (error) {
    throw notWritable(folder.path, error);
  }
  return lockRun(folder);
}

/** Leaves no empty folder behind when nothing was saved. */
async function leaveFolder(folder: RunFolder, release: () => Promise<void>): Promise<void> {
  await release();
  await rmdir(folder.path).catch(() => {});
}

function definedOnly<Values extends object>(values: Values): Values {
  const defined = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as Values;
}
