import type { Option } from "commander";
import { CELL_NAMES } from "../../config/cells.js";
import {
  BACKEND_NAMES,
  INVALID_NAMES,
  RUNS_FOLDER,
  TRAIN_DEFAULTS,
} from "../../config/defaults.js";
import { choice, option } from "./option.js";
import { number } from "./parsers.js";

/** What a run may be given as, for every command that reads one. */
export const RUN_ARGUMENT =
  "a run's name or folder, or a checkpoint file; the newest run when left out";

export function cellOption(fallback: string): Option {
  return choice("--cell <name>", "recurrent cell", CELL_NAMES, fallback);
}

export function layersOption(fallback: number | string): Option {
  return option("--layers <n>", "recurrent layers", number, fallback);
}

export function hiddenSizeOption(fallback: number | string): Option {
  return option("--hidden-size <n>", "units in each layer", number, fallback);
}

export function embeddingSizeOption(fallback: number | string): Option {
  const help = "size of a character's vector; 0 is one-hot";
  return option("--embedding-size <n>", help, number, fallback);
}

/** The shares that are dropped in training. */
export function dropoutOptions(
  fallback: Readonly<
    Record<"dropout" | "inputDropout" | "recurrentDropout" | "weightDropout", number | string>
  >,
): Option[] {
  const { dropout, inputDropout, recurrentDropout, weightDropout } = fallback;
  const ofState = "of the state, where the next step reads it";
  return [
    option("--dropout <share>", "of the outputs of each layer", number, dropout),
    option("--input-dropout <share>", "of characters' vectors", number, inputDropout),
    option("--recurrent-dropout <share>", ofState, number, recurrentDropout),
    option("--weight-dropout <share>", "of the recurrent weights", number, weightDropout),
  ];
}

/** Above them in the help. */
export const DROPOUT_TITLE = "Dropout (shares, the same ones for a whole window):";

export function batchSizeOption(fallback: number | string): Option {
  return option("--batch-size <n>", "windows in a batch", number, fallback);
}

export function seqLengthOption(fallback: number | string): Option {
  return option("--seq-length <n>", "characters in a window", number, fallback);
}

export function outOption(): Option {
  return option("--out <folder>", "where runs have their folders", undefined, RUNS_FOLDER);
}

export function backendOption(): Option {
  return choice("--backend <name>", "what computes", ["auto", ...BACKEND_NAMES], "auto");
}

export function threadsOption(): Option {
  return option("--threads <n>", "that compute", number, "the processor's cores");
}

export function jsonOption(what: string): Option {
  return option("--json", `${what} on standard output`);
}

/** @param whose `of the files` */
export function encodingOption(whose: string): Option {
  return option("--encoding <name>", whose, undefined, TRAIN_DEFAULTS.encoding);
}

export function invalidOption(): Option {
  const help = "bytes that are wrong in that encoding";
  return choice("--invalid <what>", help, INVALID_NAMES, TRAIN_DEFAULTS.invalid);
}
