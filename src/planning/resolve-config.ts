import type { Backend } from "../backends/backend.js";
import { backendWarnings, type SelectedBackend } from "../backends/select.js";
import { ngramBaseline } from "../baselines/ngram.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { memberCount } from "../config/members.js";
import { modelConfig } from "../config/model.js";
import { MAX_LAYERS_OF_MEMBERS, type ScheduleName } from "../config/names.js";
import { batchRows, namesIn, type RunConfig } from "../config/run.js";
import { definedOnly, pick } from "../config/schema.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { documentBatchShape, fitBatchShape } from "../data/batch-shape.js";
import { type Batches, createBatches } from "../data/batches.js";
import { type Corpus, LONG_TEXT } from "../data/corpus.js";
import { countDocuments } from "../data/documents.js";
import { PIECE_LENGTH } from "../data/evaluation-pieces.js";
import { CharnnError } from "../errors.js";
import { inMemory } from "../memory.js";
import { type ModelWorkspace, modelWorkspace } from "../model/char-rnn.js";
import { operationsPerCharacter } from "../model/flops.js";
import { ENDING_SCHEDULES } from "../optimization/schedule.js";
import { Random } from "../random.js";
import { heldOutNotes } from "../text-checks/held-out-notes.js";
import { listNote } from "../text-checks/list-note.js";
import { rareCharactersNote } from "../text-checks/rare-characters.js";
import { calibrationCharactersFor } from "./calibration.js";
import { type Choice, choiceForText, choiceForTime, speedsToCompare } from "./choice.js";
import { corpusSettings, type PlanOptions } from "./corpus-settings.js";
import type { Speed } from "./forecast.js";
import { secondsToTry } from "./forecast.js";
import { settingsFor } from "./init-from.js";
import { haveEnd, limitsOf } from "./limits.js";
import {
  fitsMemory,
  refuseTooLarge,
  type TrainingShape,
  trainingOutOfMemory,
  trainingShape,
} from "./memory-need.js";
import { defaultEpochs, FINAL_RATE, ngramRowsFor, ngramsOf, presetRecipe } from "./presets.js";
import { lengthOfNewRun } from "./run-length.js";
import { charactersPerSecond } from "./trial.js";
import { rateFactor } from "./worker-rate.js";

/**
 * The n-gram baseline may take a small part of a limited time. How much it counts depends on the time that is
 * given, not on how fast the machine is, so that the same settings give the same result.
 */
const CHARACTERS_COUNTED_PER_SECOND = 50_000;

/** Settings that leave a run with the models that they ask for, also where there is time for more. */
const DECIDES_MEMBERS = [
  "members",
  "cell",
  "layers",
  "hiddenSize",
  "embeddingSize",
  "epochs",
  "steps",
  "patience",
  "targetLoss",
] as const satisfies readonly (keyof TrainSettings)[];

/** What can't be changed where a run begins with given weights. */
const SIZES_OF_MODEL = ["hiddenSize", "layers", "embeddingSize", "streams"] as const;

/** What a new run will be. */
export interface Plan {
  readonly config: RunConfig;
  readonly batches: Batches;
  /** Undefined where losses alone decide when the run ends. */
  readonly totalSteps: number | undefined;
  readonly speed: Speed;
  readonly choice: Choice | undefined;
  /** What the user should know before it starts. */
  readonly warnings: readonly string[];
  /** Scratch memory that the trial has used, for the model of the run. */
  readonly workspace: ModelWorkspace;
}

/**
 * Decides all that the settings leave open: sizes by the text and the time, the number of steps by a trial on
 * a model that is thrown away, and dropout by the number of steps. No tensor of the run exists before.
 *
 * @param base the checkpoint whose weights the run begins with
 * @throws CharnnError `INVALID_SETTING` for what does not go together or needs more memory than there is; the
 *   reason of the signal when it is aborted
 */
export async function resolveConfig(
  settings: TrainSettings,
  corpus: Corpus,
  base: Checkpoint | undefined,
  selected: SelectedBackend,
  options: PlanOptions,
): Promise<Plan> {
  const { signal, clock, rankZero } = options;
  const { backend } = selected;
  options.onPreparation?.("counting");
  const baseline = await baselineOf(corpus, settings, options);
  options.onPreparation?.("measuring");
  const asked = base ? settingsFor(base, settings) : settings;
  const documentCount = countDocuments(corpus.train.tokens, corpus);
  const known = { counting: baseline, documentCount };
  const planOf = (which: WhichModels) => withDefaults(asked, corpus, known, which);
  const shapeOf = (config: RunConfig) => trainingShape(config, backend, rankZero.ranks);
  const choice = settings.preset
    ? undefined
    : await chosenPreset(settings, corpus, backend, base, options, {
        documentLength: documentCount && corpus.train.tokens.length / documentCount,
        configOf: (which) => planOf(which).config,
        shapeOf,
      });
  const preset = settings.preset ?? (choice as Choice).preset;
  const { config: planned, note } = planOf({ preset, members: choice?.members });
  options.onPreparation?.("comparing");
  const shape = shapeOf(planned);
  refuseTooLarge(shape, base ? SIZES_OF_MODEL : ["streams"]);
  const notes = [
    ...backendWarnings(selected, settings.threads),
    ...corpus.warnings,
    ...(note ? [note] : []),
    ...(await listNote(corpus, signal)),
    ...(await heldOutNotes(settings, corpus, signal)),
    ...(settings.minCount === undefined && !base
      ? await rareCharactersNote(corpus, planned.model, signal)
      : []),
  ];
  const batches = batchesOf(planned, corpus);
  const workspace = modelWorkspace(backend, planned.model);
  options.onPreparation?.("measuring");
  const length = await inMemory(
    () =>
      lengthOfNewRun(backend, planned, settings, corpus, batches, {
        signal,
        clock,
        workspace,
        rankZero,
      }),
    (cause) => trainingOutOfMemory(shape, cause),
  );
  const warnings = [...notes, ...timeWarnings(length.config, length.speed, clock())];
  // Sections depend on the length; other batches have been put in order already.
  const isAsPlanned = length.config.training.sectionWindows === planned.training.sectionWindows;
  const batchesOfRun = isAsPlanned ? batches : batchesOf(length.config, corpus);
  return { ...length, batches: batchesOfRun, choice, warnings, workspace };
}

/** The batches of a run: a function of its configuration, the text and the epoch. */
export function batchesOf(
  { training }: RunConfig,
  { train, documents, vocabulary }: Pick<Corpus, "train" | "documents" | "vocabulary">,
): Batches {
  const random = Random.fromSeed(training.randomSeed).fork("batches");
  const settings = { ...training, batchSize: batchRows(training) };
  return createBatches(train, documents, vocabulary, settings, random);
}

/** The n-gram baseline on the validation part, nats/char. */
function baselineOf(
  { characters, train, validation, vocabulary }: Corpus,
  { maxTime }: TrainSettings,
  { signal, onPreparing }: PlanOptions,
) {
  const isLong = characters >= LONG_TEXT;
  return ngramBaseline(train.tokens, validation.tokens, vocabulary.size, {
    signal,
    documentEnd: vocabulary.documentEnd,
    onProgress: isLong ? (fraction) => onPreparing?.("counting", fraction) : undefined,
    most: maxTime && Math.ceil(CHARACTERS_COUNTED_PER_SECOND * maxTime),
  });
}

/** The preset of the weights that the run begins with, or what fits the time that is left, or else the text. */
async function chosenPreset(
  settings: TrainSettings,
  { train }: Corpus,
  backend: Backend,
  base: Checkpoint | undefined,
  { signal, clock, rankZero }: PlanOptions,
  { configOf, shapeOf, documentLength }: PlanOfChoice,
): Promise<Choice> {
  const { maxTime } = settings;
  if (base)
    return { preset: base.config.training.preset, reason: "as for the weights to begin with" };
  const characters = train.tokens.length;
  if (maxTime === undefined) return choiceForText(characters, backend.name);
  const options = { signal, clock, seconds: secondsToTry(maxTime - clock()), rankZero };
  const fits = (which: WhichModels) => fitsMemory(shapeOf(configOf(which)));
  // With `members`, each model gets its share of the time.
  const secondsLeft = () => Math.max(maxTime - clock(), 0) / (settings.members ?? 1);
  const speeds = await speedsToCompare(
    secondsLeft(),
    characters,
    (preset) => operationsPerCharacter(configOf({ preset }).model),
    async (preset) => {
      if (!fits({ preset })) return undefined;
      const config = configOf({ preset });
      const { training } = config;
      // Short lines make short windows, which take another time for each character.
      const seqLength = Math.min(training.seqLength, Math.ceil(documentLength || Infinity));
      return inMemory(
        () =>
          charactersPerSecond(
            backend,
            { ...config, training: { ...training, seqLength } },
            options,
          ),
        (cause) => trainingOutOfMemory(shapeOf(config), cause),
      );
    },
  );
  const choice = choiceForTime(secondsLeft(), speeds, characters);
  if (DECIDES_MEMBERS.some((name) => settings[name] !== undefined)) {
    return { ...choice, members: undefined };
  }
  let { members = 1 } = choice;
  while (members > 1 && !fits({ ...choice, members })) members--;
  return { ...choice, members: members > 1 ? members : undefined };
}

type WhichModels = Pick<Choice, "preset" | "members">;

/** What a run would be with some models. */
interface PlanOfChoice {
  readonly configOf: (which: WhichModels) => RunConfig;
  readonly shapeOf: (config: RunConfig) => TrainingShape;
  /** The mean, in characters; 0 for running text. */
  readonly documentLength: number;
}

/** What all plans for a text need to know of it. */
interface KnownOfText {
  /** The n-gram baseline. */
  readonly counting: RunConfig["text"]["counting"];
  /** For training; 0 for running text. */
  readonly documentCount: number;
}

/**
 * The settings, and for the rest what the preset says, and then the defaults. What depends on how long the run
 * goes on is set with its length.
 */
function withDefaults(
  settings: TrainSettings,
  corpus: Corpus,
  { counting, documentCount }: KnownOfText,
  { preset, members: chosen }: WhichModels,
): { config: RunConfig; note: string | undefined } {
  const vocabularySize = corpus.vocabulary.size;
  const recipe = { ...presetRecipe(preset, vocabularySize), members: chosen };
  const defaults = { ...TRAIN_DEFAULTS, ...recipe };
  const all = { ...defaults, ...definedOnly(settings) };
  const { cell, layers, hiddenSize, embeddingSize, workers = 1, members = 1 } = all;
  const characters = corpus.train.tokens.length;
  const { ngramOrder, ngramRows = ngramRowsFor(characters) } = settings;
  const shape: ReturnType<typeof fitBatchShape> = corpus.documents
    ? documentBatchShape(characters, documentCount, settings, defaults)
    : fitBatchShape(characters, settings, defaults, all);
  const { batchSize, seqLength, note } = shape;
  const limits = limitsOf(settings) ?? { epochs: defaultEpochs(characters) };
  const schedule = settings.schedule ?? (haveEnd(limits) ? TRAIN_DEFAULTS.schedule : "plateau");
  const { split, lineEnds, normalize, lowercase } = corpusSettings(settings);
  const config: RunConfig = {
    model: modelConfig({
      cell,
      layers,
      hiddenSize,
      embeddingSize,
      ...ngramsOf(embeddingSize, { ngramOrder, ngramRows }),
      vocabularySize,
    }),
    text: {
      fingerprint: corpus.fingerprint,
      characters: corpus.characters,
      trainCharacters: characters,
      validationCharacters: corpus.validation.tokens.length,
      testCharacters: corpus.test.tokens.length,
      documents: corpus.documents,
      lineEnds,
      normalize,
      lowercase: lowercase || undefined,
      scoredPiece: corpus.documents === undefined ? PIECE_LENGTH : undefined,
      counting,
    },
    training: {
      ...pick(all, namesIn("training")),
      calibrationCharacters: calibrationCharactersFor(corpus, { ...settings, members }),
      workers: workers > 1 ? workers : undefined,
      members: members > 1 ? members : undefined,
      learningRate: settings.learningRate ?? all.learningRate * rateFactor(workers),
      preset,
      split,
      batchSize,
      seqLength,
      stride: settings.stride ?? seqLength,
      dropout: settings.dropout ?? 0,
      inputDropout: settings.inputDropout ?? 0,
      recurrentDropout: settings.recurrentDropout ?? 0,
      evalEvery: settings.evalEvery ?? 1,
      schedule,
      finalRate: finalRateOf(schedule, all),
    },
    limits,
  };
  refuseEndlessSchedule(config);
  refuseManyLayers(config);
  return { config, note };
}

/** Where a schedule ends, as a fraction of the learning rate; undefined where it doesn't fall to the end of the run. */
function finalRateOf(
  schedule: ScheduleName,
  { finalRate, averageDecay }: { finalRate?: number | undefined; averageDecay: number },
): number | undefined {
  const isFalling = ENDING_SCHEDULES.has(schedule);
  if (isFalling) return finalRate ?? (averageDecay > 0 ? FINAL_RATE : 0);
  if (finalRate === undefined) return undefined;
  throw new CharnnError(
    "INVALID_SETTING",
    `finalRate is ${finalRate}, and a ${schedule} schedule has none.`,
    `Leave it out, or take another schedule: ${[...ENDING_SCHEDULES].join(", ")}.`,
    { setting: "finalRate" },
  );
}

function refuseManyLayers(config: RunConfig): void {
  const members = memberCount(config);
  const { layers } = config.model;
  if (members === 1 || members * layers <= MAX_LAYERS_OF_MEMBERS) return;
  throw new CharnnError(
    "INVALID_SETTING",
    `members is ${members}, and with \`layers: ${layers}\` there are at most ${Math.floor(MAX_LAYERS_OF_MEMBERS / layers)}.`,
    undefined,
    { setting: "members" },
  );
}

/**
 * Refuses a schedule that must know when the run ends, where nothing says so.
 *
 * @throws CharnnError `INVALID_SETTING`
 */
export function refuseEndlessSchedule({ training: { schedule }, limits }: RunConfig): void {
  if (!ENDING_SCHEDULES.has(schedule) || haveEnd(limits)) return;
  throw new CharnnError(
    "INVALID_SETTING",
    `The ${schedule} schedule must know in advance when the run ends, and \`patience\` and \`targetLoss\` don't tell.`,
    "Give `epochs`, `steps` or `maxTime` too, or take `schedule: plateau` or constant.",
    { setting: "schedule" },
  );
}

/** What the user should know of a limited time before it is spent. */
function timeWarnings({ limits }: RunConfig, { secondsPerStep }: Speed, seconds: number): string[] {
  const { maxTime } = limits;
  if (maxTime === undefined || seconds + secondsPerStep <= maxTime) return [];
  const inSeconds = (time: number) =>
    `${time.toLocaleString("en", { maximumFractionDigits: 1 })} s`;
  return [
    `Preparing took ${inSeconds(seconds)} of the ${inSeconds(maxTime)} of \`maxTime\`, and a step takes about ${inSeconds(secondsPerStep)}: the run will take a single step and exceed its time limit.`,
  ];
}
