import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { SCORE, SCORE_DEFAULTS, type ScoreSettings } from "../config/score.js";
import { linesIn } from "../data/documents.js";
import { evaluationShape } from "../data/evaluation-batches.js";
import { AS_ANOTHER, AS_IT_IS } from "../data/known-part.js";
import { type NamedText, readTexts } from "../data/texts.js";
import { readAsOthers } from "../data/unknown-characters.js";
import { lineEndsOf, readerOf, weightsOf } from "../sampling/mixture.js";
import { NEWLINE } from "../text.js";
import { inPieces } from "../turns.js";
import { openPredictor } from "./predictor.js";
import { surprisals, type TextReading } from "./surprisal.js";

/** How many characters an imported model is taken to have learned from, which nobody knows. */
const TRAIN_CHARACTERS_OF_IMPORTED = 1e6;

const scoreSettingsSchema = settingsSchema<ScoreSettings>(SCORE, ["files"]);

/** The surprisal of a piece of text to models: minus the logarithm of its probability, in bits. */
interface Surprisal {
  /** Of the piece. */
  readonly characters: number;
  /** How many of them the first model does not know, and how many of these it reads as others. */
  readonly unknown: number;
  readonly mapped: number;
  /**
   * To the first model, the mean over the characters it knows and those it reads as others; null where
   * there is none.
   */
  readonly bitsPerCharacter: number | null;
  /**
   * To each model, the mean over all characters, by which models can be compared. A character that a model does
   * not know has the probability that Laplace's rule of succession gives something that never came in the n
   * characters of a training text, 1 / (n + 2).
   */
  readonly byModel: readonly (number | null)[];
}

/** A line of a text; its newline does not belong to it. */
interface ScoredLine extends Surprisal {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** Of each character, to the first model; null for one it leaves out. */
  readonly bits: readonly (number | null)[];
}

/** A text as models see it. */
export interface ScoredText {
  /** The path of its file, or `-`. */
  readonly name: string;
  /** Newlines included. */
  readonly whole: Surprisal;
  lines(): Generator<ScoredLine, void>;
}

/**
 * Gives the surprisal of each character of some texts to models, or with `mix` to all of them together.
 *
 * @throws CharnnError for a text that can't be read, and `UNKNOWN_CHARACTER` unless they are skipped
 *   or mapped
 */
export async function* scoreTexts(
  checkpoints: readonly Checkpoint[],
  settings: ScoreSettings,
  options: {
    readonly signal?: AbortSignal;
    readonly stdin?: AsyncIterable<Uint8Array>;
    /** Called at once with what is odd about the texts, and with what slows their scoring down. */
    readonly onWarning?: (message: string) => void;
  } = {},
): AsyncGenerator<ScoredText, void> {
  const { files, threads, mix, ...given } = checked(scoreSettingsSchema, settings);
  const { encoding, invalid, out, backend, ...reading } = {
    ...SCORE_DEFAULTS,
    ...definedOnly(given),
  };
  const lineEnds = lineEndsOf(checkpoints);
  const sets = mix === undefined ? checkpoints.map((it) => [it]) : [checkpoints];
  const readers = sets.map(readerOf);
  const canReplace =
    reading.unknown === "skip" || readers.every((it) => it.vocabulary.readsReplacement);
  const { texts, warnings } = await readTexts(
    files,
    {
      ...{ encoding, invalid, canReplace, lineEnds, rewriting: undefined },
      ...{ joined: false, leftOut: [out] },
    },
    options,
  );
  for (const warning of warnings) options.onWarning?.(warning);
  const longest = texts.reduce((most, { numbers }) => Math.max(most, numbers.length), 1);
  const models: Awaited<ReturnType<typeof openPredictor>>[] = [];
  try {
    for (const [k, set] of sets.entries()) {
      // All models would warn of the same backend.
      const onWarning = k === 0 ? options.onWarning : undefined;
      const documents = reading.fresh ? "lines" : set[0].config.text.documents;
      const windows = evaluationShape(longest, documents);
      models.push(await openPredictor(set, mix, { backend, threads }, windows, onWarning));
    }
    for (const text of texts) {
      const readings: Reading[] = [];
      for (const [k, reader] of readers.entries()) {
        const own = await surprisals(models[k], reader, text, reading, options.signal);
        const { mapped, mappings } = own.known;
        if (mapped > 0) {
          const model = readers.length > 1 ? `model ${k + 1}` : undefined;
          options.onWarning?.(readAsOthers(mapped, mappings, model));
        }
        readings.push({ ...own, bitsOfUnknown: bitsOfUnknown(sets[k], mix) });
      }
      yield await scoredText(text, readings, options.signal);
    }
  } finally {
    for (const model of models) model.dispose();
  }
}

/** Of a character that none of the models knows, by Laplace's rule. */
function bitsOfUnknown(
  models: readonly Checkpoint[],
  mix: number | readonly number[] | undefined,
): number {
  const weights = weightsOf(models.length, mix);
  const shares = models.map((model, k) => weights[k] / (trainCharactersOf(model) + 2));
  return -Math.log2(shares.reduce((sum, share) => sum + share, 0));
}

/** How a model has read a text. */
interface Reading extends TextReading {
  /** The bits of a character that the model does not know. */
  readonly bitsOfUnknown: number;
}

async function scoredText(
  text: NamedText,
  readings: readonly Reading[],
  signal: AbortSignal | undefined,
): Promise<ScoredText> {
  const { name, numbers, codePoints } = text;
  const newline = codePoints.indexOf(NEWLINE);
  const sums = noSums(readings);
  await inPieces(numbers.length, signal, (start, end) => addUp(sums, readings, start, end));
  return {
    name,
    whole: surprisalOf(sums, readings, numbers.length),
    *lines() {
      let line = 0;
      for (const { start, end } of linesIn(numbers, newline)) {
        const characters = Array.from(numbers.subarray(start, end), (number) =>
          String.fromCodePoint(codePoints[number]),
        );
        yield {
          line: ++line,
          text: characters.join(""),
          ...surprisalOf(addUp(noSums(readings), readings, start, end), readings, end - start),
          bits: Array.from(readings[0].bits.subarray(start, end), orNull),
        };
      }
    },
  };
}

/** Of the bits of characters. */
interface Sum {
  /** Of those that the model knows. */
  sum: number;
  known: number;
  /** Of those that it reads as others. */
  ofMapped: number;
  mapped: number;
}

function noSums(readings: readonly Reading[]): Sum[] {
  return readings.map(() => ({ sum: 0, known: 0, ofMapped: 0, mapped: 0 }));
}

/** Adds the bits of a piece of a text to each model's sum. */
function addUp(sums: Sum[], readings: readonly Reading[], start: number, end: number): Sum[] {
  for (const [k, { bits, kinds }] of readings.entries()) {
    let { sum, known, ofMapped, mapped } = sums[k];
    for (let position = start; position < end; position++) {
      if (Number.isNaN(bits[position])) continue;
      // The bits of the unknown character don't say which one it is, so they compare with nothing.
      if (kinds[position] === AS_IT_IS) {
        sum += bits[position];
        known++;
      } else if (kinds[position] === AS_ANOTHER) {
        ofMapped += bits[position];
        mapped++;
      }
    }
    sums[k] = { sum, known, ofMapped, mapped };
  }
  return sums;
}

function surprisalOf(
  sums: readonly Sum[],
  readings: readonly Reading[],
  characters: number,
): Surprisal {
  const [{ sum, known, ofMapped, mapped }] = sums;
  return {
    characters,
    unknown: characters - known,
    mapped,
    bitsPerCharacter: orNull((sum + ofMapped) / (known + mapped)),
    byModel: sums.map((own, k) => {
      const unknown = characters - own.known;
      return orNull((own.sum + unknown * readings[k].bitsOfUnknown) / characters);
    }),
  };
}

/** JSON has no number that is not finite. */
function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function trainCharactersOf({ config: { imported, text } }: Checkpoint): number {
  return imported ? TRAIN_CHARACTERS_OF_IMPORTED : text.trainCharacters;
}
