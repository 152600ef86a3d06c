import { backendWarnings, type SelectedBackend } from "../backends/select.js";
import { countScore } from "../baselines/ngram.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { RunConfig } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { type Corpus, LONG_TEXT, loadCorpus } from "../data/corpus.js";
import type { ReadOptions } from "../data/sources.js";
import { loadCheckpoint } from "../runs/load-checkpoint.js";
import { heldOutNotes } from "../text-checks/held-out-notes.js";
import { rareCharactersNote } from "../text-checks/rare-characters.js";
import { continuing } from "./init-from.js";
import { refuseTooLarge, trainingShape } from "./memory-need.js";
import { corpusSettings, newConfig } from "./new-config.js";
import type { OnPreparing } from "./preparing.js";
import { type Choice, choiceForText, choiceForTime } from "./presets.js";
import type { Clock } from "./settings.js";
import { secondsToTry } from "./time-plan.js";
import { operationsPerSecond } from "./trial.js";

/**
 * Of a limited time, what counting strings may take a small share of: by the time that is given, not by
 * how fast the machine is, so that the same settings give the same result.
 */
const CHARACTERS_COUNTED_PER_SECOND = 100_000;

/** What is as in the weights to begin with. */
const SIZES_OF_MODEL = ["hiddenSize", "layers", "embeddingSize", "streams"] as const;

/** What opening a run needs beside its settings. */
export interface OpenOptions extends ReadOptions {
  readonly clock: Clock;
  readonly onPreparing?: OnPreparing | undefined;
}

/** What a new run will be. */
export interface Plan {
  readonly corpus: Corpus;
  readonly config: RunConfig;
  /** The checkpoint whose weights it begins with. */
  readonly base: Checkpoint | undefined;
  readonly warnings: readonly string[];
  readonly choice: Choice | undefined;
}

/**
 * Reads the text, and decides what was not asked for.
 *
 * @throws the reason of the signal when it is aborted
 */
export async function planRun(
  settings: TrainSettings,
  backend: SelectedBackend,
  options: OpenOptions,
): Promise<Plan> {
  const { initFrom, out = TRAIN_DEFAULTS.out } = settings;
  const { signal } = options;
  const base =
    initFrom === undefined
      ? undefined
      : await loadCheckpoint(initFrom, { out, signal, tensors: "weights" });
  const alsoKnown = base?.vocabulary;
  const corpus = await loadCorpus({ ...corpusSettings(settings), alsoKnown }, options);
  const { train, validation, vocabulary } = corpus;
  const { maxTime } = settings;
  const isLong = corpus.characters >= LONG_TEXT;
  const counting = await countScore(train.tokens, validation.tokens, vocabulary.size, {
    signal,
    onShare: isLong ? (share) => options.onPreparing?.("counting", share) : undefined,
    most: maxTime && Math.ceil(CHARACTERS_COUNTED_PER_SECOND * maxTime),
  });
  const choice = settings.preset
    ? undefined
    : await chosen(settings, corpus, backend, base, options);
  const preset = settings.preset ?? (choice as Choice).preset;
  const { config, note } = newConfig(
    base ? continuing(settings, base) : settings,
    corpus,
    counting,
    preset,
  );
  refuseTooLarge(trainingShape(config, backend.name), base ? SIZES_OF_MODEL : ["streams"]);
  const warnings = [
    ...backendWarnings(backend, settings.threads),
    ...corpus.warnings,
    ...(note ? [note] : []),
    ...(await heldOutNotes(settings, corpus, signal)),
    ...(settings.minCount === undefined && !base
      ? await rareCharactersNote(corpus, config.model, signal)
      : []),
  ];
  return { corpus, config, base, warnings, choice };
}

/** The preset of the weights to begin with, or what fits the time that is left, or else the text. */
async function chosen(
  { maxTime }: TrainSettings,
  { train, vocabulary }: Corpus,
  { name }: SelectedBackend,
  base: Checkpoint | undefined,
  { signal, clock }: OpenOptions,
): Promise<Choice> {
  if (base)
    return { preset: base.config.training.preset, reason: "as for the weights to begin with" };
  const characters = train.tokens.length;
  if (maxTime === undefined) return choiceForText(characters, name);
  const seconds = secondsToTry(maxTime - clock());
  const speed = await operationsPerSecond(vocabulary.size, name, { signal, clock, seconds });
  return choiceForTime(Math.max(maxTime - clock(), 0), speed, characters, vocabulary.size);
}
