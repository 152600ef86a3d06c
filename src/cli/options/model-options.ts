import type { Option } from "commander";
import { BACKEND_NAMES, RUNS_FOLDER } from "../../defaults.js";
import { choice, option } from "./option.js";
import { number } from "./parsers.js";

/** What a run may be given as, for every command that reads one. */
export const RUN_ARGUMENT =
  "a run's name or folder, or a checkpoint file; the newest run when left out";

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
