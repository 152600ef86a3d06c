import type { CellName } from "../../config/cells.js";
import type { CellSteps } from "./cell-steps.js";
import { gruSteps } from "./gru.js";
import { lstmSteps } from "./lstm.js";
import { tanhSteps } from "./tanh-rnn.js";

/** The arithmetic of each cell; `test/reference/cells.ts` defines what it is. */
export const CELL_STEPS: Readonly<Record<CellName, CellSteps>> = {
  gru: gruSteps,
  lstm: lstmSteps,
  rnn: tanhSteps,
};
