import { findReportedRun } from "../checkpoint/find-runs.js";
import { CharnnError } from "../errors.js";
import type { Metrics } from "./metrics-collector.js";
import { MetricsReader } from "./metrics-reader.js";

/**
 * Reads what a run has reported, while it goes on too, see {@link MetricsReader}.
 *
 * @param run a run's name in `out`, its folder or a file in it; the one that reported last when undefined
 * @throws CharnnError `NOT_FOUND` where there is no such run, or nothing of what it reported can be read, and
 *   `NOT_READABLE`
 */
export async function readMetrics(run: string | undefined, out: string): Promise<Metrics> {
  const folder = await findReportedRun(run, out);
  const reader = new MetricsReader(folder);
  await reader.read();
  const { metrics } = reader;
  if (isEmpty(metrics)) {
    const reason = reader.isDamaged ? "is damaged from its first line on" : "is empty";
    throw new CharnnError(
      "NOT_FOUND",
      `The run ${folder.name} has nothing to show: ${folder.metrics} ${reason}.`,
      "Wait for its first step, or train it anew with --overwrite.",
    );
  }
  return metrics;
}

/** Whether a run has reported nothing that can be read. */
function isEmpty({ steps, evaluations, samples }: Metrics): boolean {
  return steps.length + evaluations.length + samples.length === 0;
}
