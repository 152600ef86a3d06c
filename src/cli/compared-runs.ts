import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import { namesIn } from "../config/run.js";
import { TRAIN } from "../config/train.js";
import { CharnnError } from "../errors.js";
import { comparedSettings, settingsOf } from "../report/settings.js";
import { contentsOf } from "../runs/run-contents.js";
import type { RunFolder } from "../runs/run-folder.js";
import { readRunFacts } from "../runs/saved-states.js";
import { bitsPerCharacter, formatCount, hyphened } from "../text.js";

/** What differs between two runs, by name: of the first and of the second, null where it has none. */
type Differences = Readonly<Record<string, readonly [unknown, unknown]>>;

/** Two runs side by side. */
export interface ComparedRuns {
  readonly runs: readonly [string, string];
  /** Whether they learned from the same text, so that their losses can be compared. */
  readonly isSameText: boolean;
  readonly settings: Differences;
  readonly results: Differences;
  /** The same as rows of a table: name, first, second. */
  readonly shown: { readonly settings: string[][]; readonly results: string[][] };
}

/**
 * Compares two runs by what their last checkpoints say.
 *
 * @throws CharnnError for a run without a checkpoint that can be read
 */
export async function compareRuns(folders: readonly [RunFolder, RunFolder]): Promise<ComparedRuns> {
  const facts = await Promise.all(folders.map(factsOf));
  const [one, other] = facts;
  const settings = facts.map(namedSettings);
  const results = facts.map(resultsOf);
  const { differing } = comparedSettings(facts.map(settingsOf));
  return {
    runs: [folders[0].name, folders[1].name],
    isSameText: one.config.text.fingerprint === other.config.text.fingerprint,
    settings: differences(settings[0], settings[1]),
    results: differences(results[0], results[1]),
    shown: {
      settings: differing.map(({ name, values }) => [name, ...values.map((it) => it || "-")]),
      results: shownResults(results[0], results[1]),
    },
  };
}

async function factsOf(folder: RunFolder): Promise<CheckpointFacts> {
  const contents = await contentsOf(folder);
  if (contents && (contents.last || contents.best || contents.steps.length > 0)) {
    return readRunFacts(folder, contents);
  }
  throw new CharnnError(
    "NOT_FOUND",
    `The run ${folder.name} has no checkpoint yet.`,
    "Wait for its first evaluation.",
  );
}

/** What a checkpoint keeps of the options of a training, by their long names. */
function namedSettings({ config }: CheckpointFacts): Map<string, unknown> {
  const parts = ["model", "text", "training", "limits"] as const;
  // Nobody knows how an imported model was trained.
  const isKnown = (part: (typeof parts)[number]) => part === "model" || !config.imported;
  return new Map(
    parts.flatMap((part) =>
      namesIn(part).map((name) => {
        const values = config[part] as Readonly<Record<string, unknown>>;
        const { absent } = TRAIN[name] as { readonly absent?: unknown };
        const value = isKnown(part) ? (values[name] ?? absent) : undefined;
        return [hyphened(name), value ?? null] as const;
      }),
    ),
  );
}

/** Losses in nats/character. */
function resultsOf({ progress }: CheckpointFacts): Map<string, number | null> {
  const { step, epoch, bestLoss, bestStep, trainingLoss } = progress;
  return new Map([
    ["bestLoss", bestLoss ?? null],
    ["bestStep", bestStep ?? null],
    ["trainingLoss", trainingLoss ?? null],
    ["step", step],
    ["epoch", epoch],
  ]);
}

function differences(
  one: ReadonlyMap<string, unknown>,
  other: ReadonlyMap<string, unknown>,
): Differences {
  const differing = [...one].filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(other.get(name)),
  );
  return Object.fromEntries(differing.map(([name, value]) => [name, [value, other.get(name)]]));
}

const RESULTS: Readonly<Record<string, string>> = {
  bestLoss: "held-out loss",
  bestStep: "best at step",
  trainingLoss: "training loss",
  step: "steps",
  epoch: "whole epochs",
};

function shownResults(
  one: ReadonlyMap<string, number | null>,
  other: ReadonlyMap<string, number | null>,
): string[][] {
  const rows = Object.entries(RESULTS).map(([name, shown]) => [
    shown,
    ...[one, other].map((results) => figure(name, results.get(name))),
  ]);
  const bits = [one, other].map((results) => {
    const loss = results.get("bestLoss");
    return loss == null ? "-" : bitsPerCharacter(loss).toFixed(3);
  });
  return [rows[0], ["bits per character", ...bits], ...rows.slice(1)];
}

function figure(name: string, value: number | null | undefined): string {
  if (value == null) return "-";
  return name.endsWith("Loss") ? value.toFixed(4) : formatCount(value);
}
