/** A call takes some hundred thousand arguments at most, so no array of a length that a user decides may become them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const SOURCES = fileURLToPath(new URL("../src", import.meta.url));

/** Arrays that are short whatever a user does, by file. */
const SHORT: readonly string[] = [
  "backends/tensorflow/cudnn-check.ts: numbers",
  "backends/tensorflow/cudnn-check.ts: numbers.map((number, j) => number - cudnn[i][j])",
  "backends/tensorflow/cudnn.ts: Array<number>(batch).fill(time)",
  "backends/tensorflow/operations.ts: shape",
  "backends/tensorflow/operations.ts: shape.map(() => 0)",
  "backends/tensorflow/operations.ts: sizes",
  "backends/tensorflow/parameter-array.ts: shape",
  "backends/tensorflow/step-by-step.ts: (t > 0 ? [...terms, gradients[t - 1]] : terms)",
  "backends/wasm/module.ts: values",
  "clean-up.ts: cleanUps",
  "cli/commands/plot.ts: pieces",
  "cli/commands/score.ts: legend(terminal.outColors)",
  "cli/commands/score.ts: pieces.slice(start, start + PIECES_AT_ONCE)",
  "cli/terminal/chart.ts: extent(points.map(({ y }) => y))",
  "cli/terminal/chart.ts: ticks.map(Math.abs)",
  "cli/terminal/chart.ts: ticks.slice(1).map((tick, k) => tick - ticks[k])",
  "cli/terminal/chart.ts: yTicks.map((tick) => label(tick).length)",
  "cli/terminal/progress.ts: pieces",
  "cli/terminal/chart.ts: shown",
  "export/html/script/coloured-text.ts: spans",
  "export/html/script/prediction-panel.ts: items",
  "model/dropout.ts: purpose",
  "report/page/script/charts.ts: ends",
  "report/page/script/charts.ts: known",
  "report/page/script/expected-bars.ts: shown",
  "report/page/script/legend.ts: entries",
  "report/page/script/samples.ts: cards",
  "report/page/script/samples.ts: places",
  "report/page/sections/result.ts: losses",
  "report/page/sections/result.ts: rows.map(([, loss]) => loss)",
];

test("No array of any length is spread into the arguments of a call", () => {
  const spread: string[] = [];
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const file = path.join(SOURCES, name);
    const source = ts.createSourceFile(
      file,
      readFileSync(file, "utf8"),
      ts.ScriptTarget.Latest,
      true,
    );
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
        for (const argument of node.arguments ?? []) {
          if (!ts.isSpreadElement(argument)) continue;
          const text = argument.expression.getText().replace(/\s+/g, " ");
          spread.push(`${name.replaceAll(path.sep, "/")}: ${text}`);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  const others = [...new Set(spread)].filter((test) => !SHORT.includes(test));
  assert.deepEqual(others, []);
  for (const known of SHORT) assert.ok(spread.includes(known), `no longer there: ${known}`);
});
