import type { OpaqueTensor } from "../backend.js";
import { type Panels, VECTOR_WIDTH } from "./kernels.js";

/** A matrix that stays in panels from one kernel to the next. */
export class PackedTensor implements OpaqueTensor {
  readonly length: number;

  constructor(
    readonly panels: Panels,
    private readonly rows: number,
    private readonly columns: number,
  ) {
    this.length = rows * columns;
  }

  read(): Float32Array {
    const { rows, columns } = this;
    const { data, offset, stride } = this.panels;
    const values = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const panel = offset + Math.floor(column / VECTOR_WIDTH) * stride;
        values[row * columns + column] = data[panel + row * VECTOR_WIDTH + (column % VECTOR_WIDTH)];
      }
    }
    return values;
  }
}
