import { counted, DOCUMENT_END, formatCount, NEWLINE } from "../text.js";
/** What is odd about a text: its line ends, and characters that are there by mistake. */

import { inPieces } from "../turns.js";
import { describeCharacter, listFew } from "./characters.js";
import {
  advise,
  lineEndCommand,
  MEND_MISREAD,
  newlineCommand,
  removalCommand,
} from "./repair-commands.js";
import type { Tokens, Vocabulary } from "./vocabulary.js";

const [CARRIAGE_RETURN, BYTE_ORDER_MARK] = [0x0d, 0xfeff];
/** Zero-width characters, byte order marks, directions; not what chooses the look of an emoji. */
const INVISIBLE = /(?!\ufe0e|\ufe0f)\p{DI}/u;
/** What ends lines or pages beside the carriage return and the newline. */
const OTHER_LINE_END = /[\v\f\u0085\u2028\u2029]/u;
const NEXT_LINE = 0x85;
/** Controls, what no character is, private ones, and what stands for a character that was lost. */
const NO_CHARACTER = /(?![\t\n\r])[\p{Cc}\p{Cn}\p{Co}\p{Cs}\ufffd]/u;
/** What those are called that are most often met, by code point. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0x0b, "line tabulation"],
  [0x0c, "form feed"],
  [0x85, "next line"],
  [0xad, "soft hyphen"],
  [0x200c, "zero-width non-joiner"],
  [0x200d, "zero-width joiner"],
  [0x200e, "left-to-right mark"],
  [0x200f, "right-to-left mark"],
  [0x202a, "left-to-right embedding"],
  [0x202b, "right-to-left embedding"],
  [0x202c, "end of a direction"],
  [0x202d, "left-to-right override"],
  [0x202e, "right-to-left override"],
  [0x2028, "line separator"],
  [0x2029, "paragraph separator"],
  [0x2060, "word joiner"],
  [0x2066, "left-to-right isolate"],
  [0x2067, "right-to-left isolate"],
  [0x2068, "first strong isolate"],
  [0x2069, "end of an isolate"],
  [0xfffd, "replacement character"],
]);
/** Above this fraction of the text, the encoding or the file is likely to be the wrong one. */
const MANY = 0.01;
const MAX_IN_COMMAND = 20;

/** Fewer characters that look like UTF-8 in windows-1252 may be there by chance. */
const MIN_MISREAD = 3;
/** What windows-1252 has in the place of the bytes 0x80 to 0x9f. */
const WINDOWS_1252 = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";

/** Letters with accents stand one after the other only where bytes of another script were read as such. */
const MIN_ACCENTED = 20;
const MAX_ACCENTED_IN_A_ROW = 0.6;

/**
 * Plain sentences on what a model would learn from a text, likely without being meant to: what it is, how
 * often, and what to do about it.
 *
 * @throws the signal's reason once it is aborted
 */
export async function textWarnings(
  tokens: Tokens,
  vocabulary: Vocabulary,
  encoding: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const codePoints = [...vocabulary.codePoints()];
  const isOdd = (it: number) =>
    isInvisible(it) || isOtherLineEnd(it) || isNoCharacter(it) || it === CARRIAGE_RETURN;
  const mayBeMisread =
    encoding === "utf-8"
      ? codePoints.some(isFirstByte) && codePoints.some(isOtherByte)
      : codePoints.some(isAccentedLatin);
  if (!mayBeMisread && !codePoints.some(isOdd)) return [];
  const counts = await countCharacters(tokens, codePoints, signal);
  const present = codePoints
    .map((codePoint, token): Present => ({ codePoint, times: counts.times[token] }))
    .filter(({ times }) => times > 0);
  const wasMisread = encoding === "utf-8" ? misread(counts) : [];
  // Without those bytes the rest of the misread text could not be repaired any more.
  const odd = present.filter(({ codePoint }) => wasMisread.length === 0 || !isOtherByte(codePoint));
  // Among other controls from 0x80 on, U+0085 is no line end but a sign of a wrong encoding.
  const hasC1 = odd.some(({ codePoint }) => isC1(codePoint) && codePoint !== NEXT_LINE);
  const isLineEnd = ({ codePoint }: Present) =>
    isOtherLineEnd(codePoint) && !(hasC1 && codePoint === NEXT_LINE);
  const others = odd.filter((it) => !isLineEnd(it));
  return [
    ...lineEnds(counts, encoding),
    ...otherLineEnds(odd.filter(isLineEnd), encoding),
    ...invisibleOnes(others, encoding),
    ...noCharacters(others, tokens.length, encoding),
    ...wasMisread,
    ...(encoding === "utf-8" ? [] : otherScript(counts, encoding)),
  ];
}

interface Present {
  readonly codePoint: number;
  readonly times: number;
}

interface Counted {
  /** By token. */
  readonly times: Float64Array;
  /** Line ends of each kind. */
  readonly crlf: number;
  readonly cr: number;
  readonly lf: number;
  /** Characters that are the first byte of a UTF-8 character in windows-1252, and those with the next behind them. */
  readonly firstBytes: number;
  readonly misread: number;
  /** Latin letters beyond ASCII, and those that follow another one. */
  readonly accented: number;
  readonly accentedInARow: number;
}

async function countCharacters(
  tokens: Tokens,
  codePoints: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Counted> {
  const times = new Float64Array(codePoints.length);
  const cr = codePoints.indexOf(CARRIAGE_RETURN);
  const lf = codePoints.indexOf(NEWLINE);
  const isFirst = Uint8Array.from(codePoints, (it) => Number(isFirstByte(it)));
  const isOther = Uint8Array.from(codePoints, (it) => Number(isOtherByte(it)));
  const isAccented = Uint8Array.from(codePoints, (it) => Number(isAccentedLatin(it)));
  let [pairs, both, accentedInARow] = [0, 0, 0];
  await inPieces(tokens.length, signal, (start, end) => {
    let before = start > 0 ? tokens[start - 1] : -1;
    for (let position = start; position < end; position++) {
      const token = tokens[position];
      times[token]++;
      if (before >= 0) {
        if (token === lf && before === cr) pairs++;
        both += isFirst[before] & isOther[token];
        accentedInARow += isAccented[before] & isAccented[token];
      }
      before = token;
    }
  });
  const sumOf = (isOf: Uint8Array) => times.reduce((sum, own, token) => sum + own * isOf[token], 0);
  const timesOf = (token: number) => (token < 0 ? 0 : times[token]);
  return {
    times,
    crlf: pairs,
    cr: timesOf(cr) - pairs,
    lf: timesOf(lf) - pairs,
    firstBytes: sumOf(isFirst),
    misread: both,
    accented: sumOf(isAccented),
    accentedInARow,
  };
}

function lineEnds(counts: Counted, encoding: string): string[] {
  const { crlf, cr, lf } = counts;
  if (cr + crlf === 0) return [];
  const returns = counted(cr + crlf, "carriage return");
  const kinds = [
    ...(crlf > 0 ? [`${formatCount(crlf)} before newlines, as in Windows line ends (CR LF)`] : []),
    ...(cr > 0 ? [`${formatCount(cr)} alone, as in old Macintosh line ends (CR)`] : []),
    ...(lf > 0 ? [`${counted(lf, "line")} without (LF)`] : []),
  ];
  return [
    `The text has ${returns} (U+000D): ${kinds.join(", ")}. The model will learn to write them. \`lineEnds: lf\` reads every line end as a newline.${advise("To convert the text itself", lineEndCommand(counts, encoding))}`,
  ];
}

function otherLineEnds(found: readonly Present[], encoding: string): string[] {
  if (found.length === 0) return [];
  const command = newlineCommand(escaped(found), encoding);
  return [
    `The text has line ends other than newlines: ${listed(found)}. The model will learn to write them, and \`documents: lines\` does not split the text at them.${advise("To put newlines in their place", command)}`,
  ];
}

function invisibleOnes(present: readonly Present[], encoding: string): string[] {
  const found = present.filter(({ codePoint }) => isInvisible(codePoint));
  if (found.length === 0) return [];
  const hasMarks = found.some(({ codePoint }) => codePoint === BYTE_ORDER_MARK);
  const marks = hasMarks
    ? " Byte order marks come from files that were joined: name the files one by one, and each one's mark is left out."
    : "";
  return [
    `The text has characters that show nothing: ${listed(found)}. The model will learn to write them.${marks}${advise("To remove them, where they are not meant to be there", removal(found, encoding))}`,
  ];
}

function noCharacters(present: readonly Present[], length: number, encoding: string): string[] {
  const found = present.filter(({ codePoint }) => isNoCharacter(codePoint));
  if (found.length === 0) return [];
  const times = found.reduce((sum, own) => sum + own.times, 0);
  const isMuch = times >= MANY * length;
  const hasC1 = found.some(({ codePoint }) => isC1(codePoint));
  const doubt =
    isMuch || hasC1 ? ` Is it a text, and was it read in its own encoding (\`encoding\`)?` : "";
  return [
    `The text has control characters and others that no text should have: ${listed(found)}.${doubt} The model will learn to write them.${advise("To remove them", removal(found, encoding))}`,
  ];
}

function misread({ firstBytes, misread: times }: Counted): string[] {
  if (times < MIN_MISREAD || 2 * times < firstBytes) return [];
  return [
    `The text has ${counted(times, "pair")} of characters like "Ã©", as where UTF-8 was once taken for windows-1252.${advise("To mend it", MEND_MISREAD)}`,
  ];
}

function otherScript({ accented, accentedInARow }: Counted, encoding: string): string[] {
  if (accented < MIN_ACCENTED || accentedInARow < MAX_ACCENTED_IN_A_ROW * accented) return [];
  return [
    `The text has sequences of letters that occur in no language, as if it were in another encoding than ${encoding}. Give the right one with \`encoding\`, such as windows-1251 or koi8-r (Cyrillic), iso-8859-7 (Greek), shift_jis, gb18030, big5, euc-kr.`,
  ];
}

/** `byte order mark (U+FEFF) 3 times` */
function listed(found: readonly Present[]): string {
  return listFew(
    found.map(({ codePoint, times }) => `${nameOf(codePoint)} ${counted(times, "time")}`),
  );
}

function nameOf(codePoint: number): string {
  const name = NAMES.get(codePoint);
  const number = `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
  return name ? `${name} (${number})` : describeCharacter(codePoint);
}

/** A command that leaves characters out of a file. */
function removal(found: readonly Present[], encoding: string): string {
  const characters =
    found.length <= MAX_IN_COMMAND
      ? escaped(found)
      : found.some(({ codePoint }) => isInvisible(codePoint))
        ? "\\p{DI}"
        : "\\x{0}-\\x{8}\\x{E}-\\x{1F}\\x{7F}-\\x{9F}\\p{Cn}\\p{Co}\\x{FFFD}";
  return removalCommand(characters, encoding);
}

/** For a class of characters in Perl. */
function escaped(found: readonly Present[]): string {
  return found.map(({ codePoint }) => `\\x{${codePoint.toString(16).toUpperCase()}}`).join("");
}

function isInvisible(codePoint: number): boolean {
  return INVISIBLE.test(String.fromCodePoint(codePoint));
}

function isNoCharacter(codePoint: number): boolean {
  return codePoint !== DOCUMENT_END && NO_CHARACTER.test(String.fromCodePoint(codePoint));
}

function isOtherLineEnd(codePoint: number): boolean {
  return OTHER_LINE_END.test(String.fromCodePoint(codePoint));
}

function isC1(codePoint: number): boolean {
  return codePoint >= 0x80 && codePoint <= 0x9f;
}

function isAccentedLatin(codePoint: number): boolean {
  return codePoint > 0x7f && /\p{Script=Latin}/u.test(String.fromCodePoint(codePoint));
}

/** Of two bytes. */
function isFirstByte(codePoint: number): boolean {
  return codePoint >= 0xc2 && codePoint <= 0xdf;
}

function isOtherByte(codePoint: number): boolean {
  if (codePoint >= 0x80 && codePoint <= 0xbf) return true;
  return (
    codePoint > 0xff && codePoint < 0x10000 && WINDOWS_1252.includes(String.fromCharCode(codePoint))
  );
}
