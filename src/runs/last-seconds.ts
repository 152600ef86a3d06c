import { open } from "node:fs/promises";
import { closeRead } from "../clean-up.js";
import { systemErrorCode } from "../errors.js";
import { notReadable } from "../system-errors.js";

/** The end of a file that surely has a line with a time. */
const BYTES_READ = 1 << 16;

/**
 * How many seconds a run had taken at the last line of its metrics that says so; 0 where none does.
 *
 * @throws CharnnError `NOT_READABLE` for a file that can't be read
 */
export async function lastSeconds(path: string): Promise<number> {
  const lines = (await endOfFile(path)).split("\n");
  for (const line of lines.reverse()) {
    const seconds = secondsOf(line);
    if (seconds !== undefined) return seconds;
  }
  return 0;
}

async function endOfFile(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.min(size, BYTES_READ));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString("utf8", 0, bytesRead);
    } finally {
      await closeRead(file);
    }
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw notReadable(path, error);
  }
}

/** The first line read may be cut, and is then no JSON. */
function secondsOf(line: string): number | undefined {
  try {
    const { seconds } = JSON.parse(line);
    return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
  } catch {
    return undefined;
  }
}
