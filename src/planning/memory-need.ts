import type { Backend } from "../backends/backend.js";
import { memberCount } from "../config/members.js";
import type { ModelConfig } from "../config/model.js";
import { MOMENT_NAMES } from "../config/optimization.js";
import { parameterCount } from "../config/parameters.js";
import { isCalibrated, type RunConfig, type TrainingConfig } from "../config/run.js";
import { evaluationShape } from "../data/evaluation-batches.js";
import { CharnnError } from "../errors.js";
import { memoryLeft } from "../memory.js";
import { parameterBytes, streamsBytes, threadsBytes, windowBytes } from "../model/memory-need.js";
import type { Ranks } from "../ranks/ranks.js";
import { memorySize } from "../text.js";

/** The settings on which the memory for training depends. */
export interface TrainingShape {
  readonly model: ModelConfig;
  readonly training: Pick<
    TrainingConfig,
    | "batchSize"
    | "workers"
    | "members"
    | "seqLength"
    | "optimizer"
    | "averageDecay"
    | "calibrationCharacters"
    | "accumulate"
    | "dropout"
    | "recurrentDropout"
  >;
  readonly backend: Pick<Backend, "name" | "threads">;
  /** The windows in which the held-out part is read; undefined where there is none. */
  readonly evaluation: { readonly time: number; readonly batch: number } | undefined;
  /** Texts that are written side by side. */
  readonly streams: number;
  /** How many train together, and how many of them share the memory of this machine. */
  readonly processes: { readonly count: number; readonly here: number };
}

export function trainingShape(
  { model, training, text }: RunConfig,
  backend: TrainingShape["backend"],
  ranks: Pick<Ranks, "size" | "cores">,
): TrainingShape {
  const { validationCharacters, testCharacters, documents } = text;
  const characters = Math.max(validationCharacters, testCharacters);
  const evaluation = characters > 0 ? evaluationShape(characters, documents) : undefined;
  return { model, training, backend, evaluation, streams: 1, processes: processesOf(ranks) };
}

export function processesOf({ size, cores }: Pick<Ranks, "size" | "cores">) {
  return { count: size, here: cores?.here ?? 1 };
}

/** Weights, what they were at first, and their gradients. */
const ARRAYS = 3;
/** TensorFlow's arrays never change: each operation of an optimizer's step makes another one. */
const TENSORFLOW_STEP_ARRAYS = { nadam: 26, adam: 24, rmsprop: 24, sgd: 11 };
/** Bytes for what does not depend on the model, such as compiled code. */
const BESIDES = 40e6;
/** The native backend works with this many units at a time. */
const PANEL = 16;
/** The addresses of WebAssembly's memory have 32 bits. Weights at first lie outside it, which leaves some room. */
const WASM_MEMORY = 2 ** 32;
/** Of what fits by the estimate, which may be somewhat too low. */
const SAFE_SHARE = 0.9;

/** About how many bytes training takes at most in one process. */
export function trainingBytes(shape: TrainingShape): number {
  const { model, training, backend, evaluation, streams, processes } = shape;
  const { batchSize, seqLength, optimizer, averageDecay, members = 1 } = training;
  const { calibrationCharacters = 0 } = training;
  const masks = [training.dropout, training.recurrentDropout].filter((rate) => rate > 0).length;
  const hasAverage = averageDecay > 0;
  const fitting = 4 * calibrationCharacters * members * model.vocabularySize;
  const arrays =
    ARRAYS +
    MOMENT_NAMES[optimizer].length +
    (hasAverage ? 1 : 0) +
    (isCalibrated(training) ? 1 : 0) +
    workersArrays(training, processes.count) +
    (backend.name === "tensorflow" ? TENSORFLOW_STEP_ARRAYS[optimizer] : 0);
  const learning = windowBytes(model, backend.name, { time: seqLength, batch: batchSize, masks });
  const scoring = evaluation ? windowBytes(model, backend.name, evaluation) : 0;
  // The model that is evaluated has a second workspace.
  const windows =
    hasAverage || isCalibrated(training) ? learning + scoring : Math.max(learning, scoring);
  const besides = threadsBytes(backend) + BESIDES;
  return (
    members * arrays * parameterBytes(model) +
    windows +
    fitting +
    streamsBytes(model, streams) +
    besides
  );
}

/** About how many bytes a checkpoint of a run has: weights, their average, and what the optimizer keeps. */
export function checkpointBytes({
  model,
  training,
}: Pick<RunConfig, "model" | "training">): number {
  const { optimizer, averageDecay } = training;
  const arrays = 1 + MOMENT_NAMES[optimizer].length + (averageDecay > 0 ? 1 : 0);
  return memberCount({ training }) * arrays * parameterBytes(model);
}

/** Arrays of the model's size for sums of gradients, and for records of them, which have a byte for a number. */
function workersArrays(
  { workers = 1, accumulate }: TrainingShape["training"],
  processes: number,
): number {
  const own = Math.ceil(workers / processes);
  const sums = accumulate > 1 ? own : 0;
  if (workers === 1) return sums;
  // Each sends its own records, and receives its slice of every record, and the whole sum.
  const transfer = processes > 1 ? own + (workers + 1) / processes + 1 : 0;
  return sums + (own + 1 + transfer) / 4;
}

/**
 * Refuses what could not fit into the memory that is left before anything is made for it.
 *
 * @param fixed what can't be changed, such as the sizes of a model whose weights are there
 * @throws CharnnError `INVALID_SETTING`, with values that fit
 */
export function refuseTooLarge(shape: TrainingShape, fixed: readonly Adjustable[] = []): void {
  const { here } = shape.processes;
  const left = bytesLeft(shape);
  if (trainingBytes(shape) <= left) return;
  const message = `${needOf(shape)}; there are ${memorySize(left)} for ${here > 1 ? "each" : "it"}.`;
  throw new CharnnError("INVALID_SETTING", message, hintFor(shape, left, fixed));
}

/** Whether training fits into the memory that is left, with some to spare. */
export function fitsMemory(shape: TrainingShape): boolean {
  return trainingBytes(shape) <= SAFE_SHARE * bytesLeft(shape);
}

/** For each process of this machine. */
function bytesLeft({ backend, processes }: TrainingShape): number {
  return Math.min(memoryLeft() / processes.here, backend.name === "wasm" ? WASM_MEMORY : Infinity);
}

/** The error where training got less memory than it needs. */
export function trainingOutOfMemory(
  shape: TrainingShape,
  cause: unknown,
  fixed: readonly Adjustable[] = [],
): CharnnError {
  const message = `${needOf(shape)}, and the system did not give it that much.`;
  // Nobody knows how much there is; half as much is worth a try.
  const left = memoryLeft() / shape.processes.here;
  const hint = hintFor(shape, Math.min(left, trainingBytes(shape) / 2), fixed);
  return new CharnnError("OUT_OF_MEMORY", message, hint, { cause });
}

/** What can be made smaller, in this order. */
const ADJUSTABLE = [
  "hiddenSize",
  "layers",
  "embeddingSize",
  "ngramRows",
  "batchSize",
  "workers",
  "members",
  "seqLength",
  "streams",
  "threads",
] as const;

export type Adjustable = (typeof ADJUSTABLE)[number];

/** The run is to continue as it is: only the threads can be others. */
export const FIXED = ADJUSTABLE.filter((name) => name !== "threads");

/** What would fit: for each setting the largest value with which the others can stay as they are. */
function hintFor(shape: TrainingShape, left: number, fixed: readonly Adjustable[]): string {
  const free = ADJUSTABLE.filter((name) => !fixed.includes(name));
  const fits = free.flatMap((name) => {
    const value = largestThatFits(shape, name, SAFE_SHARE * left);
    return value === undefined ? [] : [`\`${name}: ${value}\``];
  });
  if (fits.length > 0) return `What fits: ${fits.join("; ")}.`;
  const needed = memorySize(trainingBytes(shape) / SAFE_SHARE);
  const sizes = free.filter((name) => name !== "threads").map((name) => `\`${name}\``);
  return sizes.length === 0
    ? `Give it ${needed}, or continue the run on a larger machine.`
    : `Reduce several of ${sizes.join(", ")}, or give it ${needed}.`;
}

function largestThatFits(shape: TrainingShape, name: Adjustable, left: number): number | undefined {
  const { model, training, streams, backend } = shape;
  const fits = (value: number) => {
    const changed = { [name]: value };
    const other = {
      ...shape,
      model: { ...model, ...changed },
      training: { ...training, ...changed },
      backend: { ...backend, ...changed },
    };
    return trainingBytes({ ...other, ...changed }) <= left;
  };
  const given = {
    ...model,
    workers: 1,
    members: 1,
    ...training,
    streams,
    threads: backend.threads,
  };
  let [least, most] = [0, given[name] ?? 0];
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (fits(middle)) least = middle;
    else most = middle;
  }
  // Whole panels of the native backend.
  const even = name === "hiddenSize" && least > PANEL ? least - (least % PANEL) : least;
  return even > 0 ? even : undefined;
}

function needOf(shape: TrainingShape): string {
  const { batchSize, seqLength, workers = 1 } = shape.training;
  const { here } = shape.processes;
  const count = parameterCount(shape.model).toLocaleString("en");
  return (
    `Training needs about ${memorySize(trainingBytes(shape))} of memory ` +
    (here > 1 ? `in each of the ${here} processes on this machine ` : "") +
    `for ${count} parameters and batches of ${batchSize} times ${seqLength} characters` +
    (workers > 1 ? ` of ${workers} workers` : "")
  );
}
