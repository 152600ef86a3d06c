import { type CheckpointFacts, readCheckpointFacts } from "../checkpoint/checkpoint.js";
import { beginningCommand, importCommandLine, trainCommandLine } from "../config/command-words.js";
import type { ImportSettings } from "../config/import.js";
import { namesIn, type RunConfig } from "../config/run.js";
import { TRAIN } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { CharnnError } from "../errors.js";
import type { Metrics } from "../runs/metrics-collector.js";
import type { RunFolder } from "../runs/run-folder.js";

/** A run as a report shows it. */
export interface ReportedRun {
  readonly metrics: Metrics;
  /** What its checkpoint says of it; undefined where there is none yet. */
  readonly facts: CheckpointFacts | undefined;
  /** How many steps it takes in all; undefined where nobody knows. */
  readonly totalSteps: number | undefined;
}

/** How many steps a run takes in all, by its last checkpoint; undefined where nothing says so. */
export async function totalStepsOf(run: RunFolder): Promise<number | undefined> {
  try {
    return (await readCheckpointFacts(run.last)).progress.totalSteps;
  } catch (error) {
    // It may lack one, or be saved again at this moment.
    if (error instanceof CharnnError) return undefined;
    throw error;
  }
}

/** The last step that a run has reported; 0 where it has reported none. */
export function lastStepOf({ steps, evaluations }: Metrics): number {
  return Math.max(steps.at(-1)?.step ?? 0, evaluations.at(-1)?.step ?? 0);
}

/** How many seconds a run had taken at its last report. */
export function secondsOf({ steps, evaluations }: Metrics): number {
  return Math.max(steps.at(-1)?.seconds ?? 0, evaluations.at(-1)?.seconds ?? 0);
}

/**
 * The command that makes a run: as it was given, or, for a run that has not recorded it, with every option
 * that its config does not have by default. Undefined where nothing says how the run was made.
 */
export function commandOf({ metrics, facts }: ReportedRun): string | undefined {
  const { origin, imported, run } = metrics;
  if (imported) {
    const settings = imported.settings as unknown as ImportSettings;
    return importCommandLine({ ...settings, name: run.name });
  }
  if (origin) return beginningCommand(origin, run.name);
  return (
    facts && trainCommandLine({ files: ["FILE"], name: run.name, ...settingsOf(facts.config) })
  );
}

/** The settings of a config that a run does not have by default. */
function settingsOf(config: RunConfig): Partial<TrainSettings> {
  const parts = ["model", "training", "text", "limits"] as const;
  const entries = parts.flatMap((part) =>
    namesIn(part).map((name) => {
      const values = config[part] as Readonly<Record<string, unknown>>;
      return [name, values[name]] as const;
    }),
  );
  const { stride, seqLength } = config.training;
  return Object.fromEntries(
    entries.filter(([name, value]) => {
      if (name === "stride") return stride !== seqLength;
      // A long text is read in whole lanes only if the user asked for it.
      if (name === "sectionWindows") return value !== undefined;
      const { default: byDefault, absent } = TRAIN[name] as Defaulted;
      return value !== undefined && value !== byDefault && value !== absent;
    }),
  );
}

interface Defaulted {
  readonly default?: unknown;
  readonly absent?: unknown;
}
