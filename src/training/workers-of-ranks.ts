import type { TrainSettings } from "../config/train-settings.js";
import { CharnnError } from "../errors.js";
import type { Ranks } from "../ranks/ranks.js";
import { counted } from "../text.js";

/**
 * The settings of a new run, with a worker for each rank where their number is left open.
 *
 * @throws CharnnError `INVALID_SETTING` for fewer workers than ranks
 */
export function forRanks(settings: TrainSettings, { size }: Ranks): TrainSettings {
  if (size === 1) return settings;
  const { workers = size } = settings;
  if (workers >= size) return { ...settings, workers };
  throw new CharnnError(
    "INVALID_SETTING",
    `${size} processes can't share ${counted(workers, "worker")}.`,
    `Start at most ${counted(workers, "process", "processes")}, or give \`workers: ${size}\`.`,
    { setting: "workers" },
  );
}
