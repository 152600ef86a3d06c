import { backendWarnings, selectBackend } from "../backends/select.js";
import { BENCH, BENCH_DEFAULTS, type BenchmarkSettings } from "../config/bench.js";
import { type ModelConfig, modelConfig } from "../config/model.js";
import type { BackendName } from "../config/names.js";
import { parameterCount } from "../config/parameters.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import { inMemory, peakMemory } from "../memory.js";
import type { DropoutRates } from "../model/dropout.js";
import { operationsPerCharacter } from "../model/flops.js";
import { refuseTooLarge, trainingOutOfMemory } from "../planning/memory-need.js";
import { Random } from "../random.js";
import { timeSampling } from "./sampling-speed.js";
import { createLearner, type Effort, timeTraining } from "./training-speed.js";

const benchmarkSettingsSchema = settingsSchema<BenchmarkSettings>(BENCH);

/** How fast this machine trains and samples. */
export interface Benchmark extends DropoutRates {
  readonly backend: BackendName;
  readonly threads: number;
  readonly model: ModelConfig;
  readonly parameters: number;
  readonly batchSize: number;
  readonly seqLength: number;
  /** How many steps were timed; the training figures are their medians. */
  readonly steps: number;
  readonly msPerStep: number;
  readonly trainCharsPerSecond: number;
  /** Floating-point operations that training takes for a character, in products with weights. */
  readonly flopsPerCharacter: number;
  readonly trainGflops: number;
  readonly streams: number;
  /** Of all streams together. */
  readonly sampleCharsPerSecond: number;
  /** The most memory that the process has had so far. */
  readonly peakRssBytes: number;
}

/** What is measured at the moment, and how much of it is done, from 0 to 1. */
export interface BenchmarkProgress {
  readonly stage: "training" | "sampling";
  readonly fraction: number;
}

const WARM_UP: Effort = { steps: 20, seconds: 1 };
const SECONDS_OF_TRAINING = 3;
/** At most this many, even if more steps are asked for. */
const MAX_SECONDS_OF_TRAINING = 10;
const SECONDS_OF_SAMPLING = { warmUp: 0.5, timed: 2 };

/**
 * Measures whole training steps as `train` makes them, on a random text, and then how fast the model
 * writes. Both are warmed up first, and take some seconds.
 *
 * @throws CharnnError `INVALID_SETTING`, `OUT_OF_MEMORY`, or `BACKEND_UNAVAILABLE` for a backend asked for
 *   by name; the reason of the signal once it is aborted
 */
export async function benchmark(
  settings: BenchmarkSettings = {},
  options: {
    readonly onProgress?: (progress: BenchmarkProgress) => void;
    readonly onWarning?: (message: string) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Benchmark> {
  const { onProgress, onWarning, signal } = options;
  const { threads, steps, ...given } = checked(benchmarkSettingsSchema, settings);
  const {
    backend: asked,
    batchSize,
    seqLength,
    streams,
    ...others
  } = { ...BENCH_DEFAULTS, ...definedOnly(given) };
  const { dropout, inputDropout, recurrentDropout, weightDropout, ...sizes } = others;
  const rates = { dropout, inputDropout, recurrentDropout, weightDropout };
  const model = modelConfig(sizes);
  const selected = await selectBackend(asked, threads);
  const { backend } = selected;
  const training = { ...TRAIN_DEFAULTS, batchSize, seqLength, ...rates };
  const need = { model, training, backend, evaluation: undefined, streams };
  refuseTooLarge(need);
  for (const message of backendWarnings(selected, threads)) onWarning?.(message);

  return inMemory(
    async () => {
      const random = Random.fromSeed(0);
      const shape = { batchSize, seqLength, ...rates };
      const learner = await createLearner(backend, model, shape, random, signal);
      try {
        const effort =
          steps === undefined
            ? { steps: Number.POSITIVE_INFINITY, seconds: SECONDS_OF_TRAINING }
            : { steps, seconds: MAX_SECONDS_OF_TRAINING };
        const onTraining = (fraction: number) => onProgress?.({ stage: "training", fraction });
        onTraining(0);
        const timed = await timeTraining(learner, WARM_UP, effort, onTraining, signal);
        const onSampling = (fraction: number) => onProgress?.({ stage: "sampling", fraction });
        onSampling(0);
        const sampleCharsPerSecond = await timeSampling(
          learner.model,
          learner.vocabulary,
          streams,
          random.fork("sample"),
          SECONDS_OF_SAMPLING,
          onSampling,
          signal,
        );
        const trainCharsPerSecond = (batchSize * seqLength) / timed.secondsPerStep;
        const flopsPerCharacter = operationsPerCharacter(model);
        return {
          backend: backend.name,
          threads: backend.threads,
          model,
          parameters: parameterCount(model),
          ...rates,
          batchSize,
          seqLength,
          steps: timed.steps,
          msPerStep: 1e3 * timed.secondsPerStep,
          trainCharsPerSecond,
          flopsPerCharacter,
          trainGflops: (flopsPerCharacter * trainCharsPerSecond) / 1e9,
          streams,
          sampleCharsPerSecond,
          peakRssBytes: peakMemory(),
        };
      } finally {
        learner.dispose();
      }
    },
    (cause) => trainingOutOfMemory(need, cause),
  );
}
