import { Worker } from "node:worker_threads";
import type { ModuleMemory } from "./memory.js";
import type { ThreadData } from "./thread.js";

/** As much as the module's first thread has; a thread's work is the same. */
const STACK_BYTES = 65536;

/**
 * The workers that run kernels beside the thread of JavaScript (`native/wasm/team.cc`). They are started
 * when they are first needed, and stay. Kernels do not wait until they have started: results are the same
 * with any number of threads.
 */
export class Threads {
  readonly #module: object;
  readonly #memory: ModuleMemory;
  #started = 1;

  constructor(module: object, memory: ModuleMemory) {
    this.#module = module;
    this.#memory = memory;
  }

  /** Starts those that are missing, or as many of them as the system lets start. */
  start(threads: number): void {
    while (this.#started < threads) {
      const stack = this.#memory.allocate(STACK_BYTES);
      if (!this.#startOne(stack + STACK_BYTES)) {
        this.#memory.free(stack);
        // It would not start another one either.
        this.#started = Number.POSITIVE_INFINITY;
        return;
      }
      this.#started++;
    }
  }

  #startOne(stack: number): boolean {
    const workerData: ThreadData = { module: this.#module, memory: this.#memory.memory, stack };
    try {
      const worker = new Worker(new URL("./thread.js", import.meta.url), {
        workerData,
        // It writes nothing, and nothing that Node.js may write concerns the user.
        ...{ execArgv: [], stdout: true, stderr: true },
      });
      // One that does not start takes no part.
      worker.on("error", () => {});
      worker.unref();
      return true;
    } catch {
      return false;
    }
  }
}
