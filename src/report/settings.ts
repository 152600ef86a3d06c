import type { CheckpointFacts } from "../checkpoint/checkpoint.js";
import { CELLS } from "../config/cells.js";
import type { Fold, Kind, StepChange } from "../config/kinds.js";
import { parameterCount } from "../config/parameters.js";
import type { RunConfig } from "../config/run.js";
import { TRAIN } from "../config/train.js";
import { duration, formatCount, spaced } from "../text.js";

/** A setting of a run, as people call it. */
export interface Setting {
  readonly group: string;
  readonly name: string;
  readonly value: string;
}

/** A setting of several runs. */
export interface ComparedSetting extends Omit<Setting, "value"> {
  /** Of each run; empty where it does not have it. */
  readonly values: readonly string[];
}

const TEXT = "Text";
const MODEL = "Model";

/** What options are called where their names say too little. */
const NAMES: Readonly<Record<string, string>> = {
  validation: "fraction held out for validation",
  test: "fraction held out for the test",
  documents: "separate texts",
  minCount: "least count of a character",
  stride: "characters from window to window",
  sectionWindows: "windows in a section",
  seqLength: "window length",
  accumulate: "batches in a step",
  maxTime: "time limit",
  replan: "changes of the number of steps",
  targetLoss: "target validation loss",
  warmupSteps: "warm-up steps",
  clipNorm: "clipping of the gradient norm",
  clipValue: "clip value of gradient elements",
  averageDecay: "decay of the average weights",
  evalEvery: "steps between evaluations",
  evalCharacters: "characters in an evaluation",
  calibrationCharacters: "characters to fit the temperature on",
  layers: "recurrent layers",
  members: "models that predict together",
  split: "choice of the held-out part",
};

/** The settings of a run, and the facts of its text and model, in groups. */
export function settingsOf({ config }: CheckpointFacts): Setting[] {
  const options = Object.entries(TRAIN as Readonly<Record<string, ShownOption>>);
  const settings = options.flatMap(([name, option]): Setting[] => {
    // What an imported model would be trained with is nothing that it was trained with.
    if (config.imported && option.checkpoint !== "model") return [];
    const part = option.checkpoint && (config[option.checkpoint] as Record<string, unknown>);
    const value = part?.[name] ?? option.absent;
    if (!part || value === undefined) return [];
    const shown = shownValue(name, value, option);
    return [{ group: groupOf(option), name: NAMES[name] ?? spaced(name), value: shown }];
  });
  const text = config.imported ? [] : textFacts(config);
  const all = [...text, ...modelFacts(config), ...settings];
  const groups = [...new Set(all.map(({ group }) => group))];
  return groups.flatMap((group) => all.filter((setting) => setting.group === group));
}

/** The settings of several runs side by side: those that differ, and those that are the same in all. */
export function comparedSettings(runs: readonly (readonly Setting[])[]): {
  differing: ComparedSetting[];
  equal: ComparedSetting[];
} {
  const keyOf = ({ group, name }: Omit<Setting, "value">) => `${group}\n${name}`;
  const maps = runs.map((own) => new Map(own.map((setting) => [keyOf(setting), setting])));
  const names = new Map(runs.flat().map((setting) => [keyOf(setting), setting]));
  const rows = [...names].map(([key, { group, name }]): ComparedSetting => {
    return { group, name, values: maps.map((own) => own.get(key)?.value ?? "") };
  });
  const isEqual = ({ values }: ComparedSetting) => values.every((value) => value === values[0]);
  return { differing: rows.filter((row) => !isEqual(row)), equal: rows.filter(isEqual) };
}

/** What is shown of an option. */
interface ShownOption {
  readonly kind: Kind<unknown>;
  readonly group?: string;
  readonly special?: string;
  readonly checkpoint?: "model" | "training" | "text" | "limits";
  readonly absent?: unknown;
}

/** `Length (the first limit reached ends the run):` as `Length`. */
function groupOf({ group = MODEL }: ShownOption): string {
  return group.replace(/ \(.*|:$/g, "");
}

function shownValue(name: string, value: unknown, { kind, special }: ShownOption): string {
  // Such as `0: off`.
  if (special?.startsWith(`${value}: `)) return special.slice(`${value}: `.length);
  if (name === "cell") return CELLS[value as RunConfig["model"]["cell"]].title;
  if (kind.type === "seconds") return duration(value as number);
  if (kind.type === "flag") return value ? "yes" : "no";
  if (kind.type === "fold") return `${(value as Fold).index} of ${(value as Fold).of}`;
  if (kind.type === "changes") {
    const changes = value as readonly StepChange[];
    return changes
      .map(({ step, steps }) => `${formatCount(steps)} from step ${formatCount(step)} on`)
      .join(", ");
  }
  if (kind.type === "whole number") return formatCount(value as number);
  return String(value);
}

function textFacts({ text }: RunConfig): Setting[] {
  const { characters, trainCharacters, validationCharacters, testCharacters, counting } = text;
  const rows: [name: string, value: string | undefined][] = [
    ["characters", formatCount(characters)],
    ["trained on", formatCount(trainCharacters)],
    ["validated on", formatCount(validationCharacters)],
    ["kept for the test", testCharacters > 0 ? formatCount(testCharacters) : undefined],
    [
      "n-gram baseline",
      counting && `${counting.loss.toFixed(3)} nats/char, ${counting.order}-grams`,
    ],
  ];
  return settings(TEXT, rows);
}

function modelFacts({ model }: RunConfig): Setting[] {
  return settings(MODEL, [
    ["parameters", formatCount(parameterCount(model))],
    ["vocabulary size", formatCount(model.vocabularySize)],
  ]);
}

function settings(
  group: string,
  rows: readonly (readonly [name: string, value: string | undefined])[],
): Setting[] {
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [{ group, name, value }]));
}
