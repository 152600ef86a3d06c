import { RECORD_BLOCK_BYTES, recordBytes } from "../gradient-record.js";
import type {
  AddArguments,
  PackArguments,
  RecordKernels,
  UnpackArguments,
} from "../kernels/record-kernels.js";
import type { Call } from "./call.js";

/** What the module exports for gradients in 8 bits a number: `native/wasm/gradient_record.cc`. */
export interface RecordFunctions {
  packGradients(): void;
  addRecords(): void;
  unpackGradients(): void;
}

/** `native/optimizer/optimizer.h` has the same number. */
const MOST_RECORDS = 4096;

export function recordKernels(module: RecordFunctions, call: Call): RecordKernels {
  return {
    packGradients: (pack) => call.run((c) => writePack(c, pack), module.packGradients),
    addRecords: (add) => call.run((c) => writeAdd(c, add), module.addRecords),
    unpackGradients: (unpack) => call.run((c) => writeUnpack(c, unpack), module.unpackGradients),
  };
}

// In the order in which native/wasm/ reads them.

function writePack(call: Call, { count, gradients, factor, record }: PackArguments): void {
  call.size("count", count);
  call.reads("gradients", gradients, count);
  call.number(factor);
  call.writes("record", record, recordBytes(count));
}

function writeAdd(call: Call, { count, blocks, records, sum }: AddArguments): void {
  if (count > MOST_RECORDS) throw new TypeError(`count must be at most ${MOST_RECORDS}.`);
  call.size("count", count);
  call.size("blocks", blocks);
  call.reads("records", records, count * blocks * RECORD_BLOCK_BYTES);
  call.writes("sum", sum, blocks * RECORD_BLOCK_BYTES);
  if (overlap(records, sum)) throw new TypeError("records and sum must not overlap.");
}

function writeUnpack(call: Call, { count, record, gradients }: UnpackArguments): void {
  call.size("count", count);
  call.reads("record", record, recordBytes(count));
  call.writes("gradients", gradients, count);
}

function overlap(a: Uint8Array, b: Uint8Array): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}
