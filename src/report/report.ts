import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import { REPORT, REPORT_DEFAULTS, type ReportSettings } from "../config/report.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { Inputs } from "../data/inputs.js";
import { CharnnError } from "../errors.js";
import type { Metrics } from "../runs/metrics-collector.js";
import { readMetrics } from "../runs/metrics-reader.js";
import { checkpointsOf, contentsOf } from "../runs/run-contents.js";
import type { RunFolder } from "../runs/run-folder.js";
import { chartsOf } from "./charts.js";
import { type ModelParts, modelParts, NO_MODEL } from "./model-parts.js";
import type { Counts, VocabularyView } from "./neighbours.js";
import type { Charts } from "./page/script/data.js";
import { type ReportedRun, totalStepsOf } from "./reported-run.js";
import type { OnWork, TextView, ViewSettings } from "./view-text.js";

const reportSettingsSchema = settingsSchema<ReportSettings>(REPORT);

export interface ReportOptions {
  /** What the file `-` of the text stands for. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  /** Called with what begins, where a report takes its time. */
  readonly onWork?: OnWork;
}

/** All that a report shows. */
export interface Report {
  readonly title: string;
  readonly runs: readonly ReportedRun[];
  readonly charts: Charts;
  /** Of each run, in their order; undefined of one without a checkpoint. */
  readonly vocabularies: readonly (VocabularyView | undefined)[];
  /** A text as the first run's model sees it. */
  readonly view: TextView | undefined;
  readonly warnings: readonly string[];
}

/** The settings of a report, checked and with their defaults. */
export interface ReportPlan {
  /** Names or folders of runs, empty for the newest that has reported a step. */
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
  { stdin, signal, onWork }: ReportOptions = {},
): Promise<Report> {
  const { names, out, text } = planReport(settings);
  const all: Metrics[] = [];
  for (const name of names.length > 0 ? names : [undefined]) {
    all.push(await readMetrics(name, out, { signal }).catch(withOtherWay));
  }
  const options = { inputs: new Inputs(stdin), signal, onWork };
  const runs: ReportedRun[] = [];
  const parts: ModelParts[] = [];
  for (const [k, metrics] of all.entries()) {
    const checkpoint = await checkpointOf(metrics.run);
    if (k === 0 && text && checkpoint === undefined) throw nothingToLookWith(metrics.run);
    const counts = (facts: CheckpointFacts) => countsFor(facts, parts[0]);
    const own =
      checkpoint === undefined
        ? NO_MODEL
        : await modelParts(checkpoint, k === 0 ? text : undefined, { ...options, counts });
    parts.push(own);
    runs.push({ metrics, facts: own.facts, totalSteps: await totalStepsOf(metrics.run) });
  }
  return reportOf(runs, parts);
}

/** A run that has reported nothing yet can be waited for. */
function withOtherWay(error: unknown): never {
  if (!(error instanceof CharnnError) || error.code !== "NOT_FOUND") throw error;
  const { code, message, hint = "", cause } = error;
  const otherWay = "With `watch` charnn waits for the first report, and the page follows the run.";
  throw new CharnnError(code, message, `${otherWay} ${hint}`.trim(), { cause });
}

/**
 * The counts of the text that the first model has looked at, where they are those of another one too: it reads the
 * text in the same way, and all of its characters are among them.
 */
function countsFor(
  { config, vocabulary }: CheckpointFacts,
  first: ModelParts | undefined,
): Counts | undefined {
  const counts = first?.view?.counts;
  const read = first?.facts?.config.text;
  if (!counts || !read || !READING.every((name) => read[name] === config.text[name])) {
    return undefined;
  }
  const tokens = Array.from(vocabulary.codePoints(), (it) => vocabulary.indexOf(it) as number);
  return tokens.every((it) => counts.has(vocabulary.characterAt(it))) ? counts : undefined;
}

/** What decides which characters a model reads in a text. */
const READING = ["documents", "lineEnds", "normalize", "lowercase"] as const;

function nothingToLookWith({ name }: RunFolder): CharnnError {
  return new CharnnError(
    "NOT_FOUND",
    `The run ${name} has no checkpoint yet, so there is no model to score \`text\` with.`,
    "Leave `text` out, or give `watch`, which waits for its first checkpoint.",
  );
}

/** @param title names the runs when it is left out */
export function reportOf(
  runs: readonly ReportedRun[],
  parts: readonly ModelParts[],
  title = runs.map(({ metrics: { run } }) => run.name).join(", "),
): Report {
  return {
    title: `charnn: ${title}`,
    runs,
    charts: chartsOf(runs),
    vocabularies: parts.map(({ vocabulary }) => vocabulary),
    view: parts[0]?.view,
    warnings: [
      ...runs.flatMap(({ metrics }) => metrics.warnings),
      ...parts.flatMap(({ warnings }) => warnings),
    ],
  };
}

/** The path of the checkpoint that stands for a run; undefined where there is none yet. */
export async function checkpointOf(run: RunFolder): Promise<string | undefined> {
  return checkpointsOf(run, await contentsOf(run))[0];
}
