import type { BigIntStats } from "node:fs";
import { lstat, open, realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";
import { closeRead, thenCleanUp } from "../clean-up.js";
import { CharnnError } from "../errors.js";
import { isRunFile, ownFileKind } from "../run-files.js";
import { systemErrorCode } from "../system-error-code.js";
import { notWritable } from "../system-errors.js";
import { removeStaleTemporaries, writeDurably } from "./durable-file.js";

/** A file that a user asks for, and what it may take the place of. */
export interface OutputFile {
  readonly path: string;
  /** What it is made from, the texts of its runs too: files, folders, and `-`. */
  readonly inputs: readonly string[];
  /** In the first kilobyte of each such file, by which those are known that charnn made before. */
  readonly marker: string;
  /**
   * Whether it may also take the place of other files that can be made again: what else charnn makes for
   * users, and files whose names end as those of its format do.
   */
  readonly overwrite: boolean;
  /** How the names of files of its format end. */
  readonly endings: readonly string[];
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
 * Refuses to replace a file whose loss would matter: always one of the inputs, under any name or link, a file of
 * a run, and what may be a text; and without `overwrite` any other that has no marker, unless it is empty.
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
  const { path } = output;
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
    if (stats.isFile()) await refuseLoss(target.path, stats, output);
    return target;
  } catch (error) {
    throw error instanceof CharnnError ? error : notWritable(path, error, ELSEWHERE);
  }
}

/** @param file the file itself, where a link leads to it */
async function refuseLoss(file: string, stats: BigIntStats, output: OutputFile): Promise<void> {
  const { path, inputs, marker, overwrite, endings } = output;
  const input = await inputThatIs(stats, inputs);
  if (input !== undefined) {
    throw refused(path, `it is the file ${JSON.stringify(input)} itself, which is read`);
  }
  const start = stats.size > 0n ? await beginningOf(file) : marker;
  if (start.includes(marker)) return;
  const kind = ownFileKind(start);
  const folder = kind ? undefined : await inputAround(file, inputs);
  if (folder !== undefined) {
    throw refused(path, `it is one of the files in ${JSON.stringify(folder)}, which are read`);
  }
  const isReplaceable = kind ? !isRunFile(start) : endings.some((it) => hasEnding(file, it));
  if (overwrite && isReplaceable) return;
  const reason = kind ? `it would replace ${kind}` : "there is a file that charnn did not make";
  if (isReplaceable) throw refused(path, reason, ", or add `overwrite`");
  if (!overwrite || kind) throw refused(path, reason);
  const names = endings.join(" or ");
  throw refused(path, reason, `: \`overwrite\` replaces only files whose names end in ${names}`);
}

function hasEnding(file: string, ending: string): boolean {
  return file.toLowerCase().endsWith(ending);
}

function refused(path: string, reason: string, otherWay = ""): CharnnError {
  return new CharnnError(
    "NOT_WRITABLE",
    `${path} can't be written: ${reason}.`,
    `Choose another file with \`output\`${otherWay}.`,
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

/** The first of `inputs` that is a folder around a file. */
async function inputAround(file: string, inputs: readonly string[]): Promise<string | undefined> {
  for (const input of inputs) {
    if (!(await statIfThere(input))?.isDirectory()) continue;
    if (isWithin(await realpath(input), file)) return input;
  }
  return undefined;
}

function isWithin(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== "" && !isAbsolute(way) && way.split(sep)[0] !== "..";
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
