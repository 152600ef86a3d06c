/** Calls of the kernels for sums of rows. */
import type { SpreadArguments, SumArguments } from "#src/backends/kernels/row-kernels.js";
import type { Draw } from "./numbers.js";

export interface RowCalls {
  readonly sumRows: SumArguments;
  readonly spreadRows: SpreadArguments;
}

/** Arguments that are all right, of four sums of three rows. */
export function rowCalls(draw: Draw): RowCalls {
  const [count, terms, size, tableRows] = [4, 3, 5, 7];
  const rows = draw.tokens(count * terms, tableRows);
  rows[5] = -1;
  const sums = { rows, count, terms, size, tableRows, factor: 1.25 };
  const table = draw.floats(tableRows * size);
  return {
    sumRows: { ...sums, table, vectors: new Float32Array(count * size) },
    spreadRows: { ...sums, table, gradient: draw.floats(count * size) },
  };
}
