/**
 * How the cost of training grows: chars/s against the hidden size, the batch size, the sequence
 * length, the layers and the threads, each around one model, beside a roofline. Prints tables, and
 * writes the figures for `bench/plot.py`.
 *
 *     npm run bench:scaling -- [--threads 2] [--figures scaling.json]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { CXX, charnn, matmulPeak, readBandwidth, TORCH_PYTHON } from "./commands.js";
import { machineFacts } from "./machine.js";
import { NOT_INSTALLED } from "./peers/find.js";

const { values: options } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    figures: { type: "string", default: "scaling.json" },
  },
});
const THREADS = Number(options.threads);
const GATES = 3;
const VOCABULARY = 65;
/** Columns of a panel, up to which hidden size and vocabulary are filled. */
const PANEL = 16;

/** What all others stay at while one of them varies. */
const MIDDLE = { layers: 1, hiddenSize: 256, batchSize: 64, seqLength: 64, threads: THREADS };
type Sizes = typeof MIDDLE;

const SERIES: readonly [name: keyof Sizes, title: string, values: readonly number[]][] = [
  ["hiddenSize", "hidden size", [64, 128, 256, 512, 1024, 2048]],
  ["batchSize", "batch size", [1, 2, 4, 8, 16, 32, 64, 128, 256]],
  ["seqLength", "sequence length", [8, 16, 32, 64, 128, 256]],
  ["layers", "layers", [1, 2, 3, 4]],
  ["threads", "threads", Array.from({ length: THREADS }, (_, i) => i + 1)],
];

interface Figure {
  readonly value: number;
  readonly charsPerSecond: number;
  /** FLOP/s of the operations that are needed. */
  readonly rate: number;
  /** The most that the machine allows, FLOP/s. */
  readonly roofline: number;
  /** What sets that limit. */
  readonly bound: "matmul" | "memory";
  /** Floating-point operations for a character: those of its products, and with what fills panels. */
  readonly needed: number;
  readonly done: number;
}

const peaks = new Map<number, number>();

function peakOf(threads: number): number {
  const known = peaks.get(threads) ?? matmulPeak(threads);
  peaks.set(threads, known);
  return known;
}

/** Multiply-adds for a character. */
function products({ layers, hiddenSize }: Sizes, vocabulary: number): number {
  return (2 * layers - 1) * GATES * hiddenSize ** 2 + hiddenSize * vocabulary;
}

function measure(name: keyof Sizes, value: number): Figure {
  const sizes: Sizes = { ...MIDDLE, [name]: value };
  const { trainCharsPerSecond } = charnn({ ...sizes, cell: "gru" }, sizes.threads);
  const weights = products(sizes, VOCABULARY);
  const padded = { ...sizes, hiddenSize: Math.ceil(sizes.hiddenSize / PANEL) * PANEL };
  const needed = 6 * weights;
  // Each step reads all weights once forward and once backward, for the whole batch.
  const bytes = (2 * 4 * weights) / sizes.batchSize;
  const byMemory = (needed / bytes) * readBandwidth(4 * weights, sizes.threads);
  const peak = peakOf(sizes.threads);
  return {
    value,
    charsPerSecond: trainCharsPerSecond,
    rate: needed * trainCharsPerSecond,
    roofline: Math.min(peak, byMemory),
    bound: peak < byMemory ? "matmul" : "memory",
    needed,
    done: 6 * products(padded, Math.ceil(VOCABULARY / PANEL) * PANEL),
  };
}

if (!TORCH_PYTHON || !CXX) {
  console.error(
    `The roofline needs ${TORCH_PYTHON ? "a C++ compiler" : `PyTorch, which is ${NOT_INSTALLED}`}`,
  );
  process.exit(1);
}
const { layers, hiddenSize, batchSize, seqLength } = MIDDLE;
const around = `GRU ${layers}x${hiddenSize}, one-hot, batch ${batchSize}, sequence ${seqLength}, ${THREADS} threads`;
console.log(`${machineFacts()}. Around ${around}.\n`);
const results = SERIES.map(([name, title, values]) => {
  console.log(
    `| ${title} | chars/s | GFLOP/s | of the roofline | which is | MFLOP a character: needed, done |`,
  );
  console.log("|---|---|---|---|---|---|");
  const figures = values.map((value) => {
    const figure = measure(name, value);
    const { charsPerSecond, rate, roofline, bound, needed, done } = figure;
    const share = `${((100 * rate) / roofline).toFixed(0)} %`;
    const limit = `${(roofline / 1e9).toFixed(0)} GFLOP/s by ${bound}`;
    const work = `${(needed / 1e6).toFixed(2)}, ${(done / 1e6).toFixed(2)}`;
    const speed = Math.round(charsPerSecond).toLocaleString("en-US");
    console.log(
      `| ${value} | ${speed} | ${(rate / 1e9).toFixed(0)} | ${share} | ${limit} | ${work} |`,
    );
    return figure;
  });
  console.log();
  return { title, figures };
});
writeFileSync(options.figures, JSON.stringify({ around, results }));
