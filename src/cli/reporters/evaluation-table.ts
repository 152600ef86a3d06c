import type { ChalkInstance } from "chalk";
import { formatCount } from "../../text.js";
import type { EvalEvent } from "../../training/events.js";
import { type Piece, styled, together } from "../terminal/styled.js";
import type { FollowedRun } from "./followed-run.js";

const WIDTHS = { epoch: 5, step: 9, loss: 10 };
/** Fewer evaluations in a row without a lower loss are not worth mentioning. */
const MANY_WITHOUT_LOWER = 2;

/** The first evaluations, which are all shown. */
const FIRST_ROWS = 20;
/** About how many of the later ones are shown. */
const LATER_ROWS = 40;

/** Which evaluations are shown: of hundreds only some. */
export class ShownRows {
  #shown = 0;
  #lastStep = 0;

  get isEmpty(): boolean {
    return this.#shown === 0;
  }

  /** @param isWanted whether it is shown in any case */
  take({ step }: EvalEvent, { totalSteps = 0 }: FollowedRun, isWanted: boolean): boolean {
    const isDue = step - this.#lastStep >= totalSteps / LATER_ROWS || step === totalSteps;
    if (!isWanted && !isDue && this.#shown >= FIRST_ROWS) return false;
    this.#shown++;
    this.#lastStep = step;
    return true;
  }
}

/** The head of the table of evaluations, which fits 40 columns. */
export function evaluationHead({ dim }: ChalkInstance, hasHeldOut: boolean): Piece {
  const cells = ["epoch", "step".padStart(WIDTHS.step), "training".padStart(WIDTHS.loss)];
  if (hasHeldOut) cells.push("held out".padStart(WIDTHS.loss));
  return styled(dim, cells.join(""));
}

/** An evaluation as a row of the table: epoch, step, losses in nats/char, and whether it is the best. */
export function evaluationRow(
  { epoch, step, loss, validationLoss, best }: EvalEvent,
  { sinceBest }: FollowedRun,
  { bold, green, dim }: ChalkInstance,
): Piece {
  const figure = (value: number | undefined) =>
    (value === undefined ? "" : value.toFixed(3)).padStart(WIDTHS.loss);
  const row = [
    formatCount(epoch).padStart(WIDTHS.epoch),
    formatCount(step).padStart(WIDTHS.step),
    figure(loss),
    ...(validationLoss === undefined ? [] : [figure(validationLoss)]),
  ].join("");
  if (best) return together([styled(bold, row), "  ", styled(green, "best")]);
  if (validationLoss === undefined || sinceBest < MANY_WITHOUT_LOWER) return row;
  return together([row, styled(dim, `  no lower for ${formatCount(sinceBest)}`)]);
}
