import { atOnce, inTurns, type Parts } from "../turns.js";
import { describeCharacter } from "./characters.js";
import type { Reader, Unknown } from "./known-part.js";
import { Mapping } from "./mapping.js";
import type { Normalization } from "./normalizer.js";
import { rewritingFor } from "./text-rewriter.js";
import { unmappableCharacters } from "./unknown-characters.js";
import type { Vocabulary } from "./vocabulary.js";

/** Characters of a long text that are gone through without a pause. */
const PART = 1 << 13;

/** A text that a vocabulary can encode. */
export interface PreparedText {
  readonly text: string;
  /** How many characters that the vocabulary lacks were left out. */
  readonly skipped: number;
  /** Each of them once, as a message names it: `"é" (U+00E9)`. */
  readonly skippedCharacters: readonly string[];
  /** How many were replaced by others. */
  readonly mapped: number;
  /** By which, each once, for a message: `"é" as "e"`. */
  readonly mappings: readonly string[];
}

/**
 * Prepares a text that a person gave, such as a prompt, for a model that may not know all of its characters: with
 * the normal form and the small letters that the model was trained on. What the vocabulary reads as its unknown
 * character stays as it is, unless others are to stand for it.
 *
 * @throws CharnnError `UNKNOWN_CHARACTER` for characters that the vocabulary can't encode, unless they are
 *   to be skipped, or mapped and can be; the signal's reason once it is aborted
 */
export async function prepareText(
  text: string,
  { vocabulary, normalize, lowercase }: Omit<Reader, "documents">,
  unknown: Unknown,
  signal?: AbortSignal,
): Promise<PreparedText> {
  return inTurns(preparation(text, { vocabulary, normalize, lowercase }, unknown), signal);
}

function* preparation(given: string, reader: Reader, unknown: Unknown): Parts<PreparedText> {
  const { vocabulary } = reader;
  const normalized = yield* normalization(given, reader);
  const nothing = { skipped: 0, skippedCharacters: [], mapped: 0, mappings: [] };
  const canRead = (codePoint: number) =>
    (unknown === "map" ? vocabulary.indexOf(codePoint) : vocabulary.tokenOf(codePoint)) !==
    undefined;
  if (yield* readsAll(normalized, canRead)) return { text: normalized, ...nothing };
  switch (unknown) {
    case "error":
      throw yield* vocabulary.lackingIn(normalized, { withOtherWays: true });
    case "skip":
      return { ...nothing, ...(yield* without(normalized, canRead)) };
    case "map":
      return { ...nothing, ...(yield* mapped(normalized, vocabulary)) };
  }
}

/** A short text in the normal form, and in the letters, of a model. */
export function normalizedText(text: string, reader: Normalization): string {
  return atOnce(normalization(text, reader));
}

/** The same for one that may be long. */
function* normalization(text: string, { normalize, lowercase }: Normalization): Parts<string> {
  let result = "";
  const add = (codePoint: number) => {
    result += String.fromCodePoint(codePoint);
  };
  const rewriting = rewritingFor({ normalize, lowercase }, { push: add, endFile() {} });
  if (!rewriting) return text;
  let count = 0;
  for (const character of text) {
    rewriting.first.push(character.codePointAt(0) as number, 0);
    if (++count % PART === 0) yield;
  }
  rewriting.first.endFile(0);
  return result;
}

function* readsAll(text: string, canRead: (codePoint: number) => boolean): Parts<boolean> {
  let count = 0;
  for (const character of text) {
    if (!canRead(character.codePointAt(0) as number)) return false;
    if (++count % PART === 0) yield;
  }
  return true;
}

function* without(
  text: string,
  canRead: (codePoint: number) => boolean,
): Parts<Pick<PreparedText, "text" | "skipped" | "skippedCharacters">> {
  const characters = new Set<number>();
  let [kept, count, skipped] = ["", 0, 0];
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    if (canRead(codePoint)) kept += character;
    else {
      characters.add(codePoint);
      skipped++;
    }
    if (++count % PART === 0) yield;
  }
  return { text: kept, skipped, skippedCharacters: [...characters].map(describeCharacter) };
}

function* mapped(
  text: string,
  vocabulary: Vocabulary,
): Parts<Pick<PreparedText, "text" | "mapped" | "mappings">> {
  let result = "";
  /** Where characters are first that nothing stands for. */
  const unmapped = new Map<number, number>();
  const mapping = new Mapping(vocabulary, (codePoint, position) => {
    result += String.fromCodePoint(codePoint);
    const isLacking = vocabulary.tokenOf(codePoint) === undefined;
    if (isLacking && !unmapped.has(codePoint)) unmapped.set(codePoint, position);
  });
  let position = 0;
  for (const character of text) {
    mapping.push(character.codePointAt(0) as number, position++);
    if (position % PART === 0) yield;
  }
  mapping.endFile();
  if (unmapped.size > 0) {
    const [first] = unmapped.values();
    throw unmappableCharacters([...unmapped.keys()], placeIn(text, first), vocabulary);
  }
  return { text: result, mapped: mapping.mapped, mappings: mapping.mappings };
}

/** `line 3, column 7` */
function placeIn(text: string, position: number): string {
  const before = Array.from(text.slice(0, 2 * position)).slice(0, position);
  const lines = before.join("").split("\n");
  return `line ${lines.length}, column ${Array.from(lines.at(-1) ?? "").length + 1}`;
}
