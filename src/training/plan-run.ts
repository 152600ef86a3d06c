import { startClock } from "../clock.js";
import { namesIn } from "../config/run.js";
import { definedOnly, pick } from "../config/schema.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import { alone } from "../ranks/alone.js";
import { joinAll } from "../ranks/join.js";
import { openBackendOf } from "../ranks/open-backend.js";
import { leading } from "./lead.js";
import { readAndPlan } from "./new-run.js";
import { checkedTrainSettings, type TogetherOptions } from "./settings.js";
import { forRanks } from "./workers-of-ranks.js";

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
  {
    ranks = alone(),
    signal,
    stdin,
    inputs,
    onPreparation,
    clock = startClock(),
  }: TogetherOptions = {},
): Promise<PlannedRun> {
  const settings = forRanks(checkedTrainSettings(given), ranks);
  onPreparation?.("reading");
  const rankZero = leading(ranks);
  const { backend = TRAIN_DEFAULTS.backend, threads } = settings;
  const selected = await openBackendOf(ranks, backend, threads);
  await joinAll(rankZero, selected, threads);
  const options = { signal, stdin, inputs, onPreparation, clock, rankZero };
  const { plan } = await readAndPlan(settings, selected, options);
  const { model, training, text, limits } = plan.config;
  // What was given stays where a config has nothing for it: `ngramOrder: 1`, `calibrationCharacters: 0`.
  const decided = definedOnly({
    ...pick(model, namesIn("model")),
    ...pick(training, namesIn("training")),
    ...limits,
    lineEnds: text.lineEnds,
  });
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
