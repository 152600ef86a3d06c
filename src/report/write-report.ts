import type { ReportSettings } from "../config/report.js";
import { checkOutput, type OutputFile, writeOutput } from "../files/output-file.js";
import { PAGE_MARKER } from "../run-files.js";
import { reportPage } from "./page/page.js";
import { makeReport, type ReportOptions } from "./report.js";

/**
 * Writes a report of some runs as one HTML file that needs nothing else. It takes the place of an earlier
 * page, but of no other file unless `overwrite` is set.
 *
 * @param file its path; from the first run's name when undefined
 * @returns the file's path, and what is odd about the runs or the text, in plain sentences
 * @throws CharnnError as `makeReport` does, and `NOT_WRITABLE`
 */
export async function writeReport(
  settings: ReportSettings,
  file?: string,
  {
    overwrite = false,
    ...options
  }: ReportOptions & { readonly overwrite?: boolean | undefined } = {},
): Promise<{ readonly path: string; readonly warnings: readonly string[] }> {
  const outputAt = (path: string): OutputFile => {
    return { path, inputs: settings.text ?? [], marker: PAGE_MARKER, overwrite };
  };
  // What can't be written is refused before a long text is read.
  if (file !== undefined) await checkOutput(outputAt(file));
  const report = await makeReport(settings, options);
  options.signal?.throwIfAborted();
  const path = file ?? `${report.runs[0].metrics.run.name}-report.html`;
  await writeOutput(outputAt(path), Buffer.from(reportPage(report)));
  return { path, warnings: report.warnings };
}
