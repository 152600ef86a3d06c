/** Bytes to code points, chunk by chunk; a character may be cut anywhere. */

import { TextDecoder } from "node:util";
import { CharnnError } from "../errors.js";
import { badOtherBytes, badUtf8, type Fault, lossesOf, misread } from "./decoding-messages.js";
import { LineCounter } from "./line-counter.js";

const ENCODINGS_THAT_WORK = "utf-8, windows-1252, latin1, utf-16le, shift_jis, gb18030";
const REPLACEMENT = 0xfffd;
/** How GB 18030 writes U+FFFD, which is then no sign of a fault. */
const REPLACEMENT_IN_GB18030 = Buffer.from([0x84, 0x31, 0xa4, 0x37]);

/** What to do with bytes that are wrong in the encoding: refuse them, put U+FFFD in their place, or leave them out. */
export type Invalid = "error" | "replace" | "skip";

/** Decodes one file, or the standard input. */
export interface Decoder {
  /**
   * The code points that end within the next bytes, in an array that the next call uses again.
   * With `"error"`, bytes that are wrong in the encoding are a {@link CharnnError} `BAD_TEXT`.
   */
  decode(bytes: Uint8Array): Int32Array;
  /** Must follow the last bytes: what was still held back, or the error that a character is cut. */
  end(): Int32Array;
  /** Plain sentences, when all is decoded: what was wrong, and what makes the encoding doubtful. */
  warnings(): string[];
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

/** A decoder from an encoding, by the name that {@link encodingName} gave; `source` is for messages. */
export function createDecoder(encoding: string, source: string, invalid: Invalid): Decoder {
  if (encoding === "utf-8") return new Utf8Decoder(source, invalid);
  return encoding.startsWith("utf-16")
    ? new Utf16Decoder(encoding, source, invalid)
    : new OtherDecoder(encoding, source, invalid);
}

/** What the decoders of all encodings have in common: the code points so far, and what was wrong. */
abstract class FaultyDecoder {
  protected codePoints = new Int32Array(0);
  /** How many code points of this call are there. */
  protected count = 0;
  /** Bytes before those of this call. */
  protected offset = 0;
  protected isOver = false;
  readonly #lines = new LineCounter();
  #faults = 0;
  /** The first of them. */
  protected fault: Fault | undefined;

  constructor(
    readonly source: string,
    readonly invalid: Invalid,
  ) {}

  /** Room for the code points of a call. */
  protected begin(most: number): void {
    if (this.codePoints.length < most) this.codePoints = new Int32Array(most);
    this.count = 0;
  }

  /** Notes bytes that are wrong, of which the first is `byte`. */
  protected addFault(byte: number | undefined, offset: number): void {
    if (this.#faults++ === 0) {
      const place = this.#lines.placeAfter(this.codePoints.subarray(0, this.count));
      this.fault = { byte, offset, ...place };
    }
    if (this.invalid === "replace") this.codePoints[this.count++] = REPLACEMENT;
  }

  /** @throws CharnnError where something was wrong that must not be */
  protected finish(bytes: number): Int32Array {
    this.offset += bytes;
    if (this.fault && this.invalid === "error") throw this.refusal(this.fault);
    const decoded = this.codePoints.subarray(0, this.count);
    if (!this.fault) this.#lines.read(decoded);
    return decoded;
  }

  warnings(): string[] {
    if (!this.fault || this.invalid === "error") return [];
    return [lossesOf(this.source, this.#faults, this.fault, this.invalid)];
  }

  protected get faults(): number {
    return this.#faults;
  }

  protected abstract refusal(fault: Fault): CharnnError;
}

/**
 * UTF-8 as the Unicode Standard has it (section 3.9, table 3-7): no overlong forms, no halves of
 * surrogate pairs, nothing past U+10FFFF. The longest beginning of a character that is wrong is one fault.
 */
class Utf8Decoder extends FaultyDecoder implements Decoder {
  /** Whole characters of two bytes and more. */
  #longOnes = 0;
  // The character that the bytes so far have begun:
  #partial = 0;
  #missing = 0;
  #lead = 0;
  #leadOffset = 0;
  /** What its next byte may be: narrower than usual after some first bytes. */
  #lowest = 0x80;
  #highest = 0xbf;

  decode(bytes: Uint8Array): Int32Array {
    // One more, for a character that was cut off before this chunk and is wrong.
    this.begin(bytes.length + 1);
    const codePoints = this.codePoints;
    const length = bytes.length;
    let position = 0;
    while (position < length) {
      if (this.#missing > 0) {
        if (this.#continueWith(bytes[position])) position++;
        continue;
      }
      // Runs of ASCII have a loop of their own, since most text is mostly that.
      let count = this.count;
      while (position < length && bytes[position] < 0x80) codePoints[count++] = bytes[position++];
      this.count = count;
      if (position < length) this.#begin(bytes[position], this.offset + position++);
    }
    return this.finish(length);
  }

  end(): Int32Array {
    this.begin(1);
    if (this.#missing > 0) this.addFault(this.#lead, this.#leadOffset);
    return this.finish(0);
  }

  /** Whether there is reason to think that these bytes are UTF-8: more is right than wrong. */
  get seemsRight(): boolean {
    return this.#longOnes > 0 && this.#longOnes >= this.faults;
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
      this.addFault(byte, offset);
    }
  }

  /** Takes the next byte of a character; false where it is none, and to be looked at by itself. */
  #continueWith(byte: number): boolean {
    const isRight = byte >= this.#lowest && byte <= this.#highest;
    this.#lowest = 0x80;
    this.#highest = 0xbf;
    if (!isRight) {
      this.#missing = 0;
      this.addFault(this.#lead, this.#leadOffset);
      return false;
    }
    this.#partial = (this.#partial << 6) | (byte & 0x3f);
    this.#missing--;
    if (this.#missing === 0) {
      this.codePoints[this.count++] = this.#partial;
      this.#longOnes++;
    }
    return true;
  }

  protected refusal(fault: Fault): CharnnError {
    return badUtf8(this.source, fault, this.seemsRight);
  }
}

/** UTF-16, of either order; halves of surrogate pairs by themselves are faults. */
class Utf16Decoder extends FaultyDecoder implements Decoder {
  readonly #bigEndian: boolean;
  /** The first byte of a unit that the next bytes end. */
  #half: number | undefined;
  #high = 0;
  #highOffset = 0;
  #units = 0;
  /** Units that would be ASCII in the other order, or two characters of ASCII. */
  #swapped = 0;
  #pairs = 0;

  constructor(
    readonly encoding: string,
    source: string,
    invalid: Invalid,
  ) {
    super(source, invalid);
    this.#bigEndian = encoding === "utf-16be";
  }

  decode(bytes: Uint8Array): Int32Array {
    this.begin(bytes.length + 2);
    for (let position = 0; position < bytes.length; position++) {
      if (this.#half === undefined) {
        this.#half = bytes[position];
        continue;
      }
      const [high, low] = this.#bigEndian
        ? [this.#half, bytes[position]]
        : [bytes[position], this.#half];
      this.#half = undefined;
      this.#addUnit((high << 8) | low, this.offset + position - 1);
    }
    return this.finish(bytes.length);
  }

  end(): Int32Array {
    this.isOver = true;
    this.begin(2);
    if (this.#high > 0) this.addFault(undefined, this.#highOffset);
    if (this.#half !== undefined) this.addFault(this.#half, this.offset - 1);
    return this.finish(0);
  }

  override warnings(): string[] {
    const { encoding } = this;
    const other = this.#bigEndian ? "utf-16le" : "utf-16be";
    const better =
      2 * this.#swapped > this.#units
        ? other
        : 1.25 * this.#pairs > this.#units
          ? "utf-8"
          : undefined;
    return [...super.warnings(), ...(better ? [misread(this.source, encoding, better)] : [])];
  }

  #addUnit(unit: number, offset: number): void {
    this.#units++;
    const [high, low] = [unit >> 8, unit & 0xff];
    if (low === 0 && isAscii(high)) this.#swapped++;
    if (isAscii(high) && isAscii(low)) this.#pairs++;
    const isLow = unit >= 0xdc00 && unit <= 0xdfff;
    if (this.#high > 0) {
      const first = this.#high;
      this.#high = 0;
      if (isLow) {
        this.codePoints[this.count++] = 0x10000 + ((first - 0xd800) << 10) + (unit - 0xdc00);
        return;
      }
      this.addFault(undefined, this.#highOffset);
    }
    if (unit >= 0xd800 && unit <= 0xdbff) {
      this.#high = unit;
      this.#highOffset = offset;
    } else if (isLow) {
      this.addFault(undefined, offset);
    } else {
      this.codePoints[this.count++] = unit;
    }
  }

  protected refusal(fault: Fault): CharnnError {
    const end = this.isOver ? undefined : fault.offset;
    return badOtherBytes(this.source, this.encoding, fault, end);
  }
}

/** Any other encoding, by way of the platform's decoder and one small string per chunk. */
class OtherDecoder extends FaultyDecoder implements Decoder {
  readonly #decoder: TextDecoder;
  /** The same bytes as UTF-8, to see whether they are. */
  readonly #asUtf8: Utf8Decoder;

  constructor(
    readonly encoding: string,
    source: string,
    invalid: Invalid,
  ) {
    super(source, invalid);
    // A byte order mark is left in, for the reader of the file to find and to tell about.
    this.#decoder = new TextDecoder(encoding, { ignoreBOM: true });
    this.#asUtf8 = new Utf8Decoder(source, "skip");
  }

  decode(bytes: Uint8Array): Int32Array {
    this.#asUtf8.decode(bytes);
    return this.#decode(bytes, true);
  }

  end(): Int32Array {
    this.#asUtf8.end();
    this.isOver = true;
    return this.#decode(new Uint8Array(0), false);
  }

  override warnings(): string[] {
    const doubts = this.#asUtf8.seemsRight ? [misread(this.source, this.encoding, "utf-8")] : [];
    return [...super.warnings(), ...doubts];
  }

  #decode(bytes: Uint8Array, stream: boolean): Int32Array {
    const text = this.#decoder.decode(bytes, { stream });
    this.begin(text.length);
    const isMeant = this.encoding === "gb18030" && holds(bytes, REPLACEMENT_IN_GB18030);
    for (let position = 0; position < text.length; position++) {
      const codePoint = text.codePointAt(position) as number;
      if (codePoint > 0xffff) position++;
      if (codePoint === REPLACEMENT && !isMeant) this.addFault(undefined, this.offset);
      else this.codePoints[this.count++] = codePoint;
    }
    return this.finish(bytes.length);
  }

  protected refusal(fault: Fault): CharnnError {
    const end = this.isOver ? undefined : this.offset;
    return badOtherBytes(this.source, this.encoding, fault, end);
  }
}

function isAscii(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function holds(bytes: Uint8Array, sequence: Buffer): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(sequence);
}
