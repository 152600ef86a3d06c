import { selectBackend } from "../backends/select.js";
import { startClock } from "../clock.js";
import { namesIn } from "../config/run.js";
import { definedOnly, pick } from "../config/schema.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { rankZeroAlone } from "../ranks/rank-zero.js";
import { readAndPlan } from "./new-run.js";
import { checkedTrainSettings, type TrainOptions } from "./settings.js";

/** What a new run would be. */
export interface PlannedRun {
  /** Those that were given, and all that is decided where nothing was. */
  readonly settings: TrainSettings;
  /** What the user should know before it starts. */
  readonly warnings: readonly string[];
}

/**
 * Decides all that a new run leaves open, as `train` does, and then neither trains nor writes anything.
 *
 * @throws CharnnError for what is wrong with the settings or the text; the reason of the signal once it is
 *   aborted
 */
export async function planRun(
  given: TrainSettings,
  { signal, stdin, inputs, onPreparation, clock = startClock() }: TrainOptions = {},
): Promise<PlannedRun> {
  const settings = checkedTrainSettings(given);
  onPreparation?.("reading");
  const selected = await selectBackend(
    settings.backend ?? TRAIN_DEFAULTS.backend,
    settings.threads,
  );
  const options = { signal, stdin, inputs, onPreparation, clock, rankZero: rankZeroAlone() };
  const { plan } = await readAndPlan(settings, selected, options);
  const { model, training, text, limits } = plan.config;
  const decided = {
    ...pick(model, namesIn("model")),
    ...pick(training, namesIn("training")),
    ...limits,
    lineEnds: text.lineEnds,
  };
  return {
    settings: definedOnly({ ...settings, ...decided, ...withoutMeaning(settings, training) }),
    warnings: plan.warnings,
  };
}

/** What a config always says, and what is refused as a setting where it means nothing. */
function withoutMeaning(
  { validation, validationFile }: TrainSettings,
  { batching, stride }: { readonly batching: string; readonly stride: number },
): Pick<TrainSettings, "validation" | "stride"> {
  return {
    ...(validationFile !== undefined && { validation }),
    stride: batching === "windows" ? stride : undefined,
  };
}
