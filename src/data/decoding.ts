/** Bytes to code points, chunk by chunk; a character may be cut anywhere. */

import { TextDecoder } from "node:util";
import { CharnnError } from "../errors.js";
import type { Decoder, Invalid } from "./decoder.js";
import { PlatformDecoder } from "./platform-decoder.js";
import { Utf8Decoder } from "./utf8-decoder.js";
import { Utf16Decoder } from "./utf16-decoder.js";

export type { Decoder, Invalid } from "./decoder.js";

const ENCODINGS_THAT_WORK = "utf-8, windows-1252, latin1, utf-16le, shift_jis, gb18030";

/** The standard name of an encoding; an unknown one is a {@link CharnnError} `INVALID_SETTING`. */
export function encodingName(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch (cause) {
    throw new CharnnError(
      "INVALID_SETTING",
      `There is no encoding "${label}".`,
      `Some that work: ${ENCODINGS_THAT_WORK}.`,
      { cause },
    );
  }
}

/**
 * A decoder from an encoding, by the name that {@link encodingName} gave.
 *
 * @param source for messages
 * @param canReplace whether U+FFFD can be read, so that messages may advise to replace
 */
export function createDecoder(
  encoding: string,
  source: string,
  invalid: Invalid,
  canReplace = true,
): Decoder {
  if (encoding === "utf-8") return new Utf8Decoder(source, invalid, canReplace);
  return encoding.startsWith("utf-16")
    ? new Utf16Decoder(encoding, source, invalid, canReplace)
    : new PlatformDecoder(encoding, source, invalid, canReplace);
}
