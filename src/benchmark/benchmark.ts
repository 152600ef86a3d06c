import { least } from "../arrays.js";
import { backendWarnings } from "../backends/select.js";
import { BENCH, BENCH_DEFAULTS, type BenchmarkSettings } from "../config/bench.js";
import { type ModelConfig, modelConfig } from "../config/model.js";
import type { BackendName } from "../config/names.js";
import { parameterCount } from "../config/parameters.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import { inMemory, peakMemory } from "../memory.js";
import type { DropoutRates } from "../model/dropout.js";
import { operationsPerCharacter } from "../model/flops.js";
import { processesOf, refuseTooLarge, trainingOutOfMemory } from "../planning/memory-need.js";
import { ngramsOf } from "../planning/presets.js";
import { Random } from "../random.js";
import { type JoinCommand, joinAll, type Processes } from "../ranks/join.js";
import { openBackendOf } from "../ranks/open-backend.js";
import { type RankZero, rankZeroAlone } from "../ranks/rank-zero.js";
import { type Timed, timedInAll } from "../ranks/timed.js";
import { timeSampling } from "./sampling-speed.js";
import {
  type BenchmarkCommand,
  createLearner,
  type Effort,
  timeTraining,
} from "./training-speed.js";

const benchmarkSettingsSchema = settingsSchema<BenchmarkSettings>(BENCH);

/** How fast this machine trains and samples. */
export interface Benchmark extends DropoutRates {
  readonly backend: BackendName;
  readonly threads: number;
  readonly model: ModelConfig;
  readonly parameters: number;
  /** Of each worker. */
  readonly batchSize: number;
  readonly seqLength: number;
  /** One for each process. */
  readonly workers: number;
  /** Where several processes were measured together. */
  readonly processes: Processes | undefined;
  /** The part of `msPerStep` in which they exchange gradients. */
  readonly exchangeMs: number | undefined;
  /** How many steps were timed; the training figures are their medians. */
  readonly steps: number;
  readonly msPerStep: number;
  /** Of all workers together. */
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

export interface BenchmarkOptions {
  readonly onProgress?: (progress: BenchmarkProgress) => void;
  readonly onWarning?: (message: string) => void;
  readonly signal?: AbortSignal;
}

const WARM_UP: Effort = { steps: 20, seconds: 1 };
const SECONDS_OF_TRAINING = 3;
/** At most this many, even if more steps are asked for. */
const MAX_SECONDS_OF_TRAINING = 10;
const TIMES_EXCHANGED = 15;
const SECONDS_OF_SAMPLING = { warmUp: 0.5, timed: 2 };

/**
 * Measures whole training steps as `train` makes them, on a random text, and then how fast the model
 * writes. Both are warmed up first, and take some seconds.
 *
 * @throws CharnnError `INVALID_SETTING`, `OUT_OF_MEMORY`, or `BACKEND_UNAVAILABLE` for a backend asked for
 *   by name; the reason of the signal once it is aborted
 */
export function benchmark(
  settings: BenchmarkSettings = {},
  options: BenchmarkOptions = {},
): Promise<Benchmark> {
  return benchmarkTogether(settings, options);
}

/**
 * The same in all ranks: this is rank 0, and the others follow.
 *
 * @throws CharnnError also for what is wrong with another rank
 */
export async function benchmarkTogether(
  settings: BenchmarkSettings,
  {
    onProgress,
    onWarning,
    signal,
    rankZero = rankZeroAlone(),
  }: BenchmarkOptions & {
    readonly rankZero?: RankZero<JoinCommand | BenchmarkCommand> | undefined;
  } = {},
): Promise<Benchmark> {
  const { threads, steps, ...given } = checked(benchmarkSettingsSchema, settings);
  const {
    backend: asked,
    batchSize,
    seqLength,
    streams,
    ...others
  } = { ...BENCH_DEFAULTS, ...definedOnly(given) };
  const { dropout, inputDropout, recurrentDropout, weightDropout, ...ofModel } = others;
  const rates = { dropout, inputDropout, recurrentDropout, weightDropout };
  const { ngramOrder, ngramRows, ...sizes } = ofModel;
  const ngrams = ngramsOf(sizes.embeddingSize, { ngramOrder, ngramRows });
  const model = modelConfig({ ...sizes, ...ngrams });
  const { ranks } = rankZero;
  const selected = await openBackendOf(ranks, asked, threads);
  const { backend } = selected;
  const joined = await joinAll(rankZero, selected, threads);
  const workers = ranks.size;
  const shape = { batchSize, seqLength, ...rates };
  const training = { ...TRAIN_DEFAULTS, ...shape, workers };
  const processes = processesOf(ranks);
  const need = { model, training, backend, evaluation: undefined, streams, processes };
  refuseTooLarge(need);
  const warnings = [...(ranks.cores?.warnings ?? []), ...backendWarnings(selected, threads)];
  for (const message of warnings) onWarning?.(message);

  return inMemory(
    async () => {
      const learner = await timedInAll(rankZero, { kind: "benchmark", model, shape }, () =>
        createLearner(backend, model, shape, { ranks, signal }),
      );
      try {
        const effort =
          steps === undefined
            ? { steps: Number.POSITIVE_INFINITY, seconds: SECONDS_OF_TRAINING }
            : { steps, seconds: MAX_SECONDS_OF_TRAINING };
        const onTraining = (fraction: number) => onProgress?.({ stage: "training", fraction });
        onTraining(0);
        const timed = await timeTraining(
          () => learner.run("step"),
          WARM_UP,
          effort,
          onTraining,
          signal,
        );
        const exchange = joined && (await secondsToExchange(learner.run));
        const onSampling = (fraction: number) => onProgress?.({ stage: "sampling", fraction });
        onSampling(0);
        const sampleCharsPerSecond = await timeSampling(
          learner.own.model,
          learner.own.vocabulary,
          streams,
          Random.fromSeed(0).fork("sample"),
          SECONDS_OF_SAMPLING,
          onSampling,
          signal,
        );
        const trainCharsPerSecond = (workers * batchSize * seqLength) / timed.secondsPerStep;
        const flopsPerCharacter = operationsPerCharacter(model);
        return {
          backend: backend.name,
          threads: backend.threads,
          model,
          parameters: parameterCount(model),
          ...rates,
          batchSize,
          seqLength,
          workers,
          processes: joined && {
            ...joined,
            exchangeShare: (exchange as number) / timed.secondsPerStep,
          },
          exchangeMs: exchange && 1e3 * exchange,
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
        await learner.dispose();
      }
    },
    (cause) => trainingOutOfMemory(need, cause),
  );
}

/** The least of some exchanges: those that come late to one are late with their gradients. */
async function secondsToExchange(run: Timed["run"]): Promise<number> {
  const times: number[] = [];
  for (let time = 0; time < TIMES_EXCHANGED; time++) {
    const start = performance.now();
    await run("exchange");
    times.push((performance.now() - start) / 1e3);
  }
  return least(times);
}
