import { stat } from "node:fs/promises";
import { CharnnError } from "../errors.js";
import { formatCount } from "../text.js";
import { Turns } from "../turns.js";
import { listFew } from "./characters.js";
import { fileBytes } from "./files.js";
import { type FolderContents, looksBinary, sniffed, textsInFolder } from "./folders.js";
import { formatOf, wrongFormat } from "./formats.js";
import {
  fileOnce,
  type Inputs,
  isDescriptor,
  isStdin,
  type Once,
  onceKey,
  STDIN,
  stdinOnce,
} from "./inputs.js";
import { explainingFailures } from "./read-failure.js";
import { convertFirst } from "./repair-commands.js";

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
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What reading needs beside the names of texts. */
export interface ReadOptions {
  /** What the file `-` stands for. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /**
   * Keeps what can be read only once, for several readings. Its `stdin` is the one that is used then. Without
   * it, such a source can be read by one reading.
   */
  readonly inputs?: Inputs | undefined;
  /**
   * Aborted: reading ends within a moment, whatever it waits for, by throwing the signal's reason. The
   * text is then not read, and nothing is left open.
   */
  readonly signal?: AbortSignal | undefined;
  /** Called from time to time while a text is read, with the fraction of it that has been. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** How to find texts. */
export interface FindSettings {
  /** A name from `encodingName`. */
  readonly encoding: string;
  /** Folders to leave out of a folder around them: those of runs. */
  readonly leftOut?: readonly string[] | undefined;
  /** Whether a folder is refused, because one file is wanted. */
  readonly filesOnly?: boolean | undefined;
}

/** What was found under the names that a person gave. */
export interface FoundSources {
  readonly sources: readonly Source[];
  readonly warnings: readonly string[];
}

/** Refuses names that can't be meant, as {@link CharnnError} `INVALID_SETTING`. */
export async function checkNames(names: readonly string[]): Promise<void> {
  if (names.length === 0) {
    throw new CharnnError("INVALID_SETTING", "No text is given.", "Name a file, a folder, or -.");
  }
  const seen = new Set<string>();
  for (const name of names) {
    const key = onceKey(name, await stat(name).catch(() => undefined));
    if (key === undefined) continue;
    if (seen.has(key)) {
      throw new CharnnError(
        "INVALID_SETTING",
        `${isStdin(name) ? "The standard input (-)" : `"${name}"`} is named twice, but can be read only once.`,
        "Save it to a file first.",
      );
    }
    seen.add(key);
  }
}

/**
 * Finds what was named, in the order given: files, folders, and `-` for the standard input. A folder stands
 * for the texts in it and below (see `textsInFolder`); a warning counts what else is there.
 *
 * Throws {@link CharnnError} `NOT_FOUND` for what is missing, `BAD_TEXT` for what can't be read, what is
 * not plain text but named directly, and a folder that has no text or is not wanted; and the signal's reason.
 */
export async function findSources(
  names: readonly string[],
  { encoding, leftOut = [], filesOnly = false }: FindSettings,
  { stdin, inputs, signal }: ReadOptions = {},
): Promise<FoundSources> {
  const turns = new Turns(signal);
  const given = inputs?.stdin ?? stdin;
  const sources: Source[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    await turns.give();
    signal?.throwIfAborted();
    if (name === STDIN || (isStdin(name) && given)) {
      sources.push(sourceOnce(STDIN, stdinOnce(given), inputs));
      continue;
    }
    const found = await explainingFailures(name, () => stat(name));
    if (found.isDirectory()) {
      if (filesOnly) {
        throw new CharnnError(
          "BAD_TEXT",
          `"${name}" is a folder, not a file.`,
          "Name a file in it.",
        );
      }
      const contents = await textsInFolder(name, { encoding, leftOut }, turns);
      if (contents.texts.length === 0) throw folderWithoutText(name, contents);
      for (const { path, size } of contents.texts) sources.push(fileSource(path, size));
      for (const warning of leftOutOf(name, contents)) warnings.push(warning);
    } else if (found.isFile() && !isDescriptor(name)) {
      refuseOtherThanText(name, encoding);
      sources.push(fileSource(name, found.size));
    } else {
      const source = await explainingFailures(name, () => fileOnce(name, found));
      sources.push(sourceOnce(name, source, inputs, found.isFile() ? found.size : 0));
    }
  }
  return { sources, warnings };
}

/** Characters that there will be at most, where sizes are known: those in files, and newlines between. */
export function estimateLength(sources: readonly Source[]): number {
  return sources.reduce((sum, source) => sum + source.size + 1, 0);
}

function fileSource(path: string, size: number): Source {
  return { path, name: `"${path}"`, size, read: () => fileBytes(path, size) };
}

function sourceOnce(path: string, once: Once, inputs: Inputs | undefined, size = 0): Source {
  const { name } = once;
  const read = (signal?: AbortSignal) => inputs?.read(once, signal) ?? once.open(signal);
  return { path, name, size, read };
}

/** @throws CharnnError `BAD_TEXT` for a file that is not plain text by its first bytes */
function refuseOtherThanText(file: string, encoding: string): void {
  const beginning = sniffed(file);
  const format = formatOf(beginning);
  if (format) throw wrongFormat(`"${file}"`, format);
  if (!looksBinary(beginning, encoding)) return;
  const utf32 = utf32Of(beginning);
  if (utf32 !== undefined) {
    throw new CharnnError(
      "BAD_TEXT",
      `"${file}" is UTF-32 text, by the look of it.`,
      convertFirst(utf32),
    );
  }
  const utf16 = utf16Of(beginning);
  throw new CharnnError(
    "BAD_TEXT",
    `"${file}" is not plain text: it contains NUL bytes, as binary files do.`,
    utf16 === undefined
      ? "Name a text file, or unpack or convert this one to plain text first."
      : `It begins as UTF-16 does: try \`encoding: ${utf16}\`.`,
  );
}

/** The kind of UTF-32 that a text without a mark seems to be in: of every four bytes two are zero at one end. */
function utf32Of(bytes: Uint8Array): string | undefined {
  const length = bytes.length - (bytes.length % 4);
  if (length < 8) return undefined;
  const isZeroAt = (offset: number) => {
    for (let at = offset; at < length; at += 4) if (bytes[at] !== 0) return false;
    return true;
  };
  const last = isZeroAt(3);
  // Characters beyond 0xFFFF are rare at the beginning of a text.
  if (last && isZeroAt(2) && !isZeroAt(0)) return "UTF-32LE";
  return !last && isZeroAt(0) && isZeroAt(1) ? "UTF-32BE" : undefined;
}

/** The kind of UTF-16 that a text seems to be in: by its mark, or by every second byte of Latin letters. */
function utf16Of(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const zeros = [0, 0];
  for (const [index, byte] of bytes.entries()) if (byte === 0) zeros[index % 2]++;
  const [even, odd] = zeros;
  if (even + odd < bytes.length / 4) return undefined;
  if (even === 0) return "utf-16le";
  return odd === 0 ? "utf-16be" : undefined;
}

function folderWithoutText(name: string, contents: FolderContents): CharnnError {
  const others = Array.from(contents.others, ([kind, count]) => `${kind} ones (${count})`);
  const own = contents.own.length > 0 ? [`what charnn wrote: ${listFew(contents.own)}`] : [];
  const found = [...others, ...own];
  const only = found.length > 0 ? `, only ${found.join(" and ")}` : "";
  return new CharnnError(
    "BAD_TEXT",
    `The folder "${name}" has no text files${only}.`,
    "Hidden files, node_modules, files that are not plain text, and charnn's own are left out.",
  );
}

function leftOutOf(name: string, contents: FolderContents): string[] {
  const { others, own } = contents;
  const warnings: string[] = [];
  if (others.size > 0) {
    const kinds = [...others];
    const count = kinds.reduce((sum, [, times]) => sum + times, 0);
    const files = count === 1 ? "1 file" : `${formatCount(count)} files`;
    const named =
      kinds.length === 1
        ? kinds[0][0]
        : kinds.map(([kind, times]) => `${kind} (${formatCount(times)})`).join(", ");
    warnings.push(
      `${files} in "${name}" left out: ${named}, by the look of it. Name a file directly to see why.`,
    );
  }
  if (own.length > 0) {
    const outputs = own.length === 1 ? "1 output" : `${formatCount(own.length)} outputs`;
    warnings.push(
      `${outputs} of charnn in "${name}" left out, so that no model learns what another wrote: ${listFew(own)}.`,
    );
  }
  return warnings;
}
