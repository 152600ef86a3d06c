import { type CompressedSizes, compressedSizes } from "../baselines/compressors.js";
import { adaptiveNgramBaseline, type NgramBaseline } from "../baselines/ngram.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { momentName, numbersOf } from "../checkpoint/checkpoint-tensors.js";
import { EVAL_DEFAULTS, EVALUATE, type EvaluateSettings } from "../config/evaluate.js";
import { memberCount } from "../config/members.js";
import { MOMENT_NAMES } from "../config/optimization.js";
import { parameterCount } from "../config/parameters.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { describeCharacter } from "../data/characters.js";
import { documentNoun } from "../data/documents.js";
import { evaluationBatches, MAX_EVALUATION } from "../data/evaluation-batches.js";
import type { Inputs } from "../data/inputs.js";
import { knownPart, refuseTooShort, type Unknown } from "../data/known-part.js";
import { type NamedText, readTexts } from "../data/texts.js";
import type { Tokens, Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import { CharRnn, type Score } from "../model/char-rnn.js";
import { parameterViews } from "../model/parameters.js";
import { lineEndsOf, readerOf } from "../sampling/mixture.js";
import { bitsPerCharacter } from "../text.js";
import { type Classification, ConfusionMatrix } from "./confusion.js";
import { evaluateDynamically } from "./dynamic-evaluation.js";
import { evaluate } from "./evaluate.js";
import { lossByPosition, type PositionLoss } from "./loss-by-position.js";
import { openPredictor, type Predictor } from "./predictor.js";

const evaluateSettingsSchema = settingsSchema<EvaluateSettings>(EVALUATE, ["files"]);

/** How good predictions are. */
interface Figures {
  /** Mean cross-entropy, nats/character. */
  readonly loss: number;
  readonly bitsPerCharacter: number;
  /** e^loss */
  readonly perplexity: number;
  /** Fraction of the characters that were the most likely one. */
  readonly accuracy: number;
}

/** How well models that start knowing nothing predict the same text. */
interface Baselines {
  /** The n-gram baseline that learns as it reads; undefined for a very long text. */
  readonly counting: NgramBaseline | undefined;
  /** Bits per character of the system's compressors; undefined where one is missing. */
  readonly compressed: CompressedSizes;
}

/** How well a model predicts a text. */
export interface TextScore extends Figures, Classification {
  /** The text's name: the path of its file, or `-`. */
  readonly text: string;
  /** Loss by the number of characters read after a state of zero. */
  readonly coldStart: readonly PositionLoss[];
  /** The same figures with weights that follow the text, where that was asked for. */
  readonly dynamic?: Figures;
  readonly baselines?: Baselines;
  /** How many characters were predicted: all but the first. */
  readonly characters: number;
  /** How many were left out since the model does not know them, and which. */
  readonly skipped: number;
  readonly skippedCharacters: readonly string[];
  /** How many that the model does not know were read as others, and as which: `"é" as "e"`. */
  readonly mapped: number;
  readonly mappings: readonly string[];
  /** How many were read as the model's unknown character (`minCount`), and which. */
  readonly unknown: number;
  readonly unknownCharacters: readonly string[];
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Used in place of `stdin` where several calls read the same. */
  readonly inputs?: Inputs;
  /** Called at once with what is odd about the texts, and with what slows their scoring down. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Scores the model of a checkpoint on texts, or several that predict together: every character but the first of each
 * is predicted once, from all that comes before it.
 *
 * @throws CharnnError for a text that can't be read, and `UNKNOWN_CHARACTER` unless they are skipped;
 *   `INVALID_SETTING` for models that can't predict together
 */
export async function* evaluateTexts(
  checkpoint: Checkpoint | readonly Checkpoint[],
  settings: EvaluateSettings,
  { signal, stdin, inputs, onWarning }: EvaluateOptions = {},
): AsyncGenerator<TextScore, void> {
  const { files, threads, mix, ...given } = checked(evaluateSettingsSchema, settings);
  const all = { ...EVAL_DEFAULTS, ...definedOnly(given) };
  const checkpoints = [checkpoint].flat();
  const reader = readerOf(checkpoints);
  const squares = all.dynamic ? gradientSquares(checkpoints) : undefined;
  const { encoding, invalid, each, out } = all;
  const lineEnds = lineEndsOf(checkpoints);
  const canReplace = all.unknown === "skip" || reader.vocabulary.readsReplacement;
  const how = { encoding, invalid, canReplace, lineEnds, rewriting: undefined };
  const reading = { ...how, joined: !each, leftOut: [out] };
  const { texts, warnings } = await readTexts(files, reading, { stdin, inputs, signal });
  for (const warning of warnings) onWarning?.(warning);
  const backendSettings = { backend: all.backend, threads };
  const windows = windowsOf(texts);
  const model = await openPredictor(checkpoints, mix, backendSettings, windows, onWarning);
  const dynamic = squares && model instanceof CharRnn ? { model, squares } : undefined;
  try {
    for (const text of texts) {
      const { unknown, baselines } = all;
      yield await scoreOf(text, model, reader, { unknown, baselines, dynamic, signal });
    }
  } finally {
    model.dispose();
  }
}

/** The largest windows in which texts are read; a cold start is looked at in many short ones. */
function windowsOf(texts: readonly NamedText[]): { time: number; batch: number } {
  const longest = texts.reduce((most, { numbers }) => Math.max(most, numbers.length), 1);
  const { time, batch } = MAX_EVALUATION;
  return { time, batch: Math.min(Math.ceil(longest / time) + 1, batch) };
}

async function scoreOf(
  text: NamedText,
  model: Predictor,
  { config, vocabulary }: Checkpoint,
  options: {
    readonly unknown: Unknown;
    readonly baselines: boolean;
    readonly dynamic: Dynamic | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<TextScore> {
  const { unknown, baselines, signal } = options;
  const known = await knownPart(text, { vocabulary, ...config.text }, unknown, signal);
  refuseTooShort(known, text);
  const { tokens, skipped, skippedCharacters, unknown: asUnknown } = known;
  const { documents } = config.text;
  const confusion = new ConfusionMatrix(vocabulary);
  const score = await evaluate(
    model,
    evaluationBatches(tokens, documents, vocabulary, { signal }),
    signal,
    (batch, positions) => confusion.add(batch, positions),
  );
  if (!score) throw signal?.reason;
  if (score.characters === 0) {
    throw new CharnnError("BAD_TEXT", `The text (${text.name}) has nothing in it to predict.`);
  }
  const coldStart = await lossByPosition(model, tokens, documents, vocabulary, signal);
  const dynamic = options.dynamic && (await followed(options.dynamic, tokens, signal));
  const others = baselines ? await baselinesOf(text, tokens, vocabulary, signal) : undefined;
  if (!coldStart || (options.dynamic && !dynamic)) throw signal?.reason;
  return {
    text: text.name,
    ...figuresOf(score),
    ...confusion.finish(),
    coldStart,
    dynamic: dynamic && figuresOf(dynamic),
    baselines: others,
    characters: score.characters,
    skipped,
    skippedCharacters,
    mapped: known.mapped,
    mappings: known.mappings,
    unknown: asUnknown,
    unknownCharacters: known.unknownCodePoints.map(describeCharacter),
  };
}

async function baselinesOf(
  text: NamedText,
  tokens: Tokens,
  { size, documentEnd }: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<Baselines> {
  const compressed = await compressedSizes(text, signal);
  const counting = await adaptiveNgramBaseline(tokens, size, { documentEnd, signal });
  return { counting, compressed };
}

/** What a dynamic evaluation takes: a model, and the running mean of the squares of its gradients. */
interface Dynamic {
  readonly model: CharRnn;
  readonly squares: Float32Array;
}

/** Scores a text by weights that follow it, and gives the model back those that it has now. */
async function followed(
  { model, squares }: Dynamic,
  tokens: Tokens,
  signal: AbortSignal | undefined,
): Promise<Score | undefined> {
  const weights = model.parameters.read().slice();
  return evaluateDynamically(model, tokens, squares, signal).finally(() =>
    model.parameters.write(weights),
  );
}

function figuresOf({ loss: sum, characters, correct }: Score): Figures {
  const loss = sum / characters;
  return {
    loss,
    bitsPerCharacter: bitsPerCharacter(loss),
    perplexity: Math.exp(loss),
    accuracy: correct / characters,
  };
}

/**
 * The running mean of the squares of the training's gradients, `[parameters]`.
 *
 * @throws CharnnError `INVALID_SETTING` where there is none, where a text is not read in one piece, or for several models
 */
function gradientSquares([first, ...others]: readonly Checkpoint[]): Float32Array {
  if (others.length > 0 || memberCount(first.config) > 1) {
    throw new CharnnError(
      "INVALID_SETTING",
      "Dynamic evaluation adapts the weights of one model, not of several that predict together.",
      "Leave dynamic out, or evaluate each model by itself.",
      { setting: "dynamic" },
    );
  }
  const { config, tensors } = first;
  const { optimizer } = config.training;
  const { documents } = config.text;
  if (config.imported) {
    throw new CharnnError(
      "INVALID_SETTING",
      "Dynamic evaluation needs the mean squares of the training's gradients, which an imported model does not have.",
      "Leave `dynamic` out, or train on from its weights with `initFrom`.",
      { setting: "dynamic" },
    );
  }
  if (documents !== undefined || !MOMENT_NAMES[optimizer].includes("v")) {
    const reason = documents
      ? `reads a text in one piece, and this model reads ${documentNoun(documents)}s`
      : `needs the mean squares of the gradients, which ${optimizer} does not keep`;
    throw new CharnnError(
      "INVALID_SETTING",
      `Dynamic evaluation ${reason}.`,
      documents
        ? "Leave `dynamic` out."
        : "Train with `optimizer: nadam`, adam or rmsprop, or leave it out.",
      { setting: "dynamic" },
    );
  }
  const squares = new Float32Array(parameterCount(config.model));
  for (const [name, { data }] of parameterViews(config.model, squares)) {
    data.set(numbersOf(tensors, momentName(name, "v")));
  }
  return squares;
}
