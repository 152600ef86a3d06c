import * as v from "valibot";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { readCheckpoint } from "../checkpoint/checkpoint.js";
import { findCheckpoint } from "../checkpoint/find-runs.js";
import { INVALID_NAMES, REPORT_DEFAULTS } from "../defaults.js";
import { CharnnError } from "../errors.js";
import { backendSettings, checked, definedOnly, oneOf } from "../settings.js";
import { bitsPerCharacter } from "../training/evaluate.js";
import { chartsOf } from "./charts.js";
import { readMetrics } from "./metrics.js";
import type { Metrics } from "./metrics-collector.js";
import { type Neighbours, neighboursOf } from "./neighbours.js";
import type { Charts } from "./page/script/data.js";
import { type TextView, viewText } from "./view-text.js";

const reportSettingsSchema = v.strictObject({
  /** Names or folders of runs; the one that reported last when empty. */
  runs: v.optional(v.array(v.string())),
  /** The folder in which runs have theirs. */
  out: v.optional(v.string()),
  /** Files and folders of a text to look at with the first run's model. */
  text: v.optional(v.array(v.string())),
  encoding: v.optional(v.string()),
  /** What to do with bytes that are wrong in it. */
  invalid: v.optional(oneOf(INVALID_NAMES)),
  unknown: v.optional(oneOf(["error", "skip"])),
  ...backendSettings,
});

export type ReportSettings = v.InferInput<typeof reportSettingsSchema>;

export interface ReportOptions {
  /** What the file `-` of the text stands for. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** All that a report shows. */
export interface Report {
  readonly title: string;
  readonly runs: readonly Metrics[];
  readonly charts: Charts;
  /** A row for each run, as `page.ts` has its head. */
  readonly figures: readonly (readonly string[])[];
  /** Of the first run, where it has a checkpoint: names and values. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly neighbours: readonly Neighbours[];
  readonly vocabularySize: number;
  readonly view: TextView | undefined;
  readonly warnings: readonly string[];
}

/**
 * Gathers what a report shows of some runs, and with a text what the first one's model makes of it.
 *
 * @throws CharnnError for a run that is not there or has reported nothing, and for a text that can't be
 *   read
 */
export async function makeReport(
  settings: ReportSettings,
  { stdin, signal }: ReportOptions = {},
): Promise<Report> {
  const { runs: names = [], text, threads, ...given } = checked(reportSettingsSchema, settings);
  const { out, encoding, invalid, unknown, backend } = {
    ...REPORT_DEFAULTS,
    ...definedOnly(given),
  };
  const warnings: string[] = [];
  const runs: Metrics[] = [];
  for (const name of names.length > 0 ? names : [undefined])
    runs.push(await readMetrics(name, out));
  for (const run of runs) for (const warning of run.warnings) warnings.push(warning);
  const checkpoint = await checkpointOf(runs[0]);
  if (text && !checkpoint) {
    throw new CharnnError(
      "NOT_FOUND",
      `The run ${runs[0].run.name} has no checkpoint yet, so there is no model to look at a text with.`,
      "Leave --text out, or wait for its first checkpoint.",
    );
  }
  const engine = { backend, threads };
  const view =
    text && checkpoint
      ? await viewText(
          checkpoint,
          { files: text, encoding, invalid, out, unknown, engine },
          { stdin, signal, onWarning: (warning) => warnings.push(warning) },
        )
      : undefined;
  return {
    title: `charnn: ${runs.map(({ run }) => run.name).join(", ")}`,
    runs,
    charts: chartsOf(runs),
    figures: figuresOf(runs),
    settings: checkpoint ? settingsOf(checkpoint) : [],
    neighbours: checkpoint ? neighboursOf(checkpoint, view?.counts) : [],
    vocabularySize: checkpoint?.vocabulary.size ?? 0,
    view,
    warnings,
  };
}

/** How each run stands: a row of what `page.ts` has the head of. */
export function figuresOf(runs: readonly Metrics[]): string[][] {
  return runs.map(({ run, steps, evaluations, best }) => {
    const training = evaluations.at(-1)?.loss ?? steps.at(-1)?.loss;
    const last = Math.max(steps.at(-1)?.step ?? 0, evaluations.at(-1)?.step ?? 0);
    return [
      run.name,
      last.toLocaleString("en"),
      training?.toFixed(4) ?? "",
      best?.loss.toFixed(4) ?? "",
      best ? bitsPerCharacter(best.loss).toFixed(4) : "",
      best?.step.toLocaleString("en") ?? "",
    ];
  });
}

/** The checkpoint that stands for a run; undefined where there is none yet. */
async function checkpointOf({ run }: Metrics): Promise<Checkpoint | undefined> {
  let path: string;
  try {
    path = await findCheckpoint(run.path, run.path);
  } catch (error) {
    if (error instanceof CharnnError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
  return readCheckpoint(path);
}

function settingsOf({ config, progress }: Checkpoint): [name: string, value: string][] {
  const { fingerprint, ...text } = config.text;
  const groups = { model: config.model, text, training: config.training, limits: config.limits };
  const rows = Object.entries(groups).flatMap(([group, values]) =>
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [`${group}: ${spaced(name)}`, shown(value)]),
  );
  return [...rows, ["checkpoint: step", shown(progress.step)]];
}

/** `hiddenSize` as `hidden size` */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function shown(value: unknown): string {
  if (typeof value === "number") return value >= 1_000 ? value.toLocaleString("en") : String(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
