import { basename } from "node:path";
import { counted, duration, formatCount } from "../../text.js";
import type { StartEvent } from "../../training/events.js";
import { bytes, columns, wholePercent } from "../format/format.js";
import { processesRow } from "../format/processes.js";
import { modelsName, parametersName } from "../format/summary.js";
import type { Typed } from "../next-commands.js";

/**
 * What the run will do, in five lines where they have room: text, model, run, folder, and how to stop.
 *
 * @param typed the files, and a validation file among the options
 */
export function startBlock(
  event: StartEvent,
  { files, options }: Typed,
  width: number | undefined,
): string[] {
  const rows = [
    ["text", textLine(event, files, options.validationFile)],
    ["model", modelLine(event)],
    ...processesRow(event.processes),
    ["run", runLine(event)],
    ["folder", event.path],
    ["stop", `${howToStop(event.processes)}; --resume continues`],
  ];
  return columns(
    rows.map(([name, fact]) => [`  ${name}`, fact]),
    width,
  );
}

/** Open MPI leaves processes too little time to save after Ctrl-C. */
function howToStop(processes: StartEvent["processes"]): string {
  return processes?.library.startsWith("Open MPI")
    ? "kill -USR2 with the process ID of mpirun saves and stops"
    : "Ctrl-C saves and stops";
}

/** `book.txt: 305,163 characters, 127 different; last 10% held out` */
function textLine(
  event: StartEvent,
  files: readonly string[],
  validationFile: string | undefined,
): string {
  const { text, training } = event.config;
  const size = `${formatCount(text.characters)} characters, ${formatCount(event.vocabularySize)} different`;
  const held = [
    ...(text.validationCharacters > 0 ? [heldOut(event, validationFile)] : ["nothing held out"]),
    ...(text.testCharacters > 0
      ? [`${wholePercent(text.testCharacters / text.characters)} kept for a test`]
      : []),
  ];
  const { evalCharacters } = training;
  if (evalCharacters !== undefined && evalCharacters < text.validationCharacters) {
    held.push(`evaluated on ${formatCount(evalCharacters)} characters of it`);
  }
  return `${sourcesOf(files)}: ${size}; ${held.join(", ")}`;
}

function heldOut(
  { config: { text, training } }: StartEvent,
  validationFile: string | undefined,
): string {
  if (validationFile !== undefined) return `validated on ${basename(validationFile)}`;
  const fraction = wholePercent(text.validationCharacters / text.characters);
  if (training.split === "random") return `${fraction} held out, random lines`;
  return training.fold ? `${fraction} held out` : `last ${fraction} held out`;
}
/** `book.txt`, `novels and poems.txt`, `novels and 3 more`, `standard input` */
function sourcesOf(files: readonly string[]): string {
  const [first, ...rest] = files.map((file) => (file === "-" ? "standard input" : basename(file)));
  if (rest.length === 0) return first;
  return `${first} and ${rest.length === 1 ? rest[0] : `${formatCount(rest.length)} more`}`;
}

function modelLine({ config, parameters, preset }: StartEvent): string {
  const size = parametersName(config, parameters);
  return `${modelsName(config)}${preset ? ` (preset ${preset})` : ""}, ${size}`;
}

/** `2,520 steps, 60 epochs; about 3 min, 127 MB of memory, 4 workers, 2 threads` */
function runLine(event: StartEvent): string {
  const { expectedSeconds, expectedBytes, backend, config, processes } = event;
  const { workers = 1 } = config.training;
  const threads = counted(backend.threads, "thread");
  const needs = [
    ...(expectedSeconds === undefined ? [] : [expectedTime(expectedSeconds)]),
    `${bytes(expectedBytes)} of memory${processes ? " in each process" : ""}`,
    ...(workers > 1 ? [counted(workers, "worker")] : []),
    ...(processes ? [] : [backend.name === "native" ? threads : `${threads} of ${backend.name}`]),
  ];
  return `${lengthOf(event)}; ${needs.join(", ")}`;
}

/** `about 3 min`, `under 1 s` */
function expectedTime(seconds: number): string {
  return seconds < 1 ? duration(seconds) : `about ${duration(seconds)}`;
}

/** How long it goes on: `200 steps, 1.5 epochs`, `until the held-out loss is 1.5` ... */
function lengthOf({ step, totalSteps, stepsPerEpoch, config: { limits } }: StartEvent): string {
  const parts = [];
  const from = step > 0 ? `steps ${formatCount(step)} to ` : "";
  if (totalSteps !== undefined) {
    const epochs = totalSteps / stepsPerEpoch;
    const count = from ? `${from}${formatCount(totalSteps)}` : counted(totalSteps, "step");
    const shown = epochs < 10 ? String(Number(epochs.toPrecision(2))) : formatCount(epochs);
    parts.push(`${count}, ${shown} ${shown === "1" ? "epoch" : "epochs"}`);
  } else if (step > 0) parts.push(`from step ${formatCount(step)}`);
  if (limits.targetLoss !== undefined)
    parts.push(`until the held-out loss is ${limits.targetLoss}`);
  if (limits.patience !== undefined) {
    parts.push(`until ${counted(limits.patience, "evaluation")} bring no lower loss`);
  }
  return parts.join(totalSteps === undefined && step > 0 ? " " : ", or ");
}
