import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, readdir } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { pythonWith } from "#bench/peers/find.js";
import { type TrainSettings, train } from "#src/index.js";
import { readMetrics } from "#src/runs/metrics-reader.js";
import { crc32c, encodeRecord } from "#src/tensorboard/event-file.js";
import { histogramOf } from "#src/tensorboard/histogram.js";
import { trainedWithBadSteps } from "../helpers/broken-kernel.js";
import { assertClose, Draw } from "../helpers/numbers.js";
import {
  fileOf,
  only,
  smallRun,
  tensorsOf,
  trained,
  type Workplace,
  workplace,
} from "../helpers/training.js";

const SCRIPT = fileURLToPath(new URL("../../test/fixtures/read_events.py", import.meta.url));
const python = pythonWith("tensorboard");
const skip = python === undefined && "no Python with TensorBoard; `npm run peers` gets it";

type Scalars = Readonly<Record<string, readonly (readonly [step: number, value: number])[]>>;

interface Found {
  readonly scalars: Scalars;
  readonly texts: Readonly<Record<string, readonly (readonly [number, readonly string[]])[]>>;
  readonly plugins: Readonly<Record<string, string>>;
  readonly histograms: Readonly<
    Record<
      string,
      readonly {
        readonly step: number;
        readonly min: number;
        readonly max: number;
        readonly num: number;
        readonly sum: number;
        readonly sum_squares: number;
        readonly bucket_limit: readonly number[];
        readonly bucket: readonly number[];
      }[]
    >
  >;
}

/** What TensorBoard's own reader finds in the folder of a run. */
function foundIn({ out }: Workplace): Found {
  const folder = path.join(out, "run");
  return JSON.parse(execFileSync(python as string, [SCRIPT, folder], { encoding: "utf8" }));
}

/** The scalars that the metrics of a run come to, in single precision. */
async function expectedScalars({ out }: Workplace): Promise<Scalars> {
  const { steps, evaluations } = await readMetrics("run", out);
  const lists = {
    "loss/training": steps.map(({ step, loss }) => [step, loss]),
    "learning rate": steps.map(({ step, learningRate }) => [step, learningRate]),
    "gradient norm": steps.map(({ step, gradientNorm }) => [step, gradientNorm]),
    "chars per second": steps.map(({ step, charsPerSecond }) => [step, charsPerSecond]),
    "loss/validation": evaluations.map(({ step, validationLoss }) => [step, validationLoss]),
    "bits per character": evaluations.map(({ step, validationLoss }) => [
      step,
      Number(validationLoss) / Math.LN2,
    ]),
  };
  return Object.fromEntries(
    Object.entries(lists).map(([tag, list]) => [
      tag,
      list.map(([step, value]) => [Number(step), Math.fround(Number(value))] as const),
    ]),
  );
}

const SETTINGS: Partial<TrainSettings> = { steps: 12, evalEvery: 4, tensorboard: true };

describe("TensorBoard's reader", { skip }, () => {
  test("TensorBoard's reader sees every scalar, every sample, and how weights and gradients are spread", async (t) => {
    const place = await workplace(t);
    const events = await trained(smallRun(place, { ...SETTINGS, clipNorm: 0.1 }));
    const { scalars, texts, plugins, histograms } = foundIn(place);
    assert.deepEqual(scalars, await expectedScalars(place));
    const samples = only(events, "sample");
    assert.deepEqual(
      texts.sample.map(([step, [text]]) => [step, text.replace(/^ {4}/gm, "")]),
      samples.map(({ step, text }) => [step, text]),
    );
    assert.deepEqual(plugins, { sample: "text" });

    const tensors = await tensorsOf(place, "run");
    const parameters = [...tensors.keys()].filter((name) => /^(encoder|rnn|decoder)\./.test(name));
    assert.deepEqual(
      Object.keys(histograms).toSorted(),
      parameters.flatMap((name) => [`gradients/${name}`, `weights/${name}`]).toSorted(),
    );
    const steps = only(events, "eval").map(({ step }) => step);
    for (const list of Object.values(histograms)) {
      assert.deepEqual(
        list.map(({ step }) => step),
        steps,
      );
      for (const { bucket, num } of list) {
        assert.equal(
          bucket.reduce((sum, count) => sum + count, 0),
          num,
        );
      }
    }
    for (const name of parameters) {
      const values = [...(tensors.get(name) as Float32Array)];
      const last = histograms[`weights/${name}`].at(-1);
      assert.deepEqual(
        [last?.min, last?.max, last?.num],
        [Math.min(...values), Math.max(...values), values.length],
      );
      const sum = values.reduce((total, value) => total + value, 0);
      const squares = values.reduce((total, value) => total + value ** 2, 0);
      assertClose([last?.sum ?? 0, last?.sum_squares ?? 0], [sum, squares], 1e-9, name);
    }
    // What was clipped at norm 0.1 has it, however many parameters it is divided among.
    const squares = parameters.map((name) => histograms[`gradients/${name}`].at(-1)?.sum_squares);
    const norm = Math.sqrt(squares.reduce<number>((sum, square) => sum + (square ?? 0), 0));
    assertClose([norm], [0.1], 1e-5, "norm of the gradients");
  });

  test("TensorBoard's reader sees each step once where a run was killed and resumed", async (t) => {
    const place = await workplace(t);
    const settings = smallRun(place, { ...SETTINGS, saveEvery: 2 });
    // A generator that is left does not save, as a process that is killed.
    for await (const event of train(settings)) {
      if (event.event === "step" && event.step === 7) break;
    }
    const [file] = (await readdir(path.join(place.out, "run"))).filter((name) =>
      name.startsWith("events.out.tfevents"),
    );
    const cut = encodeRecord(new Uint8Array(40)).subarray(0, 20);
    await appendFile(path.join(place.out, "run", file), cut);
    await trained({ ...settings, resume: true });
    const { scalars, texts, histograms } = foundIn(place);
    assert.deepEqual(scalars, await expectedScalars(place));
    assert.deepEqual(
      texts.sample.map(([step]) => step),
      [4, 8, 12],
    );
    for (const list of Object.values(histograms)) assert.equal(list.length, 3);
  });

  test("TensorBoard's reader sees each step once where a run went back to its last checkpoint", async (t) => {
    const place = await workplace(t);
    const settings = { ...SETTINGS, steps: 20, saveEvery: 4, evalEvery: 100 };
    const run = smallRun(place, { ...settings, schedule: "constant" });
    await trainedWithBadSteps(t, (step) => step > 6 && step <= 11, run);
    const { scalars } = foundIn(place);
    assert.deepEqual(
      scalars["loss/training"].map(([step]) => step),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    assert.deepEqual(scalars["loss/training"], (await expectedScalars(place))["loss/training"]);
  });

  test("TensorBoard's reader sees nothing of a run that was overwritten", async (t) => {
    const place = await workplace(t);
    await trained(smallRun(place, SETTINGS));
    await trained(smallRun(place, { ...SETTINGS, steps: 3, overwrite: true }));
    const { scalars } = foundIn(place);
    assert.deepEqual(
      scalars["loss/training"].map(([step]) => step),
      [1, 2, 3],
    );
  });
});

test("a run has the same checkpoint with TensorBoard's files as without", async (t) => {
  const place = await workplace(t);
  await trained(smallRun(place, { ...SETTINGS, name: "with" }));
  await trained(smallRun(place, { ...SETTINGS, name: "without", tensorboard: false }));
  const [first, second] = await Promise.all(
    ["with", "without"].map((name) => fileOf(place, name, "last.safetensors")),
  );
  assert.ok(first.equals(second));
  const files = await readdir(path.join(place.out, "without"));
  assert.deepEqual(files.toSorted(), ["best.safetensors", "last.safetensors", "metrics.jsonl"]);
});

test("checksums are those of RFC 3720, appendix B.4", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(ascending), 0x46dd794e);
  assert.equal(crc32c(ascending.toReversed()), 0x113fdb5c);
});

test("a histogram counts every finite number in its bucket", () => {
  const draw = new Draw(2);
  // Of all sizes, some of them many times as large as others.
  const values = Float32Array.from(
    { length: 2_000 },
    () => (draw.uniform() - 0.4) * 10 ** (6 * draw.uniform() - 3),
  );
  values.set([Number.NaN, Number.POSITIVE_INFINITY, 2.1, -2e-40, 3.4e38, -3.4e38, 1e-42], 100);
  const histogram = histogramOf(values);
  assert.ok(histogram);
  const { limits, counts, ...rest } = histogram;
  const finite = [...values].filter(Number.isFinite);
  assert.deepEqual(
    [rest.least, rest.most, rest.count],
    [Math.min(...finite), Math.max(...finite), 1_998],
  );
  assert.deepEqual(
    limits,
    limits.toSorted((a, b) => a - b),
  );
  let left = Number.NEGATIVE_INFINITY;
  for (const [k, limit] of limits.entries()) {
    assert.equal(counts[k], finite.filter((value) => value > left && value <= limit).length);
    // No wider than a quarter of a doubling, but next to nothing.
    if (counts[k] > 0 && k > 0 && Math.min(Math.abs(left), Math.abs(limit)) > 1e-37) {
      assert.ok(Math.max(left / limit, limit / left) <= 1.25);
    }
    left = limit;
  }
});

test("a histogram can hold one number, or none", () => {
  const same = histogramOf(new Float32Array(3).fill(2.5));
  assert.deepEqual([same?.counts, same?.limits], [[3], [2.5]]);
  assert.equal(histogramOf(Float32Array.of(Number.NaN)), undefined);
  const zeros = histogramOf(Float32Array.of(0, -0, 1))?.counts ?? [];
  assert.equal(
    zeros.reduce((sum, count) => sum + count, 0),
    3,
  );
});
