import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { CharnnError, systemErrorCode } from "../errors.js";
import { cureOf, reasonOf } from "../system-errors.js";
import { Turns } from "../turns.js";

/** How a person names the standard input. */
const STDIN = "-";
const SNIFFED_BYTES = 8_192;
const CHUNK_BYTES = 128 * 1024;

/** One file, or the standard input, that text is read from. */
export interface Source {
  /** The path of the file, or `-`. */
  readonly path: string;
  /** As messages name it: its path in quotes, or `the standard input`. */
  readonly name: string;
  /** Bytes expected, 0 where nobody knows. */
  readonly size: number;
  /**
   * Its bytes in chunks, each valid until the next one is asked for.
   * A failure to read is a {@link CharnnError} `NOT_FOUND` or `BAD_TEXT`.
   */
  read(): AsyncIterable<Uint8Array>;
}

/** What reading needs beside the names of texts. */
export interface ReadOptions {
  /** What the file `-` stands for. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /**
   * Aborted: reading ends within a moment, whatever it waits for, by throwing the signal's reason. The
   * text is then not read, and nothing is left open.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What was found under the names that a person gave. */
export interface FoundSources {
  readonly sources: readonly Source[];
  readonly warnings: readonly string[];
}

/** Refuses names that can't be meant, as {@link CharnnError} `INVALID_SETTING`. */
export function checkNames(names: readonly string[]): void {
  if (names.length === 0) {
    throw new CharnnError("INVALID_SETTING", "No text is given.", "Name a file, a folder, or -.");
  }
  if (names.filter((name) => name === STDIN).length > 1) {
    throw new CharnnError(
      "INVALID_SETTING",
      "The standard input (-) is named twice, but can be read only once.",
      "Save it to a file first.",
    );
  }
}

/**
 * Finds what was named, in the order given: files, folders, and `-` for the standard input. A folder stands for all files
 * in it and below, sorted by path, without hidden ones, `node_modules`, and those that look binary
 * (a zero byte near the beginning), which a warning counts. Links in a folder are followed to files
 * only, since one to a folder may lead round in circles.
 *
 * `encoding` is a name from `encodingName`. Throws {@link CharnnError} `NOT_FOUND` for what is missing, `BAD_TEXT` for what can't be read, a
 * binary file named directly, and a folder without text; and the signal's reason.
 */
export async function findSources(
  names: readonly string[],
  encoding: string,
  { stdin, signal }: ReadOptions = {},
): Promise<FoundSources> {
  const turns = new Turns(signal);
  const sources: Source[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    signal?.throwIfAborted();
    if (name === STDIN) {
      sources.push(stdinSource(stdin));
      continue;
    }
    const found = await explainingFailures(name, () => stat(name));
    if (!found.isDirectory()) {
      // Only a regular file can be opened twice: once to look, once to read.
      if (found.isFile() && (await looksBinary(name, encoding))) throw await binaryFile(name);
      sources.push(fileSource(name, found.size));
      continue;
    }
    const { texts, binaries } = await findTexts(name, encoding, turns);
    if (texts.length === 0) throw folderWithoutText(name, binaries);
    if (binaries > 0) warnings.push(skippedBinaries(name, binaries));
    for (const text of texts) sources.push(text);
  }
  return { sources, warnings };
}

/** Characters that there will be at most, where sizes are known: those in files, and newlines between. */
export function roomFor(sources: readonly Source[]): number {
  return sources.reduce((sum, source) => sum + source.size + 1, 0);
}

function stdinSource(stdin: AsyncIterable<Uint8Array> | undefined): Source {
  return {
    path: STDIN,
    name: "the standard input",
    size: 0,
    async *read() {
      if (stdin === undefined) return;
      try {
        yield* stdin;
      } catch (error) {
        throw unreadable(STDIN, error);
      }
    },
  };
}

function fileSource(file: string, size: number): Source {
  return {
    path: file,
    name: `"${file}"`,
    size,
    async *read() {
      const handle = await explainingFailures(file, () => open(file));
      try {
        const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
        for (;;) {
          const { bytesRead } = await explainingFailures(file, () =>
            handle.read(chunk, 0, chunk.length),
          );
          if (bytesRead === 0) return;
          yield chunk.subarray(0, bytesRead);
        }
      } finally {
        await handle.close();
      }
    },
  };
}

async function findTexts(
  folder: string,
  encoding: string,
  turns: Turns,
): Promise<{ texts: Source[]; binaries: number }> {
  const texts: Source[] = [];
  let binaries = 0;
  for (const file of (await filesBelow(folder, turns)).sort(byCodeUnit)) {
    await turns.give();
    const { size } = await explainingFailures(file, () => stat(file));
    if (await looksBinary(file, encoding)) binaries++;
    else texts.push(fileSource(file, size));
  }
  return { texts, binaries };
}

async function filesBelow(folder: string, turns: Turns): Promise<string[]> {
  const files: string[] = [];
  await turns.give();
  const entries = await explainingFailures(folder, () => readdir(folder, { withFileTypes: true }));
  for (const entry of entries) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const entryPath = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      for (const file of await filesBelow(entryPath, turns)) files.push(file);
    } else if (entry.isFile()) files.push(entryPath);
    else if (entry.isSymbolicLink() && (await leadsToFile(entryPath))) files.push(entryPath);
  }
  return files;
}

async function leadsToFile(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isFile();
  } catch {
    return false;
  }
}

/** Whether a file has a zero byte near its beginning. In UTF-16 that is nothing special. */
async function looksBinary(file: string, encoding: string): Promise<boolean> {
  if (encoding.startsWith("utf-16")) return false;
  return (await firstBytes(file)).includes(0);
}

async function firstBytes(file: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const bytes = new Uint8Array(SNIFFED_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    await handle?.close();
  }
}

/** The same order on every machine, whatever its language. */
function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

async function explainingFailures<Result>(
  name: string,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw unreadable(name, error);
  }
}

function unreadable(name: string, cause: unknown): CharnnError {
  const code = systemErrorCode(cause);
  if (code === "ENOENT" || code === "ENOTDIR") {
    const hint = /(^|[\\/])data[\\/]shakespeare\.txt$/.test(name)
      ? "`npm run data` makes it."
      : `Looked for ${path.resolve(name)}.`;
    return new CharnnError("NOT_FOUND", `There is no file or folder "${name}".`, hint, { cause });
  }
  const what = name === STDIN ? "the standard input" : `"${name}"`;
  return new CharnnError(
    "BAD_TEXT",
    `${what} can't be read: ${reasonOf(cause)}.`,
    cureOf(cause, name === STDIN ? undefined : "name another file"),
    { cause },
  );
}

async function binaryFile(name: string): Promise<CharnnError> {
  const [first, second] = await firstBytes(name);
  const utf16 =
    first === 0xff && second === 0xfe
      ? "utf-16le"
      : first === 0xfe && second === 0xff
        ? "utf-16be"
        : undefined;
  return new CharnnError(
    "BAD_TEXT",
    `"${name}" is no plain text: it has zero bytes.`,
    utf16 === undefined
      ? "Name a text file, or unpack or convert this one to plain text first."
      : `It begins as UTF-16 does: try --encoding ${utf16}.`,
  );
}

function folderWithoutText(name: string, binaries: number): CharnnError {
  return new CharnnError(
    "BAD_TEXT",
    `The folder "${name}" has no text files${binaries > 0 ? `, only binary ones (${binaries})` : ""}.`,
    "Hidden files, node_modules and binary files are left out.",
  );
}

function skippedBinaries(name: string, binaries: number): string {
  const files = binaries === 1 ? "1 file" : `${binaries.toLocaleString("en")} files`;
  return `${files} in "${name}" left out: binary, by the look of it. Name a file directly to see why.`;
}
