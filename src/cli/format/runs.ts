import { basename } from "node:path";
import type { CheckpointFacts } from "../../checkpoint/checkpoint.js";
import { beginningCommand, importCommandLine } from "../../config/command-words.js";
import type { ImportSettings } from "../../config/import.js";
import { inputName } from "../../config/input-name.js";
import type { RunState } from "../../runs/run-state.js";
import { counted, formatCount } from "../../text.js";
import { asTyped } from "../invocation.js";
import { bytes, columns, stepOf, timeAgo } from "./format.js";
import { printableLine } from "./printable.js";
import { inUnits, modelsName, parametersName, regularization } from "./summary.js";

/** A run or checkpoint, with what it shows of itself. */
export interface ListedRun extends Omit<CheckpointFacts, "vocabulary"> {
  readonly name: string;
  /** The run's folder, or a checkpoint. */
  readonly path: string;
  /** In the order of their indices; null stands for all other characters. */
  readonly vocabulary: readonly (string | null)[];
  readonly parameters: number;
  readonly state: RunState;
  /** Whether it has reached the end that was set for it. */
  readonly isDone: boolean;
}

/** Of a table of runs, the columns to leave out, in this order, where it is wider than the terminal. */
const LEFT_OUT_FIRST = ["text", "steps", "model"];

/**
 * A table of runs.
 *
 * @param taken the name of the run that `sample` takes when none is named
 */
export function runList(
  runs: readonly ListedRun[],
  taken: string | undefined,
  width = Number.POSITIVE_INFINITY,
): string[] {
  if (runs.length === 0) return [];
  const table = runs.map((run) => ({
    run: run.name,
    text: textName(run.state.origin),
    model: modelsName(run.config),
    steps: run.config.imported ? "" : stepsName(run),
    "held-out loss":
      run.progress.bestLoss?.toFixed(3) ?? (run.config.imported ? "not known" : "none yet"),
    state: stateName(run),
    when: run.state.isTrained || !run.state.savedAt ? "now" : timeAgo(run.state.savedAt),
    "": run.name === taken ? "<- sample takes this" : "",
  }));
  type Column = keyof (typeof table)[number];
  let shown = Object.keys(table[0]) as Column[];
  for (const leftOut of [undefined, ...LEFT_OUT_FIRST]) {
    shown = shown.filter((column) => column !== leftOut);
    const lines = columns([shown, ...table.map((row) => shown.map((column) => row[column]))]);
    if (lines.every((line) => line.length <= width)) return lines;
  }
  return columns([shown, ...table.map((row) => shown.map((column) => row[column]))]);
}

function stepsName({ progress: { step, totalSteps } }: ListedRun): string {
  return [step, ...(totalSteps ? [totalSteps] : [])].map(formatCount).join("/");
}

/** `running`, `imported`, `done` or `stopped` */
export function stateName({
  state,
  isDone,
  config,
}: Pick<ListedRun, "state" | "isDone" | "config">): string {
  if (state.isTrained) return "running";
  if (config.imported) return "imported";
  return isDone ? "done" : "stopped";
}

/** The names of the files that a run was begun with. */
function textName(origin: ListedRun["state"]["origin"]): string {
  // Of an imported model the text is not known.
  if (origin?.event !== "run") return "";
  const [first = "", ...rest] = origin.settings.files.map((file) =>
    file === "-" ? "stdin" : basename(file),
  );
  return rest.length > 0 ? `${first} +${rest.length}` : first;
}

/** Everything that is known about one run, a line for each fact. */
export function runDetails(run: ListedRun, width: number | undefined): string[] {
  const { path, config, vocabulary, parameters, state } = run;
  const { model } = config;
  const input = inputName(model);
  const known = !config.imported;
  const rows = [
    ["checkpoint", path],
    [
      "state",
      [stateName(run), ...(state.savedAt ? [`saved ${timeAgo(state.savedAt)}`] : [])].join(", "),
    ],
    ...(known ? [stepsRow(run), ...results(run), textRow(run)] : []),
    ["vocabulary", `${formatCount(vocabulary.length)}: ${shownVocabulary(vocabulary)}`],
    ["model", `${modelsName(config)}, ${input}, ${parametersName(config, parameters)}`],
    ...(known ? trainingRows(run) : []),
    ["files", state.files.map((file) => `${basename(file.path)} ${bytes(file.bytes)}`).join(", ")],
    ...begun(run),
  ];
  return columns(rows, width);
}

function stepsRow({ progress }: ListedRun): string[] {
  const epochs = counted(progress.epoch, "whole epoch");
  return ["steps", `${stepOf(progress.step, progress.totalSteps)}, ${epochs}`];
}

function textRow({ config: { text } }: ListedRun): string[] {
  const held = [`${formatCount(text.trainCharacters)} to train`];
  if (text.validationCharacters > 0)
    held.push(`${formatCount(text.validationCharacters)} held out`);
  if (text.testCharacters > 0) held.push(`${formatCount(text.testCharacters)} kept for a test`);
  return ["text", `${formatCount(text.characters)} characters: ${held.join(", ")}`];
}

/** Losses: of the model, and of the n-gram baseline to compare with. */
function results({ config: { text }, progress }: ListedRun): string[][] {
  const { bestLoss, bestStep = 0, trainingLoss, temperature } = progress;
  const { counting } = text;
  return [
    ...(bestLoss === undefined
      ? [["held-out loss", text.validationCharacters > 0 ? "none yet" : "nothing is held out"]]
      : [["held-out loss", `${inUnits(bestLoss)}, best at step ${formatCount(bestStep)}`]]),
    ...(temperature === undefined ? [] : [["temperature", `${temperature.toFixed(2)}, fitted`]]),
    ...(trainingLoss === undefined ? [] : [["training loss", inUnits(trainingLoss)]]),
    ...(counting ? [[`${counting.order}-gram baseline`, inUnits(counting.loss)]] : []),
  ];
}

function trainingRows({ config: { training } }: ListedRun): string[][] {
  const { workers = 1, batchSize, batching, seqLength } = training;
  const ofWorkers = workers > 1 ? ` for each of ${counted(workers, "worker")}` : "";
  return [
    ["batches", `${batchSize} ${batching} of ${seqLength} characters${ofWorkers}`],
    [
      "optimizer",
      `${training.optimizer}, learning rate ${training.learningRate}, ${training.schedule}`,
    ],
    ["regularization", regularization(training).join(", ") || "none"],
    ["random seed", String(training.randomSeed)],
  ];
}

function begun({ name, state: { origin } }: ListedRun): string[][] {
  if (!origin) return [];
  const { date, version } = origin;
  const when = date.replace(/^(.*)T(\d\d:\d\d).*$/, "$1 $2 UTC");
  if (origin.event === "import") {
    const settings = origin.settings as unknown as ImportSettings;
    const command = importCommandLine({ ...settings, name });
    return [
      ["imported", `from ${origin.file}, ${when}, charnn ${version}`],
      ["command", asTyped(command)],
    ];
  }
  const { backend, threads } = origin;
  return [
    ["begun", `${when}, charnn ${version}, ${backend}, ${counted(threads, "thread")}`],
    ["command", asTyped(beginningCommand(origin, name))],
  ];
}

/** The first hundred characters, with those that don't show written out. */
function shownVocabulary(vocabulary: readonly (string | null)[]): string {
  const characters = vocabulary.filter((it): it is string => it !== null && it !== "");
  const shown = characters.slice(0, 100).map(printableLine);
  return (
    shown.join("") +
    (characters.length > shown.length ? " ..." : "") +
    (vocabulary.includes("") ? " and the end of a document" : "") +
    (vocabulary.includes(null) ? " and one unknown character" : "")
  );
}
