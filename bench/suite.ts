/**
 * Measures charnn beside PyTorch and beside what the machine can do at most, in turn, A B A B, and
 * prints a table with what each row must reach. Where what a row is compared with is not installed it says so,
 * and has charnn's own figure alone.
 *
 *     npm run bench -- [--rounds 3] [--threads 2] [--only training|scaling|sampling|writing|start|tfjs]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "#src/arrays.js";
import type { Checkpoint } from "#src/checkpoint/checkpoint.js";
import * as cases from "./cases.js";
import {
  CHARNN,
  CXX,
  charnn,
  matmulPeak,
  readBandwidth,
  secondsOf,
  TFJS_MODULES,
  TORCH_PYTHON,
  tfjsTraining,
  torchSampling,
  torchTraining,
} from "./commands.js";
import { machineFacts } from "./machine.js";
import { NOT_INSTALLED } from "./peers/find.js";
import * as writing from "./writing.js";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    only: { type: "string" },
  },
});
const ROUNDS = Number(options.rounds);
const THREADS = Number(options.threads);

/** One line of the results. */
interface Row {
  readonly work: string;
  readonly reached: string;
  readonly mustReach: string;
  /** Undefined where what it is compared with is not there. */
  readonly holds: boolean | undefined;
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const whole = (figure: number) => Math.round(figure).toLocaleString("en-US");

/** Runs all measurements of a round before the next round begins, and gives the figures of each. */
function inRounds<Name extends string>(
  measurements: Readonly<Record<Name, () => number>>,
): Record<Name, number[]> {
  const names = Object.keys(measurements) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) figures[name].push(measurements[name]());
  }
  return figures;
}

/** The median of the rounds' ratios. */
function ratio(above: readonly number[], below: readonly number[]): number {
  return median(above.map((figure, round) => figure / below[round]));
}

const WITHOUT_TORCH = `PyTorch is ${NOT_INSTALLED}`;
const WITHOUT_TFJS = `tfjs-node is ${NOT_INSTALLED}`;
const WITHOUT_COMPILER = "the read bandwidth needs a C++ compiler";

/** A row of charnn's chars/s alone. */
function alone(row: Pick<Row, "work" | "mustReach">, why: string, measure: () => number): Row {
  const { charnn } = inRounds({ charnn: measure });
  return { ...row, reached: `${whole(median(charnn))} chars/s; ${why}`, holds: undefined };
}

function training(): Row[] {
  return cases.TRAINING.map((one) => {
    const row = {
      work: `train ${titleOf(one)}`,
      mustReach: `${one.ratio} x or ${percent(one.share)}`,
    };
    if (!TORCH_PYTHON) {
      return alone(row, WITHOUT_TORCH, () => charnn(one, THREADS).trainCharsPerSecond);
    }
    let operations = 0;
    const figures = inRounds({
      charnn: () => {
        const { trainCharsPerSecond, flopsPerCharacter } = charnn(one, THREADS);
        operations = flopsPerCharacter;
        return trainCharsPerSecond;
      },
      torch: () => torchTraining(one, THREADS),
      peak: () => matmulPeak(THREADS),
    });
    const times = ratio(figures.charnn, figures.torch);
    const share = operations * ratio(figures.charnn, figures.peak);
    const torchShare = operations * ratio(figures.torch, figures.peak);
    return {
      ...row,
      reached: `${whole(median(figures.charnn))} chars/s: ${times.toFixed(2)} x PyTorch, ${percent(share)} of the peak (PyTorch: ${percent(torchShare)})`,
      holds: times >= one.ratio || share >= one.share,
    };
  });
}

function titleOf(one: cases.TrainingCase): string {
  const { cell, layers, hiddenSize, embeddingSize, dropout, batchSize, seqLength } = one;
  const extras = [
    embeddingSize > 0 ? `embedding ${embeddingSize}` : "one-hot",
    ...(dropout > 0 ? [`dropout ${dropout}`] : []),
  ];
  const model = `${cell.toUpperCase()} ${layers}x${hiddenSize}`;
  return `${model}, batch ${batchSize}, seq ${seqLength}, ${extras.join(", ")}`;
}

/** Of other JavaScript: tfjs-layers on tfjs-node. */
function besideTfjs(): Row[] {
  return cases.BESIDE_TFJS.flatMap((one) => {
    const work = `train ${titleOf(one)}, on`;
    if (!TFJS_MODULES) {
      const row = { work: `${work} native`, mustReach: `${one.times.native ?? 0} x` };
      return one.times.native
        ? [alone(row, WITHOUT_TFJS, () => charnn(one, THREADS, "native").trainCharsPerSecond)]
        : [];
    }
    const figures = inRounds({
      native: () => charnn(one, THREADS, "native").trainCharsPerSecond,
      tensorflow: () => charnn(one, THREADS, "tensorflow").trainCharsPerSecond,
      tfjs: () => tfjsTraining(one, THREADS),
    });
    return (["native", "tensorflow"] as const).flatMap((backend) => {
      const least = one.times[backend];
      if (least === undefined) return [];
      const times = ratio(figures[backend], figures.tfjs);
      return {
        work: `${work} ${backend}`,
        reached: `${whole(median(figures[backend]))} chars/s: ${times.toFixed(1)} x tfjs-node layers`,
        mustReach: `${least} x`,
        holds: times >= least,
      };
    });
  });
}

function scaling(): Row[] {
  const memory: number[] = [];
  const peak = (threads: number) => (TORCH_PYTHON ? matmulPeak(threads) : Number.NaN);
  const figures = inRounds({
    one: () => charnn(cases.SCALED, 1).trainCharsPerSecond,
    peakOfOne: () => peak(1),
    all: () => {
      const { trainCharsPerSecond, peakRssBytes } = charnn(cases.SCALED, THREADS);
      memory.push(peakRssBytes);
      return trainCharsPerSecond;
    },
    peakOfAll: () => peak(THREADS),
  });
  const own = ratio(figures.all, figures.one);
  const matmul = ratio(figures.peakOfAll, figures.peakOfOne);
  const { layers, hiddenSize } = cases.SCALED;
  const model = `GRU ${layers}x${hiddenSize}`;
  return [
    {
      work: `${THREADS} threads against 1, ${model}`,
      reached: TORCH_PYTHON
        ? `${own.toFixed(2)} x; the matmul ${matmul.toFixed(2)} x: ${percent(own / matmul)}`
        : `${own.toFixed(2)} x; ${WITHOUT_TORCH}`,
      mustReach: percent(cases.SCALING_SHARE),
      holds: TORCH_PYTHON ? own / matmul >= cases.SCALING_SHARE : undefined,
    },
    {
      work: `peak memory of training ${model}`,
      reached: `${whole(Math.max(...memory) / 1e6)} MB`,
      mustReach: `${cases.MAX_MEMORY / 1e6} MB`,
      holds: Math.max(...memory) <= cases.MAX_MEMORY,
    },
  ];
}

/** Training is measured too by `charnn bench`; it is kept short. */
const SHORT = { batchSize: 1, seqLength: 8 };

function sampling(): Row[] {
  return [
    smallSampling(),
    ...cases.SAMPLING.map(oneText),
    ...cases.SAMPLING_SIDE_BY_SIDE.map(texts),
  ];
}

const sampledBy = (one: cases.SamplingCase, threads: number) =>
  charnn({ ...SHORT, ...one }, threads);

function smallSampling(): Row {
  const row = {
    work: `sample GRU 2x128, 1 thread`,
    mustReach: `${cases.SMALL_SAMPLING_RATIO} x`,
  };
  const measure = () => sampledBy(cases.SMALL_SAMPLING, 1).sampleCharsPerSecond;
  if (!TORCH_PYTHON) return alone(row, WITHOUT_TORCH, measure);
  const figures = inRounds({
    charnn: measure,
    torch: () => torchSampling(cases.SMALL_SAMPLING, 1),
  });
  const times = ratio(figures.charnn, figures.torch);
  return {
    ...row,
    reached: `${whole(median(figures.charnn))} chars/s: ${times.toFixed(2)} x PyTorch`,
    holds: times >= cases.SMALL_SAMPLING_RATIO,
  };
}

function oneText(one: cases.SamplingCase): Row {
  const row = {
    work: `sample GRU ${one.layers}x${one.hiddenSize}`,
    mustReach: `${percent(cases.SAMPLING_SHARE)} and 1 x`,
  };
  let bytes = 0;
  const measure = () => {
    const { sampleCharsPerSecond, flopsPerCharacter } = sampledBy(one, THREADS);
    // Six operations of training, four bytes for each weight.
    bytes = (flopsPerCharacter / 6) * 4;
    return sampleCharsPerSecond;
  };
  if (!TORCH_PYTHON || !CXX) {
    return alone(row, TORCH_PYTHON ? WITHOUT_COMPILER : WITHOUT_TORCH, measure);
  }
  const figures = inRounds({
    charnn: measure,
    torch: () => torchSampling(one, THREADS),
    bandwidth: () => readBandwidth(bytes, THREADS),
  });
  const share = bytes * ratio(figures.charnn, figures.bandwidth);
  const toTorch = ratio(figures.charnn, figures.torch);
  return {
    ...row,
    reached: `${whole(median(figures.charnn))} chars/s: ${percent(share)} of the read bandwidth, ${toTorch.toFixed(2)} x PyTorch`,
    holds: share >= cases.SAMPLING_SHARE && toTorch >= 1,
  };
}

function texts(one: cases.SamplingCase): Row {
  const row = {
    work: `sample ${one.streams} texts at once, GRU ${one.layers}x${one.hiddenSize}`,
    mustReach: percent(cases.SAMPLING_SHARE),
  };
  let operations = 0;
  const measure = () => {
    const { sampleCharsPerSecond, flopsPerCharacter } = sampledBy(one, THREADS);
    operations = flopsPerCharacter / 3;
    return sampleCharsPerSecond;
  };
  if (!TORCH_PYTHON) return alone(row, WITHOUT_TORCH, measure);
  const figures = inRounds({ charnn: measure, peak: () => matmulPeak(THREADS) });
  const share = operations * ratio(figures.charnn, figures.peak);
  return {
    ...row,
    reached: `${whole(median(figures.charnn))} chars/s: ${percent(share)} of the matmul peak`,
    holds: share >= cases.SAMPLING_SHARE,
  };
}

/** Limits on a text, texts that are chosen among, and a model that stays open, of GRU 1x256; and models that write as one. */
async function writingRows(): Promise<Row[]> {
  const ofOne = await writing.withTrained(writing.ONE_MODEL, async (checkpoint) => [
    ...(await limits(checkpoint)),
    await bestOf(checkpoint),
    await openModel(checkpoint),
  ]);
  return [...ofOne, await writing.withTrained(writing.THREE_MODELS, severalModels)];
}

async function limits(checkpoint: Checkpoint): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, settings] of Object.entries(cases.LIMITS)) {
    const costs = await rounds(() => writing.costOf(checkpoint, settings, THREADS));
    const kept = median(costs.map(({ ratio }) => ratio));
    const [plain, limited] = [
      costs.map((cost) => cost.plain),
      costs.map((cost) => cost.limited),
    ].map((figures) => whole(median(figures)));
    rows.push({
      work: `sample ${name}`,
      reached: `${limited} chars/s, ${plain} without: costs ${percent(1 - kept)}`,
      mustReach: `at most ${percent(cases.MAX_COST)}`,
      holds: 1 - kept <= cases.MAX_COST,
    });
  }
  return rows;
}

async function bestOf(checkpoint: Checkpoint): Promise<Row> {
  const figures = await rounds(async () => ({
    one: (await writing.costOf(checkpoint, {}, THREADS)).plain,
    all: await writing.bestOfSpeed(checkpoint, THREADS),
  }));
  const times = median(figures.map(({ one, all }) => all / one));
  return {
    work: `sample --best-of ${writing.BEST_OF}`,
    reached: `${whole(median(figures.map(({ all }) => all)))} chars/s of all texts: ${times.toFixed(1)} x one text`,
    mustReach: `${cases.BEST_OF_RATIO} x`,
    holds: times >= cases.BEST_OF_RATIO,
  };
}

async function openModel(checkpoint: Checkpoint): Promise<Row> {
  const figures = await rounds(async () => ({
    separate: await writing.separateCallsSpeed(checkpoint, THREADS),
    open: await writing.openModelSpeed(checkpoint, THREADS),
  }));
  const times = median(figures.map(({ open, separate }) => open / separate));
  const { count, length } = writing.CALLS;
  return {
    work: `${count} texts of ${length} characters at once: an open model`,
    reached: `${whole(median(figures.map(({ open }) => open)))} chars/s: ${times.toFixed(1)} x calls of sample()`,
    mustReach: `${cases.OPEN_MODEL_RATIO} x`,
    holds: times >= cases.OPEN_MODEL_RATIO,
  };
}

async function severalModels(checkpoint: Checkpoint): Promise<Row> {
  const figures = await rounds(() => writing.textSpeed(checkpoint, THREADS));
  const speed = median(figures);
  return {
    work: "three of medium, as one",
    reached: `${whole(speed)} chars/s`,
    mustReach: `${whole(cases.SPEED_OF_THREE)} chars/s`,
    holds: speed >= cases.SPEED_OF_THREE,
  };
}

async function rounds<Figures>(measure: () => Promise<Figures>): Promise<Figures[]> {
  const figures: Figures[] = [];
  for (let round = 0; round < ROUNDS; round++) figures.push(await measure());
  return figures;
}

function start(): Row[] {
  const folder = mkdtempSync(join(tmpdir(), "charnn-bench-"));
  try {
    const text = "The quick brown fox jumps over the lazy dog.\n".repeat(200);
    writeFileSync(join(folder, "fox.txt"), text);
    secondsOf([CHARNN, "train", "fox.txt", "--steps", "5"], folder);
    const figures = inRounds({
      node: () => best(() => secondsOf(["-e", "0"])),
      version: () => best(() => secondsOf([CHARNN, "--version"])),
      sample: () => best(() => secondsOf([CHARNN, "sample", "-n", "200"], folder)),
    });
    const times = ratio(figures.version, figures.node);
    const seconds = median(figures.sample);
    return [
      {
        work: "charnn --version",
        reached: `${(1e3 * median(figures.version)).toFixed(0)} ms: ${times.toFixed(2)} x node -e 0`,
        mustReach: `${cases.MAX_START_RATIO} x`,
        holds: times <= cases.MAX_START_RATIO,
      },
      {
        work: "charnn sample -n 200, from a cold start",
        reached: `${seconds.toFixed(2)} s`,
        mustReach: `${cases.MAX_SAMPLE_SECONDS} s`,
        holds: seconds <= cases.MAX_SAMPLE_SECONDS,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The least of some runs. */
function best(measure: () => number): number {
  return Math.min(...Array.from({ length: 5 }, measure));
}

const parts = { training, scaling, sampling, writing: writingRows, start, tfjs: besideTfjs };
const chosen = Object.entries(parts).filter(([name]) => !options.only || options.only === name);
console.log(`${machineFacts()}; ${THREADS} threads, medians of ${ROUNDS} rounds.\n`);
console.log("| work | reached | must reach | holds |\n|---|---|---|---|");
for (const [, measure] of chosen) {
  for (const { work, reached, mustReach, holds } of await measure()) {
    const verdict = holds === undefined ? "not compared" : holds ? "yes" : "no";
    console.log(`| ${work} | ${reached} | ${mustReach} | ${verdict} |`);
  }
}
