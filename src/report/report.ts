import { REPORT, REPORT_DEFAULTS, type ReportSettings } from "../config/report.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { Inputs } from "../data/inputs.js";
import { CharnnError } from "../errors.js";
import type { Metrics } from "../runs/metrics-collector.js";
import { readMetrics } from "../runs/metrics-reader.js";
import { checkpointsOf, contentsOf } from "../runs/run-contents.js";
import type { RunFolder } from "../runs/run-folder.js";
import { bitsPerCharacter, formatCount } from "../text.js";
import { chartsOf } from "./curves.js";
import { type ModelParts, modelParts, NO_MODEL } from "./model-parts.js";
import type { Charts } from "./page/script/data.js";
import type { ViewSettings } from "./view-text.js";

const reportSettingsSchema = settingsSchema<ReportSettings>(REPORT);

export interface ReportOptions {
  /** What the file `-` of the text stands for. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** All that a report shows. */
export interface Report extends ModelParts {
  readonly title: string;
  readonly runs: readonly Metrics[];
  readonly charts: Charts;
  /** A row for each run, as `page.ts` has its head. */
  readonly figures: readonly (readonly string[])[];
}

/** The settings of a report, checked and with their defaults. */
export interface ReportPlan {
  /** Names or folders of runs, empty for the one that reported last. */
  readonly names: readonly string[];
  readonly out: string;
  /** The text to look at, if there is one. */
  readonly text: ViewSettings | undefined;
}

/** @throws CharnnError `INVALID_SETTING` */
export function planReport(settings: ReportSettings): ReportPlan {
  const { runs: names = [], text, threads, ...given } = checked(reportSettingsSchema, settings);
  const { out, encoding, invalid, unknown, backend } = {
    ...REPORT_DEFAULTS,
    ...definedOnly(given),
  };
  const backendSettings = { backend, threads };
  return {
    names,
    out,
    text: text && { files: text, encoding, invalid, out, unknown, backendSettings },
  };
}

/**
 * Gathers what a report shows of some runs, and of a text as the first one's model reads it.
 *
 * @throws CharnnError for a run that is not there or has reported nothing, and for a text that can't be
 *   read
 */
export async function makeReport(
  settings: ReportSettings,
  { stdin, signal }: ReportOptions = {},
): Promise<Report> {
  const { names, out, text } = planReport(settings);
  const runs: Metrics[] = [];
  for (const name of names.length > 0 ? names : [undefined])
    runs.push(await readMetrics(name, out, { signal }));
  const checkpoint = await checkpointOf(runs[0].run);
  if (text && checkpoint === undefined) {
    throw new CharnnError(
      "NOT_FOUND",
      `The run ${runs[0].run.name} has no checkpoint yet, so there is no model to look at a text with.`,
      "Leave --text out, or wait for its first checkpoint.",
    );
  }
  const options = { inputs: new Inputs(stdin), signal };
  const parts = checkpoint === undefined ? NO_MODEL : await modelParts(checkpoint, text, options);
  return reportOf(runs, parts);
}

/** @param title names the runs when it is left out */
export function reportOf(
  runs: readonly Metrics[],
  parts: ModelParts,
  title = runs.map(({ run }) => run.name).join(", "),
): Report {
  return {
    ...parts,
    title: `charnn: ${title}`,
    runs,
    charts: chartsOf(runs),
    figures: figuresOf(runs),
    warnings: [...runs.flatMap((run) => run.warnings), ...parts.warnings],
  };
}

/** How each run stands: a row of what `page.ts` has the head of. */
export function figuresOf(runs: readonly Metrics[]): string[][] {
  return runs.map(({ run, steps, evaluations, best }) => {
    const training = evaluations.at(-1)?.loss ?? steps.at(-1)?.loss;
    const last = Math.max(steps.at(-1)?.step ?? 0, evaluations.at(-1)?.step ?? 0);
    return [
      run.name,
      formatCount(last),
      training?.toFixed(4) ?? "",
      best?.loss.toFixed(4) ?? "",
      best ? bitsPerCharacter(best.loss).toFixed(4) : "",
      best ? formatCount(best.step) : "",
    ];
  });
}

/** The path of the checkpoint that stands for a run; undefined where there is none yet. */
export async function checkpointOf(run: RunFolder): Promise<string | undefined> {
  return checkpointsOf(run, await contentsOf(run))[0];
}
