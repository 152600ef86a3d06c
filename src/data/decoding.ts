/** Bytes to code points, chunk by chunk; a character may be cut anywhere. */

import { TextDecoder } from "node:util";
import { CharnnError } from "../errors.js";

const ENCODINGS_THAT_WORK = "utf-8, windows-1252, latin1, utf-16le, shift_jis, gb18030";

/** Decodes one file, or the standard input. */
export interface Decoder {
  /**
   * The code points that end within the next bytes, in an array that the next call uses again.
   * Bytes that are wrong in the encoding are a {@link CharnnError} `BAD_TEXT`.
   */
  decode(bytes: Uint8Array): Int32Array;
  /** Must follow the last bytes: what was still held back, or the error that a character is cut. */
  end(): Int32Array;
}

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

/** A decoder from an encoding, by the name that {@link encodingName} gave; `source` is for errors. */
export function createDecoder(encoding: string, source: string): Decoder {
  return encoding === "utf-8" ? new Utf8Decoder(source) : new OtherDecoder(encoding, source);
}

/**
 * UTF-8 as the Unicode Standard has it (section 3.9, table 3-7): no overlong forms, no halves of
 * surrogate pairs, nothing past U+10FFFF.
 */
class Utf8Decoder implements Decoder {
  #codePoints = new Int32Array(0);
  /** Bytes before those of this call. */
  #offset = 0;
  // The character that the bytes so far have begun:
  #partial = 0;
  #missing = 0;
  #lead = 0;
  #leadOffset = 0;
  /** What its next byte may be: narrower than usual after some first bytes. */
  #lowest = 0x80;
  #highest = 0xbf;

  constructor(readonly source: string) {}

  decode(bytes: Uint8Array): Int32Array {
    // A character cut off before this chunk ends in it, so there can't be more of them than bytes.
    if (this.#codePoints.length < bytes.length) this.#codePoints = new Int32Array(bytes.length);
    const codePoints = this.#codePoints;
    const length = bytes.length;
    let count = 0;
    let position = 0;
    while (position < length) {
      if (this.#missing > 0) {
        if (this.#continueWith(bytes[position++])) codePoints[count++] = this.#partial;
        continue;
      }
      // Runs of ASCII have a loop of their own, since most text is mostly that.
      while (position < length && bytes[position] < 0x80) codePoints[count++] = bytes[position++];
      if (position < length) this.#begin(bytes[position], this.#offset + position++);
    }
    this.#offset += bytes.length;
    return codePoints.subarray(0, count);
  }

  end(): Int32Array {
    if (this.#missing > 0) throw this.#badByte();
    return new Int32Array(0);
  }

  #begin(byte: number, offset: number): void {
    this.#lead = byte;
    this.#leadOffset = offset;
    if (byte >= 0xc2 && byte <= 0xdf) {
      this.#missing = 1;
      this.#partial = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      this.#missing = 2;
      this.#partial = byte & 0x0f;
      if (byte === 0xe0) this.#lowest = 0xa0;
      if (byte === 0xed) this.#highest = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      this.#missing = 3;
      this.#partial = byte & 0x07;
      if (byte === 0xf0) this.#lowest = 0x90;
      if (byte === 0xf4) this.#highest = 0x8f;
    } else {
      throw this.#badByte();
    }
  }

  /** Whether this byte ends the character, whose code point is then in `#partial`. */
  #continueWith(byte: number): boolean {
    if (byte < this.#lowest || byte > this.#highest) throw this.#badByte();
    this.#lowest = 0x80;
    this.#highest = 0xbf;
    this.#partial = (this.#partial << 6) | (byte & 0x3f);
    this.#missing--;
    return this.#missing === 0;
  }

  #badByte(): CharnnError {
    const byte = `0x${this.#lead.toString(16).toUpperCase().padStart(2, "0")}`;
    const startsAsUtf16 = this.#leadOffset === 0 && this.#lead >= 0xfe;
    return new CharnnError(
      "BAD_TEXT",
      `${this.source} is not UTF-8: byte ${byte} at offset ${this.#leadOffset} begins no whole character.`,
      startsAsUtf16
        ? `It begins as UTF-16 does: try --encoding ${this.#lead === 0xff ? "utf-16le" : "utf-16be"}.`
        : "If it is in another encoding, name it: --encoding windows-1252 (older Western texts), shift_jis, gb18030 ...",
    );
  }
}

/** Any other encoding, by way of the platform's decoder and one small string per chunk. */
class OtherDecoder implements Decoder {
  readonly #decoder: TextDecoder;
  #codePoints = new Int32Array(0);
  #offset = 0;

  constructor(
    readonly encoding: string,
    readonly source: string,
  ) {
    // A byte order mark is left in, for the reader of the file to find and to tell about.
    this.#decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  }

  decode(bytes: Uint8Array): Int32Array {
    const codePoints = this.#decode(bytes, true);
    this.#offset += bytes.length;
    return codePoints;
  }

  end(): Int32Array {
    return this.#decode(new Uint8Array(0), false);
  }

  #decode(bytes: Uint8Array, stream: boolean): Int32Array {
    let text: string;
    try {
      text = this.#decoder.decode(bytes, { stream });
    } catch (cause) {
      const where = stream
        ? `between the offsets ${Math.max(0, this.#offset - 4)} and ${this.#offset + bytes.length}`
        : "at its end";
      throw new CharnnError(
        "BAD_TEXT",
        `${this.source} is not ${this.encoding}: wrong bytes ${where}.`,
        "Give the encoding it was written in by --encoding.",
        { cause },
      );
    }
    if (this.#codePoints.length < text.length) this.#codePoints = new Int32Array(text.length);
    let count = 0;
    for (let position = 0; position < text.length; position++) {
      const codePoint = text.codePointAt(position) as number;
      if (codePoint > 0xffff) position++;
      this.#codePoints[count++] = codePoint;
    }
    return this.#codePoints.subarray(0, count);
  }
}
