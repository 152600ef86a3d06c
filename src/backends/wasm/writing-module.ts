import type { DecodeKernels } from "../kernels/kernels.js";
import { Call } from "./call.js";
import { type DecodeFunctions, decodeKernels } from "./decode-kernels.js";
import { ModuleMemory } from "./memory.js";
import { WebAssembly } from "./webassembly.js";

/** 64 KiB each: the module's own data and stack, which the linker counts. */
const INITIAL_PAGES = 5;

interface WritingFunctions extends DecodeFunctions {
  callNumbers(): number;
  /** To be called once, before all others. */
  makeTeam(): void;
}

/**
 * The kernels of `native/wasm/writing.wasm`: those that write text, on one thread, which run wherever WebAssembly
 * does.
 *
 * @param bytes of the module
 */
export async function openWritingModule(bytes: Uint8Array): Promise<DecodeKernels> {
  const memory = new ModuleMemory(new WebAssembly.Memory({ initial: INITIAL_PAGES }));
  const nothing = () => {};
  const { instance } = await WebAssembly.instantiate(bytes, {
    env: { memory: memory.memory },
    // What several threads need.
    charnn: { lookForStop: nothing, secondsNow: () => 0, throwFailure: nothing },
  });
  const module = instance.exports as unknown as WritingFunctions;
  module.makeTeam();
  memory.reserve((instance.exports.__heap_base as { value: number }).value);
  return decodeKernels(module, memory, new Call(memory, module.callNumbers()));
}
