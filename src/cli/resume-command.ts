import { fstatSync, readlinkSync, statSync } from "node:fs";
import { optionWords } from "../config/command-words.js";
import { TRAIN } from "../config/train.js";
import { quoted } from "../shell-words.js";
import type { EndEvent, StartEvent } from "../training/events.js";
import type { TrainOptions } from "./commands/train.js";

/** How to resume a run. */
export interface ResumeCommand {
  /** To be pasted into a shell. */
  readonly command: string;
  /** What else is needed, where the text is not only files that can be read again. */
  readonly needs: string | undefined;
}

/**
 * What to type to resume a run, or the cross-validation that it is a fold of, whose other folds
 * have no checkpoints yet and need every option again.
 *
 * @param name of the run
 */
export function resumeCommand(
  name: string,
  files: readonly string[],
  options: TrainOptions,
): ResumeCommand {
  const isFold = options.crossValidate !== undefined;
  const again: TrainOptions = {
    ...options,
    name: isFold ? (options.name ?? name.replace(/-fold-\d+$/, "")) : name,
  };
  let words = ["charnn", "train"];
  const texts = files.map(textToGive);
  for (const { word } of texts) words.push(quoted(word));
  for (const [option, value] of Object.entries(again)) {
    const kind = TRAIN[option as keyof TrainOptions].onResume;
    if (kind === "again" || (kind === "kept" && isFold))
      words = words.concat(optionWords(option, value));
  }
  words.push("--resume");
  const redirected = files.includes("-") ? fileOnStdin() : undefined;
  if (redirected !== undefined) words.push("<", quoted(redirected));
  const once = texts.find(({ isReadOnce }) => isReadOnce)?.word;
  const needs =
    once === undefined || redirected !== undefined
      ? undefined
      : `It needs the same text again, ${once === "-" ? "on standard input" : `from ${once}`}.`;
  return { command: words.join(" "), needs };
}

/** The word that names a text again, and whether its content has to be provided once more. */
function textToGive(file: string): { word: string; isReadOnce: boolean } {
  // What `<(...)` stands for is gone; the standard input is there in each shell.
  if (/^\/(dev|proc\/self)\/fd\/\d+$/.test(file)) return { word: "-", isReadOnce: true };
  if (file === "-") return { word: file, isReadOnce: true };
  // A leading dash would make it an option; a path has none.
  return { word: file.startsWith("-") ? `./${file}` : file, isReadOnce: isPipe(file) };
}

function isPipe(file: string): boolean {
  try {
    const stats = statSync(file);
    return !stats.isFile() && !stats.isDirectory();
  } catch {
    return false;
  }
}

/** The file that `< FILE` gave this process as its standard input, where the system tells it. */
function fileOnStdin(): string | undefined {
  try {
    const given = fstatSync(0);
    if (!given.isFile()) return undefined;
    const path = readlinkSync("/proc/self/fd/0");
    // It is another path where the file was removed since, or has a name that is not UTF-8.
    const named = statSync(path);
    return named.dev === given.dev && named.ino === given.ino ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The options that take the place of time limits, so that a run can be repeated on any machine. */
export function optionsToRepeat(
  { config, choice, processes }: Pick<StartEvent, "config" | "choice" | "processes">,
  { totalSteps, replan }: Pick<EndEvent, "totalSteps" | "replan">,
): string {
  const { preset, evalEvery, evalCharacters } = config.training;
  const planned = replan[0]?.totalSteps ?? totalSteps;
  const changes = replan.flatMap(({ step, totalSteps: before }, k) => {
    const steps = replan[k + 1]?.totalSteps ?? totalSteps;
    return steps === before ? [] : [`${step}:${steps}`];
  });
  return [
    ...(choice ? ["--preset", preset] : []),
    ...(choice?.members ? ["--members", choice.members] : []),
    ...(processes ? ["--workers", `${config.training.workers}`] : []),
    ...["--steps", planned],
    ...(changes.length > 0 ? ["--replan", changes.join(",")] : []),
    ...["--eval-every", evalEvery],
    ...(evalCharacters === undefined ? [] : ["--eval-characters", evalCharacters]),
  ].join(" ");
}
