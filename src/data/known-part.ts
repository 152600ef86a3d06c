import { CharnnError } from "../errors.js";
import { inPieces } from "../turns.js";
import { describeCharacter } from "./characters.js";
import { firstPositions, lineAndColumn } from "./places.js";
import { mapText } from "./rewriting.js";
import { translate } from "./text-builder.js";
import type { NamedText } from "./texts.js";
import { TokenList } from "./token-list.js";
import { unknownCharacters, unmappableCharacters } from "./unknown-characters.js";
import { createTokens, type Tokens, type Vocabulary } from "./vocabulary.js";

/** What to do with characters that a vocabulary lacks: refuse the text, leave them out, or read others. */
export type Unknown = "error" | "skip" | "map";

/** What a vocabulary knows of a text. */
export interface KnownText {
  readonly tokens: Tokens;
  /** How many characters are left out because the vocabulary lacks them. */
  readonly skipped: number;
  /** Each of them once, as a message names it: `"é" (U+00E9)`. */
  readonly skippedCharacters: readonly string[];
  /** How many that it lacks are read as others. */
  readonly mapped: number;
  /** As which, each once: `"é" as "e"`. */
  readonly mappings: readonly string[];
  /** How many are read as the vocabulary's unknown character. */
  readonly unknown: number;
  /** Their code points, each once. */
  readonly unknownCodePoints: readonly number[];
  /**
   * Where others stand in place of characters: for each token the position in the text that it comes from.
   * Several may come from one, and of a letter with its accents all come from the letter.
   */
  readonly positions?: Int32Array;
}

/**
 * A text as a vocabulary's tokens. Where the vocabulary has an unknown character, those that it lacks are
 * read as that one, unless others are to stand for them.
 *
 * @throws CharnnError `UNKNOWN_CHARACTER` for characters that the vocabulary lacks, unless they are to
 *   be skipped, or mapped and can be; the signal's reason
 */
export async function knownPart(
  text: NamedText,
  vocabulary: Vocabulary,
  unknown: Unknown,
  signal?: AbortSignal,
): Promise<KnownText> {
  const { numbers, codePoints } = text;
  const notKnown = codePoints.filter((codePoint) => vocabulary.indexOf(codePoint) === undefined);
  if (notKnown.length > 0 && unknown === "map") return mappedPart(text, vocabulary, signal);
  const unknownCodePoints = vocabulary.unknown === undefined ? [] : notKnown;
  const lacking = vocabulary.unknown === undefined ? notKnown : [];
  if (lacking.length > 0 && unknown === "error") {
    const first = await firstPositions(text, signal);
    const placed = lacking.map((codePoint) => {
      const position = first.get(codePoint) as number;
      return { codePoint, before: codePoints[numbers[position - 1]] };
    });
    const place = await placeIn(text, first.get(lacking[0]) as number, signal);
    throw unknownCharacters(placed, place, vocabulary, { withOtherWays: true });
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
    mapped: 0,
    mappings: [],
    unknown: asUnknown,
    unknownCodePoints,
    skipped: numbers.length - tokens.length,
    skippedCharacters: lacking.map(describeCharacter),
  };
}

/** A text in which others stand for the characters that the vocabulary lacks. */
async function mappedPart(
  text: NamedText,
  vocabulary: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<KnownText> {
  const list = new TokenList(vocabulary.size, text.numbers.length);
  const visit = (codePoint: number, position: number) => {
    const token = vocabulary.tokenOf(codePoint);
    if (token !== undefined) list.push(token, position);
  };
  const { mapped, mappings, left, unmapped } = await mapText(text, vocabulary, visit, signal);
  if (unmapped.size > 0 && vocabulary.unknown === undefined) {
    const [first] = unmapped.values();
    const place = await placeIn(text, first, signal);
    throw unmappableCharacters([...unmapped.keys()], place, vocabulary);
  }
  const { tokens, positions } = list.finish();
  return {
    tokens,
    skipped: 0,
    skippedCharacters: [],
    mapped,
    mappings,
    unknown: left,
    unknownCodePoints: [...unmapped.keys()],
    positions,
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

/** `line 3, column 7 of "a.txt"` */
async function placeIn(
  text: NamedText,
  position: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { source, start } = text.starts.findLast((it) => it.start <= position) ?? text.starts[0];
  return `${await lineAndColumn(text, start, position, signal)} of ${source.name}`;
}
