/** The lines of `metrics.jsonl`, what a run reports as it goes: their form, and writing them. */
import { open, stat } from "node:fs/promises";
import * as v from "valibot";
import { closeRead } from "../clean-up.js";
import { appendWhole, cutOff } from "../files/append-file.js";
import { writeDurably } from "../files/durable-file.js";
import { type Line, readLines } from "../files/read-lines.js";
import { systemErrorCode } from "../system-error-code.js";
import { notReadable } from "../system-errors.js";

/** JSON writes null for what is not finite, but reads 1e999. */
const finite = v.pipe(v.number(), v.finite());
const fromZero = v.pipe(finite, v.minValue(0));
const loss = v.nullish(finite);

/** The fields that are read again; the events of training that are written have more. */
const recordSchema = v.variant("event", [
  v.object({
    event: v.literal("step"),
    step: fromZero,
    epoch: fromZero,
    loss,
    learningRate: fromZero,
    gradientNorm: v.nullish(finite),
    charsPerSecond: v.nullish(finite),
    seconds: fromZero,
  }),
  v.object({
    event: v.literal("eval"),
    step: fromZero,
    epoch: fromZero,
    loss,
    validationLoss: loss,
    learningRate: fromZero,
    seconds: fromZero,
  }),
  v.object({ event: v.literal("sample"), step: fromZero, text: v.string() }),
  v.object({
    event: v.literal("run"),
    step: fromZero,
    // Earlier versions did not write it.
    name: v.optional(v.string()),
    date: v.string(),
    version: v.string(),
    backend: v.string(),
    threads: fromZero,
    settings: v.objectWithRest(
      { files: v.array(v.string()) },
      v.union([
        v.string(),
        v.number(),
        v.boolean(),
        v.array(v.object({ step: v.number(), steps: v.number() })),
        v.object({ index: v.number(), of: v.number() }),
      ]),
    ),
  }),
  v.object({
    event: v.literal("import"),
    step: fromZero,
    date: v.string(),
    version: v.string(),
    file: v.string(),
    settings: v.objectWithRest({ weights: v.string() }, v.union([v.string(), v.boolean()])),
  }),
]);

/** What a line says. Losses are in nats/character. */
export type MetricsRecord = v.InferOutput<typeof recordSchema>;
export type StepRecord = Extract<MetricsRecord, { event: "step" }>;
export type EvalRecord = Extract<MetricsRecord, { event: "eval" }>;
export type SampleRecord = Extract<MetricsRecord, { event: "sample" }>;
/**
 * How a process began or resumed a run: after which step, under which name, when (ISO 8601), with which version of charnn, on how
 * many threads of which backend, and with which settings.
 */
export type RunRecord = Extract<MetricsRecord, { event: "run" }>;
/** When a run was imported, with which version of charnn, from which file, and with which settings. */
export type ImportRecord = Extract<MetricsRecord, { event: "import" }>;

/** The files that a run was made from, as they were named then: texts, or weights and a vocabulary. */
export function inputsOf(origin: RunRecord | ImportRecord | undefined): readonly string[] {
  if (origin === undefined) return [];
  if (origin.event === "run") return origin.settings.files;
  const { weights, vocabulary } = origin.settings;
  return [weights, ...(typeof vocabulary === "string" ? [vocabulary] : [])];
}

const RECORDED: ReadonlySet<string> = new Set<MetricsRecord["event"]>(["step", "eval", "sample"]);

/** Whether an event of training is written to the metrics. */
export function isRecorded<Event extends { readonly event: string }>(
  event: Event,
): event is Extract<Event, { readonly event: MetricsRecord["event"] }> {
  return RECORDED.has(event.event);
}

/** What a line says; undefined where it is damaged. */
export function parseRecord(line: Uint8Array | undefined): MetricsRecord | undefined {
  if (!line) return undefined;
  const { success, output } = v.safeParse(recordSchema, parseJson(line.toString()));
  return success ? output : undefined;
}

/** How far a checkpoint knows what its run has reported. */
interface Known {
  readonly step: number;
  readonly evaluatedAt: number;
}

const LINE_END = Buffer.from("\n");
/** No line about a run's beginning is longer, but for one with thousands of files. */
const BYTES_OF_FIRST_LINE = 1 << 16;

/**
 * How a run was begun or imported, by the first line of its metrics; undefined where that does not say it, as in runs of
 * earlier versions.
 */
export async function readOrigin(path: string): Promise<RunRecord | ImportRecord | undefined> {
  try {
    // To open a pipe would wait for somebody to write to it.
    if (!(await stat(path)).isFile()) return undefined;
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(BYTES_OF_FIRST_LINE), 0);
      const [line] = buffer.toString("utf8", 0, bytesRead).split("\n");
      const record = parseRecord(Buffer.from(line));
      return record?.event === "run" || record?.event === "import" ? record : undefined;
    } finally {
      await closeRead(file);
    }
  } catch {
    // What can't be read says nothing.
    return undefined;
  }
}

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
 * after `step`, evaluations and samples after `evaluatedAt`, and lines that are not whole JSON objects.
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
  const record = bytes && stepOf(bytes.toString());
  if (!record) return false;
  const { event, step: at } = record;
  return at <= (event === "step" || event === "run" ? step : evaluatedAt);
}

/** What a line reports, and of which step; undefined for a line that is cut, or is no object. */
function stepOf(line: string): { readonly event: unknown; readonly step: number } | undefined {
  const record = parseJson(line);
  if (typeof record !== "object" || record === null || Array.isArray(record)) return undefined;
  const { event, step } = record as { readonly event?: unknown; readonly step?: unknown };
  return { event, step: typeof step === "number" ? step : 0 };
}

/** The end of a file that surely has a line with a time. */
const BYTES_AT_END = 1 << 16;

/**
 * How many seconds a run had taken at the last line of its metrics that says so; 0 where none does.
 *
 * @throws CharnnError `NOT_READABLE` for a file that can't be read
 */
export async function lastSeconds(path: string): Promise<number> {
  // The first of these lines may be cut, and is then no JSON.
  const lines = (await endOfFile(path)).split("\n");
  for (const line of lines.reverse()) {
    const { seconds } = (parseJson(line) ?? {}) as { readonly seconds?: unknown };
    if (v.is(fromZero, seconds)) return seconds;
  }
  return 0;
}

async function endOfFile(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.min(size, BYTES_AT_END));
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

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
