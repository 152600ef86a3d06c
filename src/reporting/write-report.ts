import { writeDurably } from "../checkpoint/durable-file.js";
import { reportPage } from "./page/page.js";
import { makeReport, type ReportSettings } from "./report.js";

export type { ReportSettings } from "./report.js";

/**
 * Writes a report of some runs as one HTML file that needs nothing else.
 *
 * @param file its path; from the first run's name when undefined
 * @returns the file's path, and what is odd about the runs or the text, in plain sentences
 * @throws CharnnError as `makeReport` does, and `NOT_WRITABLE`
 */
export async function writeReport(
  settings: ReportSettings,
  file?: string,
): Promise<{ readonly path: string; readonly warnings: readonly string[] }> {
  const report = await makeReport(settings);
  const path = file ?? `${report.runs[0].run.name}-report.html`;
  await writeDurably(path, [Buffer.from(reportPage(report, false))]);
  return { path, warnings: report.warnings };
}
