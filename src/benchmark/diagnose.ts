import { availableParallelism, cpus } from "node:os";
import type { Backend, TensorFlowFacts } from "../backends/backend.js";
import { BackendError } from "../backends/backend-error.js";
import { openBackend, usualThreads } from "../backends/select.js";
import { BENCH_DEFAULTS } from "../config/bench.js";
import { type ModelConfig, modelConfig } from "../config/model.js";
import { BACKEND_NAMES, type BackendName } from "../config/names.js";
import { NO_DROPOUT } from "../model/dropout.js";
import { operationsPerCharacter } from "../model/flops.js";
import type { DefaultThreads } from "../processors.js";
import { type InstalledLauncher, installedLauncher } from "../ranks/installed-launcher.js";
import { createLearner, timeTraining } from "./training-speed.js";

/** Whether a backend loads, and how fast it is; or why not, and what helps. */
export type BackendDiagnosis = { readonly name: BackendName } & (
  | {
      readonly loads: true;
      readonly threads: number;
      /** In use, of those that the processor has, the fastest first. */
      readonly instructionSet?: string;
      readonly instructionSets?: readonly string[];
      readonly tensorflow?: TensorFlowFacts;
      /** What makes it slower than it could be, a sentence. */
      readonly warning?: string | undefined;
      readonly trainCharsPerSecond: number;
      readonly trainGflops: number;
    }
  | { readonly loads: false; readonly why: string; readonly cure?: string | undefined }
);

/** What charnn finds on this machine. */
export interface Diagnosis {
  /** The version of Node.js. */
  readonly node: string;
  readonly platform: string;
  readonly architecture: string;
  /** Its model's name, where the system tells. */
  readonly processor: string | undefined;
  /** Those that this process may use; where a core runs two threads, it counts as two. */
  readonly cores: number;
  /** The number of threads that backends use unless told otherwise, and what it comes from. */
  readonly defaultThreads: DefaultThreads;
  /** The fastest first. */
  readonly backends: readonly BackendDiagnosis[];
  /** The one that `auto` takes: the first that loads. */
  readonly auto: BackendName | undefined;
  /** What starts several processes that train together; undefined where there is none. */
  readonly launcher: InstalledLauncher | undefined;
  /** What the speed refers to: training this model on batches of this shape. */
  readonly model: ModelConfig;
  readonly batchSize: number;
  readonly seqLength: number;
}

const { cell, layers, hiddenSize, embeddingSize, vocabularySize } = BENCH_DEFAULTS;
const MODEL = modelConfig({ cell, layers, hiddenSize, embeddingSize, vocabularySize });
const { batchSize, seqLength } = BENCH_DEFAULTS;
const WARM_UP = { steps: 5, seconds: 0.3 };
const EFFORT = { steps: 1000, seconds: 0.5 };

/**
 * Tries every backend, about a second each.
 *
 * @throws CharnnError `INVALID_SETTING` for an instruction set in CHARNN_ISA that is not there; the reason of
 *   the signal once it is aborted
 */
export async function diagnose({
  signal,
}: {
  readonly signal?: AbortSignal;
} = {}): Promise<Diagnosis> {
  const backends: BackendDiagnosis[] = [];
  for (const name of BACKEND_NAMES) {
    signal?.throwIfAborted();
    backends.push(await diagnoseBackend(name, signal));
  }
  return {
    node: process.version,
    platform: process.platform,
    architecture: process.arch,
    processor: cpus()[0]?.model.trim() || undefined,
    cores: availableParallelism(),
    defaultThreads: await usualThreads(),
    backends,
    auto: backends.find(({ loads }) => loads)?.name,
    launcher: installedLauncher(),
    model: MODEL,
    batchSize,
    seqLength,
  };
}

async function diagnoseBackend(
  name: BackendName,
  signal: AbortSignal | undefined,
): Promise<BackendDiagnosis> {
  try {
    const backend = await openBackend(name);
    const { instructionSet, instructionSets, tensorflow, warning } = backend.facts;
    const trainCharsPerSecond = await trainingSpeed(backend, signal);
    const trainGflops = (operationsPerCharacter(MODEL) * trainCharsPerSecond) / 1e9;
    return {
      name,
      loads: true,
      threads: backend.threads,
      instructionSet,
      instructionSets,
      tensorflow,
      warning,
      trainCharsPerSecond,
      trainGflops,
    };
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return { name, loads: false, why: error.message, cure: error.cure };
  }
}

/** Characters a second. */
async function trainingSpeed(backend: Backend, signal: AbortSignal | undefined): Promise<number> {
  const shape = { batchSize, seqLength, ...NO_DROPOUT };
  const learner = await createLearner(backend, MODEL, shape, { signal });
  const step = async () => learner.run("step");
  try {
    const { secondsPerStep } = await timeTraining(step, WARM_UP, EFFORT, undefined, signal);
    return (batchSize * seqLength) / secondsPerStep;
  } finally {
    learner.dispose();
  }
}
