/** charnn as a library: train, sample, evaluate, and look at what is there. It never prints. */

export { benchmark } from "./benchmark/benchmark.js";
export { diagnose } from "./benchmark/diagnose.js";
export type { Checkpoint, CheckpointFacts } from "./checkpoint/checkpoint.js";
export type { BenchmarkSettings } from "./config/bench.js";
export type { CopiesSettings } from "./config/copies.js";
export type { EvaluateSettings } from "./config/evaluate.js";
export type { ReportSettings } from "./config/report.js";
export type { RunConfig } from "./config/run.js";
export type { SampleSettings } from "./config/sample.js";
export type { ScoreSettings } from "./config/score.js";
export type { TrainSettings } from "./config/train-settings.js";
export { CharnnError, type ErrorCode } from "./errors.js";
export { evaluateTexts, type TextScore } from "./evaluation/evaluate-texts.js";
export { type ScoredText, scoreTexts } from "./evaluation/score-texts.js";
export { type Copies, findCopies } from "./memorization/find-copies.js";
export { watchRun } from "./report/watch/watch-run.js";
export { writeReport } from "./report/write-report.js";
export { listCheckpoints, loadCheckpoint } from "./runs/load-checkpoint.js";
export type { Metrics } from "./runs/metrics-collector.js";
export { readMetrics } from "./runs/metrics-reader.js";
export { sample } from "./sampling/sample.js";
export { installTensorFlow } from "./setup/install-tensorflow.js";
export { crossValidate } from "./training/cross-validate.js";
export type { TrainingEvent } from "./training/events.js";
export type { TrainOptions } from "./training/settings.js";
export { train } from "./training/trainer.js";
