import { hyphened } from "../text.js";
import type { StepChange } from "./kinds.js";
import type { TrainOption } from "./option.js";
import { TRAIN } from "./train.js";
import type { TrainSettings } from "./train-settings.js";

/** What a file of options holds: texts and numbers, and `true` for flags that are on. */
type ConfigFileOptions = Readonly<Record<string, string | number | boolean>>;

/** Options that must be typed: what they say is needed before a file of options is read. */
export const TYPED_ONLY: ReadonlySet<string> = new Set(["config", "mpi"]);

/** Settings as a file of options holds them, in the order of the help; without those of one run alone. */
export function configFileOptions(settings: TrainSettings): ConfigFileOptions {
  const options: Record<string, string | number | boolean> = {};
  const table = Object.entries(TRAIN as Readonly<Record<string, TrainOption<unknown>>>);
  for (const [name, { kind, help, onResume, default: byDefault }] of table) {
    const value: unknown = settings[name as keyof TrainSettings];
    if (help === undefined || onResume === "beginning" || value === undefined) continue;
    if (kind.type === "flag") {
      const isOnByDefault = byDefault === true;
      if (value !== isOnByDefault) options[`${isOnByDefault ? "no-" : ""}${hyphened(name)}`] = true;
    } else if (kind.type === "changes") {
      const changes = value as readonly StepChange[];
      options[hyphened(name)] = changes.map(({ step, steps }) => `${step}:${steps}`).join(",");
    } else {
      options[hyphened(name)] = value as string | number;
    }
  }
  return options;
}
