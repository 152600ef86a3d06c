import type { Metrics } from "../../runs/metrics-collector.js";
import { duration, formatCount } from "../../text.js";
import { lastStepOf, type ReportedRun, secondsOf } from "../reported-run.js";

/** Reports by whose speed the time left is estimated. */
const RECENT = 100;

/**
 * How far a run has come, in sentences.
 *
 * @param reportedAt when it reported last, where that is known
 * @param isTrained whether it goes on
 */
export function howFar(
  { metrics, totalSteps }: ReportedRun,
  reportedAt: Date | undefined,
  isTrained: boolean,
): string {
  const step = lastStepOf(metrics);
  const isPartial = totalSteps !== undefined && totalSteps >= step;
  const of = isPartial ? ` of ${formatCount(totalSteps)}` : "";
  const facts = [`Step ${formatCount(step)}${of}`];
  const left = isTrained && isPartial ? secondsLeft(metrics, totalSteps - step) : undefined;
  facts.push(
    left === undefined ? `in ${duration(secondsOf(metrics))}` : `about ${duration(left)} left`,
  );
  // The clock of this machine is that of its reader.
  const time = reportedAt && ` Last report at ${reportedAt.toLocaleTimeString("en-GB")}.`;
  return `${facts.join(", ")}.${time ?? ""}`;
}

/** At the speed of the last reports; undefined where these do not tell. */
function secondsLeft({ steps }: Metrics, stepsLeft: number): number | undefined {
  const recent = steps.slice(-RECENT);
  const [first, last] = [recent[0], recent.at(-1)];
  if (!first || !last || last.step <= first.step) return undefined;
  return ((last.seconds - first.seconds) / (last.step - first.step)) * stepsLeft;
}
