import { readFileSync } from "node:fs";
import { addressSpaceLeft } from "../../memory.js";
import { BackendError, loaderReason } from "../backend-error.js";
import { isToStop } from "../stop.js";
import type { DecodeFunctions } from "./decode-kernels.js";
import { ModuleMemory, PAGE } from "./memory.js";
import type { RecordFunctions } from "./record-kernels.js";
import type { RowFunctions } from "./row-kernels.js";
import { Threads } from "./threads.js";
import { type WasmKernels, wasmKernels } from "./wasm-kernels.js";
import { WebAssembly } from "./webassembly.js";

/** What `native/wasm/` exports. Functions without parameters read theirs where `callNumbers` says. */
export interface ModuleFunctions extends DecodeFunctions, RecordFunctions, RowFunctions {
  callNumbers(): number;
  /** The address of the byte that ends kernels early when it is not 0. */
  stopByte(): number;
  sequenceScratch(): number;
  forwardSequence(): number;
  backwardSequence(): number;
  crossEntropyScratch(): number;
  crossEntropy(): number;
  blockSums(count: number): number;
  adamStep(): number;
  sgdStep(): number;
  rmsPropStep(): number;
  /** Whether an open session's steps are shared by several threads. */
  usesTeam(session: number): number;
  /** To be called once, before all others. */
  makeTeam(): void;
  useThreads(threads: number): void;
  /** How many threads take part in kernels or will in a moment, including this one. */
  startedThreads(): number;
  /** Has all calls that use several threads throw from now on, as what one of them does is unfinished. */
  failTeam(): void;
}

/** Compiled by `npm run wasm`. */
const FILE = new URL("../../../native/wasm/kernels.wasm", import.meta.url);
/** 64 KiB each: the module's own data and stack, which the linker counts. */
const INITIAL_PAGES = 5;
const MAX_PAGES = 2 ** 16;

let kernels: WasmKernels | undefined;

/**
 * The kernels of the WebAssembly module, one for the process.
 *
 * @throws BackendError that says why there are none
 */
export function loadWasmKernels(): WasmKernels {
  kernels ??= instantiate();
  return kernels;
}

function instantiate(): WasmKernels {
  try {
    const module = new WebAssembly.Module(readFileSync(FILE));
    const memory = reservedMemory();
    let stopByte: Uint8Array | undefined;
    const lookForStop = () => {
      if (stopByte && isToStop()) Atomics.store(stopByte, 0, 1);
    };
    const threads = new Threads(module, memory);
    const { exports } = new WebAssembly.Instance(module, {
      env: { memory: memory.memory },
      charnn: {
        lookForStop,
        secondsNow: () => performance.now() / 1e3,
        throwFailure: () => threads.throwFailure(),
      },
    });
    const functions = failingTogether(exports as unknown as ModuleFunctions);
    functions.makeTeam();
    stopByte = new Uint8Array(memory.memory.buffer, functions.stopByte(), 1);
    memory.reserve((exports.__heap_base as { value: number }).value);
    return wasmKernels(functions, memory, threads);
  } catch (cause) {
    if (cause instanceof BackendError) throw cause;
    const reason = loaderReason(cause as Error);
    throw new BackendError(`its module can't be used (${reason})`, "Install charnn again.", {
      cause,
    });
  }
}

/** A call that a trap has ended leaves its work unfinished. No later one may wait for that. */
function failingTogether(functions: ModuleFunctions): ModuleFunctions {
  const guard =
    (call: (...values: number[]) => unknown) =>
    (...values: number[]) => {
      try {
        return call(...values);
      } catch (error) {
        functions.failTeam();
        throw error;
      }
    };
  const guarded = Object.entries(functions)
    .filter(([, call]) => typeof call === "function")
    .map(([name, call]) => [name, guard(call)]);
  return Object.fromEntries(guarded);
}

/** Without this option Node.js before version 24 reserves 10 GB of addresses for a memory of any size. */
const RESERVE_LESS = "--disable-wasm-trap-handler";

function reservedMemory(): ModuleMemory {
  try {
    // Addresses are reserved for the largest size it may reach. Where addresses are scarce, others need some too.
    const maximum = Math.min(MAX_PAGES, Math.floor(addressSpaceLeft() / 2 / PAGE));
    const size = { initial: INITIAL_PAGES, maximum, shared: true };
    return new ModuleMemory(new WebAssembly.Memory(size), maximum * PAGE);
  } catch (cause) {
    const canReserveLess = process.allowedNodeEnvironmentFlags.has(RESERVE_LESS);
    const or = canReserveLess ? ` or set NODE_OPTIONS=${RESERVE_LESS}, which is slower` : "";
    const cure = `Let it have more address space (ulimit -v unlimited)${or}.`;
    throw new BackendError("the system does not let it reserve memory", cure, { cause });
  }
}
