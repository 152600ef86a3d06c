import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { closeRead } from "../clean-up.js";
import { CharnnError } from "../errors.js";
import { systemErrorCode } from "../system-error-code.js";
import { notReadable } from "../system-errors.js";
import { unlessAbsent } from "./folder-names.js";

/** What a file is to be, for messages. */
export interface FileKind {
  /** `checkpoint` */
  readonly noun: string;
  /** What to do where it can't be used, unless the error itself says that. */
  readonly hint?: string;
}

/** A file that is open, to be read from any place. */
export interface ReadableFile {
  /** Bytes. */
  readonly size: number;
  /**
   * Fills an array with the bytes from `position` on, and shows each piece that has been read.
   *
   * @throws CharnnError `BAD_CHECKPOINT` where the file has ended
   */
  readInto(
    bytes: Uint8Array,
    position: number,
    onPiece?: (piece: Uint8Array) => void,
  ): Promise<void>;
  /** Shows all from `position` on to the end, piece by piece, each valid during its call only. */
  readThrough(position: number, onPiece: (piece: Uint8Array) => void): Promise<void>;
}

/** No system reads more than 2 GiB in one call, and other work gets a turn between two calls. */
const PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Runs `read` on a file, and puts the path before what it finds wrong.
 *
 * @param pieceBytes the most that is read at once
 * @throws CharnnError `NOT_FOUND`, `BAD_CHECKPOINT` or `NOT_READABLE`
 */
export async function withFile<Result>(
  path: string,
  kind: FileKind,
  read: (file: ReadableFile) => Promise<Result>,
  pieceBytes: number = PIECE_BYTES,
): Promise<Result> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK opening a pipe would wait for somebody to write to it.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
    handle = await unlessAbsent(path, () => open(path, flags));
    if (!handle) throw new CharnnError("NOT_FOUND", `There is no ${kind.noun} ${path}.`);
    const stats = await handle.stat();
    if (stats.isDirectory()) throw bad("it is a folder");
    if (!stats.isFile()) throw bad("it is not a regular file");
    return await read(readable(handle, stats.size, pieceBytes));
  } catch (error) {
    throw readingError(path, kind, error);
  } finally {
    await closeRead(handle);
  }
}

function readable(handle: FileHandle, size: number, pieceBytes: number): ReadableFile {
  return {
    size,
    async readInto(bytes, position, onPiece) {
      for (let done = 0; done < bytes.length; ) {
        const piece = bytes.subarray(done, done + pieceBytes);
        const { bytesRead } = await handle.read(piece, 0, piece.length, position + done);
        if (bytesRead === 0) throw bad(`it ends after ${position + done} bytes`);
        onPiece?.(piece.subarray(0, bytesRead));
        done += bytesRead;
      }
    },
    async readThrough(position, onPiece) {
      const room = new Uint8Array(Math.min(pieceBytes, size - position));
      for (let at = position; at < size; ) {
        const { bytesRead } = await handle.read(room, 0, Math.min(room.length, size - at), at);
        if (bytesRead === 0) throw bad(`it ends after ${at} bytes`);
        onPiece(room.subarray(0, bytesRead));
        at += bytesRead;
      }
    },
  };
}

function readingError(path: string, kind: FileKind, error: unknown): unknown {
  const code = systemErrorCode(error) ?? "";
  const reason =
    error instanceof CharnnError && error.code === "BAD_CHECKPOINT"
      ? error.message.replace(/\.$/, "")
      : NO_FILE.get(code);
  if (reason !== undefined) {
    const hint = (error instanceof CharnnError ? error.hint : undefined) ?? kind.hint;
    return new CharnnError("BAD_CHECKPOINT", `${path} can't be used: ${reason}.`, hint, {
      cause: error,
    });
  }
  return code ? notReadable(path, error) : error;
}

/** The errors that show that something other than a file has the name of a file. */
const NO_FILE: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "it is a link to something that is not there"],
  ["ELOOP", "its links lead round in a circle"],
  ["EISDIR", "it is a folder"],
  // A socket.
  ["ENXIO", "it is not a regular file"],
]);

function bad(message: string): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message);
}
