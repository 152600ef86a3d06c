import type { CharnnError } from "../errors.js";
import { type Decoder, FaultyDecoder } from "./decoder.js";
import { badUtf8, type Fault } from "./decoding-messages.js";

/**
 * UTF-8 as the Unicode Standard has it (section 3.9, table 3-7): no overlong forms, no halves of
 * surrogate pairs, nothing past U+10FFFF. The longest beginning of a character that is wrong is one fault.
 */
export class Utf8Decoder extends FaultyDecoder implements Decoder {
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
    return badUtf8(this.source, fault, this.seemsRight, this.canReplace);
  }
}
