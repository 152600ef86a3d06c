/** The commands that measure, each giving one figure. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SamplingCase, TrainingCase } from "./cases.js";
import { modulesWithTfjs, NOT_INSTALLED, pythonWith } from "./peers/find.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const CHARNN = join(ROOT, "bin", "charnn.js");
export const SHAKESPEARE = join(ROOT, "data", "shakespeare.txt");
const TORCH_PEER = join(ROOT, "bench", "peers", "torch_rnn.py");
const TFJS_PEER = join(ROOT, "bench", "peers", "tfjs-layers.cjs");

/** PyTorch's chars/s and the matmul peak need it. */
export const TORCH_PYTHON = pythonWith("torch");
/** Where tfjs-node is; undefined where it is not installed. */
export const TFJS_MODULES = modulesWithTfjs();
/** The read bandwidth needs it; undefined where there is none. */
export const CXX = [process.env.CXX ?? "c++", "g++", "clang++"].find(
  (name) => spawnSync(name, ["--version"]).status === 0,
);

/** What `charnn bench --json` prints, as far as it is needed here. */
export interface CharnnFigures {
  readonly trainCharsPerSecond: number;
  readonly sampleCharsPerSecond: number;
  readonly flopsPerCharacter: number;
  readonly peakRssBytes: number;
}

export function charnn(
  model: Partial<TrainingCase & SamplingCase>,
  threads: number,
  backend = "auto",
) {
  const { cell = "gru", layers, hiddenSize, embeddingSize, dropout } = model;
  const { batchSize, seqLength, streams } = model;
  const options = {
    cell,
    layers,
    "hidden-size": hiddenSize,
    "embedding-size": embeddingSize,
    dropout,
    "batch-size": batchSize,
    "seq-length": seqLength,
    streams,
    threads,
    backend,
  };
  const args = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
  const output = execFileSync(process.execPath, [CHARNN, "bench", "--json", ...args], {
    encoding: "utf8",
  });
  return JSON.parse(output) as CharnnFigures;
}

/** chars/s */
export function torchTraining(model: TrainingCase, threads: number): number {
  // Some seconds of work.
  const steps = model.hiddenSize < 256 ? 60 : 8;
  return torch("train", { ...model, steps, threads });
}

/** chars/s of tfjs-layers on tfjs-node */
export function tfjsTraining(model: TrainingCase, threads: number): number {
  const steps = model.hiddenSize < 256 ? 6 : 3;
  const settings = JSON.stringify({ ...model, steps });
  const output = execFileSync(process.execPath, [TFJS_PEER, settings], {
    encoding: "utf8",
    env: {
      ...process.env,
      NODE_PATH: TFJS_MODULES,
      TF_NUM_INTRAOP_THREADS: String(threads),
      TF_CPP_MIN_LOG_LEVEL: "2",
    },
  });
  return figureBefore("chars/s", output);
}

/** chars/s of one text */
export function torchSampling({ layers, hiddenSize }: SamplingCase, threads: number): number {
  const characters = hiddenSize < 500 ? 4000 : 1500;
  return torch("sample", { cell: "gru", layers, hiddenSize, characters, threads });
}

function torch(work: "train" | "sample", settings: object): number {
  return figureBefore("chars/s", runTorch(TORCH_PEER, work, JSON.stringify(settings)));
}

function runTorch(...args: readonly string[]): string {
  if (!TORCH_PYTHON) throw new Error(`PyTorch is ${NOT_INSTALLED}`);
  return execFileSync(TORCH_PYTHON, args, { encoding: "utf8" });
}

/** FLOP/s */
export function matmulPeak(threads: number): number {
  const script = join(ROOT, "bench", "matmul-peak.py");
  return 1e9 * figureBefore("GFLOP/s", runTorch(script, String(threads)));
}

let bandwidthProgram: string | undefined;

/** Bytes/s */
export function readBandwidth(bytes: number, threads: number): number {
  if (!bandwidthProgram) {
    if (!CXX) throw new Error("There is no C++ compiler.");
    bandwidthProgram = join(mkdtempSync(join(tmpdir(), "charnn-bench-")), "read-bandwidth");
    const source = join(ROOT, "bench", "read-bandwidth.cc");
    const flags = ["-O3", "-march=native", "-ffast-math", "-pthread"];
    execFileSync(CXX, [...flags, source, "-o", bandwidthProgram]);
  }
  const output = execFileSync(bandwidthProgram, [String(Math.round(bytes)), String(threads)]);
  return 1e9 * figureBefore("GB/s", output.toString());
}

/** Seconds that a command takes. */
export function secondsOf(args: readonly string[], cwd?: string): number {
  const start = performance.now();
  execFileSync(process.execPath, args, { cwd, stdio: "ignore" });
  return (performance.now() - start) / 1e3;
}

function figureBefore(unit: string, output: string): number {
  const words = output.split(/\s+/);
  const figure = Number(words[words.indexOf(unit) - 1]);
  if (!Number.isFinite(figure)) throw new Error(`No ${unit} in: ${output}`);
  return figure;
}
