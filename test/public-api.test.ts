import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import ts from "typescript";
import * as charnn from "#src/index.js";

const VALUES = [
  "BENCH_DEFAULTS",
  "COPIES_DEFAULTS",
  "CharnnError",
  "EVAL_DEFAULTS",
  "Inputs",
  "REPORT_DEFAULTS",
  "SAMPLE_DEFAULTS",
  "SCORE_DEFAULTS",
  "TENSORFLOW_SIZES",
  "TRAIN_DEFAULTS",
  "benchmark",
  "binned",
  "crossValidate",
  "curvesOf",
  "diagnose",
  "evaluateTexts",
  "findCopies",
  "installTensorFlow",
  "listCheckpoints",
  "loadCheckpoint",
  "parameterCount",
  "readMetrics",
  "sample",
  "scoreTexts",
  "train",
  "watchRun",
  "writeReport",
];

const TYPES = [
  "BackendDiagnosis",
  "Benchmark",
  "BenchmarkProgress",
  "BenchmarkSettings",
  "Checkpoint",
  "CheckpointEvent",
  "CheckpointFacts",
  "Copies",
  "CopiesSettings",
  "Copy",
  "CrossValidationEvent",
  "Curve",
  "Diagnosis",
  "EndEvent",
  "ErrorCode",
  "EvalEvent",
  "EvaluateSettings",
  "InstallTensorFlowOptions",
  "InstalledTensorFlow",
  "ModelConfig",
  "PreparingEvent",
  "Progress",
  "ReplanEvent",
  "ReportSettings",
  "RunConfig",
  "SampleEvent",
  "SampleSettings",
  "ScoreSettings",
  "ScoredText",
  "StartEvent",
  "StepEvent",
  "TensorFlowBuild",
  "TensorFlowFacts",
  "TextScore",
  "TrainOptions",
  "TrainSettings",
  "TrainingEvent",
  "Vocabulary",
  "WarningEvent",
];

it("The library exports these functions and values, and no others", () => {
  assert.deepEqual(Object.keys(charnn).sort(), VALUES);
});

it("The library exports these types, and no others", () => {
  const path = new URL("../src/index.ts", import.meta.url);
  const source = ts.createSourceFile(
    "index.ts",
    readFileSync(path, "utf8"),
    ts.ScriptTarget.ES2023,
  );
  const exported = source.statements.filter(ts.isExportDeclaration).flatMap((declaration) => {
    const { exportClause, isTypeOnly } = declaration;
    assert.ok(exportClause && ts.isNamedExports(exportClause), "every name is chosen");
    return exportClause.elements.map((element) => ({
      name: element.name.text,
      isType: isTypeOnly || element.isTypeOnly,
    }));
  });
  const types = exported.filter(({ isType }) => isType).map(({ name }) => name);
  assert.deepEqual(types.sort(), TYPES);
});
