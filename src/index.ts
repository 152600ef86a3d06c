/** charnn as a library: train, sample, evaluate, and look at what is there. It never prints. */

export type { TensorFlowFacts } from "./backends/backend.js";
export {
  type Benchmark,
  type BenchmarkProgress,
  benchmark,
} from "./benchmark/benchmark.js";
export { type BackendDiagnosis, type Diagnosis, diagnose } from "./benchmark/diagnose.js";
export type { Checkpoint, CheckpointFacts } from "./checkpoint/checkpoint.js";
export { BENCH_DEFAULTS, type BenchmarkSettings } from "./config/bench.js";
export { COPIES_DEFAULTS, type CopiesSettings } from "./config/copies.js";
export { EVAL_DEFAULTS, type EvaluateSettings } from "./config/evaluate.js";
export type { ModelConfig } from "./config/model.js";
export { parameterCount } from "./config/model.js";
export { REPORT_DEFAULTS, type ReportSettings } from "./config/report.js";
export type { Progress, RunConfig } from "./config/run.js";
export { SAMPLE_DEFAULTS, type SampleSettings } from "./config/sample.js";
export { SCORE_DEFAULTS, type ScoreSettings } from "./config/score.js";
export { TRAIN_DEFAULTS } from "./config/train.js";
export type { TrainSettings } from "./config/train-settings.js";
export { Inputs } from "./data/inputs.js";
export type { Vocabulary } from "./data/vocabulary.js";
export { CharnnError, type ErrorCode } from "./errors.js";
export {
  evaluateTexts,
  type TextScore,
} from "./evaluation/evaluate-texts.js";
export { type ScoredText, scoreTexts } from "./evaluation/score-texts.js";
export {
  type Copies,
  type Copy,
  findCopies,
} from "./memorization/find-copies.js";
export { binned } from "./report/binned.js";
export { type Curve, curvesOf } from "./report/curves.js";
export { watchRun } from "./report/watch/watch-run.js";
export { writeReport } from "./report/write-report.js";
export { listCheckpoints, loadCheckpoint } from "./runs/load-checkpoint.js";
export { readMetrics } from "./runs/metrics-reader.js";
export { sample } from "./sampling/sample.js";
export {
  type InstalledTensorFlow,
  type InstallTensorFlowOptions,
  installTensorFlow,
} from "./setup/install-tensorflow.js";
export { TENSORFLOW_SIZES, type TensorFlowBuild } from "./setup/tools.js";
export { crossValidate } from "./training/cross-validate.js";
export type {
  CheckpointEvent,
  CrossValidationEvent,
  EndEvent,
  EvalEvent,
  PreparingEvent,
  ReplanEvent,
  SampleEvent,
  StartEvent,
  StepEvent,
  TrainingEvent,
  WarningEvent,
} from "./training/events.js";
export type { TrainOptions } from "./training/settings.js";
export { train } from "./training/trainer.js";
