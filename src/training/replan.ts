import type { Limits, Progress } from "../config/run.js";
import type { ReplanEvent } from "./events.js";
import type { Speed } from "./forecast.js";
import type { Pace } from "./pace.js";
import type { Run } from "./run.js";
import { lengthAfterMeasuring } from "./run-length.js";
import { endReached } from "./start-and-end.js";
import { secondsToMeasure, secondsToMeasureLater } from "./time-plan.js";

/**
 * Whether the speed of a run whose time is limited is to be measured again: early in the run, and some
 * times later, since other programs may slow the machine down at any time.
 *
 * @param pace since it was last measured
 */
export function isReplanDue({ progress, config, clock }: Run, pace: Pace): boolean {
  const { maxTime } = config.limits;
  if (maxTime === undefined || progress.badSteps > 0) return false;
  if (endReached({ config, progress })) return false;
  const last = progress.replan.at(-1);
  const { seconds } = pace;
  const left = maxTime - (clock() - seconds);
  if (!last) return seconds >= secondsToMeasure(left, pace.secondsPerEvaluation !== undefined);
  // A run that has gone back takes the steps up to its last change as it took them before.
  return progress.step > last.step && seconds >= secondsToMeasureLater(left, maxTime);
}

/**
 * Changes the number of steps where the run would end too early or too late, and notes what it was.
 *
 * @param pace since the speed was last measured
 * @param speed as it was then
 * @returns what to report, where the number was changed, and the speed
 * @throws the reason of the signal when it is aborted
 */
export async function replan(
  run: Run,
  pace: Pace,
  speed: Speed,
  signal: AbortSignal | undefined,
): Promise<{ readonly event: ReplanEvent | undefined; readonly speed: Speed }> {
  const { progress, config, clock } = run;
  const { step, totalSteps: before = step } = progress;
  const { secondsPerStep = speed.secondsPerStep, secondsPerEvaluation } = pace;
  const isFirst = progress.replan.length === 0;
  const after = await lengthAfterMeasuring(
    run,
    { secondsPerStep, secondsPerEvaluation },
    config.limits.maxTime as number,
    { speed: isFirst ? undefined : speed, signal },
  );
  const { totalSteps } = after;
  const isChanged = totalSteps !== before;
  // That it was looked at once is noted too.
  if (isFirst || isChanged) progress.replan = [...progress.replan, { step, totalSteps: before }];
  progress.totalSteps = totalSteps;
  if (!isChanged) return { event: undefined, speed: after.speed };
  const event: ReplanEvent = { event: "replan", step, before, totalSteps, seconds: clock() };
  return { event, speed: after.speed };
}

/** The changes that a run with these limits will make, as its progress notes them. */
export function plannedChanges({ steps = 0, replan = [] }: Limits): Progress["replan"] {
  return replan.map(({ step }, k) => ({ step, totalSteps: replan[k - 1]?.steps ?? steps }));
}
