import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import { addressSpaceLeft } from "../../memory.js";
import type { ModuleMemory } from "./memory.js";
import type { ThreadData } from "./thread.js";

/** As much as the module's first thread has; a thread's work is the same. */
const STACK_BYTES = 65536;

/**
 * Node.js reserves 0.6 to 0.9 GB of addresses for a worker, and ends the process where it does not get
 * them. So where there is a limit, some are left for the rest of the process.
 */
const ADDRESSES_OF_THREAD = 1e9;
const ADDRESSES_LEFT = 1e9;

/**
 * The workers that run kernels beside the thread of JavaScript (`native/wasm/team.cc`). They are started
 * when they are first needed, and stay. Kernels do not wait until they have started: results are the same
 * with any number of threads.
 */
export class Threads {
  readonly #module: object;
  readonly #memory: ModuleMemory;
  /** The most threads there can be, including that of JavaScript. */
  readonly most: number;
  #started = 1;
  /** Where each worker says how it failed. */
  readonly #failures: MessagePort[] = [];

  constructor(module: object, memory: ModuleMemory) {
    this.#module = module;
    this.#memory = memory;
    const workers = Math.floor((addressSpaceLeft() - ADDRESSES_LEFT) / ADDRESSES_OF_THREAD);
    this.most = 1 + Math.max(workers, 0);
  }

  /** Starts the missing threads, or as many of them as the system allows. */
  start(threads: number): void {
    while (this.#started < Math.min(threads, this.most)) {
      // If one does not start, no later one would either.
      this.#started = this.#startOne() ? this.#started + 1 : Number.POSITIVE_INFINITY;
    }
  }

  /** Throws what a worker has failed by. Its events would come too late: nothing hears them while a kernel waits. */
  throwFailure(): never {
    for (const port of this.#failures) {
      const failure = receiveMessageOnPort(port);
      if (failure) throw failure.message;
    }
    throw new Error("A call of the wasm backend has failed before.");
  }

  #startOne(): boolean {
    const stack = this.#memory.allocate(STACK_BYTES);
    const { memory } = this.#memory;
    const { port1, port2 } = new MessageChannel();
    const workerData: ThreadData = {
      ...{ module: this.#module, memory, stack: stack + STACK_BYTES },
      failures: port2,
    };
    try {
      const worker = new Worker(new URL("./thread.js", import.meta.url), {
        workerData,
        transferList: [port2],
        // It loads nothing that options or NODE_OPTIONS name: the process has loaded that already. It
        // writes nothing, and nothing that Node.js may write concerns the user.
        ...{ execArgv: [], env: {}, stdout: true, stderr: true },
      });
      // One that does not start takes no part.
      worker.on("error", () => {});
      worker.unref();
      this.#failures.push(port1);
      return true;
    } catch {
      this.#memory.free(stack);
      return false;
    }
  }
}
