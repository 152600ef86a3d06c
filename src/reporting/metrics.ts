import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { findReportedRun } from "../checkpoint/find-runs.js";
import type { RunFolder } from "../checkpoint/run-folder.js";
import { CharnnError } from "../errors.js";
import { notReadable } from "../system-errors.js";

const fromZero = v.pipe(v.number(), v.minValue(0));
/** JSON has no number that is not finite, and writes null. */
const loss = v.nullish(v.number());

const reportSchema = v.variant("event", [
  v.object({
    event: v.literal("step"),
    step: fromZero,
    epoch: fromZero,
    loss,
    learningRate: fromZero,
    gradientNorm: v.nullish(v.number()),
    charsPerSecond: v.nullish(v.number()),
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
]);

type Report = v.InferOutput<typeof reportSchema>;
type StepReport = Extract<Report, { event: "step" }>;
type EvalReport = Extract<Report, { event: "eval" }>;
type SampleReport = Extract<Report, { event: "sample" }>;

/** What a run has reported of itself, in order. */
export interface Metrics {
  readonly run: RunFolder;
  readonly steps: readonly StepReport[];
  readonly evaluations: readonly EvalReport[];
  readonly samples: readonly SampleReport[];
  /** What is wrong with the file, in plain sentences. */
  readonly warnings: readonly string[];
}

/**
 * Reads what a run has reported, while it goes on too. Where the file is damaged, what comes before the
 * damage is used; a last line that is cut is one that is being written.
 *
 * @param run a run's name in `out`, its folder or a file in it; the one that reported last when undefined
 * @throws CharnnError `NOT_FOUND` where there is no such run, or nothing of what it reported can be read
 */
export async function readMetrics(run: string | undefined, out: string): Promise<Metrics> {
  const folder = await findReportedRun(run, out);
  const text = await readText(folder.metrics);
  const lines = text.split("\n");
  const unfinished = lines.pop() as string;
  const reports: Report[] = [];
  for (const line of lines) {
    const report = reportOf(line);
    if (!report) break;
    reports.push(report);
  }
  const warnings: string[] = [];
  const last = reports.length === lines.length ? reportOf(unfinished) : undefined;
  if (last) reports.push(last);
  if (reports.length < lines.length) {
    const which = `line ${count(reports.length + 1)} of ${count(lines.length)}`;
    warnings.push(`${folder.metrics} is damaged at ${which}: only what stands before it is used.`);
  }
  if (reports.length === 0) {
    const reason = warnings.length > 0 ? "is damaged from its first line on" : "is empty";
    throw new CharnnError(
      "NOT_FOUND",
      `The run ${folder.name} has nothing to show: ${folder.metrics} ${reason}.`,
      "Wait for its first step, or train it anew with --overwrite.",
    );
  }
  return {
    run: folder,
    steps: reports.filter((report) => report.event === "step"),
    evaluations: reports.filter((report) => report.event === "eval"),
    samples: reports.filter((report) => report.event === "sample"),
    warnings,
  };
}

function reportOf(line: string): Report | undefined {
  try {
    const { success, output } = v.safeParse(reportSchema, JSON.parse(line));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw notReadable(path, cause);
  }
}

function count(value: number): string {
  return value.toLocaleString("en");
}
