import { CharnnError } from "../errors.js";
import { counted, DOCUMENT_END, formatCount } from "../text.js";
import { describeCharacter, listFew, showCharacter } from "./characters.js";
import { composedOf, isAccent, twinsOf } from "./twins.js";

/** What is needed of a vocabulary here. */
interface Known {
  codePoints(): Iterable<number>;
  indexOf(codePoint: number): number | undefined;
}

/** A character that a vocabulary lacks. */
export interface LackingCharacter {
  readonly codePoint: number;
  /** The character before it where it first occurs. */
  readonly before: number | undefined;
}

/** The ways on for a person who gives a text or a prompt. */
const TO_MAP = "`unknown: map` reads these in their place.";
const TO_SKIP = "`unknown: skip` leaves out what the model does not know.";
/** Of the characters that were left out or mapped. */
const MAX_NAMED = 8;
const MAX_TWINS = 2;
/** Ranges and characters of a vocabulary that a message lists. */
const MAX_SHOWN = 14;
/** Fewer characters in a row are no range. */
const MIN_RANGE_LENGTH = 3;

/**
 * The error for characters of a text, each once, that a vocabulary lacks.
 *
 * @param first where the first of them is, such as `line 3, column 7`
 * @param withOtherWays whether the hint names the setting `unknown`
 */
export function unknownCharacters(
  lacking: readonly LackingCharacter[],
  first: string,
  known: Known,
  { withOtherWays = false }: { readonly withOtherWays?: boolean } = {},
): CharnnError {
  const named = listFew(lacking.map(({ codePoint }) => describeCharacter(codePoint)));
  const message =
    lacking.length === 1
      ? `The model does not know the character ${named}, at ${first}.`
      : `The model does not know the characters ${named}; the first is at ${first}.`;
  const twins = lacking.map((it) => shownTwins(it, known));
  const offered = twins.filter((shown) => shown !== undefined);
  const hints = [
    ...(offered.length > 0 ? [`It knows ${listFew(offered)}.`] : []),
    ...(offered.length < twins.length ? [describeKnown(known.codePoints())] : []),
    ...(withOtherWays && offered.length === twins.length ? [TO_MAP] : []),
    ...(withOtherWays ? [TO_SKIP] : []),
  ];
  return new CharnnError("UNKNOWN_CHARACTER", message, hints.join(" "));
}

/**
 * The error for characters of a text, each once, that a vocabulary lacks and that could not be mapped.
 *
 * @param first where the first of them is
 */
export function unmappableCharacters(
  codePoints: readonly number[],
  first: string,
  known: Known,
): CharnnError {
  const named = listFew(codePoints.map(describeCharacter));
  const message =
    codePoints.length === 1
      ? `The model does not know the character ${named}, at ${first}, and none like it.`
      : `The model does not know the characters ${named}, and none like them; the first is at ${first}.`;
  const hint = `${describeKnown(known.codePoints())} ${TO_SKIP}`;
  return new CharnnError("UNKNOWN_CHARACTER", message, hint);
}

/** A sentence for characters that became the unknown one of a vocabulary, each named once. */
export function readAsUnknown(count: number, codePoints: readonly number[]): string {
  const named = listFew(codePoints.map(describeCharacter));
  const characters = count === 1 ? "1 character is" : `${formatCount(count)} characters are`;
  return `${characters} read as the unknown character, since the model does not know ${named}.`;
}

/** A sentence for characters that a model does not know and that were left out of a text. */
export function leftOut(count: number, characters: readonly string[], model = "the model"): string {
  const were = count === 1 ? "was" : "were";
  return `${counted(count, "character")} that ${model} does not know ${were} left out: ${listFew(characters, MAX_NAMED)}`;
}

/**
 * A sentence for characters that a model does not know and that were read as others.
 *
 * @param mappings each once, as {@link describeMapping} gives it
 */
export function readAsOthers(
  count: number,
  mappings: readonly string[],
  model = "the model",
): string {
  const were = count === 1 ? "was read as another" : "were read as others";
  return `${counted(count, "character")} that ${model} does not know ${were}: ${listFew(mappings, MAX_NAMED)}`;
}

/** `"é" as "e"` */
export function describeMapping(from: string, to: string): string {
  return `${shownText(from)} as ${shownText(to)}`;
}

/** `"c" for "C"`, `"e" for "é" (without its accent)`; undefined where nothing known stands for it. */
function shownTwins({ codePoint, before }: LackingCharacter, known: Known): string | undefined {
  const isKnown = (text: string) =>
    Array.from(text).every((it) => known.indexOf(it.codePointAt(0) as number) !== undefined);
  const composed = before !== undefined && isAccent(codePoint) && composedOf(before, codePoint);
  if (composed && isKnown(composed)) {
    return `${shownText(composed)} for ${showCharacter(before)} and ${showCharacter(codePoint)} after it`;
  }
  const twins = twinsOf(codePoint).filter(({ text }) => isKnown(text));
  if (twins.length === 0) return undefined;
  const [{ difference }] = twins;
  const alike = twins.filter((twin) => twin.difference === difference).slice(0, MAX_TWINS);
  const texts = alike.map(({ text }) => shownText(text)).join(" or ");
  return `${texts} for ${showCharacter(codePoint)}${difference ? ` (${difference})` : ""}`;
}

/** `"e" and "◌́"`; one that is typed is shown whole: `"..."` */
function shownText(text: string): string {
  const codePoints = Array.from(text, (it) => it.codePointAt(0) as number);
  const isTyped = codePoints.length > 1 && codePoints.every((it) => it > 0x20 && it < 0x7f);
  return isTyped ? JSON.stringify(text) : codePoints.map(showCharacter).join(" and ");
}

/** `The model knows 65 characters: A-Z a-z 0-9 newline space ! & ' and 3 more.` */
function describeKnown(codePoints: Iterable<number>): string {
  const known = [...codePoints].filter((it) => it !== DOCUMENT_END);
  const ranges = rangesOf(known).sort((a, b) => rankOf(a.first) - rankOf(b.first));
  const shown = ranges.slice(0, MAX_SHOWN);
  const left = ranges.slice(MAX_SHOWN).reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const names = shown.map(({ first, last }) =>
    first === last ? bare(first) : `${bare(first)}-${bare(last)}`,
  );
  const more = left > 0 ? ` and ${formatCount(left)} more` : "";
  const count = known.length === 1 ? "1 character" : `${formatCount(known.length)} characters`;
  return `The model knows ${count}: ${names.join(" ")}${more}.`;
}

/** Letters or digits that follow each other as ranges, all others by themselves. */
function rangesOf(sorted: readonly number[]): { first: number; last: number }[] {
  const ranges: { first: number; last: number }[] = [];
  for (const codePoint of sorted) {
    const range = ranges.at(-1);
    const goesOn = range?.last === codePoint - 1 && kindOf(codePoint) === kindOf(range.last);
    if (goesOn && kindOf(codePoint) !== undefined) range.last = codePoint;
    else ranges.push({ first: codePoint, last: codePoint });
  }
  return ranges.flatMap(({ first, last }) =>
    last - first + 1 >= MIN_RANGE_LENGTH
      ? [{ first, last }]
      : Array.from({ length: last - first + 1 }, (_, i) => ({ first: first + i, last: first + i })),
  );
}

/** The kind of characters that can make a range together; undefined for those that make none. */
function kindOf(codePoint: number): "upper" | "letter" | "digit" | undefined {
  const character = String.fromCodePoint(codePoint);
  if (/\p{Lu}/u.test(character)) return "upper";
  if (/\p{L}/u.test(character)) return "letter";
  return /\p{Nd}/u.test(character) ? "digit" : undefined;
}

/** Letters and digits that everybody types come first, then other such characters, then the rest. */
function rankOf(codePoint: number): number {
  const kind = kindOf(codePoint);
  if (codePoint > 0x7f) return kind === undefined ? 5 : 4;
  if (kind === undefined) return 3;
  return kind === "digit" ? 2 : kind === "upper" ? 0 : 1;
}

/** Without quotes, which a list of many would be full of. */
function bare(codePoint: number): string {
  return showCharacter(codePoint).replace(/^"(.+)"$/u, "$1");
}
