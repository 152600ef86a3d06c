/** Which files of a folder are its text. */

import { type BigIntStats, type Dirent, fstatSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { isOwnOutput, isRunFolder } from "../run-files.js";
import type { Turns } from "../turns.js";
import { beginningOf } from "./files.js";
import { formatOf } from "./formats.js";
import { explainingFailures } from "./read-failure.js";

const SNIFFED_BYTES = 8_192;

/** What is in a folder and below. */
export interface FolderContents {
  /** Sorted by path, the same way on every machine. */
  readonly texts: readonly { readonly path: string; readonly size: number }[];
  /** How many files of which kind are not plain text: `PDF`, `binary`. */
  readonly others: ReadonlyMap<string, number>;
  /** What charnn itself wrote there: paths below the folder, those of folders with a slash at the end. */
  readonly own: readonly string[];
}

/** How to tell texts from other things in a folder. */
export interface FolderSettings {
  /** A name from `encodingName`. */
  readonly encoding: string;
  /** Folders below that are left out: where runs are, and the folder of the run itself. */
  readonly leftOut: readonly string[];
}

/**
 * Finds the texts in a folder and below. Left out are hidden files and `node_modules`; what is no plain
 * text by its first bytes; and what charnn wrote: runs, reports and metrics, so that a text is the same
 * before and after a model was trained on it.
 *
 * Links are followed to files only, since one to a folder may lead round in circles.
 *
 * @throws CharnnError for what can't be read; the signal's reason
 */
export async function textsInFolder(
  folder: string,
  settings: FolderSettings,
  turns: Turns,
): Promise<FolderContents> {
  const own: string[] = [];
  const files = await filesBelow(folder, settings, turns, own);
  const texts: { path: string; size: number }[] = [];
  const others = new Map<string, number>();
  const room = new Uint8Array(SNIFFED_BYTES);
  const written = [1, 2].flatMap((fd) => statsOf(fd) ?? []).filter((stats) => stats.isFile());
  for (const file of files.sort((a, b) => byPath(a, b))) {
    if (turns.isDue()) await turns.take();
    const { bytes, stats } = beginningOf(file, room);
    const kind = isOneOf(written, file) ? "own" : kindOf(bytes, settings.encoding);
    if (kind === "text") texts.push({ path: file, size: stats.size });
    else if (kind === "own") own.push(path.relative(folder, file));
    else others.set(kind, (others.get(kind) ?? 0) + 1);
  }
  return { texts, others, own: own.sort((a, b) => byPath(a, b)) };
}

/** Whether a file has a zero byte near its beginning. In UTF-16 that is nothing special. */
export function looksBinary(beginning: Uint8Array, encoding: string): boolean {
  return !encoding.startsWith("utf-16") && beginning.includes(0);
}

/** The beginning of a file, as far as it is looked at. */
export function sniffed(file: string): Uint8Array {
  return beginningOf(file, new Uint8Array(SNIFFED_BYTES)).bytes;
}

/** `text`, `own` for what charnn wrote, or what else it is. */
function kindOf(bytes: Uint8Array, encoding: string): string {
  const format = formatOf(bytes);
  if (format) return format.short;
  if (looksBinary(bytes, encoding)) return "binary";
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024));
  return isOwnOutput(start.toString("latin1")) ? "own" : "text";
}

async function filesBelow(
  root: string,
  { leftOut }: FolderSettings,
  turns: Turns,
  own: string[],
): Promise<string[]> {
  const files: string[] = [];
  const excluded = leftOut.flatMap((it) => statsOf(it) ?? []);
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const at = folder;
    if (turns.isDue()) await turns.take();
    const entries = await explainingFailures(at, () => readdir(at, { withFileTypes: true }));
    const isOwn =
      at !== root && (isOneOf(excluded, at) || isRunFolder(entries.map(({ name }) => name)));
    if (isOwn) {
      if (await holdsFiles(at)) own.push(`${path.relative(root, at)}${path.sep}`);
      continue;
    }
    for (const entry of entries) {
      if (isHidden(entry) || entry.name === "node_modules") continue;
      const entryPath = path.join(at, entry.name);
      if (entry.isDirectory()) folders.push(entryPath);
      else if (entry.isFile()) files.push(entryPath);
      else if (entry.isSymbolicLink() && statsOf(entryPath)?.isFile()) files.push(entryPath);
    }
  }
  return files;
}

/** Whether anything is in a folder or below that a person would see. */
async function holdsFiles(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) {
    if (isHidden(entry)) continue;
    if (!entry.isDirectory() || (await holdsFiles(path.join(folder, entry.name)))) return true;
  }
  return false;
}

function isHidden({ name }: Dirent): boolean {
  return name.startsWith(".");
}

/** Of a path or an open file; undefined where there is none. */
function statsOf(file: string | number): BigIntStats | undefined {
  // Numbers of files on Windows have more digits than a number of JavaScript.
  const options = { bigint: true } as const;
  try {
    return typeof file === "number" ? fstatSync(file, options) : statSync(file, options);
  } catch {
    return undefined;
  }
}

function isOneOf(others: readonly BigIntStats[], file: string): boolean {
  const stats = others.length > 0 ? statsOf(file) : undefined;
  return others.some((other) => other.dev === stats?.dev && other.ino === stats.ino);
}

/** By code units, with slashes between folders on every system: the same order on every machine. */
export function byPath(a: string, b: string, separator: string = path.sep): number {
  const [one, two] = [a, b].map((file) => file.replaceAll(separator, "/"));
  if (one === two) return 0;
  return one < two ? -1 : 1;
}
