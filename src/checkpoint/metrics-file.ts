import { appendFile, readFile } from "node:fs/promises";
import { systemErrorCode } from "../errors.js";
import { notWritable, writeDurably } from "./durable-file.js";

/**
 * Adds a line to a run's metrics.
 *
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function appendMetrics(path: string, record: object): Promise<void> {
  try {
    await appendFile(path, `${JSON.stringify(record)}\n`);
  } catch (error) {
    throw notWritable(path, error);
  }
}

/**
 * Drops what a killed run reported after its last checkpoint: lines of a step after `step`, and
 * lines that were not written to their end.
 *
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function truncateMetricsAfter(path: string, step: number): Promise<void> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw notWritable(path, error);
  }
  const lines = text.split("\n").filter((line) => isUpTo(step, line));
  const kept = lines.map((line) => `${line}\n`).join("");
  if (kept !== text) await writeDurably(path, [Buffer.from(kept)]);
}

function isUpTo(step: number, line: string): boolean {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null) return false;
    return !("step" in record && typeof record.step === "number" && record.step > step);
  } catch {
    return false;
  }
}
