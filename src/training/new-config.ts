import { totalmem } from "node:os";
import { basename, extname } from "node:path";
import type { RunConfig } from "../checkpoint/run-config.js";
import { fitBatchShape } from "../data/batches.js";
import type { Corpus, CorpusSettings } from "../data/corpus.js";
import { TRAIN_DEFAULTS } from "../defaults.js";
import { CharnnError } from "../errors.js";
import { CELLS } from "../model/cells.js";
import { type ModelConfig, modelConfig, parameterCount } from "../model/config.js";
import { definedOnly } from "../settings.js";
import type { CountScore } from "./count-model.js";
import { haveEnd, limitsOf } from "./limits.js";
import { ENDING_SCHEDULES } from "./schedule.js";
import type { TrainSettings } from "./settings.js";

const BYTES_PER_NUMBER = 4;

/** The configuration of a new run: what was asked for, and for the rest the defaults. */
export function newConfig(
  settings: TrainSettings,
  corpus: Corpus,
  counting: CountScore | undefined,
): { config: RunConfig; note: string | undefined } {
  const all = { ...TRAIN_DEFAULTS, ...definedOnly(settings) };
  const shape: ReturnType<typeof fitBatchShape> = corpus.documents
    ? { batchSize: all.batchSize, seqLength: all.seqLength }
    : fitBatchShape(corpus.train.tokens.length, settings, TRAIN_DEFAULTS, all.batching);
  const { batchSize, seqLength, note } = shape;
  const limits = limitsOf(settings) ?? { epochs: TRAIN_DEFAULTS.epochs };
  const config: RunConfig = {
    model: modelConfig({
      cell: all.cell,
      layers: all.layers,
      hiddenSize: all.hiddenSize,
      embeddingSize: all.embeddingSize,
      vocabularySize: corpus.vocabulary.size,
    }),
    text: {
      fingerprint: corpus.fingerprint,
      characters: corpus.characters,
      trainCharacters: corpus.train.tokens.length,
      validationCharacters: corpus.validation.tokens.length,
      testCharacters: corpus.test.tokens.length,
      documents: corpus.documents,
      counting,
    },
    training: {
      validation: all.validation,
      test: all.test,
      batching: all.batching,
      batchSize,
      seqLength,
      stride: settings.stride ?? seqLength,
      dropout: all.dropout,
      inputDropout: all.inputDropout,
      recurrentDropout: all.recurrentDropout,
      weightDropout: all.weightDropout,
      optimizer: all.optimizer,
      learningRate: all.learningRate,
      schedule: settings.schedule ?? (haveEnd(limits) ? TRAIN_DEFAULTS.schedule : "plateau"),
      warmupSteps: all.warmupSteps,
      clipNorm: all.clipNorm,
      clipValue: all.clipValue,
      accumulate: all.accumulate,
      weightDecay: all.weightDecay,
      averageDecay: all.averageDecay,
      evalEvery: all.evalEvery,
      randomSeed: all.randomSeed,
    },
    limits,
  };
  refuseEndlessSchedule(config);
  refuseTooLarge(config.model, config.training);
  return { config, note };
}

/**
 * Refuses a schedule that has to know when the run ends where nothing says so.
 *
 * @throws CharnnError `INVALID_SETTING`
 */
export function refuseEndlessSchedule({ training: { schedule }, limits }: RunConfig): void {
  if (!ENDING_SCHEDULES.has(schedule) || haveEnd(limits)) return;
  throw new CharnnError(
    "INVALID_SETTING",
    `The ${schedule} schedule has to know when the run ends, and --patience and --target-loss don't say.`,
    "Give --epochs, --steps or --max-time too, or take --schedule plateau or constant.",
    { setting: "schedule" },
  );
}

/** Which text was asked for, and how it is to be divided. */
export function corpusSettings(settings: TrainSettings): CorpusSettings {
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

/** What a run is called when nothing is said: `shakespeare-gru-1x128`. */
export function defaultName(settings: TrainSettings): string {
  const { files, cell, layers, hiddenSize } = { ...TRAIN_DEFAULTS, ...definedOnly(settings) };
  const [first] = files;
  const text = first === "-" ? "stdin" : basename(first, extname(first)) || "text";
  return `${text}-${cell}-${layers}x${hiddenSize}`.replace(/[^\p{L}\p{N}._-]+/gu, "-");
}

/**
 * Refuses what could not fit into this machine's memory before anything is made for it.
 *
 * @throws CharnnError `INVALID_SETTING`
 */
export function refuseTooLarge(
  model: ModelConfig,
  { batchSize, seqLength }: { readonly batchSize: number; readonly seqLength: number },
): void {
  const { layers, hiddenSize, cell } = model;
  // Weights, gradients and two moments; for each place the gates, their gradients, the states.
  const forParameters = 4 * parameterCount(model);
  const forPlaces =
    batchSize * seqLength * layers * hiddenSize * (3 * CELLS[cell].gates.length + 2);
  const bytes = BYTES_PER_NUMBER * (forParameters + forPlaces);
  if (bytes <= totalmem()) return;
  const gigabytes = (value: number) =>
    `${(value / 1e9).toLocaleString("en", { maximumFractionDigits: 1 })} GB`;
  throw new CharnnError(
    "INVALID_SETTING",
    `Training needs at least ${gigabytes(bytes)} of memory: ` +
      `${gigabytes(BYTES_PER_NUMBER * forParameters)} for ${parameterCount(model).toLocaleString("en")} ` +
      `parameters, the rest for batches. This machine has ${gigabytes(totalmem())}.`,
    "Choose a smaller --hidden-size, --batch-size or --seq-length, or fewer --layers.",
  );
}
