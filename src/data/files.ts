/** Reading regular files. */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { cleanUpAfter, closeRead } from "../clean-up.js";
import { CharnnError } from "../errors.js";
import { explainingFailures, unreadable } from "./read-failure.js";

const CHUNK_BYTES = 128 * 1024;
/** Files up to this size are read without the thread pool, since each of its calls takes longer than reading them. */
const SMALL_BYTES = 16 * 1024;
/** A pipe that has taken the place of a file is no reason to wait. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * The bytes of a file in chunks, each valid until the next one is asked for.
 *
 * @throws CharnnError `NOT_FOUND`, or `BAD_TEXT` for what can't be read and for a file that changes meanwhile
 */
export async function* fileBytes(file: string, size: number): AsyncGenerator<Uint8Array, void> {
  const small = size <= SMALL_BYTES ? smallFile(file) : undefined;
  if (small) {
    yield small;
    return;
  }
  const handle = await explainingFailures(file, () => open(file, FLAGS));
  yield* cleanUpAfter(largeFile(file, handle), () => closeRead(handle));
}

async function* largeFile(file: string, handle: FileHandle): AsyncGenerator<Uint8Array, void> {
  const before = await explainingFailures(file, () => handle.stat());
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let length = 0;
  for (;;) {
    const { bytesRead } = await explainingFailures(file, () => handle.read(chunk, 0, chunk.length));
    if (bytesRead === 0) break;
    length += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
  refuseChanged(file, before, await explainingFailures(file, () => handle.stat()), length);
}

/** The first bytes of a file, up to `room.length`, in `room`; and its size. */
export function beginningOf(file: string, room: Uint8Array): { bytes: Uint8Array; stats: Stats } {
  return reading(file, (fd) => ({
    bytes: room.subarray(0, readSync(fd, room, 0, room.length, 0)),
    stats: fstatSync(fd),
  }));
}

/** All of a file; undefined where it is no longer small. */
function smallFile(file: string): Uint8Array | undefined {
  return reading(file, (fd) => {
    const before = fstatSync(fd);
    if (before.size > SMALL_BYTES) return undefined;
    // A byte more, so that one call finds the end.
    let content = Buffer.allocUnsafe(Math.max(before.size, 1_023) + 1);
    let length = 0;
    for (;;) {
      const bytesRead = readSync(fd, content, length, content.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length === content.length) content = Buffer.concat([content], 2 * length);
    }
    refuseChanged(file, before, fstatSync(fd), length);
    return content.subarray(0, length);
  });
}

function reading<Result>(file: string, read: (fd: number) => Result): Result {
  let fd: number | undefined;
  try {
    fd = openSync(file, FLAGS);
    return read(fd);
  } catch (error) {
    throw unreadable(`"${file}"`, error, file);
  } finally {
    closeReadSync(fd);
  }
}

function closeReadSync(fd: number | undefined): void {
  try {
    if (fd !== undefined) closeSync(fd);
  } catch {
    // It was only read.
  }
}

/** @throws CharnnError where a file has changed since its reading began */
function refuseChanged(file: string, before: Stats, after: Stats, length: number): void {
  // Files that the system makes up as they are read say nothing of their size.
  const isMadeUp = before.size === 0 && after.size === 0;
  if (isMadeUp) return;
  const isSame = after.size === before.size && after.mtimeMs === before.mtimeMs;
  if (isSame && length === before.size) return;
  throw new CharnnError(
    "BAD_TEXT",
    `"${file}" was changed while it was read.`,
    "Wait until nothing writes it any more, or name a copy of it.",
  );
}
