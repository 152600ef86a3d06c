import { createHash } from "node:crypto";
import { CharnnError } from "../errors.js";
import { DOCUMENT_END, NEWLINE } from "../text.js";
import { inPieces } from "../turns.js";
import { describeCharacter, listFew } from "./characters.js";
import { dealDocuments } from "./deal.js";
import { encodingName, type Invalid } from "./decoding.js";
import { documentEndOf, documentNoun } from "./documents.js";
import { neverLearned } from "./never-learned.js";
import type { Normalization } from "./normalizer.js";
import { withoutRare } from "./rare-characters.js";
import { type LineEnds, readCharacters } from "./reading.js";
import {
  checkNames,
  estimateLength,
  findSources,
  type ReadOptions,
  type Source,
} from "./sources.js";
import {
  checkFractions,
  cutText,
  type DocumentEnds,
  type Fold,
  hasEnough,
  type Split,
} from "./split.js";
import { type NumberedText, TextBuilder, translateInPlace } from "./text-builder.js";
import { TextRewriter } from "./text-rewriter.js";
import { textWarnings } from "./text-warnings.js";
import { type Tokens, Vocabulary } from "./vocabulary.js";

/** In characters: a shorter text is read in a moment, so that no progress need be shown. */
export const LONG_TEXT = 2_000_000;

/** Which text to read, and how. */
export interface CorpusSettings extends Normalization {
  /** Files, folders, or `-` for the standard input. */
  readonly files: readonly string[];
  /** A separate text to validate on, in place of a part of `files`. */
  readonly validationFile?: string | undefined;
  /** Fraction of the text held out for validation, from 0 to below 1. */
  readonly validation: number;
  /** In place of `validation`: which of how many equal parts of the text is held out, counted from 1. */
  readonly fold?: Fold | undefined;
  /** Fraction of the text kept for a test when training is over, from 0 to below 1. */
  readonly test: number;
  /**
   * What is a separate text: `"lines"`, `"paragraphs"` between empty lines, `"files"`, or what is between two
   * separators, which any other string is.
   */
  readonly documents?: string | undefined;
  /**
   * `"random"`: documents are dealt to the parts by the random seed. `"sequential"`, and when
   * left out: the text is cut in its order, first what is for training, then validation, then the test.
   */
  readonly split?: Split | undefined;
  /** Decides which lines go to which part; 0 when left out. */
  readonly randomSeed?: number | undefined;
  /** Characters that occur less often in the training part become one unknown character. */
  readonly minCount?: number | undefined;
  /** Characters that the vocabulary has in any case, the unknown one among them where it has that. */
  readonly alsoKnown?: Vocabulary | undefined;
  /** Folders to leave out of a folder around them: those of runs. */
  readonly leftOut?: readonly string[] | undefined;
  /** `"utf-8"`, or any label that `TextDecoder` knows (`"windows-1252"`, `"utf-16le"`). */
  readonly encoding: string;
  /** What to do with bytes that are wrong in it: `"error"` when left out. */
  readonly invalid?: Invalid | undefined;
  /** `"lf"`: CR LF and CR by themselves are read as newlines. `"keep"` when left out. */
  readonly lineEnds?: LineEnds | undefined;
}

/** A part of the text. */
export interface TextPart {
  readonly tokens: Tokens;
}

/** A text, ready to be learned. */
export interface Corpus {
  /**
   * Made from the whole text, the parts held out included; with `minCount` without the characters that are
   * rare in the training part.
   */
  readonly vocabulary: Vocabulary;
  readonly train: TextPart;
  /** Empty where none was asked for; so is `test`. */
  readonly validation: TextPart;
  readonly test: TextPart;
  readonly documents: string | undefined;
  /** Of the whole text, a validation file included. */
  readonly characters: number;
  /** SHA-256 (hex) of the text's characters: the same for the same text, wherever it was read. */
  readonly fingerprint: string;
  /** Plain sentences: what is odd about the text, what it means, what to do. */
  readonly warnings: readonly string[];
}

/**
 * Reads a text and makes a vocabulary of it. Several files are joined as they are, but one that does
 * not end in a newline gets one when another follows; with `documents` of `"lines"` the last one gets one too. With other `documents` their
 * ends are tokens, in place of what parts them (see `PieceReader`).
 * The text is kept in memory at one byte per character, two if more than 256 different ones occur.
 *
 * Throws {@link CharnnError}: `INVALID_SETTING` for fractions and encodings that can't be, `NOT_FOUND`
 * for missing files, `BAD_TEXT` for what can't be read or has nothing to learn, `TEXT_TOO_SHORT` where
 * a part that was asked for is left with too little. Throws the signal's reason within a moment once it
 * is aborted.
 */
export async function loadCorpus(
  settings: CorpusSettings,
  options: ReadOptions = {},
): Promise<Corpus> {
  const { signal } = options;
  const { validationFile, documents } = settings;
  const fractions = {
    validation: validationFile === undefined ? settings.validation : 0,
    test: settings.test,
  };
  checkFractions(fractions);
  const { own, mainLength, warnings } = await readWhole(settings, options);
  const fingerprint = await fingerprintOf(own, mainLength, signal);
  const { alsoKnown, minCount } = settings;
  const all = alsoKnown ? await withUnionVocabulary(own, alsoKnown, signal) : own;
  const { tokens } = all;
  const ends = documents === undefined ? undefined : endsOf(documents, all.vocabulary);
  const mainTokens = tokens.subarray(0, mainLength);
  const apartTokens = tokens.subarray(mainLength);
  if (validationFile !== undefined && !hasEnough(apartTokens, ends)) {
    throw new CharnnError(
      "TEXT_TOO_SHORT",
      `"${validationFile}" is too short to validate on.`,
      "Give a longer text, or leave it out and hold out a part of the other by `validation`.",
    );
  }
  const encoding = encodingName(settings.encoding);
  const odd = await textWarnings(tokens, all.vocabulary, encoding, signal);
  const { split, fold, randomSeed = 0 } = settings;
  const dealing = { fractions, fold, randomSeed };
  const toDeal = split === "random" ? ends : undefined;
  const dealt =
    toDeal && (await dealDocuments(mainTokens, all.vocabulary, toDeal.token, dealing, signal));
  const ofMain = dealt ?? cutText(mainTokens, all.vocabulary, { fractions, ends, fold });
  const { vocabulary, parts, warning } = await withoutRare(
    {
      vocabulary: all.vocabulary,
      parts: validationFile === undefined ? ofMain : { ...ofMain, validation: apartTokens },
    },
    {
      minCount,
      unknown: alsoKnown?.unknown !== undefined,
      alwaysKnown: (codePoint) =>
        alsoKnown?.indexOf(codePoint) !== undefined ||
        codePoint === DOCUMENT_END ||
        (documents === "lines" && codePoint === NEWLINE),
    },
    signal,
  );
  const { train, validation, test } = parts;

  return {
    vocabulary,
    train: { tokens: train },
    validation: { tokens: validation },
    test: { tokens: test },
    documents,
    characters: tokens.length,
    fingerprint,
    warnings: [
      ...warnings,
      ...odd,
      ...(toDeal && !dealt ? [tooMuchAlike(toDeal)] : []),
      ...(warning === undefined ? [] : [warning]),
      ...(await neverLearned("validation", validation, train, vocabulary, signal)),
      ...(await neverLearned("test", test, train, vocabulary, signal)),
    ],
  };
}

function endsOf(documents: string, vocabulary: Vocabulary): DocumentEnds {
  return { token: documentEndOf(vocabulary, documents), noun: documentNoun(documents) };
}

function tooMuchAlike({ noun }: DocumentEnds): string {
  return `The text has so few different ${noun}s that the held-out ${noun}s are also in the training part: the validation loss only shows how well the model has memorized them.`;
}

/**
 * The fingerprint of the corpus of these settings: that of the whole text, no matter how it is divided.
 *
 * @throws CharnnError as {@link loadCorpus} does for what can't be read
 */
export async function textFingerprint(
  settings: CorpusSettings,
  options: ReadOptions = {},
): Promise<string> {
  const { own, mainLength } = await readWhole(settings, options);
  return fingerprintOf(own, mainLength, options.signal);
}

/** The text and its validation file, one after the other. */
interface WholeText {
  readonly own: EncodedText;
  /** Where the validation file begins. */
  readonly mainLength: number;
  readonly warnings: readonly string[];
}

async function readWhole(settings: CorpusSettings, options: ReadOptions): Promise<WholeText> {
  const { files, validationFile, documents, leftOut, invalid, lineEnds } = settings;
  const { signal, onProgress } = options;
  const validationFiles = validationFile === undefined ? [] : [validationFile];
  await checkNames([...files, ...validationFiles]);
  const encoding = encodingName(settings.encoding);
  const main = await findSources(files, { encoding, leftOut }, options);
  const apart = await findSources(validationFiles, { encoding, leftOut }, options);
  const room = estimateLength([...main.sources, ...apart.sources]);
  const text = new TextBuilder(room);
  const append = (codePoints: Int32Array) => {
    text.append(codePoints);
    if (room >= LONG_TEXT) onProgress?.(Math.min(text.length / room, 1));
  };
  const endLastLine = documents === "lines";
  const rewriter = TextRewriter.for(settings);
  const reading = { encoding, invalid, lineEnds, endLastLine, rewriter, signal };
  const mainOddities = await readCharacters(main.sources, reading, append);
  if (rewriter) refuseMissingSeparator(documents, rewriter);
  const mainLength = text.length;
  const apartOddities = await readCharacters(apart.sources, reading, append);
  const numbered = text.finish();
  checkLearnable(numbered, mainLength, main.sources);
  const own = await sortByCodePoint(numbered, signal);
  const warnings = [...main.warnings, ...apart.warnings, ...mainOddities, ...apartOddities];
  return { own, mainLength, warnings };
}

/** @throws CharnnError `INVALID_SETTING` for a separator that the text does not have, such as a misspelled word */
function refuseMissingSeparator(
  documents: string | undefined,
  { hasSeparator }: TextRewriter,
): void {
  if (documents === undefined || hasSeparator || documentNoun(documents) !== "piece") return;
  throw new CharnnError(
    "INVALID_SETTING",
    `documents ${JSON.stringify(documents)} is no way to divide a text, and the text has no such mark between its pieces.`,
    "Give a mark that it has, such as '<|endoftext|>', or how it is divided otherwise: lines, paragraphs or files.",
    { setting: "documents" },
  );
}

function checkLearnable(
  { numbers, codePoints }: NumberedText,
  mainLength: number,
  sources: readonly Source[],
): void {
  const names = sources.map(({ name }) => name);
  const what =
    names.length === 1
      ? names[0][0].toUpperCase() + names[0].slice(1)
      : `The text of ${listFew(names)}`;
  if (mainLength === 0) throw nothingToLearn(`${what} is empty`);
  if (numbers.length === 1) throw nothingToLearn(`${what} is a single character`);
  if (codePoints.length === 1) {
    throw nothingToLearn(`${what} is ${describeCharacter(codePoints[0])} throughout`);
  }
}

function nothingToLearn(reason: string): CharnnError {
  return new CharnnError(
    "BAD_TEXT",
    `${reason}: there is nothing to learn.`,
    "Give a text of some thousand characters or more.",
  );
}

/** A text as indices into its vocabulary. */
interface EncodedText {
  readonly vocabulary: Vocabulary;
  readonly tokens: Tokens;
}

/** From numbers in order of first appearance to indices in order of code point, in place. */
async function sortByCodePoint(
  text: NumberedText,
  signal: AbortSignal | undefined,
): Promise<EncodedText> {
  const vocabulary = Vocabulary.fromCodePoints(text.codePoints);
  const indices = Int32Array.from(text.codePoints, (it) => vocabulary.indexOf(it) ?? -1);
  const tokens = await translateInPlace(text.numbers, indices, vocabulary.size, signal);
  return { vocabulary, tokens };
}

/** The same text with a vocabulary that has all characters of another too. */
async function withUnionVocabulary(
  { vocabulary: own, tokens }: EncodedText,
  other: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<EncodedText> {
  const vocabulary = Vocabulary.fromCodePoints([...own.codePoints(), ...other.codePoints()]);
  const indices = Int32Array.from(own.codePoints(), (it) => vocabulary.indexOf(it) ?? -1);
  return { vocabulary, tokens: await translateInPlace(tokens, indices, vocabulary.size, signal) };
}

/**
 * Tells texts apart: by their own vocabulary, their lengths and their tokens.
 *
 * @param mainLength where the validation file begins
 */
async function fingerprintOf(
  { vocabulary, tokens }: EncodedText,
  mainLength: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const texts = [tokens.subarray(0, mainLength), tokens.subarray(mainLength)];
  const hash = createHash("sha256");
  hash.update(JSON.stringify([vocabulary, texts.map(({ length }) => length)]));
  for (const part of texts) {
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    await inPieces(bytes.length, signal, (start, end) => hash.update(bytes.subarray(start, end)));
  }
  return hash.digest("hex");
}
