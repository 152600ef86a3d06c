/** The kernels for gradients in 8 bits a number: records as `gradient-record.ts` defines them. */

export interface PackArguments {
  /** How many gradients there are. */
  readonly count: number;
  readonly gradients: Float32Array;
  readonly factor: number;
  /** Of `recordBytes(count)`: overwritten. */
  readonly record: Uint8Array;
}

export interface AddArguments {
  /** How many records there are: at most 4,096. */
  readonly count: number;
  /** Of each record. */
  readonly blocks: number;
  /** `[count, blocks, RECORD_BLOCK_BYTES]` */
  readonly records: Uint8Array;
  /** `[blocks, RECORD_BLOCK_BYTES]`: overwritten; does not overlap `records`. */
  readonly sum: Uint8Array;
}

export interface UnpackArguments {
  /** How many gradients there are. */
  readonly count: number;
  /** Of `recordBytes(count)`. */
  readonly record: Uint8Array;
  /** Overwritten. */
  readonly gradients: Float32Array;
}

export interface RecordKernels {
  packGradients(pack: PackArguments): void;
  addRecords(add: AddArguments): void;
  unpackGradients(unpack: UnpackArguments): void;
}
