import { type ModelConfig, modelConfig } from "../config/model.js";
import type { PresetName } from "../config/names.js";
import { parameterCount } from "../config/parameters.js";
import { CharnnError } from "../errors.js";
import type { DropoutRates } from "../model/dropout.js";

/** What a preset decides about training. */
interface Recipe {
  readonly hiddenSize: number;
  readonly embeddingSize: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

/**
 * All are GRUs of one layer. `bench/quality/` has what was tried, and what they reach; `large` was
 * tried on one text alone, which is shorter than it is chosen for.
 */
export const PRESETS: Readonly<Record<PresetName, Recipe>> = {
  tiny: {
    hiddenSize: 128,
    embeddingSize: 32,
    batchSize: 16,
    learningRate: 1.4e-2,
  },
  small: {
    hiddenSize: 256,
    embeddingSize: 32,
    batchSize: 32,
    learningRate: 1.4e-2,
  },
  medium: {
    hiddenSize: 512,
    embeddingSize: 96,
    batchSize: 32,
    learningRate: 1e-2,
  },
  large: {
    hiddenSize: 1024,
    embeddingSize: 128,
    batchSize: 32,
    learningRate: 2.5e-3,
  },
};

/**
 * The fraction of the learning rate at which schedules end where weights are averaged: that removes the noise of the last
 * steps, and a model goes on learning and memorizes less (`bench/quality/LOG.md`).
 */
export const FINAL_RATE = 0.2;

/** Without limits: characters to learn from in all, and passes over the text. */
export const CHARACTERS_WITHOUT_LIMITS = 8e6;
export const MAX_EPOCHS = 60;
/** A text with this many characters for training is read in sections, however often, since a run may be interrupted. */
const TEXT_READ_IN_SECTIONS = 2_000_000;
/** Long enough for a state to be worth carrying, short enough to come to many places (`bench/quality/LOG.md`). */
const WINDOWS_IN_SECTION = 16;
/** A text with more different characters, such as Chinese, needs longer vectors to tell them apart. */
const MANY_DIFFERENT = 1_000;
const EMBEDDING_SIZE_FOR_MANY = 128;

/**
 * Passes, times the square root of the parameters for each character, beyond which a model is to drop something, and how
 * much more each time that doubles. Several models that predict together drop less: each memorizes something else, and the
 * average evens that out.
 */
const DROPOUT_OF_ONE = { beyond: 6, forDouble: 0.14 };
const DROPOUT_OF_SEVERAL = { beyond: 18, forDouble: 0.3 };
/** Without embeddings of n-grams they begin to drop at this multiple of it. */
const MORE_WITHOUT_NGRAMS = 5 / 3;
/** More keeps a model from learning, no matter how short its text is. */
const MAX_DROPOUT = 0.3;

/** Passes beyond which n-grams are dropped, and how many more each time that the passes double. */
const PASSES_WITHOUT_NGRAM_DROPOUT = 1.7;
const NGRAM_DROPOUT_FOR_DOUBLE = 0.15;
const MAX_NGRAM_DROPOUT = 0.75;
/** This, divided by the characters of a text, is the most of its n-grams to drop: a longer text has each of them more often. */
const MOST_DROPPED = 110_000;
/**
 * In a text with thousands of different characters most n-grams occur once, so more of them are dropped: the passes over it count
 * this many times.
 */
const PASSES_OF_RICH = 4;

/** The longest n-grams that have embeddings if nobody says otherwise. */
const NGRAM_ORDER = 4;
/** Characters of a text for each row of a table of n-grams. */
const CHARACTERS_PER_ROW = 16;
const FEWEST_ROWS = 1_024;
const MOST_ROWS = 65_536;

/** Rows for the n-grams of one length in a text of this many characters: a power of two. */
export function ngramRowsFor(characters: number): number {
  const rows = Math.min(Math.max(characters / CHARACTERS_PER_ROW, FEWEST_ROWS), MOST_ROWS);
  return 2 ** Math.ceil(Math.log2(rows));
}

/**
 * The n-grams of which a model has embeddings.
 *
 * @param ngramOrder the longest ones, if the user gave a number; 1: none
 * @throws CharnnError `INVALID_SETTING` where characters themselves have none
 */
export function ngramsOf(
  embeddingSize: number,
  { ngramOrder, ngramRows }: { ngramOrder?: number | undefined; ngramRows: number },
): Pick<ModelConfig, "ngramOrder" | "ngramRows"> {
  const order = ngramOrder ?? (embeddingSize > 0 ? NGRAM_ORDER : 1);
  if (order === 1) return {};
  if (embeddingSize > 0) return { ngramOrder: order, ngramRows };
  throw new CharnnError(
    "INVALID_SETTING",
    `ngramOrder is ${order}, and with \`embeddingSize: 0\` characters have no vectors to which those of n-grams could be added.`,
    "Give another embedding size, or leave `ngramOrder` out.",
    { setting: "ngramOrder" },
  );
}

/** What a preset decides for a text with this many different characters. */
export function presetRecipe(name: PresetName, vocabularySize: number): Recipe {
  const recipe = PRESETS[name];
  const least = vocabularySize > MANY_DIFFERENT ? EMBEDDING_SIZE_FOR_MANY : 0;
  return { ...recipe, embeddingSize: Math.max(recipe.embeddingSize, least) };
}

/**
 * The shape that a preset gives a model.
 *
 * @param characters of the text to learn from
 */
export function presetModel(
  name: PresetName,
  vocabularySize: number,
  characters: number,
): ModelConfig {
  const { hiddenSize, embeddingSize } = presetRecipe(name, vocabularySize);
  const ngrams = ngramsOf(embeddingSize, { ngramRows: ngramRowsFor(characters) });
  const sizes = { layers: 1, hiddenSize, embeddingSize, ...ngrams };
  return modelConfig({ cell: "gru", ...sizes, vocabularySize });
}

/**
 * The windows in a section of a lane; undefined where lanes are read as a whole, since the text is short and all of it
 * is read.
 *
 * @param readsAll whether a run reads all of the text
 */
export function defaultSectionWindows(characters: number, readsAll: boolean): number | undefined {
  return !readsAll || characters >= TEXT_READ_IN_SECTIONS ? WINDOWS_IN_SECTION : undefined;
}

/** Passes over a text where no limit is given. */
export function defaultEpochs(characters: number): number {
  const epochs = Math.ceil(CHARACTERS_WITHOUT_LIMITS / characters);
  return Math.min(Math.max(epochs, 1), MAX_EPOCHS);
}

/** How a run reads its text. */
export interface Reading {
  /** Of the text for training. */
  readonly characters: number;
  /** Passes over it. */
  readonly epochs: number;
  /** Models that predict together. Default: 1. */
  readonly members?: number | undefined;
}

/**
 * The dropout rates with which a model neither memorizes its text nor learns too little. They are higher the
 * more parameters it has for each character, and the more often it reads each, and lower for several models. Embeddings of
 * n-grams don't count, since each is used only where its n-gram is; how many of them are dropped depends on the passes, on the
 * length of the text, and on whether it has thousands of different characters.
 */
export function dropoutFor(
  model: ModelConfig,
  { characters, epochs, members = 1 }: Reading,
): Omit<DropoutRates, "weightDropout"> {
  const { ngramOrder, ngramRows, ...others } = model;
  const pressure = epochs * Math.sqrt(parameterCount(others) / characters);
  const { beyond, forDouble } = members > 1 ? DROPOUT_OF_SEVERAL : DROPOUT_OF_ONE;
  const least = ngramOrder ? beyond : MORE_WITHOUT_NGRAMS * beyond;
  const rate = between(0, forDouble * Math.log2(pressure / least), MAX_DROPOUT);
  const isRich = model.vocabularySize > MANY_DIFFERENT;
  const mostNgrams = isRich
    ? MAX_NGRAM_DROPOUT
    : Math.min(MOST_DROPPED / characters, MAX_NGRAM_DROPOUT);
  const ngramPasses = isRich ? PASSES_OF_RICH * epochs : epochs;
  const doubles = Math.log2(ngramPasses / PASSES_WITHOUT_NGRAM_DROPOUT);
  const ngramRate = between(0, NGRAM_DROPOUT_FOR_DOUBLE * doubles, mostNgrams);
  return {
    dropout: inHundredths(rate),
    recurrentDropout: inHundredths(0.6 * rate),
    inputDropout: inHundredths(0.4 * rate),
    ngramDropout: inHundredths(ngramRate),
  };
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function inHundredths(rate: number): number {
  return Math.round(100 * rate) / 100;
}
