import { NEWLINE } from "../text.js";
import { Turns } from "../turns.js";
import { CharacterMapper } from "./character-mapper.js";
import type { NumberedText } from "./text-builder.js";
import { joinsPrevious } from "./twins.js";
import { describeMapping } from "./unknown-characters.js";
import type { Vocabulary } from "./vocabulary.js";

const CARRIAGE_RETURN = 0x0d;
/** Between two looks at the clock. */
const CHARACTERS_PER_LOOK = 1 << 13;
/** Accents on one letter; a text with more on one is a play with them. */
const MAX_ACCENTS = 32;

/** What others stand for in a text that a vocabulary does not know all of. */
export interface Rewritten {
  /** How many characters that it lacks are read as others. */
  readonly mapped: number;
  /** As which, each once: `"é" as "e"`. */
  readonly mappings: readonly string[];
  /** How many stay though the vocabulary lacks them, since nothing stands for them. */
  readonly left: number;
  /** Each of them once, with the position where it is first. */
  readonly unmapped: ReadonlyMap<number, number>;
}

/**
 * Goes through a text in which others are to stand for the characters that a vocabulary lacks.
 *
 * @param visit gets each code point of the text that comes of it, with the position in the given text of
 *   the character, or of the letter with its accents, that it stands for
 * @throws the signal's reason once it is aborted
 */
export async function mapText(
  { numbers, codePoints }: NumberedText,
  vocabulary: Vocabulary,
  visit: (codePoint: number, position: number) => void,
  signal: AbortSignal | undefined,
): Promise<Rewritten> {
  const mapper = new CharacterMapper(vocabulary);
  const isKnown = codePoints.map((it) => vocabulary.indexOf(it) !== undefined);
  const joins = codePoints.map(joinsPrevious);
  const [cr, lf] = [codePoints.indexOf(CARRIAGE_RETURN), codePoints.indexOf(NEWLINE)];
  const mappings = new Map<string, string>();
  const unmapped = new Map<number, number>();
  let [mapped, left] = [0, 0];

  const endOfPiece = (start: number) => {
    if (numbers[start] === cr && numbers[start + 1] === lf) return start + 2;
    const last = Math.min(start + MAX_ACCENTS, numbers.length - 1);
    let end = start + 1;
    while (end <= last && joins[numbers[end]]) end++;
    return end;
  };
  const replace = (start: number, end: number, unknown: number) => {
    let piece = "";
    for (let at = start; at < end; at++) piece += String.fromCodePoint(codePoints[numbers[at]]);
    const replacement = mapper.replace(piece);
    for (const codePoint of replacement.unmapped) {
      if (!unmapped.has(codePoint)) unmapped.set(codePoint, start);
    }
    left += replacement.unmapped.length;
    const others = unknown - replacement.unmapped.length;
    if (others > 0) {
      mapped += others;
      if (!mappings.has(piece)) mappings.set(piece, describeMapping(piece, replacement.text));
    }
    for (const character of replacement.text) visit(character.codePointAt(0) as number, start);
  };

  const turns = new Turns(signal);
  signal?.throwIfAborted();
  let looked = 0;
  for (let start = 0, end: number; start < numbers.length; start = end) {
    end = endOfPiece(start);
    let unknown = 0;
    for (let at = start; at < end; at++) if (!isKnown[numbers[at]]) unknown++;
    if (unknown > 0) replace(start, end, unknown);
    else for (let at = start; at < end; at++) visit(codePoints[numbers[at]], at);
    if (end - looked < CHARACTERS_PER_LOOK) continue;
    looked = end;
    await turns.give();
  }
  return { mapped, mappings: [...mappings.values()], left, unmapped };
}
