import { dirname } from "node:path";
import { bitsPerCharacter, counted, duration, formatCount } from "../../text.js";
import type { EndEvent } from "../../training/events.js";
import { stepOf } from "../format/format.js";
import { optionsToRepeat } from "../resume-command.js";
import { bar } from "../terminal/bar.js";
import type { Marks } from "../terminal/marks.js";
import type { FollowedRun } from "./followed-run.js";
import { judgement } from "./judgement.js";

/** How a run ended if it did not reach its last step. */
const VERBS: Partial<Record<EndEvent["reason"], string>> = {
  interrupted: "Interrupted and saved",
  patience: "Stopped, since the held-out loss no longer fell",
  "target-loss": "Stopped, since the held-out loss is low enough",
};

/** A narrower terminal gets figures without bars. */
const WIDTH_FOR_BARS = 60;
const BAR_LENGTH = 24;

/** How a run ended and how good its model is: sentences, and a table of what to compare it with. */
export function endBlock(event: EndEvent, run: FollowedRun, width: number, marks: Marks): string[] {
  const table = comparison(event, width, marks);
  const { sentence } = judgement(event, run);
  const remarks = [
    ...(sentence === undefined || event.reason === "interrupted" ? [] : [sentence]),
    ...notes(event, run),
  ];
  return [
    outcome(event, run),
    ...(table.length > 0 ? ["", ...table] : []),
    ...(table.length > 0 && remarks.length > 0 ? [""] : []),
    ...remarks,
  ];
}

function outcome(event: EndEvent, run: FollowedRun): string {
  if (event.reason === "done") return `${dirname(event.path)} is already finished${longer(event)}`;
  const verb = VERBS[event.reason] ?? "Done";
  return `${verb}: ${stepOf(event.step, event.totalSteps)}, in ${timeTaken(event, run)}.`;
}

/** The training time, or, where the time was limited, the time of the whole command. */
function timeTaken({ seconds }: EndEvent, { started }: FollowedRun): string {
  const { maxTime } = started?.config.limits ?? {};
  if (maxTime === undefined) return duration(seconds - (started?.seconds ?? 0));
  return `${duration(seconds)} of ${duration(maxTime)}`;
}

/** How to continue a run that had already reached a limit. */
function longer({ reached }: EndEvent): string {
  if (reached === "patience") {
    return ", by its --patience: raise it to continue, or remove it with --patience 0.";
  }
  if (reached === "target-loss") {
    return ", by its --target-loss: lower it to continue, or remove it with --target-loss 0.";
  }
  return ": raise --epochs, --steps or --max-time to continue it.";
}

interface Compared {
  readonly what: string;
  /** Nats/char. */
  readonly loss: number;
  readonly remark?: string;
}

/** The model on the held-out part, beside the n-gram baseline and the part it was trained on, in bits/char. */
function comparison(event: EndEvent, width: number, marks: Marks): string[] {
  const { bestLoss, bestStep = event.step, wholeLoss, loss, testLoss, counting } = event;
  const heldOut = wholeLoss ?? bestLoss;
  const rows: Compared[] = [
    ...(heldOut === undefined
      ? []
      : [
          {
            what: "held-out part",
            loss: heldOut,
            remark: `best, at step ${formatCount(bestStep)}`,
          },
        ]),
    ...(testLoss === undefined ? [] : [{ what: "test part", loss: testLoss }]),
    ...(loss === undefined ? [] : [{ what: "training part", loss }]),
    ...(counting && heldOut !== undefined
      ? [{ what: `${counting.order}-gram baseline`, loss: counting.loss }]
      : []),
  ];
  if (rows.length === 0) return [];
  const longest = rows.reduce((most, { what }) => Math.max(most, what.length), 0);
  const most = rows.reduce((highest, row) => Math.max(highest, row.loss), 0);
  return [
    "  Bits per character (lower is better):",
    ...rows.map(({ what, loss: value, remark = "" }) => {
      const figure = bitsPerCharacter(value).toFixed(3);
      const line = `    ${what.padEnd(longest)}  ${figure}`;
      if (width < WIDTH_FOR_BARS) return line;
      return `${line}  ${bar(value / most, BAR_LENGTH, marks)}  ${remark}`.trimEnd();
    }),
  ];
}

/** What else to know about the figures. */
function notes(event: EndEvent, { started }: FollowedRun): string[] {
  const lines = partNote(event);
  if (event.droppedSteps > 0) {
    lines.push(
      `${counted(event.droppedSteps, "step")} skipped: the loss or its gradient was not finite.`,
    );
  }
  const all = started?.config.text.testCharacters ?? 0;
  const { testLoss, testedCharacters } = event;
  // All but the first character can be predicted.
  if (testLoss !== undefined && testedCharacters !== undefined && testedCharacters < all - 1) {
    lines.push(
      `The test covers only ${formatCount(testedCharacters)} of ${formatCount(all)} characters: there was no time for the rest.`,
    );
  }
  const isTimed = started?.config.limits.maxTime !== undefined;
  if (isTimed && !["interrupted", "done"].includes(event.reason)) {
    lines.push(
      `To repeat this run exactly, replace --max-time with: ${optionsToRepeat(started, event)}`,
    );
  }
  return lines;
}

/** Where evaluations scored a part of what is held out: what each figure covers. */
function partNote(event: EndEvent): string[] {
  const { evalCharacters, bestLoss, wholeLoss, validationCharacters } = event;
  if (evalCharacters === undefined || bestLoss === undefined) return [];
  const part = `${formatCount(evalCharacters)} of ${formatCount(validationCharacters)} held-out characters`;
  return [
    wholeLoss === undefined
      ? `The held-out loss was measured on only ${part}: there was no time for the rest.`
      : `Evaluations during the run scored ${part}, and gave ${bitsPerCharacter(bestLoss).toFixed(3)} for the best step.`,
  ];
}
