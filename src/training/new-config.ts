import { join } from "node:path";
import type { CountScore } from "../baselines/ngram.js";
import { modelConfig } from "../config/model.js";
import type { PresetName } from "../config/names.js";
import { namesIn, type RunConfig } from "../config/run.js";
import { definedOnly, pick } from "../config/schema.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { fitBatchShape } from "../data/batch-shape.js";
import type { Corpus, CorpusSettings } from "../data/corpus.js";
import { CharnnError } from "../errors.js";
import { haveEnd, limitsOf } from "./limits.js";
import { defaultEpochs, dropoutFor, MAX_EPOCHS, presetRecipe } from "./presets.js";
import { ENDING_SCHEDULES } from "./schedule.js";

/** Share of a run in which the learning rate may rise when nothing else is said. */
const LONGEST_WARM_UP = 0.05;

/**
 * The configuration of a new run: what was asked for, for the rest what the preset says, and then the
 * defaults. What depends on how long it goes on is still to be set: see {@link fittedTo}.
 */
export function newConfig(
  settings: TrainSettings,
  corpus: Corpus,
  counting: CountScore | undefined,
  preset: PresetName,
): { config: RunConfig; note: string | undefined } {
  const defaults = { ...TRAIN_DEFAULTS, ...presetRecipe(preset, corpus.vocabulary.size) };
  const all = { ...defaults, ...definedOnly(settings) };
  const characters = corpus.train.tokens.length;
  const shape: ReturnType<typeof fitBatchShape> = corpus.documents
    ? { batchSize: all.batchSize, seqLength: all.seqLength }
    : fitBatchShape(characters, settings, defaults, all.batching);
  const { batchSize, seqLength, note } = shape;
  const limits = limitsOf(settings) ?? { epochs: defaultEpochs(characters) };
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
      trainCharacters: characters,
      validationCharacters: corpus.validation.tokens.length,
      testCharacters: corpus.test.tokens.length,
      documents: corpus.documents,
      lineEnds: corpusSettings(settings).lineEnds,
      counting,
    },
    training: {
      ...pick(all, namesIn("training")),
      preset,
      split: splitOf(settings),
      batchSize,
      seqLength,
      stride: settings.stride ?? seqLength,
      dropout: settings.dropout ?? 0,
      inputDropout: settings.inputDropout ?? 0,
      recurrentDropout: settings.recurrentDropout ?? 0,
      schedule: settings.schedule ?? (haveEnd(limits) ? TRAIN_DEFAULTS.schedule : "plateau"),
    },
    limits,
  };
  refuseEndlessSchedule(config);
  return { config, note };
}

/**
 * The same with what depends on how long the run goes on, where it was not asked for: dropout by the
 * passes over the text, and a warm-up that is a small part of it.
 *
 * @param totalSteps undefined where losses alone decide
 */
export function fittedTo(
  config: RunConfig,
  settings: TrainSettings,
  totalSteps: number | undefined,
): RunConfig {
  const { model, text, training } = config;
  const { batchSize, seqLength, accumulate } = training;
  const characters = (totalSteps ?? 0) * batchSize * seqLength * accumulate;
  const epochs = totalSteps === undefined ? MAX_EPOCHS : characters / text.trainCharacters;
  const fitting = dropoutFor(model, text.trainCharacters, epochs);
  const rates = {
    dropout: settings.dropout ?? fitting.dropout,
    inputDropout: settings.inputDropout ?? fitting.inputDropout,
    recurrentDropout: settings.recurrentDropout ?? fitting.recurrentDropout,
  };
  const longest = Math.floor((totalSteps ?? Number.POSITIVE_INFINITY) * LONGEST_WARM_UP);
  const warmupSteps = settings.warmupSteps ?? Math.min(training.warmupSteps, longest);
  return { ...config, training: { ...training, ...rates, warmupSteps } };
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
  const { files, validationFile, documents, fold, out = TRAIN_DEFAULTS.out, name } = settings;
  return {
    leftOut: name === undefined ? [out] : [out, join(out, name)],
    files,
    validationFile,
    documents,
    fold,
    split: splitOf(settings),
    minCount: settings.minCount,
    randomSeed: settings.randomSeed ?? TRAIN_DEFAULTS.randomSeed,
    validation: settings.validation ?? TRAIN_DEFAULTS.validation,
    test: settings.test ?? TRAIN_DEFAULTS.test,
    encoding: settings.encoding ?? TRAIN_DEFAULTS.encoding,
    invalid: settings.invalid ?? TRAIN_DEFAULTS.invalid,
    lineEnds: settings.lineEnds ?? (documents ? "lf" : "keep"),
  };
}

/** @throws CharnnError `INVALID_SETTING` for a running text, which has no lines to deal */
function splitOf({ split, documents }: TrainSettings): CorpusSettings["split"] {
  if (split === "random" && !documents) {
    throw new CharnnError(
      "INVALID_SETTING",
      "--split random deals lines to the parts, and a running text is not divided into lines.",
      "If each line is a text of its own, add --documents lines; else --cross-validate 5 holds out each fifth of the text in turn.",
      { setting: "split" },
    );
  }
  return split ?? (documents ? "random" : undefined);
}
