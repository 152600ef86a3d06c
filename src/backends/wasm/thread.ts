/** A thread of the team that runs kernels: an instance of the module in the memory that all share. */
import { workerData } from "node:worker_threads";
import { WebAssembly } from "./webassembly.js";

/** What a thread is given. */
export interface ThreadData {
  readonly module: object;
  readonly memory: object;
  /** The end of its stack, which grows downwards. */
  readonly stack: number;
}

const { module, memory, stack } = workerData as ThreadData;
const { exports } = new WebAssembly.Instance(module, {
  env: { memory },
  // The first thread looks for signals and at the time.
  charnn: { lookForStop() {}, secondsNow: () => 0 },
});
(exports.__stack_pointer as { value: number }).value = stack;
(exports.takePart as () => never)();
