import { findReportedRun } from "../runs/find-runs.js";
import type { Metrics } from "./metrics-collector.js";
import { MetricsReader } from "./metrics-reader.js";

/**
 * Reads what a run has reported, while it goes on too, see {@link MetricsReader}.
 *
 * @param run a run's name in `out`, its folder or a file in it; the one that reported last when undefined
 * @throws CharnnError `NOT_FOUND` where there is no such run, or nothing of what it reported can be read, and
 *   `NOT_READABLE`
 */
export async function readMetrics(
  run: string | undefined,
  out: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Metrics> {
  const folder = await findReportedRun(run, out);
  const reader = new MetricsReader(folder);
  await reader.read(signal);
  reader.refuseEmpty();
  return reader.metrics;
}
