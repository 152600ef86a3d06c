import { statSync } from "node:fs";
import { RUNS_FOLDER } from "../config/names.js";
import { quoted } from "../shell-words.js";
import type { EndEvent, StartEvent } from "../training/events.js";
import type { TrainOptions } from "./commands/train.js";
import { resumeCommand } from "./resume-command.js";

/** How much longer a run that is continued becomes, as a factor. */
const LONGER = 1.5;

/** What was typed to train. */
export interface Typed {
  readonly files: readonly string[];
  readonly options: TrainOptions;
}

/** What a command does, and the command. */
export type Suggestion = readonly [what: string, command: string];

/**
 * What can be done with a run that has ended.
 *
 * @param learnsOn whether longer training may help
 */
export function nextCommands(
  started: StartEvent,
  event: EndEvent,
  { files, options }: Typed,
  learnsOn: boolean,
): Suggestion[] {
  const out =
    options.out === undefined || options.out === RUNS_FOLDER ? [] : ["--out", quoted(options.out)];
  const name = quoted(started.name);
  const [file] = files;
  const text = files.length === 1 && isFile(file) ? ["--text", quoted(file)] : [];
  const suggestions: Suggestion[] = [
    ["Write", ["charnn sample", name, ...out].join(" ")],
    ["Look", ["charnn report", name, ...text, ...out, "--open"].join(" ")],
  ];
  const limit = longerLimit(started, event);
  if (learnsOn && limit) {
    const { command, needs } = resumeCommand(started.name, files, { ...options, ...NO_LIMITS });
    if (needs === undefined) suggestions.push(["Train longer", `${command} ${limit}`]);
  }
  return suggestions;
}

const NO_LIMITS = { epochs: undefined, steps: undefined, maxTime: undefined };

/** The limit that ends a run, half as much again. */
function longerLimit(
  { config: { limits } }: StartEvent,
  { reached }: EndEvent,
): string | undefined {
  const more = (limit: number) => Math.ceil(LONGER * limit);
  const { epochs, steps, maxTime } = limits;
  if (reached === "epochs" && epochs !== undefined) return `--epochs ${more(epochs)}`;
  if (reached === "steps" && steps !== undefined) return `--steps ${more(steps)}`;
  if (reached === "max-time" && maxTime !== undefined) return `--max-time ${more(maxTime)}s`;
  return undefined;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
