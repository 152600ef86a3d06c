import { readFile } from "node:fs/promises";
import { systemErrorCode } from "../errors.js";
import { notWritable } from "../system-errors.js";
import { appendWhole } from "./append-file.js";
import { writeDurably } from "./durable-file.js";

/**
 * Adds a line to a run's metrics.
 *
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function appendMetrics(path: string, record: object): Promise<void> {
  await appendWhole(path, `${JSON.stringify(record)}\n`);
}

/**
 * Drops what a killed run reported after its last checkpoint and will report again: lines of a step
 * after `step`, evaluations and samples after `evaluatedAt`, and lines that were not written to their end.
 *
 * @throws CharnnError `NOT_WRITABLE`
 */
export async function truncateMetricsAfter(
  path: string,
  { step, evaluatedAt }: { readonly step: number; readonly evaluatedAt: number },
): Promise<void> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw notWritable(path, error);
  }
  const isKept = (line: string) => {
    const record = recordOf(line);
    return record && record.step <= (record.event === "step" ? step : evaluatedAt);
  };
  const kept = text
    .split("\n")
    .filter(isKept)
    .map((line) => `${line}\n`)
    .join("");
  if (kept !== text) await writeDurably(path, [Buffer.from(kept)]);
}

/** What a line reports, and of which step; undefined for a line that is cut. */
function recordOf(line: string): { readonly event: unknown; readonly step: number } | undefined {
  try {
    const { event, step } = JSON.parse(line);
    return { event, step: typeof step === "number" ? step : 0 };
  } catch {
    return undefined;
  }
}
