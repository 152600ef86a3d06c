/** What holds for the tables in which options are declared. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { BENCH } from "#src/config/bench.js";
import { COPIES } from "#src/config/copies.js";
import { EVALUATE } from "#src/config/evaluate.js";
import { EXPORT } from "#src/config/export.js";
import { IMPORT } from "#src/config/import.js";
import type { Option } from "#src/config/option.js";
import { REPORT } from "#src/config/report.js";
import { namesIn } from "#src/config/run.js";
import { SAMPLE } from "#src/config/sample.js";
import { schemaOf } from "#src/config/schema.js";
import { SCORE } from "#src/config/score.js";
import { TRAIN } from "#src/config/train.js";
import { loadCheckpoint } from "#src/index.js";
import { smallRun, trained, workplace } from "../helpers/training.js";

const TABLES: Readonly<Record<string, Readonly<Record<string, Option<unknown>>>>> = {
  bench: BENCH,
  copies: COPIES,
  eval: EVALUATE,
  export: EXPORT,
  import: IMPORT,
  report: REPORT,
  sample: SAMPLE,
  score: SCORE,
  train: TRAIN,
};

for (const [command, table] of Object.entries(TABLES)) {
  test(`In the options of ${command}, each default is a value that its option takes`, () => {
    for (const [name, { kind, default: fallback }] of Object.entries(table)) {
      if (fallback === undefined) continue;
      assert.ok(v.is(schemaOf(kind), fallback), `${name} ${fallback}`);
    }
  });

  test(`In the options of ${command}, what can be typed has a name for its value, unless it is a flag`, () => {
    for (const [name, { kind, value, help }] of Object.entries(table)) {
      if (help === undefined) continue;
      assert.equal(value === undefined, kind.type === "flag", name);
    }
  });

  test(`In the options of ${command}, no name of another program means two options, or is one of ours`, () => {
    const own = Object.keys(table).map((name) =>
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    );
    const all = [...own, ...Object.values(table).flatMap(({ aliases = [] }) => aliases)];
    assert.deepEqual(all.toSorted(), [...new Set(all)].toSorted());
  });
}

test("A checkpoint keeps the settings of which the table of training says so, and no others", async (t) => {
  const place = await workplace(t);
  await trained(
    smallRun(place, {
      steps: 2,
      ngramOrder: 2,
      ngramRows: 500,
      fold: { index: 1, of: 2 },
      minCount: 1,
      calibrationCharacters: 20,
      sectionWindows: 2,
      patience: 3,
      workers: 2,
      members: 2,
    }),
  );
  const { config } = await loadCheckpoint("run", place);
  const optional = new Set(["evalCharacters", "split"]);
  assert.deepEqual(
    Object.keys(config.training).filter((name) => !optional.has(name)),
    namesIn("training").filter((name) => !optional.has(name)),
  );
  const { vocabularySize, ...model } = config.model;
  assert.ok(vocabularySize > 0);
  assert.deepEqual(Object.keys(model), namesIn("model"));
  for (const name of Object.keys(config.limits))
    assert.ok(namesIn("limits").includes(name as never));
});
