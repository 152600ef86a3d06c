import type { RunConfig } from "../../config/run.js";

/** `dropout 0.3`, `weight decay 0.1` ...: what keeps a run from learning its text by heart. */
export function regularization(training: RunConfig["training"]): string[] {
  const rates = [
    ["dropout", training.dropout],
    ["input dropout", training.inputDropout],
    ["recurrent dropout", training.recurrentDropout],
    ["weight dropout", training.weightDropout],
    ["weight decay", training.weightDecay],
  ] as const;
  return rates.filter(([, rate]) => rate > 0).map(([name, rate]) => `${name} ${rate}`);
}
