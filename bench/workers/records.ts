/**
 * What it costs to pack the gradients of a step into bytes, to add them up, and to unpack the sum: nanoseconds for each
 * number. CHARNN_ISA chooses the instruction set.
 *
 *     tsc --build bench && node dist-bench/workers/records.js [--numbers 1e6] [--threads 1,2]
 */
import { parseArgs } from "node:util";
import { median } from "#src/arrays.js";
import { recordBytes } from "#src/backends/gradient-record.js";
import { openBackend } from "#src/backends/select.js";
import { machineFacts } from "../machine.js";

const TIMES = 31;
/** Whose gradients are added at once. */
const WORKERS = [2, 4, 8];

const { values: options } = parseArgs({
  options: {
    numbers: { type: "string", default: "1e6" },
    threads: { type: "string", default: "1,2" },
  },
});
const parameters = Number(options.numbers);

console.log(machineFacts());
for (const threads of options.threads.split(",").map(Number)) {
  const backend = await openBackend("native", threads);
  console.log(`${threads} threads, ${backend.facts.instructionSet}; ns for each of ${parameters}:`);
  const gradients = backend.parameterArray(new Map([["all", [parameters]]]));
  gradients.write(Float32Array.from({ length: parameters }, (_, i) => Math.sin(i)));
  const bytes = recordBytes(parameters);
  const sum = new Uint8Array(bytes);
  show("pack", () => backend.packGradients(gradients, 0.25, sum));
  for (const workers of WORKERS) {
    const records = new Uint8Array(workers * bytes);
    for (let worker = 0; worker < workers; worker++) records.set(sum, worker * bytes);
    show(`add ${workers} workers`, () => backend.addRecords(records, sum));
  }
  show("unpack", () => backend.unpackGradients(sum, gradients));
  gradients.dispose();
}

function show(what: string, work: () => void): void {
  work();
  const times = Array.from({ length: TIMES }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  console.log(`  ${what.padEnd(14)} ${((1e6 * median(times)) / parameters).toFixed(2)}`);
}
