import type { EndEvent, StartEvent } from "../../index.js";

/** The options that repeat a run whose time was limited, on any machine, in place of those limits. */
export function optionsToRepeat(
  { config, choice }: Pick<StartEvent, "config" | "choice">,
  { totalSteps, replan }: Pick<EndEvent, "totalSteps" | "replan">,
): string {
  const { preset, evalCharacters } = config.training;
  const planned = replan?.totalSteps ?? totalSteps;
  const isChanged = replan !== undefined && replan.totalSteps !== totalSteps;
  return [
    ...(choice ? ["--preset", preset] : []),
    ...["--steps", planned],
    ...(isChanged ? ["--replan", `${replan.step}:${totalSteps}`] : []),
    ...(evalCharacters === undefined ? [] : ["--eval-characters", evalCharacters]),
  ].join(" ");
}
