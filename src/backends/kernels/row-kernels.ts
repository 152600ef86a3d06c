/** The kernels for sums of rows, which `row-sums.ts` defines. */
import type { RowSums } from "../row-sums.js";

interface RowArguments extends RowSums {
  /** How many sums there are. */
  readonly count: number;
  /** Numbers of a row. */
  readonly size: number;
}

export interface SumArguments extends RowArguments {
  /** `[rows, size]` */
  readonly table: Float32Array;
  /** `[count, size]`: overwritten. */
  readonly vectors: Float32Array;
}

export interface SpreadArguments extends RowArguments {
  /** `[count, size]` */
  readonly gradient: Float32Array;
  /** `[rows, size]`: added to. */
  readonly table: Float32Array;
}

export interface RowKernels {
  sumRows(sum: SumArguments): void;
  spreadRows(spread: SpreadArguments): void;
}
