/** charnn as a library: train, sample, evaluate, and look at what is there. It never prints. */
export {
  type InstalledTensorFlow,
  type InstallTensorFlowOptions,
  installTensorFlow,
} from "./backends/tensorflow/install/install.js";
export { TENSORFLOW_SIZES, type TensorFlowBuild } from "./backends/tensorflow/install/tools.js";
export type { TensorFlowFacts } from "./backends/tensorflow/tensorflow-backend.js";
export type { Checkpoint, CheckpointFacts } from "./checkpoint/checkpoint.js";
export { listCheckpoints, loadCheckpoint } from "./checkpoint/load-checkpoint.js";
export {
  BENCH_DEFAULTS,
  COPIES_DEFAULTS,
  EVAL_DEFAULTS,
  REPORT_DEFAULTS,
  SAMPLE_DEFAULTS,
  SCORE_DEFAULTS,
  TRAIN_DEFAULTS,
} from "./config/defaults.js";
export type { ModelConfig } from "./config/model.js";
export { parameterCount } from "./config/model.js";
export type { Progress, RunConfig } from "./config/run.js";
export type { TrainOptions, TrainSettings } from "./config/train.js";
export {
  type Copies,
  type CopiesSettings,
  type Copy,
  findCopies,
} from "./copying/find-copies.js";
export { Inputs } from "./data/inputs.js";
export type { Vocabulary } from "./data/vocabulary.js";
export { CharnnError, type ErrorCode } from "./errors.js";
export {
  type Benchmark,
  type BenchmarkProgress,
  type BenchmarkSettings,
  benchmark,
} from "./measuring/benchmark.js";
export { type BackendDiagnosis, type Diagnosis, diagnose } from "./measuring/diagnose.js";
export { binned } from "./reporting/binned.js";
export { type Curve, curvesOf } from "./reporting/curves.js";
export { readMetrics } from "./reporting/metrics.js";
export { watchRun } from "./reporting/watch/watch-run.js";
export { type ReportSettings, writeReport } from "./reporting/write-report.js";
export { type SampleSettings, sample } from "./sampling/sample.js";
export {
  type EvaluateSettings,
  evaluateTexts,
  type TextScore,
} from "./scoring/evaluate-texts.js";
export { type ScoredText, type ScoreSettings, scoreTexts } from "./scoring/score-texts.js";
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
export { train } from "./training/trainer.js";
