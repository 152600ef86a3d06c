import type { BigIntStats } from "node:fs";
import { lstat, open, realpath, stat } from "node:fs/promises";
import { closeRead, thenCleanUp } from "../clean-up.js";
import { CharnnError } from "../errors.js";
import { ownFileKind } from "../run-files.js";
import { systemErrorCode } from "../system-error-code.js";
import { notWritable } from "../system-errors.js";
import { removeStaleTemporaries, writeDurably } from "./durable-file.js";

/** A file that a user asks for, and what it may take the place of. */
export interface OutputFile {
  readonly path: string;
  /** What it is made from: files, folders, and `-`. */
  readonly inputs: readonly string[];
  /** In the first kilobyte of each such file, by which those are known that charnn made before. */
  readonly marker: string;
  /** Whether it may take the place of any file. */
  readonly overwrite: boolean;
}

const ELSEWHERE = "choose another file with `output`";
const MARKER_BYTES = 1_024;

/** What a file's path leads to. */
interface Target {
  /** The file itself, where links lead to it. */
  readonly path: string;
  /** Undefined where there is nothing. */
  readonly stats: BigIntStats | undefined;
}

/**
 * Refuses to replace a file whose loss would matter: one of the command's inputs, under any name or link, or
 * any other without the marker, unless it is empty.
 *
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function checkOutput(output: OutputFile): Promise<void> {
  await checkedTarget(output);
}

/**
 * Writes a file so that its place holds the old whole file or the new whole one at every instant, and after
 * the same checks as {@link checkOutput}. Where a link is, the file is written that it leads to; a pipe or a
 * device gets the bytes as they are.
 *
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function writeOutput(output: OutputFile, bytes: Uint8Array): Promise<void> {
  const { path, stats } = await checkedTarget(output);
  try {
    if (stats && !stats.isFile()) {
      const file = await open(path, "w");
      await thenCleanUp(
        () => file.writeFile(bytes),
        () => file.close(),
      );
      return;
    }
  } catch (error) {
    throw notWritable(output.path, error, ELSEWHERE);
  }
  const mode = stats && Number(stats.mode) & 0o777;
  await writeDurably(path, [bytes], undefined, { elsewhere: ELSEWHERE, mode });
  // The file is written, and what an earlier process left does no harm.
  await removeStaleTemporaries(path).catch(() => {});
}

async function checkedTarget(output: OutputFile): Promise<Target> {
  const { path, overwrite } = output;
  try {
    const stats = await statIfThere(path);
    if (!stats) {
      if (await isLink(path)) throw refused(path, "it is a link that leads nowhere");
      return { path, stats };
    }
    // The link of /dev/stdout to a pipe leads to no path.
    const target = { path: stats.isFile() ? await realpath(path) : path, stats };
    if (stats.isDirectory()) throw refused(path, "it is a folder");
    if (stats.isBlockDevice()) throw refused(path, "it is a disk");
    if (overwrite || !stats.isFile()) return target;
    const input = await inputThatIs(stats, output.inputs);
    if (input !== undefined) {
      throw refused(path, `it is the file ${JSON.stringify(input)} itself, which is read`, true);
    }
    const start = stats.size > 0n ? await beginningOf(path) : output.marker;
    if (!start.includes(output.marker)) {
      const kind = ownFileKind(start);
      const reason = kind ? `it would replace ${kind}` : "there is a file that charnn did not make";
      throw refused(path, reason, true);
    }
    return target;
  } catch (error) {
    throw error instanceof CharnnError ? error : notWritable(path, error, ELSEWHERE);
  }
}

function refused(path: string, reason: string, canOverwrite = false): CharnnError {
  const ways = ["Choose another file with `output`", ...(canOverwrite ? ["add `overwrite`"] : [])];
  return new CharnnError(
    "NOT_WRITABLE",
    `${path} can't be written: ${reason}.`,
    `${ways.join(", or ")}.`,
  );
}

/** The first of `inputs` that is a certain file, whatever its name. */
async function inputThatIs(
  { dev, ino }: BigIntStats,
  inputs: readonly string[],
): Promise<string | undefined> {
  for (const input of inputs) {
    const stats = await statIfThere(input);
    if (stats?.dev === dev && stats.ino === ino) return input;
  }
  return undefined;
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path, "r");
  return thenCleanUp(
    async () => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(MARKER_BYTES), 0, MARKER_BYTES, 0);
      return buffer.toString("utf8", 0, bytesRead);
    },
    () => closeRead(file),
  );
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true;
}

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
