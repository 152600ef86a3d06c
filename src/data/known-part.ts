import { CharnnError } from "../errors.js";
import { DOCUMENT_END } from "../text.js";
import { inPieces, Turns } from "../turns.js";
import { describeCharacter } from "./characters.js";
import { documentEndOf } from "./documents.js";
import { Mapping } from "./mapping.js";
import { firstPositions, lineAndColumn } from "./places.js";
import type { Stage } from "./stages.js";
import { translate } from "./text-builder.js";
import { type RewritingSettings, rewritingFor } from "./text-rewriter.js";
import type { NamedText } from "./texts.js";
import { TokenList } from "./token-list.js";
import { unknownCharacters, unmappableCharacters } from "./unknown-characters.js";
import { createTokens, type Tokens, type Vocabulary } from "./vocabulary.js";

/** Between two looks at the clock. */
const CHARACTERS_PER_LOOK = 1 << 13;

/** What to do with characters that a vocabulary lacks: refuse the text, leave them out, or read others. */
export type Unknown = "error" | "skip" | "map";

/** How a model reads a character: as what it is, as another, as its unknown one, or not at all. */
export const [AS_IT_IS, AS_ANOTHER, AS_UNKNOWN, LEFT_OUT] = [0, 1, 2, 3];

/** How a model reads a text: with which characters, and what becomes of the text before. */
export interface Reader extends RewritingSettings {
  readonly vocabulary: Vocabulary;
}

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
   * Where the text is rewritten: for each token the position in the text that it comes from. Several may come from
   * one, and of a letter with its accents all come from the letter.
   */
  readonly positions?: Int32Array;
  /** Where the text is rewritten: of each of its characters {@link AS_IT_IS} and so on. */
  readonly kinds?: Uint8Array;
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
  reader: Reader,
  unknown: Unknown,
  signal?: AbortSignal,
): Promise<KnownText> {
  const { vocabulary } = reader;
  const { numbers, codePoints } = text;
  const notKnown = codePoints.filter((codePoint) => vocabulary.indexOf(codePoint) === undefined);
  const isMapped = unknown === "map" && notKnown.length > 0;
  if (isMapped || rewritingFor(reader, NOWHERE)) return rewritten(text, reader, unknown, signal);
  const unknownCodePoints = vocabulary.unknown === undefined ? [] : notKnown;
  const lacking = vocabulary.unknown === undefined ? notKnown : [];
  if (lacking.length > 0 && unknown === "error") {
    const positions = await firstPositions(text, signal);
    const first = new Map(lacking.map((it) => [it, positions.get(it) as number]));
    throw await lackingError(text, first, reader, unknown, signal);
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

/** Where a text goes that is only asked about. */
const NOWHERE: Stage = { push() {}, endFile() {} };

/** A text that is rewritten before it is read, or in which others stand for characters that are not known. */
async function rewritten(
  text: NamedText,
  reader: Reader,
  unknown: Unknown,
  signal: AbortSignal | undefined,
): Promise<KnownText> {
  const { vocabulary } = reader;
  const { numbers, codePoints, starts } = text;
  const list = new TokenList(vocabulary.size, numbers.length);
  const kinds = new Uint8Array(numbers.length);
  /** Where characters are first that the vocabulary lacks. */
  const lacking = new Map<number, number>();
  let count = 0;
  const add = (codePoint: number, position: number) => {
    const known = vocabulary.indexOf(codePoint);
    if (known === undefined) {
      count++;
      if (!lacking.has(codePoint)) lacking.set(codePoint, position);
      kinds[position] = vocabulary.unknown === undefined ? LEFT_OUT : AS_UNKNOWN;
    }
    const token = known ?? vocabulary.unknown;
    if (token !== undefined) list.push(token, position);
  };
  const onMapped = (position: number) => {
    kinds[position] = AS_ANOTHER;
  };
  const mapping = unknown === "map" ? new Mapping(vocabulary, add, onMapped) : undefined;
  const last = mapping ?? { push: add, endFile() {} };
  const first = rewritingFor(reader, last)?.first ?? last;
  const turns = new Turns(signal);
  signal?.throwIfAborted();
  let file = 0;
  for (let position = 0; position < numbers.length; position++) {
    while (starts[file + 1]?.start === position) {
      first.endFile(position);
      file++;
    }
    first.push(codePoints[numbers[position]], position);
    if (position % CHARACTERS_PER_LOOK === 0) await turns.give();
  }
  first.endFile(numbers.length);
  const hasUnknown = vocabulary.unknown !== undefined;
  if (lacking.size > 0 && !hasUnknown && unknown !== "skip") {
    throw await lackingError(text, lacking, reader, unknown, signal);
  }
  const names = [...lacking.keys()];
  return {
    ...list.finish(),
    kinds,
    skipped: hasUnknown ? 0 : count,
    skippedCharacters: hasUnknown ? [] : names.map(describeCharacter),
    mapped: mapping?.mapped ?? 0,
    mappings: mapping?.mappings ?? [],
    unknown: hasUnknown ? count : 0,
    unknownCodePoints: hasUnknown ? names : [],
  };
}

/** @param first the characters that the vocabulary lacks, with the positions where they are first */
async function lackingError(
  text: NamedText,
  first: ReadonlyMap<number, number>,
  { vocabulary, documents }: Reader,
  unknown: Unknown,
  signal: AbortSignal | undefined,
): Promise<CharnnError> {
  if (first.has(DOCUMENT_END)) documentEndOf(vocabulary, documents ?? "files");
  const [position] = first.values();
  const place = await placeIn(text, position, signal);
  if (unknown === "map") return unmappableCharacters([...first.keys()], place, vocabulary);
  const placed = Array.from(first, ([codePoint, at]) => {
    return { codePoint, before: text.codePoints[text.numbers[at - 1]] };
  });
  return unknownCharacters(placed, place, vocabulary, { withOtherWays: true });
}

/** @throws CharnnError `BAD_TEXT` where there is nothing to predict in a text. */
export function refuseTooShort({ tokens, skipped }: KnownText, { name }: NamedText): void {
  if (tokens.length > 1) return;
  const what = skipped > 0 ? "What the model knows of the text" : "The text";
  throw new CharnnError(
    "BAD_TEXT",
    `${what} (${name}) has fewer than two characters: there is nothing to predict.`,
    skipped > 0 ? "Give a text with characters that the model knows." : "Give a longer text.",
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
