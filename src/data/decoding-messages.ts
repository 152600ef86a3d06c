/** What to say of bytes that are wrong in an encoding, or right in a wrong one. */
import { CharnnError } from "../errors.js";
import { formatCount } from "../text.js";
import { advise } from "./repair-commands.js";

/** Where bytes are wrong, and the first of them where it is known. */
export interface Fault {
  readonly byte: number | undefined;
  /** In bytes, from 0. */
  readonly offset: number;
  /** In characters, from 1. */
  readonly line: number;
  readonly column: number;
}

/** How to read on, where U+FFFD can be read and where it can't. */
function readOn(canReplace: boolean): string {
  return canReplace
    ? "`invalid: replace` puts U+FFFD in the place of what is wrong, `invalid: skip` leaves it out"
    : "`invalid: skip` leaves out what is wrong";
}

const UTF8_REPAIR = "iconv -c -f utf-8 -t utf-8 FILE > NEWFILE";

/**
 * @param isUtf8 whether most of what is not ASCII is right
 * @param canReplace whether U+FFFD can be read
 */
export function badUtf8(
  source: string,
  fault: Fault,
  isUtf8: boolean,
  canReplace: boolean,
): CharnnError {
  const { byte = 0, offset } = fault;
  const at = `byte ${hexadecimal(byte)} at offset ${offset} (${lineAndColumn(fault)}) begins no whole character`;
  if (offset === 0 && byte >= 0xfe) {
    const hint = `It begins as UTF-16 does: try \`encoding: ${byte === 0xff ? "utf-16le" : "utf-16be"}\`.`;
    return new CharnnError("BAD_TEXT", `${source} is not UTF-8: ${at}.`, hint);
  }
  if (isUtf8) {
    return new CharnnError(
      "BAD_TEXT",
      `${source} is UTF-8 with faults: ${at}.`,
      `${readOn(canReplace)}.${advise("To repair the text itself", UTF8_REPAIR)}`,
    );
  }
  return new CharnnError(
    "BAD_TEXT",
    `${source} is not UTF-8: ${at}.`,
    `If it is in another encoding, name it: \`encoding: windows-1252\` (older Western texts), shift_jis, gb18030 ... Else ${readOn(canReplace)}.`,
  );
}

/**
 * @param end the offset before which the wrong bytes are; undefined at the end of the text
 * @param canReplace whether U+FFFD can be read
 */
export function badOtherBytes(
  source: string,
  encoding: string,
  fault: Fault,
  end: number | undefined,
  canReplace: boolean,
): CharnnError {
  const offsets =
    end === undefined
      ? "at its end"
      : end === fault.offset
        ? `at offset ${end}`
        : `between the offsets ${Math.max(0, fault.offset - 4)} and ${end}`;
  return new CharnnError(
    "BAD_TEXT",
    `${source} is not ${encoding}: wrong bytes ${offsets} (${lineAndColumn(fault)}).`,
    `Give the encoding it was written in by \`encoding\`. If this is the right one, ${readOn(canReplace)}.`,
  );
}

/** What was done with bytes that are wrong. */
export function lossesOf(
  source: string,
  faults: number,
  first: Fault,
  invalid: "replace" | "skip",
): string {
  const found =
    faults === 1
      ? "1 place where the bytes are wrong"
      : `${formatCount(faults)} places where the bytes are wrong`;
  const left = faults === 1 ? "it was left out" : "they were left out";
  const done = invalid === "skip" ? left : "U+FFFD stands there in the text";
  return `${source} has ${found}, the first at ${lineAndColumn(first)}: ${done}.`;
}

/** What was decoded by a wrong encoding, by the look of it. */
export function misread(source: string, encoding: string, better: string): string {
  const cure = better === "utf-8" ? "Leave `encoding` out" : `Try \`encoding: ${better}\``;
  return `${source} seems to be ${better.toUpperCase()}, and reading it as ${encoding} gives the wrong characters. ${cure}.`;
}

function lineAndColumn({ line, column }: Fault): string {
  return `line ${formatCount(line)}, column ${formatCount(column)}`;
}

function hexadecimal(byte: number): string {
  return `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
