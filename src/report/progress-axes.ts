import { batchRows } from "../config/run.js";
import type { Point } from "../runs/thinned.js";
import { steadilyBinned } from "./binned.js";
import type { AxisMetric } from "./page/script/data.js";
import type { ReportedRun } from "./reported-run.js";

/** Enough for a straight line between two of them to be as good as the truth. */
const MAX_POINTS = 200;

/** What a run had read, and how long it had taken, by its steps; without points where nothing says so. */
export function progressAxes(run: ReportedRun): Record<AxisMetric, readonly Point[]> {
  const { steps, evaluations } = run.metrics;
  const records = [...steps, ...evaluations].sort((a, b) => a.step - b.step);
  const epochAt = epochsBy(records, run);
  const charactersAt = charactersBy(run, epochAt);
  const points = (valueAt: ((step: number) => number) | undefined) =>
    valueAt
      ? steadilyBinned(
          records.map(({ step }): Point => [step, valueAt(step)]),
          MAX_POINTS,
        ).map(({ x, y }): Point => [x, y])
      : [];
  const seconds = steadilyBinned(
    records.map(({ step, seconds }): Point => [step, seconds]),
    MAX_POINTS,
  ).map(({ x, y }): Point => [x, y]);
  return { epoch: points(epochAt), seconds, characters: points(charactersAt) };
}

interface InEpoch {
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
}

/**
 * How many epochs are done after a step, as a fraction.
 *
 * @returns undefined where no epoch is over and nothing says how long one is
 */
function epochsBy(
  records: readonly InEpoch[],
  { facts }: ReportedRun,
): ((step: number) => number) | undefined {
  // The last step of each epoch that is over, and how many are over then.
  const ends: InEpoch[] = [{ step: 0, epoch: 0 }];
  for (const [k, { step, epoch }] of records.entries()) {
    const next = records[k + 1];
    if (next && next.epoch > epoch && step > (ends.at(-1) as InEpoch).step) {
      ends.push({ step, epoch });
    }
  }
  const last = ends[ends.length - 1];
  const stepsPerEpoch = last.epoch > 0 ? last.step / last.epoch : stepsInEpoch(facts);
  if (stepsPerEpoch === undefined) return undefined;
  const latest = records.at(-1)?.epoch ?? 0;
  let at = 0;
  return (step) => {
    if (step < ends[at].step) at = 0;
    while (at + 1 < ends.length && step > ends[at + 1].step) at++;
    const from = ends[at];
    const to = ends[at + 1] ?? { step: from.step + stepsPerEpoch, epoch: from.epoch + 1 };
    const epoch =
      from.epoch + ((to.epoch - from.epoch) * (step - from.step)) / (to.step - from.step);
    // How long the last one is is not known exactly.
    return Math.min(epoch, latest);
  };
}

/** How many steps an epoch takes by the settings of a run; for lists of lines only the text tells. */
function stepsInEpoch(facts: ReportedRun["facts"]): number | undefined {
  if (!facts || facts.config.text.documents) return undefined;
  const { training, text } = facts.config;
  return text.trainCharacters / (batchRows(training) * training.stride * training.accumulate);
}

function charactersBy(
  { facts }: ReportedRun,
  epochAt: ((step: number) => number) | undefined,
): ((step: number) => number) | undefined {
  if (!facts) return undefined;
  const { text, training } = facts.config;
  if (text.documents) return epochAt && ((step) => epochAt(step) * text.trainCharacters);
  const inStep = batchRows(training) * training.seqLength * training.accumulate;
  return (step) => step * inStep;
}
