import { quoted } from "../shell-words.js";
import { hyphened } from "../text.js";
import { IMPORT, type ImportSettings } from "./import.js";
import type { Fold, StepChange } from "./kinds.js";
import { TRAIN } from "./train.js";
import type { TrainSettings } from "./train-settings.js";

/** An option as it is typed, each word quoted for a shell; nothing for a flag that is off. */
export function optionWords(name: string, value: unknown): string[] {
  const flag = `--${hyphened(name)}`;
  if (value === undefined) return [];
  if (typeof value === "boolean") {
    const isOnByDefault = byDefault(name) === true;
    if (value === isOnByDefault) return [];
    return [isOnByDefault ? `--no-${hyphened(name)}` : flag];
  }
  const word = Array.isArray(value)
    ? value.map(({ step, steps }: StepChange) => `${step}:${steps}`).join(",")
    : String(value);
  return word.startsWith("-") ? [quoted(`${flag}=${word}`)] : [flag, quoted(word)];
}

/** The command that trains with these settings, to be pasted into a shell. */
export function trainCommandLine({ files, fold, ...settings }: TrainSettings): string {
  let words = ["charnn", "train"];
  // A leading dash would make it an option; a path has none.
  for (const file of files) words.push(quoted(/^-./.test(file) ? `./${file}` : file));
  for (const name of Object.keys(TRAIN)) {
    const value: unknown = settings[name as keyof typeof settings];
    words = words.concat(optionWords(name, nameOfAll(name, value, fold)));
  }
  if (fold) words.push("--cross-validate", String(fold.of));
  return words.join(" ");
}

/** The command that began a run, with the name that the run has now. */
export function beginningCommand(
  { name: begunAs, settings }: { readonly name?: string | undefined; readonly settings: object },
  name: string,
): string {
  const given = settings as TrainSettings;
  const isNamed = given.name !== undefined || (begunAs !== undefined && begunAs !== name);
  return trainCommandLine(isNamed ? { ...given, name } : given);
}

/** The command that imports a model with these settings, to be pasted into a shell. */
export function importCommandLine({ weights, ...settings }: ImportSettings): string {
  const file = quoted(/^-./.test(weights) ? `./${weights}` : weights);
  const options = Object.keys(IMPORT).flatMap((name) =>
    optionWords(name, settings[name as keyof typeof settings]),
  );
  return ["charnn", "import", file, ...options].join(" ");
}

function byDefault(name: string): unknown {
  return (TRAIN[name as keyof typeof TRAIN] as { readonly default?: unknown }).default;
}

/** The name of all folds, of which one has a number at its end. */
function nameOfAll(option: string, value: unknown, fold: Fold | undefined): unknown {
  return option === "name" && fold && typeof value === "string"
    ? value.replace(/-fold-\d+$/, "")
    : value;
}
