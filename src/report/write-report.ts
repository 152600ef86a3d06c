import type { ReportSettings } from "../config/report.js";
import { checkOutput, type OutputFile, writeOutput } from "../files/output-file.js";
import { PAGE_MARKER } from "../run-files.js";
import { inputsOf } from "../runs/metrics.js";
import { reportPage } from "./page/page.js";
import { makeReport, type ReportOptions } from "./report.js";

/**
 * Writes a report of some runs as one HTML file that needs nothing else. It takes the place of an earlier
 * page, and with `overwrite` of any other but a text, by the name's end.
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
  const outputAt = (path: string, ofRuns: readonly string[] = []): OutputFile => {
    const inputs = [...(settings.text ?? []), ...ofRuns];
    return { path, inputs, marker: PAGE_MARKER, overwrite, endings: [".html", ".htm"] };
  };
  // What can't be written is refused before a long text is read.
  if (file !== undefined) await checkOutput(outputAt(file));
  const report = await makeReport(settings, options);
  options.signal?.throwIfAborted();
  const path = file ?? `${report.runs[0].metrics.run.name}-report.html`;
  const ofRuns = report.runs.flatMap(({ metrics }) => inputsOf(metrics.origin ?? metrics.imported));
  await writeOutput(outputAt(path, ofRuns), Buffer.from(reportPage(report)));
  return { path, warnings: report.warnings };
}
