import { isDeepStrictEqual } from "node:util";
import type { TrainOption } from "../config/option.js";
import type { RunConfig } from "../config/run.js";
import { definedOnly } from "../config/schema.js";
import { TRAIN } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { CharnnError } from "../errors.js";
import type { RunFolder } from "../runs/run-folder.js";

/** A setting whose value in a run differs from what was asked for. */
export interface OtherSetting {
  readonly name: string;
  readonly saved: unknown;
  readonly asked: unknown;
}

/** The first setting that was asked for and that a run can't be resumed with, since it began with another value. */
export function otherSetting(config: RunConfig, settings: TrainSettings): OtherSetting | undefined {
  for (const [name, asked] of Object.entries(definedOnly(settings))) {
    const { checkpoint: part, absent }: TrainOption<unknown> = TRAIN[name as keyof TrainSettings];
    // A run may get other limits, and how often to evaluate is a matter of reporting.
    if (part === undefined || part === "limits" || name === "evalEvery") continue;
    const kept: Readonly<Record<string, unknown>> = { ...config[part] };
    const saved = kept[name] ?? absent;
    if (!isDeepStrictEqual(saved, asked)) return { name, saved, asked };
  }
  return undefined;
}

/** @throws CharnnError `CANNOT_RESUME` when a setting asked for differs from that of the run */
export function refuseOtherSettings(
  folder: RunFolder,
  config: RunConfig,
  settings: TrainSettings,
): void {
  const other = otherSetting(config, settings);
  if (!other) return;
  if (other.name === "fold") throw otherFold(folder, config, settings);
  throw new CharnnError(
    "CANNOT_RESUME",
    `${other.name} is ${shown(other.saved)} in the run ${folder.name}, not ${shown(other.asked)}.`,
    "Leave it out to continue the run, or start another one with another `name`.",
    { setting: other.name },
  );
}

/** A user gives the number of folds, and the cross-validation which one is trained. */
function otherFold(
  folder: RunFolder,
  { training }: RunConfig,
  { fold }: TrainSettings,
): CharnnError {
  const saved = training.fold?.of;
  return new CharnnError(
    "CANNOT_RESUME",
    saved === undefined
      ? `The run ${folder.name} is not a fold of a cross-validation.`
      : `crossValidate is ${saved} in the run ${folder.name}, not ${fold?.of}.`,
    saved === undefined
      ? "Start the cross-validation with another `name`."
      : `Give \`crossValidate: ${saved}\`, or start the cross-validation with another \`name\`.`,
    { setting: "crossValidate" },
  );
}

/** None of the runs on a text is the one that was asked for; `newest` is the newest of them. */
export function noRunWithSettings(newest: RunFolder, other: OtherSetting): CharnnError {
  return new CharnnError(
    "CANNOT_RESUME",
    `${other.name} ${shown(other.asked)} is the setting of no run on this text that can be resumed; in the newest, ` +
      `${newest.name}, it is ${shown(other.saved)}.`,
    "Leave it out, name a run with `name`, or leave out `resume` to start one.",
    { setting: other.name },
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "not set";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
