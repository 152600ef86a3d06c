/** A thread of the team that runs kernels: an instance of the module in the memory that all share. */
import { type MessagePort, workerData } from "node:worker_threads";
import { WebAssembly } from "./webassembly.js";

/** What a thread is given. */
export interface ThreadData {
  readonly module: object;
  readonly memory: object;
  /** The end of its stack, which grows downwards. */
  readonly stack: number;
  /** Where to say how it failed. */
  readonly failures: MessagePort;
}

const { module, memory, stack, failures } = workerData as ThreadData;
const ofAnother = new Error("Another thread has failed.");
const { exports } = new WebAssembly.Instance(module, {
  env: { memory },
  // The first thread looks for signals and at the time.
  charnn: {
    lookForStop() {},
    secondsNow: () => 0,
    throwFailure() {
      throw ofAnother;
    },
  },
});
(exports.__stack_pointer as { value: number }).value = stack;
try {
  (exports.takePart as () => never)();
} catch (error) {
  if (error !== ofAnother) failures.postMessage(error);
  (exports.failTeam as () => void)();
}
