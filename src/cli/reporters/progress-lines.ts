import { duration, formatCount } from "../../text.js";
import { stepOf } from "../format/format.js";
import { bar, withFacts } from "../terminal/bar.js";
import { sparkline } from "../terminal/chart.js";
import type { Marks } from "../terminal/marks.js";
import type { Drawing } from "../terminal/progress.js";
import type { FollowedRun } from "./followed-run.js";

/** A terminal of fewer columns gets one line, with only the most important facts. */
const WIDTH_FOR_TWO_LINES = 80;
/** Of the curve of validation losses, in characters. */
const CURVE_WIDTH = 10;
const MAX_BAR_LENGTH = 40;

/** The progress of a run: how far it is, and how good its model is so far. */
export function progressLines(run: FollowedRun, width: number, marks: Marks): Drawing {
  const { fraction } = run;
  const isNarrow = width < WIDTH_FOR_TWO_LINES;
  const length = isNarrow ? Math.floor(width / 6) : Math.min(width - 60, MAX_BAR_LENGTH);
  const start =
    fraction === undefined
      ? ""
      : `${bar(fraction, length, marks)} ${Math.floor(100 * fraction)}%  `;
  const left = run.secondsLeft;
  const timeLeft = left === undefined ? [] : [`${duration(left)} left`];
  if (isNarrow) {
    const how = [...timeLeft, ...losses(run).map(({ name, loss }) => `${name} ${loss}`)];
    return { fraction, lines: [withFacts(start, how, width)] };
  }
  return {
    fraction,
    lines: [
      withFacts(start, [...position(run), ...timeLeft], width),
      withFacts("", quality(run, marks), width),
    ],
  };
}

/** `step 500 of 595, epoch 4 of 5, 17 s left: training 0.856 ...`, where no bar is drawn. */
export function progressSentence(run: FollowedRun): string {
  const left = run.secondsLeft;
  const where = [...position(run), ...(left === undefined ? [] : [`${duration(left)} left`])];
  const how = losses(run).map(({ name, loss }) => `${name} ${loss}`);
  return `${where.join(", ")}: ${[...how, ...speed(run)].join(", ")}`;
}

function position({ latest, started, totalSteps, totalEpochs }: FollowedRun): string[] {
  const step = stepOf(latest?.step ?? started?.step ?? 0, totalSteps);
  if (!latest) return [step];
  const of = totalEpochs === undefined ? "" : ` of ${formatCount(totalEpochs)}`;
  return [step, `epoch ${formatCount(latest.epoch)}${of}`];
}

/** `loss: training 0.856`, `held out 2.235, best 2.230 ▇▃▂▁`, `9,856 chars/s` */
function quality(run: FollowedRun, marks: Marks): string[] {
  const { heldOut, best, sinceBest } = run;
  const facts = losses(run).map(({ name, loss }) => `${name} ${loss}`);
  if (facts.length === 0) return [];
  const curve = heldOut.length > 1 ? ` ${sparkline(heldOut, CURVE_WIDTH, marks)}` : "";
  const isBest = best && sinceBest === 0 ? " (best)" : "";
  const bestBefore = best && sinceBest > 0 ? [`best ${best.loss.toFixed(3)}`] : [];
  const [first, ...rest] = facts;
  return [
    `loss: ${first}`,
    ...rest.map((fact) => `${fact}${curve}${isBest}`),
    ...bestBefore,
    ...speed(run),
  ];
}

function losses({ latest, heldOut }: FollowedRun): { name: string; loss: string }[] {
  const last = heldOut.at(-1);
  return [
    ...(latest ? [{ name: "training", loss: latest.loss.toFixed(3) }] : []),
    ...(last === undefined ? [] : [{ name: "held out", loss: last.toFixed(3) }]),
  ];
}

function speed({ latest }: FollowedRun): string[] {
  return latest ? [`${formatCount(latest.charsPerSecond)} chars/s`] : [];
}
