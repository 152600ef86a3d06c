import type { ChalkInstance } from "chalk";
import { formatCount } from "../../text.js";
import type { EvalEvent } from "../../training/events.js";
import { type Piece, styled } from "../terminal/styled.js";
import type { FollowedRun } from "./followed-run.js";

const WIDTHS = { epoch: 5, step: 9, loss: 10 };
/** Fewer evaluations without a lower loss are nothing to speak of. */
const MANY_WITHOUT_LOWER = 2;

/** The head of the table of evaluations, which fits 40 columns. */
export function evaluationHead({ dim }: ChalkInstance, hasHeldOut: boolean): Piece[] {
  const cells = ["epoch", "step".padStart(WIDTHS.step), "training".padStart(WIDTHS.loss)];
  if (hasHeldOut) cells.push("held out".padStart(WIDTHS.loss));
  return [styled(dim, cells.join(""))];
}

/** An evaluation as a row of the table: epoch, step, losses in nats/char, and whether it is the best. */
export function evaluationRow(
  { epoch, step, loss, validationLoss, best }: EvalEvent,
  { sinceBest }: FollowedRun,
  { bold, green, dim }: ChalkInstance,
): Piece[] {
  const figure = (value: number | undefined) =>
    (value === undefined ? "" : value.toFixed(3)).padStart(WIDTHS.loss);
  const row = [
    formatCount(epoch).padStart(WIDTHS.epoch),
    formatCount(step).padStart(WIDTHS.step),
    figure(loss),
    ...(validationLoss === undefined ? [] : [figure(validationLoss)]),
  ].join("");
  if (best) return [styled(bold, row), "  ", styled(green, "best")];
  if (validationLoss === undefined || sinceBest < MANY_WITHOUT_LOWER) return [row];
  return [row, styled(dim, `  no lower for ${formatCount(sinceBest)}`)];
}
