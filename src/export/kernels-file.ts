import { readFile } from "node:fs/promises";

const KERNELS = new URL("../../native/wasm/writing.wasm", import.meta.url);

/** The bytes of the module with which an exported model writes. */
export function readKernels(): Promise<Uint8Array> {
  return readFile(KERNELS);
}
