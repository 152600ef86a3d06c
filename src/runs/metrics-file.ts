import { systemErrorCode } from "../errors.js";
import { appendWhole, cutOff } from "../files/append-file.js";
import { writeDurably } from "../files/durable-file.js";
import { type Line, readLines } from "../files/read-lines.js";
import { notReadable } from "../system-errors.js";

/** How far a checkpoint knows what its run has reported. */
interface Known {
  readonly step: number;
  readonly evaluatedAt: number;
}

const LINE_END = Buffer.from("\n");

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
 * after `step`, evaluations and samples after `evaluatedAt`, and lines that are no whole JSON objects.
 * They are at the end of the file, which is cut off, unless the file was damaged before.
 *
 * @throws CharnnError `NOT_READABLE` or `NOT_WRITABLE`
 */
export async function truncateMetricsAfter(path: string, known: Known): Promise<void> {
  let firstDropped: Line | undefined;
  let lastKept: Line | undefined;
  try {
    for await (const lines of readLines(path)) {
      for (const line of lines) {
        if (isKept(line, known)) lastKept = line;
        else firstDropped ??= line;
      }
    }
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw notReadable(path, error);
  }
  if (firstDropped && lastKept && lastKept.start > firstDropped.start) {
    await writeDurably(path, keptLines(path, known));
  } else if (firstDropped) {
    await cutOff(path, firstDropped.start);
  } else if (lastKept?.isWhole === false) {
    await appendWhole(path, LINE_END);
  }
}

async function* keptLines(path: string, known: Known): AsyncGenerator<Uint8Array, void> {
  for await (const lines of readLines(path)) {
    const kept = lines.flatMap((line) => {
      return line.bytes && isKept(line, known) ? [line.bytes, LINE_END] : [];
    });
    yield Buffer.concat(kept);
  }
}

function isKept({ bytes }: Line, { step, evaluatedAt }: Known): boolean {
  const record = bytes && recordOf(bytes.toString());
  return !!record && record.step <= (record.event === "step" ? step : evaluatedAt);
}

/** What a line reports, and of which step; undefined for a line that is cut, or is no object. */
function recordOf(line: string): { readonly event: unknown; readonly step: number } | undefined {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null || Array.isArray(record)) return undefined;
    const { event, step } = record as { readonly event?: unknown; readonly step?: unknown };
    return { event, step: typeof step === "number" ? step : 0 };
  } catch {
    return undefined;
  }
}
