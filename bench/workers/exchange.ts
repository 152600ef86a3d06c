/**
 * How long processes take to join the gradients of a step, by the number of parameters. Rank 0 prints it.
 *
 *     tsc --build bench && mpirun -n 2 --bind-to none node dist-bench/workers/exchange.js [--numbers 1e5,1e6,1e7]
 */
import { parseArgs } from "node:util";
import { median } from "#src/arrays.js";
import { openBackend } from "#src/backends/select.js";
import { WorkerGradients } from "#src/optimization/worker-gradients.js";
import { alone } from "#src/ranks/alone.js";
import { findLauncher } from "#src/ranks/launcher.js";
import { openMpiRanks } from "#src/ranks/mpi-ranks.js";
import { machineFacts } from "../machine.js";

const TIMES = 15;

const { values: options } = parseArgs({
  options: {
    numbers: { type: "string", default: "1e5,3e5,1e6,3e6,1e7" },
    threads: { type: "string", default: "1" },
  },
});
const launcher = findLauncher(process.env);
const ranks = launcher ? openMpiRanks(launcher) : alone();
const backend = await openBackend("native", Number(options.threads));
if (ranks.rank === 0) {
  console.log(machineFacts());
  console.log(
    `${ranks.size} processes, ${ranks.library ?? "alone"}, ${options.threads} threads each`,
  );
}
for (const parameters of options.numbers.split(",").map(Number)) {
  const gradients = backend.parameterArray(new Map([["all", [parameters]]]));
  gradients.write(Float32Array.from({ length: parameters }, (_, i) => Math.sin(i)));
  const workers = Math.max(ranks.size, 2);
  const joined = new WorkerGradients(backend, ranks, workers, parameters);
  const own = ranks.size > 1 ? [ranks.rank] : [0, 1];
  const milliseconds: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const start = performance.now();
    for (const worker of own) joined.put(worker, gradients, 1 / workers);
    joined.join(gradients);
    milliseconds.push(performance.now() - start);
  }
  gradients.dispose();
  if (ranks.rank > 0) continue;
  const sent = (2 * parameters * (ranks.size - 1)) / ranks.size / 1e6;
  console.log(
    `${parameters} numbers, ${sent.toFixed(2)} MB sent by each: ${median(milliseconds).toFixed(2)} ms`,
  );
}
ranks.close();
