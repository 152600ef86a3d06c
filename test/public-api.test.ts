import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import ts from "typescript";
import * as charnn from "#src/index.js";

const VALUES = [
  "CharnnError",
  "benchmark",
  "crossValidate",
  "diagnose",
  "evaluateTexts",
  "exportModel",
  "findCopies",
  "importRun",
  "installTensorFlow",
  "listCheckpoints",
  "loadCheckpoint",
  "nextCharacters",
  "openModel",
  "readMetrics",
  "sample",
  "scoreTexts",
  "train",
  "watchRun",
  "writeReport",
];

const TYPES = [
  "BenchmarkSettings",
  "Checkpoint",
  "CheckpointFacts",
  "Copies",
  "CopiesSettings",
  "ErrorCode",
  "EvaluateSettings",
  "ExportSettings",
  "ImportSettings",
  "Metrics",
  "Model",
  "Next",
  "NextSettings",
  "ReportSettings",
  "RunConfig",
  "SampleSettings",
  "ScoreSettings",
  "ScoredText",
  "TextScore",
  "TrainOptions",
  "TrainSettings",
  "TrainingEvent",
];

test("The library exports these functions and values, and no others", () => {
  assert.deepEqual(Object.keys(charnn).sort(), VALUES);
});

test("The library exports these types, and no others", () => {
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
