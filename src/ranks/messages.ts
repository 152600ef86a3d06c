/** Bytes between ranks that do not know beforehand how many there are. */
import { makeParts, partOf } from "./parts.js";
import type { Ranks } from "./ranks.js";

const LENGTH_BYTES = Float64Array.BYTES_PER_ELEMENT;

/**
 * Gives each rank's bytes to all.
 *
 * @param own together with those of the others less than 2 GiB
 * @returns in the order of ranks
 */
export function gatherMessages(ranks: Ranks, own: Uint8Array): Uint8Array[] {
  const all = Array.from({ length: ranks.size }, (_, rank) => rank);
  const lengths = makeParts(all.map(() => LENGTH_BYTES));
  ranks.gather(lengthBytes(own.length), lengths);
  const received = makeParts(all.map((rank) => readLength(partOf(lengths, rank))));
  ranks.gather(own, received);
  return all.map((rank) => partOf(received, rank));
}

/**
 * Gives the bytes of one rank to all.
 *
 * @param message of the rank `root`; the others give none
 * @returns a copy of it, and in the rank `root` the message itself
 */
export function broadcastMessage(ranks: Ranks, root: number, message?: Uint8Array): Uint8Array {
  const length = lengthBytes(message?.length ?? 0);
  ranks.broadcast(length, root);
  const bytes = message ?? new Uint8Array(readLength(length));
  ranks.broadcast(bytes, root);
  return bytes;
}

function lengthBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  viewOf(bytes).setFloat64(0, length);
  return bytes;
}

function readLength(bytes: Uint8Array): number {
  return viewOf(bytes).getFloat64(0);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
