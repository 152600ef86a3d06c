import { inTurns, type Parts } from "../turns.js";
import type { Unknown } from "./known-part.js";
import { lineAndColumn } from "./places.js";
import { mapText } from "./rewriting.js";
import { type NumberedText, TextBuilder } from "./text-builder.js";
import { unmappableCharacters } from "./unknown-characters.js";
import type { Vocabulary } from "./vocabulary.js";

/** Characters of a long text that are gone through without a pause. */
const PART = 1 << 16;

/** A text that a vocabulary can encode. */
export interface PreparedText {
  readonly text: string;
  /** How many characters that the vocabulary lacks were left out. */
  readonly skipped: number;
  /** Each of them once. */
  readonly skippedCodePoints: readonly number[];
  /** How many were replaced by others. */
  readonly mapped: number;
  /** By which, each once, for a message: `"é" as "e"`. */
  readonly mappings: readonly string[];
}

/**
 * Prepares a text that a person gave, such as a prompt, for a model that may not know all of its characters.
 * What the vocabulary reads as its unknown character stays as it is, unless others are to stand for it.
 *
 * @throws CharnnError `UNKNOWN_CHARACTER` for characters that the vocabulary can't encode, unless they are
 *   to be skipped, or mapped and can be; the signal's reason once it is aborted
 */
export async function prepareText(
  text: string,
  vocabulary: Vocabulary,
  unknown: Unknown,
  signal?: AbortSignal,
): Promise<PreparedText> {
  const nothing = { skipped: 0, skippedCodePoints: [], mapped: 0, mappings: [] };
  const canRead = (codePoint: number) =>
    (unknown === "map" ? vocabulary.indexOf(codePoint) : vocabulary.tokenOf(codePoint)) !==
    undefined;
  if (await inTurns(readsAll(text, canRead), signal)) return { text, ...nothing };
  switch (unknown) {
    case "error":
      throw await inTurns(vocabulary.lackingIn(text, { withOtherWays: true }), signal);
    case "skip":
      return { ...nothing, ...(await inTurns(without(text, canRead), signal)) };
    case "map":
      return { ...nothing, ...(await mapped(text, vocabulary, signal)) };
  }
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
): Parts<Pick<PreparedText, "text" | "skipped" | "skippedCodePoints">> {
  const skipped = new Set<number>();
  let [kept, count, left] = ["", 0, 0];
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    if (canRead(codePoint)) kept += character;
    else {
      skipped.add(codePoint);
      left++;
    }
    if (++count % PART === 0) yield;
  }
  return { text: kept, skipped: left, skippedCodePoints: [...skipped] };
}

async function mapped(
  text: string,
  vocabulary: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<Pick<PreparedText, "text" | "mapped" | "mappings">> {
  const numbered = await inTurns(numberedText(text), signal);
  let result = "";
  const add = (codePoint: number) => {
    result += String.fromCodePoint(codePoint);
  };
  const { unmapped, mapped: count, mappings } = await mapText(numbered, vocabulary, add, signal);
  if (unmapped.size > 0 && vocabulary.unknown === undefined) {
    const [first] = unmapped.values();
    const place = await lineAndColumn(numbered, 0, first, signal);
    throw unmappableCharacters([...unmapped.keys()], place, vocabulary);
  }
  return { text: result, mapped: count, mappings };
}

function* numberedText(text: string): Parts<NumberedText> {
  const builder = new TextBuilder(text.length);
  let part: number[] = [];
  for (const character of text) {
    part.push(character.codePointAt(0) as number);
    if (part.length < PART) continue;
    builder.append(Int32Array.from(part));
    part = [];
    yield;
  }
  builder.append(Int32Array.from(part));
  return builder.finish();
}
