/** Calls of the kernels for gradients in 8 bits a number. */
import { recordBlocks, recordBytes } from "#src/backends/gradient-record.js";
import type {
  AddArguments,
  PackArguments,
  UnpackArguments,
} from "#src/backends/kernels/record-kernels.js";
import type { Draw } from "./numbers.js";

export interface RecordCalls {
  readonly packGradients: PackArguments;
  readonly addRecords: AddArguments;
  readonly unpackGradients: UnpackArguments;
}

/** Arguments that are all right, of three records of two blocks. */
export function recordCalls(draw: Draw): RecordCalls {
  const count = 300;
  const bytes = recordBytes(count);
  return {
    packGradients: {
      count,
      gradients: draw.floats(count),
      factor: 0.3,
      record: new Uint8Array(bytes),
    },
    addRecords: {
      count: 3,
      blocks: recordBlocks(count),
      records: new Uint8Array(3 * bytes),
      sum: new Uint8Array(bytes),
    },
    unpackGradients: { count, record: new Uint8Array(bytes), gradients: draw.floats(count) },
  };
}
