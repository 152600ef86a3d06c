/**
 * The loss that several workers would reach in a given time, if each had its own machine. One process computes all of
 * them, and the time is calculated: that of one worker's step, which is measured first, plus the time to exchange
 * gradients on the network. Each run gets as many steps as fit into its time.
 *
 *     npm run bench:workers -- TEXT [--times 30,120,600] [--workers 1,2,4] [--preset small] [--network 1gbit]
 *         [--seeds 0,1,2] [--rates 1] [--step-ms 12.5] [--results results.jsonl] [-- OPTIONS OF TRAIN]
 *
 * Prints the lowest held-out loss of each run, and adds a line for it to the results. With `--steps N` each run takes
 * N steps, to compare numbers of workers step by step. `--rates` lists factors on the learning rate. With `--step-ms`,
 * as an earlier call measured it, nothing depends on how busy the machine is.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { CHARNN } from "../commands.js";
import { machineFacts } from "../machine.js";

/** Bytes a second, and seconds until the first one arrives. */
const NETWORKS: Readonly<Record<string, { bandwidth: number; latency: number }>> = {
  none: { bandwidth: Number.POSITIVE_INFINITY, latency: 0 },
  "1gbit": { bandwidth: 117e6, latency: 50e-6 },
  "10gbit": { bandwidth: 1.1e9, latency: 25e-6 },
};
/** A byte for each number, and a float for 256 of them. */
const BYTES_PER_NUMBER = 260 / 256;
/** To pack a number and to add one, on one thread. */
const SECONDS_PER_NUMBER = 1.2e-9;
const STEPS_TO_TIME = 40;

const {
  values: options,
  positionals: [text, ...trainOptions],
} = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: "string", default: "30,120" },
    steps: { type: "string" },
    workers: { type: "string", default: "1,2,4" },
    preset: { type: "string", default: "small" },
    network: { type: "string", default: "1gbit" },
    seeds: { type: "string", default: "0" },
    rates: { type: "string", default: "1" },
    "step-ms": { type: "string" },
    results: { type: "string" },
  },
});
if (!text) throw new Error("Which text? npm run bench:workers -- TEXT");
const network = NETWORKS[options.network];
if (!network) throw new Error(`--network is one of: ${Object.keys(NETWORKS).join(", ")}`);

/** What `charnn train --json` prints, as far as it is needed here. */
interface TrainEvent {
  readonly event: string;
  readonly parameters: number;
  readonly charsPerSecond: number;
  readonly bestLoss: number;
  readonly step: number;
  readonly config: {
    readonly training: {
      readonly batchSize: number;
      readonly seqLength: number;
      readonly learningRate: number;
    };
  };
}

console.log(machineFacts());
const numbers = (list: string) => list.split(",").map(Number);
const trial = train(["--steps", `${options["step-ms"] ? 1 : STEPS_TO_TIME}`]);
const { config, parameters } = first(trial, "start");
const { batchSize, seqLength, learningRate } = config.training;
const secondsPerStep = options["step-ms"]
  ? Number(options["step-ms"]) / 1e3
  : (batchSize * seqLength) / last(trial, "step").charsPerSecond;
console.log(
  `${options.preset}: a step of one worker takes ${(1e3 * secondsPerStep).toFixed(1)} ms`,
);
for (const seed of numbers(options.seeds)) {
  for (const seconds of options.steps ? [undefined] : numbers(options.times)) {
    for (const workers of numbers(options.workers)) {
      for (const rate of numbers(options.rates)) run(seconds, workers, rate, seed);
    }
  }
}

/** @param seconds undefined: the number of steps is `--steps` */
function run(seconds: number | undefined, workers: number, rate: number, seed: number): void {
  const step = secondsPerStep + secondsToExchange(workers);
  const steps = seconds === undefined ? Number(options.steps) : Math.floor(seconds / step);
  const base = learningRate * Math.min(Math.sqrt(workers), 3);
  const events = train([
    ...["--steps", `${steps}`, "--workers", `${workers}`, "--random-seed", `${seed}`],
    ...(rate === 1 ? [] : ["--learning-rate", `${base * rate}`]),
  ]);
  const { bestLoss } = last(events, "end");
  const result = {
    text: path.basename(text),
    preset: options.preset,
    seconds,
    workers,
    rate,
    seed,
  };
  const line = { ...result, network: options.network, steps, loss: Number(bestLoss.toFixed(4)) };
  console.log(JSON.stringify(line));
  if (options.results) appendFileSync(options.results, `${JSON.stringify(line)}\n`);
}

/** A ring or its like: each process sends and receives twice what is not its own. */
function secondsToExchange(workers: number): number {
  if (workers === 1) return 0;
  const bytes = (2 * BYTES_PER_NUMBER * parameters * (workers - 1)) / workers;
  const computing = 2 * SECONDS_PER_NUMBER * parameters;
  return bytes / network.bandwidth + 2 * (workers - 1) * network.latency + computing;
}

function train(how: readonly string[]): TrainEvent[] {
  const folder = mkdtempSync(path.join(tmpdir(), "charnn-workers-"));
  try {
    const args = [CHARNN, "train", text, "--preset", options.preset, "--out", folder, "--json"];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...args, "--no-samples", ...trainOptions, ...how],
      { encoding: "utf8", maxBuffer: 2 ** 30 },
    );
    if (status !== 0) throw new Error(stderr);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function first(events: readonly TrainEvent[], kind: string): TrainEvent {
  return events.find(({ event }) => event === kind) as TrainEvent;
}

function last(events: readonly TrainEvent[], kind: string): TrainEvent {
  return events.findLast(({ event }) => event === kind) as TrainEvent;
}
