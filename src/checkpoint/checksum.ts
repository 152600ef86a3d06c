import { createHash, type Hash } from "node:crypto";
import { atOnce, type Parts } from "../turns.js";

/** One call hashes no more than 2 GiB, and less does not take long. */
const MAX_BYTES = 2 ** 22;
const DIGITS = 64;
/** What stands before the digits in the header. Inside a string its quotes would have backslashes. */
const BEFORE = Buffer.from('"checksum":"\\"');

/** The value of the checksum in the metadata while it is not known. */
export const NO_CHECKSUM = JSON.stringify("0".repeat(DIGITS));

/** SHA-256 of some pieces as one, hexadecimal. */
export function checksumOf(pieces: Iterable<Uint8Array>): string {
  return atOnce(checksumInParts(pieces));
}

/** The same as {@link checksumOf}, which takes seconds for gigabytes. */
export function* checksumInParts(pieces: Iterable<Uint8Array>): Parts<string> {
  const hash = createHash("sha256");
  for (const piece of pieces) yield* adding(hash, piece);
  return hash.digest("hex");
}

/**
 * The checksum of a checkpoint: SHA-256 of the whole file, in which the checksum's own digits are zeros.
 * A file has its header first, and then the pieces of its data in order.
 */
export class FileChecksum {
  readonly #hash = createHash("sha256");

  constructor(header: Uint8Array) {
    const blank = Uint8Array.from(header);
    checksumDigits(blank)?.fill("0".charCodeAt(0));
    atOnce(adding(this.#hash, blank));
  }

  add(piece: Uint8Array): void {
    atOnce(adding(this.#hash, piece));
  }

  /** Hexadecimal. May be called only once. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** Where in a header the digits of the checksum are: a view. */
export function checksumDigits(header: Uint8Array): Uint8Array | undefined {
  const { buffer, byteOffset, byteLength } = header;
  const at = Buffer.from(buffer, byteOffset, byteLength).indexOf(BEFORE);
  if (at < 0) return undefined;
  return header.subarray(at + BEFORE.length, at + BEFORE.length + DIGITS);
}

function* adding(hash: Hash, piece: Uint8Array): Parts<void> {
  for (let done = 0; done < piece.length; done += MAX_BYTES) {
    hash.update(piece.subarray(done, done + MAX_BYTES));
    yield;
  }
}
