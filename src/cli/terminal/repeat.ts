import type { EndEvent, StartEvent } from "../../training/events.js";

/** The options that repeat a run whose time was limited, on any machine, in place of those limits. */
export function optionsToRepeat(
  { config, choice }: Pick<StartEvent, "config" | "choice">,
  { totalSteps, replan }: Pick<EndEvent, "totalSteps" | "replan">,
): string {
  const { preset, evalCharacters } = config.training;
  const planned = replan[0]?.totalSteps ?? totalSteps;
  const changes = replan.flatMap(({ step, totalSteps: before }, k) => {
    const steps = replan[k + 1]?.totalSteps ?? totalSteps;
    return steps === before ? [] : [`${step}:${steps}`];
  });
  return [
    ...(choice ? ["--preset", preset] : []),
    ...["--steps", planned],
    ...(changes.length > 0 ? ["--replan", changes.join(",")] : []),
    ...(evalCharacters === undefined ? [] : ["--eval-characters", evalCharacters]),
  ].join(" ");
}
