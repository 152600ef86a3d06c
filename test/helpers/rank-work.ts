/** What the processes of a test do together; each throws where it receives something wrong. */
import assert from "node:assert/strict";
import { broadcastMessage, gatherMessages } from "#src/ranks/messages.js";
import { makeParts, type Parts, partOf } from "#src/ranks/parts.js";
import type { Ranks } from "#src/ranks/ranks.js";
import { Draw } from "./numbers.js";

/** How many bytes one rank sends another: none in some cases, and unlike numbers in all. */
export type LengthOf = (from: number, to: number) => number;

/** Each rank sends each, itself too, bytes that nobody else sends. */
export function exchangeBytes(ranks: Ranks, lengthOf: LengthOf): void {
  const { rank: own } = ranks;
  const sent = filled(ranks, (to) => message(own, to, lengthOf(own, to)));
  const expected = filled(ranks, (from) => message(from, own, lengthOf(from, own)));
  const received = makeParts(expected.lengths);
  ranks.exchange(sent, received);
  assertSame(received.bytes, expected.bytes);
}

export function gatherBytes(ranks: Ranks, lengthOf: LengthOf): void {
  const own = message(ranks.rank, 0, lengthOf(ranks.rank, 0));
  const expected = filled(ranks, (from) => message(from, 0, lengthOf(from, 0)));
  const received = makeParts(expected.lengths);
  ranks.gather(own, received);
  assertSame(received.bytes, expected.bytes);
  if (received.bytes.length > MOST_TWICE) return;
  for (const [rank, bytes] of gatherMessages(ranks, own).entries()) {
    assertSame(bytes, partOf(expected, rank));
  }
}

/** From each rank. */
export function broadcastBytes(ranks: Ranks, lengthOf: LengthOf): void {
  for (const root of all(ranks)) {
    const sent = message(root, root, lengthOf(root, root));
    const bytes = ranks.rank === root ? sent.slice() : new Uint8Array(sent.length);
    ranks.broadcast(bytes, root);
    assertSame(bytes, sent);
    if (sent.length > MOST_TWICE) continue;
    assertSame(broadcastMessage(ranks, root, ranks.rank === root ? sent : undefined), sent);
  }
}

/** Bytes that are sent in a second way too. */
const MOST_TWICE = 2 ** 20;

function all({ size }: Ranks): number[] {
  return Array.from({ length: size }, (_, rank) => rank);
}

function filled(ranks: Ranks, bytesOf: (rank: number) => Uint8Array): Parts {
  const messages = all(ranks).map(bytesOf);
  const lengths = messages.map(({ length }) => length);
  return { bytes: Buffer.concat(messages), lengths: Int32Array.from(lengths) };
}

/** Random bytes; a long message repeats them. */
function message(from: number, to: number, length: number): Uint8Array {
  const draw = new Draw(1000 * from + to);
  const period = Uint8Array.from({ length: Math.min(length, 65_521) }, () => draw.below(256));
  const bytes = new Uint8Array(length);
  for (let begin = 0; begin < length; begin += period.length) {
    bytes.set(period.subarray(0, length - begin), begin);
  }
  return bytes;
}

function assertSame(bytes: Uint8Array, expected: Uint8Array): void {
  assert.ok(Buffer.compare(bytes, expected) === 0, `${bytes.length} of ${expected.length} bytes`);
}
