import * as v from "valibot";
import { backendWarnings, selectBackend } from "../backends/select.js";
import { type Checkpoint, momentName } from "../checkpoint/checkpoint.js";
import { evaluationBatches } from "../data/batches.js";
import { loadText } from "../data/corpus.js";
import { EVAL_DEFAULTS } from "../defaults.js";
import { CharnnError } from "../errors.js";
import { CharRnn, type Score } from "../model/char-rnn.js";
import { parameterCount } from "../model/config.js";
import { loadWeights } from "../model/load-weights.js";
import { parameterViews } from "../model/parameters.js";
import { backendSettings, checked, definedOnly, oneOf } from "../settings.js";
import { evaluateDynamically } from "./dynamic-evaluation.js";
import { bitsPerCharacter, evaluate } from "./evaluate.js";
import { MOMENT_NAMES } from "./moments.js";

const evaluateSettingsSchema = v.strictObject({
  /** Files and folders; `-` is standard input. */
  files: v.array(v.string()),
  encoding: v.optional(v.string()),
  /** What to do with characters that the model does not know. */
  unknown: v.optional(oneOf(["error", "skip"])),
  /** Whether to score it once more with weights that follow the text. */
  dynamic: v.optional(v.boolean()),
  ...backendSettings,
});

export type EvaluateSettings = v.InferInput<typeof evaluateSettingsSchema>;

/** How good predictions are. */
interface Figures {
  /** Mean cross-entropy, nats/character. */
  readonly loss: number;
  readonly bitsPerCharacter: number;
  /** e^loss */
  readonly perplexity: number;
  /** Share of the characters that were the most likely one. */
  readonly accuracy: number;
}

/** How well a model predicts a text. */
export interface TextScore extends Figures {
  /** The same with weights that follow the text, where that was asked for. */
  readonly dynamic?: Figures;
  /** How many characters were predicted: all but the first. */
  readonly characters: number;
  /** How many were left out since the model does not know them, and which. */
  readonly skipped: number;
  readonly skippedCharacters: readonly string[];
  /** What is odd about the text, in plain sentences. */
  readonly warnings: readonly string[];
}

/**
 * Scores the model of a checkpoint on a text: every character but the first is predicted once, from
 * all that comes before it.
 *
 * @param options `onWarning` is told at once, before the text is scored, what slows it down
 * @throws CharnnError for a text that can't be read, and `UNKNOWN_CHARACTER` unless they are skipped
 */
export async function evaluateText(
  checkpoint: Checkpoint,
  settings: EvaluateSettings,
  options: {
    readonly signal?: AbortSignal;
    readonly stdin?: AsyncIterable<Uint8Array>;
    readonly onWarning?: (message: string) => void;
  } = {},
): Promise<TextScore> {
  const { files, threads, dynamic = false, ...rest } = checked(evaluateSettingsSchema, settings);
  const { encoding, unknown, backend } = { ...EVAL_DEFAULTS, ...definedOnly(rest) };
  const { config, vocabulary, tensors } = checkpoint;
  const squares = dynamic ? gradientSquares(checkpoint) : undefined;
  const text = await loadText(files, vocabulary, { encoding, unknown }, options.stdin);
  const selected = await selectBackend(backend, threads);
  for (const message of backendWarnings(selected, threads)) options.onWarning?.(message);
  const model = new CharRnn(config.model);
  try {
    loadWeights(model, tensors);
    const batches = evaluationBatches(text.tokens, config.text.documents, vocabulary);
    const score = await evaluate(model, batches, options.signal);
    if (!score) throw options.signal?.reason;
    if (score.characters === 0) {
      throw new CharnnError("BAD_TEXT", "The text is too short to predict anything in it.");
    }
    const followed =
      squares && (await evaluateDynamically(model, text.tokens, squares, options.signal));
    if (squares && !followed) throw options.signal?.reason;
    return {
      ...figuresOf(score),
      dynamic: followed && figuresOf(followed),
      characters: score.characters,
      skipped: text.skipped,
      skippedCharacters: text.skippedCharacters,
      warnings: text.warnings,
    };
  } finally {
    model.dispose();
  }
}

function figuresOf({ loss: sum, characters, hits }: Score): Figures {
  const loss = sum / characters;
  return {
    loss,
    bitsPerCharacter: bitsPerCharacter(loss),
    perplexity: Math.exp(loss),
    accuracy: hits / characters,
  };
}

/**
 * The running mean of the squares of the training's gradients, `[parameters]`.
 *
 * @throws CharnnError `INVALID_SETTING` where there is none, or where a text is not read in one piece
 */
function gradientSquares({ config, tensors }: Checkpoint): Float32Array {
  const { optimizer } = config.training;
  const isLines = config.text.documents === "lines";
  if (isLines || !MOMENT_NAMES[optimizer].includes("v")) {
    const reason = isLines
      ? "reads a text in one piece, and this model reads lines"
      : `needs the mean squares of the gradients, which ${optimizer} does not keep`;
    throw new CharnnError(
      "INVALID_SETTING",
      `Dynamic evaluation ${reason}.`,
      isLines ? "Leave --dynamic out." : "Train with --optimizer adam or rmsprop, or leave it out.",
      { setting: "dynamic" },
    );
  }
  const squares = new Float32Array(parameterCount(config.model));
  for (const [name, { data }] of parameterViews(config.model, squares)) {
    data.set(tensors.get(momentName(name, "v"))?.data as Float32Array);
  }
  return squares;
}
