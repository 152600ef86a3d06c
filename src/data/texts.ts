import { CharnnError } from "../errors.js";
import { NEWLINE } from "../text.js";
import { inPieces } from "../turns.js";
import { describeCharacter } from "./characters.js";
import { encodingName, type Invalid } from "./decoding.js";
import { type LineEnds, readCharacters } from "./reading.js";
import {
  checkNames,
  estimateLength,
  findSources,
  type ReadOptions,
  type Source,
} from "./sources.js";
import { type NumberedText, TextBuilder, translate } from "./text-builder.js";
import { unknownCharacters } from "./unknown-characters.js";
import { createTokens, type Tokens, type Vocabulary } from "./vocabulary.js";

/** A text to look at with vocabularies that already exist. */
export interface NamedText extends NumberedText {
  /** The path of its file, or `-`; where it was read from several, the first and how many more. */
  readonly name: string;
  /** Where in it each file begins. */
  readonly starts: readonly { readonly source: Source; readonly start: number }[];
}

/** How to read texts. */
export interface TextSettings {
  /** `"utf-8"`, or any label that `TextDecoder` knows. */
  readonly encoding: string;
  /** What to do with bytes that are wrong in it: `"error"` when left out. */
  readonly invalid?: Invalid | undefined;
  /** `"lf"`: CR LF and CR by themselves are read as newlines. `"keep"` when left out. */
  readonly lineEnds?: LineEnds | undefined;
  /** Whether all are one text, joined as `loadCorpus` does it; else each file is a separate one. */
  readonly joined: boolean;
  /** Folders to leave out of a folder around them: those of runs. */
  readonly leftOut?: readonly string[] | undefined;
}

/**
 * Reads texts that no model is trained on.
 *
 * @param files files, folders, and `-` for the standard input
 * @throws CharnnError as `loadCorpus` does, and the signal's reason
 */
export async function readTexts(
  files: readonly string[],
  { encoding: label, invalid, lineEnds, joined, leftOut }: TextSettings,
  options: ReadOptions = {},
): Promise<{ readonly texts: readonly NamedText[]; readonly warnings: readonly string[] }> {
  await checkNames(files);
  const encoding = encodingName(label);
  const { signal } = options;
  const found = await findSources(files, { encoding, leftOut }, options);
  const warnings = [...found.warnings];
  const reading = { encoding, invalid, lineEnds, signal };
  const texts: NamedText[] = [];
  for (const group of joined ? [found.sources] : found.sources.map((source) => [source])) {
    const builder = new TextBuilder(estimateLength(group));
    const starts: { source: Source; start: number }[] = [];
    const ownWarnings = await readCharacters(group, reading, (codePoints, source) => {
      if (starts.at(-1)?.source !== source) starts.push({ source, start: builder.length });
      builder.append(codePoints);
    });
    for (const warning of ownWarnings) warnings.push(warning);
    texts.push({ ...builder.finish(), name: nameOf(group), starts });
  }
  return { texts, warnings };
}

/** What a vocabulary knows of a text. */
export interface KnownText {
  readonly tokens: Tokens;
  /** How many characters are left out because the vocabulary lacks them. */
  readonly skipped: number;
  /** Each of them once, as a message names it: `"é" (U+00E9)`. */
  readonly skippedCharacters: readonly string[];
  /** How many are read as the vocabulary's unknown character. */
  readonly unknown: number;
  /** Their code points, each once. */
  readonly unknownCodePoints: readonly number[];
}

/**
 * A text as a vocabulary's tokens. Where the vocabulary has an unknown character, those that it lacks are
 * read as that one.
 *
 * @throws CharnnError `UNKNOWN_CHARACTER` for characters that the vocabulary lacks, unless they are to
 *   be skipped; the signal's reason
 */
export async function knownPart(
  text: NamedText,
  vocabulary: Vocabulary,
  unknown: "error" | "skip",
  signal?: AbortSignal,
): Promise<KnownText> {
  const { numbers, codePoints } = text;
  const notKnown = codePoints.filter((codePoint) => vocabulary.indexOf(codePoint) === undefined);
  const unknownCodePoints = vocabulary.unknown === undefined ? [] : notKnown;
  const lacking = vocabulary.unknown === undefined ? notKnown : [];
  if (lacking.length > 0 && unknown === "error") {
    const first = await firstPositions(text, signal);
    const placed = lacking.map((codePoint) => {
      const position = first.get(codePoint) as number;
      return { codePoint, before: codePoints[numbers[position - 1]] };
    });
    throw unknownCharacters(
      placed,
      await describePosition(text, first.get(lacking[0]) as number, signal),
      vocabulary,
      "To leave unknown characters out: --unknown skip.",
    );
  }
  const indices = Int32Array.from(codePoints, (codePoint) => vocabulary.tokenOf(codePoint) ?? -1);
  const room = createTokens(vocabulary.size, numbers.length);
  const tokens = await translate(numbers, indices, room, signal);
  let asUnknown = 0;
  if (unknownCodePoints.length > 0) {
    await inPieces(tokens.length, signal, (start, end) => {
      for (let i = start; i < end; i++) if (tokens[i] === vocabulary.unknown) asUnknown++;
    });
  }
  return {
    tokens,
    unknown: asUnknown,
    unknownCodePoints,
    skipped: numbers.length - tokens.length,
    skippedCharacters: lacking.map(describeCharacter),
  };
}

/** @throws CharnnError `BAD_TEXT` where there is nothing to predict in a text. */
export function refuseTooShort({ tokens, skipped }: KnownText, { name }: NamedText): void {
  if (tokens.length > 1) return;
  const what = skipped > 0 ? "What the model knows of the text" : "The text";
  throw new CharnnError(
    "BAD_TEXT",
    `${what} (${name}) has fewer than two characters: there is nothing to predict.`,
    "Give a longer text.",
  );
}

/** Where in a text each of its code points occurs first. */
async function firstPositions(
  { numbers, codePoints }: NamedText,
  signal: AbortSignal | undefined,
): Promise<Map<number, number>> {
  const first = new Map<number, number>();
  const isFound = new Uint8Array(codePoints.length);
  await inPieces(numbers.length, signal, (start, end) => {
    for (let position = start; position < end; position++) {
      const number = numbers[position];
      if (isFound[number]) continue;
      isFound[number] = 1;
      first.set(codePoints[number], position);
    }
    return first.size === codePoints.length ? "stop" : undefined;
  });
  return first;
}

/** `line 3, column 7 of "a.txt"` */
async function describePosition(
  { numbers, codePoints, starts }: NamedText,
  position: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { source, start } = starts.findLast((it) => it.start <= position) ?? starts[0];
  const newline = codePoints.indexOf(NEWLINE);
  let line = 1;
  let lineStart = start;
  await inPieces(position - start, signal, (from, end) => {
    for (let before = start + from; before < start + end; before++) {
      if (numbers[before] !== newline) continue;
      line++;
      lineStart = before + 1;
    }
  });
  return `line ${line}, column ${position - lineStart + 1} of ${source.name}`;
}

function nameOf([first, ...more]: readonly Source[]): string {
  return more.length === 0 ? first.path : `${first.path} and ${more.length} more`;
}
