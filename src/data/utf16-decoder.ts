import type { CharnnError } from "../errors.js";
import { type Decoder, FaultyDecoder, type Invalid } from "./decoder.js";
import { badOtherBytes, type Fault, misread } from "./decoding-messages.js";

/** UTF-16, of either order; halves of surrogate pairs by themselves are faults. */
export class Utf16Decoder extends FaultyDecoder implements Decoder {
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
    canReplace: boolean,
  ) {
    super(source, invalid, canReplace);
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
    return badOtherBytes(this.source, this.encoding, fault, end, this.canReplace);
  }
}

function isAscii(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
