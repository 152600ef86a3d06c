import { REGULARIZERS } from "../../config/optimization.js";
import type { RunConfig } from "../../config/run.js";
import { spaced } from "../../text.js";

/** `dropout 0.3`, `weight decay 0.1` ...: what keeps a run from learning its text by heart. */
export function regularization(training: RunConfig["training"]): string[] {
  return REGULARIZERS.filter((name) => training[name] > 0).map(
    (name) => `${spaced(name)} ${training[name]}`,
  );
}
