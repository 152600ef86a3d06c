import { TextDecoder } from "node:util";
import type { CharnnError } from "../errors.js";
import { type Decoder, FaultyDecoder, type Invalid, REPLACEMENT } from "./decoder.js";
import { badOtherBytes, type Fault, misread } from "./decoding-messages.js";
import { Utf8Decoder } from "./utf8-decoder.js";

/** Encodings in which a character may have several bytes. */
const SEVERAL_BYTES = new Set([
  ...["gbk", "gb18030", "big5", "euc-jp", "iso-2022-jp", "shift_jis", "euc-kr"],
]);
/** Bytes that are held back until a character surely ends; a text without a space may have no such place. */
const MAX_HELD = 2 ** 16;
const SPACE = 0x20;
/** Escape and the two shifts, which ISO-2022-JP continues from. */
const SHIFTS = new Set([0x0e, 0x0f, 0x1b]);
/** How GB 18030 writes U+FFFD, which is then no sign of a fault. */
const REPLACEMENT_IN_GB18030 = Buffer.from([0x84, 0x31, 0xa4, 0x37]);

/** Any encoding but UTF-8 and UTF-16, by way of the platform's decoder and one small string per chunk. */
export class PlatformDecoder extends FaultyDecoder implements Decoder {
  readonly #decoder: TextDecoder;
  /** The same bytes as UTF-8, to see whether they are. */
  readonly #asUtf8: Utf8Decoder;
  #held: Buffer = Buffer.alloc(0);

  constructor(
    readonly encoding: string,
    source: string,
    invalid: Invalid,
    canReplace: boolean,
  ) {
    super(source, invalid, canReplace);
    // A byte order mark is left in, for the reader of the file to find and to tell about.
    this.#decoder = new TextDecoder(encoding, { ignoreBOM: true });
    this.#asUtf8 = new Utf8Decoder(source, "skip", canReplace);
  }

  decode(bytes: Uint8Array): Int32Array {
    this.#asUtf8.decode(bytes);
    if (!SEVERAL_BYTES.has(this.encoding)) return this.#decode(bytes, true);
    // Node.js throws when wrong bytes are cut between two calls, so they are not.
    const all = Buffer.concat([this.#held, bytes]);
    const end = all.length > MAX_HELD ? all.length : lastEnd(all);
    this.#held = all.subarray(end);
    return this.#decode(all.subarray(0, end), true);
  }

  end(): Int32Array {
    this.#asUtf8.end();
    const held = this.#decode(this.#held, true).slice();
    this.isOver = true;
    const rest = this.#decode(new Uint8Array(0), false);
    const all = new Int32Array(held.length + rest.length);
    all.set(held);
    all.set(rest, held.length);
    return all;
  }

  override warnings(): string[] {
    const doubts = this.#asUtf8.seemsRight ? [misread(this.source, this.encoding, "utf-8")] : [];
    return [...super.warnings(), ...doubts];
  }

  #decode(bytes: Uint8Array, stream: boolean): Int32Array {
    // A cut character of an earlier call may be three that are wrong.
    this.begin(bytes.length + 3);
    const mayBeMeant = this.encoding === "gb18030" && holds(bytes, REPLACEMENT_IN_GB18030);
    for (const part of mayBeMeant ? partsOf(bytes) : [bytes]) {
      const isMeant = mayBeMeant && holds(part, REPLACEMENT_IN_GB18030) && isGb18030(part);
      this.#add(this.#textOf(part, true), isMeant);
    }
    if (!stream) this.#add(this.#textOf(new Uint8Array(0), false), false);
    return this.finish(bytes.length);
  }

  #add(text: string, isMeant: boolean): void {
    for (let position = 0; position < text.length; position++) {
      const codePoint = text.codePointAt(position) as number;
      if (codePoint > 0xffff) position++;
      if (codePoint === REPLACEMENT && !isMeant) this.addFault(undefined, this.offset);
      else this.codePoints[this.count++] = codePoint;
    }
  }

  #textOf(bytes: Uint8Array, stream: boolean): string {
    try {
      return this.#decoder.decode(bytes, { stream });
    } catch {
      this.addFault(undefined, this.offset);
      throw this.refusal(this.fault as Fault);
    }
  }

  protected refusal(fault: Fault): CharnnError {
    const end = this.isOver ? undefined : this.offset;
    return badOtherBytes(this.source, this.encoding, fault, end, this.canReplace);
  }
}

/** After a space or a control no character of several bytes is unfinished, right or wrong. */
function isEnd(byte: number): boolean {
  return byte <= SPACE && !SHIFTS.has(byte);
}

/** The end of the last character that is surely complete. */
function lastEnd(bytes: Uint8Array): number {
  return bytes.findLastIndex(isEnd) + 1;
}

/** The same bytes, cut wherever a character surely ends. */
function* partsOf(bytes: Uint8Array): Iterable<Uint8Array> {
  let start = 0;
  for (let end = 1; end <= bytes.length; end++) {
    if (end < bytes.length && !isEnd(bytes[end - 1])) continue;
    yield bytes.subarray(start, end);
    start = end;
  }
}

function isGb18030(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("gb18030", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function holds(bytes: Uint8Array, sequence: Buffer): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(sequence);
}
