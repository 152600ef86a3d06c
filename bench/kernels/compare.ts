/**
 * Two builds of the addon, kernel by kernel: of two compilers, or before and after a change. Both are loaded
 * into one process and run in turn, so that a machine whose speed drifts is fair to both. Prints the median
 * times, and of the ratios of the times that were taken one after the other the median and the middle eight
 * tenths. Says so where the results' bits differ.
 *
 *     npm run bench:kernels -- A.node B.node [--threads 1,2] [--isa avx2] [--seconds 2] [--only 'GRU 1x128']
 */
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { median } from "#src/arrays.js";
import type { Addon } from "#src/backends/native/addon.js";
import { CELLS } from "#src/config/cells.js";
import { haveEqualBits, type Shape, TrainingStep, type Work, writing } from "./work.js";

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "1,2" },
    isa: { type: "string" },
    seconds: { type: "string", default: "2" },
    only: { type: "string", default: "" },
  },
});
if (files.length !== 2)
  throw new Error("Name two addons, such as native/build/linux-x64/charnn.node");

const SHAPES: readonly Shape[] = [
  { cell: "gru", layers: 1, hidden: 128 },
  { cell: "gru", layers: 2, hidden: 128 },
  { cell: "lstm", layers: 2, hidden: 128 },
  { cell: "rnn", layers: 1, hidden: 128 },
  { cell: "gru", layers: 1, hidden: 512 },
  { cell: "gru", layers: 2, hidden: 512 },
  { cell: "lstm", layers: 2, hidden: 512 },
];
const KERNELS: Readonly<Record<string, (addon: Addon, shape: Shape) => Work>> = {
  forward: (addon, shape) => new TrainingStep(addon, shape).forward(),
  backward: (addon, shape) => new TrainingStep(addon, shape).backward(),
  "cross entropy": (addon, shape) => new TrainingStep(addon, shape).crossEntropy(),
  adam: (addon, shape) => new TrainingStep(addon, shape).adam(),
  "training step": (addon, shape) => new TrainingStep(addon, shape).whole(),
  "writing, 1 text": (addon, shape) => writing(addon, shape, 1),
  "writing, 16 texts": (addon, shape) => writing(addon, shape, 16),
};
const MIN_ROUNDS = 9;
/** Threads that wait for the next kernel keep a processor for about a millisecond. */
const OTHER_ADDON_SLEEPS_AFTER_MS = 3;

const require = createRequire(import.meta.url);
const addons = files.map((file): Addon => require(resolve(file)));

for (const threads of options.threads.split(",").map(Number)) {
  for (const addon of addons) {
    addon.setThreads({ threads });
    if (options.isa) addon.setInstructionSet({ name: options.isa });
  }
  console.log(
    `${threads} threads, ${addons.map((x) => x.describe().instructionSet).join(" and ")}`,
  );
  for (const shape of SHAPES) {
    for (const [name, make] of Object.entries(KERNELS)) {
      const { cell, layers, hidden } = shape;
      const label = `${CELLS[cell].title} ${layers}x${hidden} ${name}`;
      if (label.includes(options.only))
        compare(label, make(addons[0], shape), make(addons[1], shape));
    }
  }
}

function compare(label: string, a: Work, b: Work): void {
  // The same number of runs of both: a step changes what the next one begins with.
  for (const { prepare, run } of [a, b]) {
    prepare?.();
    run();
  }
  const bits = haveEqualBits(a, b) ? "" : "  DIFFERENT BITS";
  const pairs: [number, number][] = [];
  const end = performance.now() + 1e3 * Number(options.seconds);
  while (performance.now() < end || pairs.length < MIN_ROUNDS) {
    // They take turns in going first, too.
    const order = pairs.length % 2 === 0 ? [a, b] : [b, a];
    const times = order.map(seconds);
    pairs.push(order[0] === a ? [times[0], times[1]] : [times[1], times[0]]);
  }
  const ratios = pairs.map(([x, y]) => y / x).sort((x, y) => x - y);
  const tenth = Math.floor(ratios.length / 10);
  const [low, high] = [ratios[tenth], ratios[ratios.length - 1 - tenth]];
  const times = [0, 1].map((index) => 1e3 * median(pairs.map((pair) => pair[index])));
  console.log(
    `${label.padEnd(32)} A ${times[0].toFixed(3)} ms  B ${times[1].toFixed(3)} ms  ` +
      `B/A ${median(ratios).toFixed(3)} (${low.toFixed(2)} to ${high.toFixed(2)}, ${ratios.length} rounds)${bits}`,
  );
}

function seconds({ prepare, run }: Work): number {
  const ready = performance.now() + OTHER_ADDON_SLEEPS_AFTER_MS;
  do {
    prepare?.();
    run();
  } while (performance.now() < ready);
  prepare?.();
  const start = performance.now();
  run();
  return (performance.now() - start) / 1e3;
}
