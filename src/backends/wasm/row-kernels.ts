import type { RowKernels, SpreadArguments, SumArguments } from "../kernels/row-kernels.js";
import { type Call, checkTokens, length } from "./call.js";

/** What the module exports for sums of rows: `native/wasm/embedding.cc`. */
export interface RowFunctions {
  sumRows(): void;
  spreadRows(): void;
}

export function rowKernels(module: RowFunctions, call: Call): RowKernels {
  return {
    sumRows: (sum) => call.run((c) => writeSum(c, sum), module.sumRows),
    spreadRows: (spread) => call.run((c) => writeSpread(c, spread), module.spreadRows),
  };
}

// In the order in which native/wasm/ reads them.

function writeRows(call: Call, sums: SumArguments | SpreadArguments): void {
  const { rows, count, terms, size, tableRows, factor } = sums;
  call.size("count", count);
  call.size("terms", terms);
  call.size("size", size);
  call.reads("rows", rows, length(count, terms));
  checkTokens("rows", rows, tableRows);
  call.number(factor);
}

function writeSum(call: Call, sum: SumArguments): void {
  const { table, vectors, count, size, tableRows } = sum;
  writeRows(call, sum);
  call.reads("table", table, length(tableRows, size));
  call.writes("vectors", vectors, length(count, size));
}

function writeSpread(call: Call, spread: SpreadArguments): void {
  const { table, gradient, count, size, tableRows } = spread;
  writeRows(call, spread);
  call.reads("gradient", gradient, length(count, size));
  call.updates("table", table, length(tableRows, size));
}
