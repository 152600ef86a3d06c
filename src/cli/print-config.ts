import { configFileOptions } from "../config/config-file-options.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { CommandContext } from "./context.js";
import type { Reporter } from "./reporters/reporter.js";

/** Prints what a run of these settings would be, as `--config` takes it. */
export async function printConfig(
  { terminal, interruption: { signal }, ranks }: CommandContext,
  settings: TrainSettings,
  reporter: Reporter,
  json: boolean | undefined,
): Promise<void> {
  const { planRun } = await import("../training/plan-run.js");
  const planned = await planRun(settings, {
    ranks,
    signal,
    stdin: process.stdin,
    onPreparation: reporter.prepare,
    clock: () => performance.now() / 1e3,
  }).finally(reporter.close);
  for (const warning of planned.warnings) terminal.warn(warning);
  const options = configFileOptions(planned.settings);
  await terminal.out(`${JSON.stringify(options, undefined, json ? undefined : 2)}\n`);
}
