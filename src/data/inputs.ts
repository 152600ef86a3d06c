import { closeSync, constants, createReadStream, fstatSync, openSync, type Stats } from "node:fs";
import { Socket } from "node:net";
import { devNull } from "node:os";
import { addAbortSignal, Readable } from "node:stream";
import { isatty, ReadStream } from "node:tty";
import { CharnnError } from "../errors.js";
import { unreadable } from "./read-failure.js";

/** How a person names the standard input. */
export const STDIN = "-";
const ALSO_STDIN: ReadonlySet<string> = new Set(["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"]);
const DESCRIPTOR = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;
/** Windows has only the first. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** A source with a name that can be read only once. */
export interface Once {
  /** What tells it from all others. */
  readonly key: string;
  /** As messages name it. */
  readonly name: string;
  open(signal: AbortSignal | undefined): AsyncIterable<Uint8Array>;
}

/**
 * Keeps the content of sources that can be read only once, such as the standard input, pipes and terminals. All
 * readings that share an `Inputs` get the same content.
 */
export class Inputs {
  /** The chunks of each source that was read; undefined while it is not read to its end. */
  readonly #kept = new Map<string, readonly Uint8Array[] | undefined>();

  /** @param stdin what the file `-` stands for */
  constructor(readonly stdin: AsyncIterable<Uint8Array> | undefined) {}

  /** @throws CharnnError `BAD_TEXT` where an earlier reading did not reach the end */
  async *read(source: Once, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
    const { key, name } = source;
    const kept = this.#kept.get(key);
    if (kept) {
      yield* kept;
      return;
    }
    if (this.#kept.has(key)) throw halfRead(name);
    this.#kept.set(key, undefined);
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.open(signal)) {
      chunks.push(Uint8Array.from(chunk));
      yield chunk;
    }
    this.#kept.set(key, chunks);
  }
}

/** Whether a name stands for the standard input. */
export function isStdin(name: string): boolean {
  return name === STDIN || ALSO_STDIN.has(name);
}

/** The standard input, as a library's caller gave it. */
export function stdinOnce(stdin: AsyncIterable<Uint8Array> | undefined): Once {
  const name = "the standard input";
  return {
    key: STDIN,
    name,
    async *open(signal) {
      if (stdin === undefined) return;
      if (signal && stdin instanceof Readable) addAbortSignal(signal, stdin);
      try {
        yield* stdin;
      } catch (error) {
        throw unreadable(name, error);
      }
    },
  };
}

/**
 * What is neither a regular file nor a folder: a pipe, a terminal, what a shell made of `<(...)`.
 *
 * @throws CharnnError `BAD_TEXT` for what has no end
 */
export function fileOnce(file: string, stats: Stats): Once {
  const name = `"${file}"`;
  if (stats.isBlockDevice() || (stats.isCharacterDevice() && !hasEnd(file))) {
    throw new CharnnError(
      "BAD_TEXT",
      `${name} is a device.`,
      "Copy what there is to read into a file, and name that.",
    );
  }
  return {
    key: `${stats.dev}:${stats.ino}`,
    name,
    async *open(signal) {
      try {
        const stream = openWithoutWaiting(file, stats);
        yield* signal ? addAbortSignal(signal, stream) : stream;
      } catch (error) {
        throw unreadable(name, error, file);
      }
    },
  };
}

/** What tells a source that can be read once from others; undefined for files and folders. */
export function onceKey(name: string, stats: Stats | undefined): string | undefined {
  if (isStdin(name)) return STDIN;
  if (!stats || stats.isDirectory() || (stats.isFile() && !isDescriptor(name))) return undefined;
  return `${stats.dev}:${stats.ino}`;
}

/** Whether a path stands for an open file, whose place in it may be shared with other processes. */
export function isDescriptor(file: string): boolean {
  return DESCRIPTOR.test(file);
}

/** Whether it is a terminal or the null device; other devices may go on for ever. */
function hasEnd(file: string): boolean {
  if (file === devNull) return true;
  const fd = openSync(file, FLAGS);
  try {
    return isatty(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a pipe without waiting for a writer, which nothing could interrupt: the stream waits instead.
 */
function openWithoutWaiting(file: string, stats: Stats): Readable {
  const [, descriptor] = DESCRIPTOR.exec(file) ?? [];
  if (stats.isSocket() && descriptor !== undefined) {
    // Those can't be opened by a path.
    return new Socket({ fd: Number(descriptor), readable: true, writable: false });
  }
  const fd = openSync(file, FLAGS);
  if (fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false });
  return isatty(fd) ? new ReadStream(fd) : createReadStream("", { fd });
}

function halfRead(name: string): CharnnError {
  return new CharnnError(
    "BAD_TEXT",
    `${name} can be read only once, and an earlier attempt stopped before its end.`,
    "Save it to a file first.",
  );
}
