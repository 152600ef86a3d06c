import type { DropoutMaskAttributes } from "../backend.js";
import type { BackendValues, DataId, DataType, TensorInfo } from "../tfjs.js";
import { MathBackendCPU } from "../tfjs-cpu.js";
import type { Workspace } from "../workspace.js";
import type { Addon, MaskArgument, MaskSource, Panels } from "./addon.js";

/** Columns of a panel; `native/linalg/panels.h` has the same number. */
export const LANES = 16;
const FLOATS_TO_ALIGN = 16;
/** Floats from which on an array can hold a large page, of 2 MB. */
const LARGE = 2 ** 20;

/**
 * tfjs's cpu backend, from which every op but the kernels comes, with two kinds of tensors that it
 * doesn't know: matrices in panels and masks as yet unmade. Kernels hand them to each other as they
 * are; whoever else reads one gets its values, made at that moment.
 */
export class NativeBackend extends MathBackendCPU {
  readonly #panels = new WeakMap<DataId, Panels>();
  readonly #masks = new WeakMap<DataId, MaskSource>();

  constructor(readonly addon: Addon) {
    super();
    // Off: tfjs's advice, printed at the first tensor, to install another backend.
    Object.assign(this, { firstUse: false });
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    // Large pages for large arrays: the weights' gradients are written all over theirs.
    if (values instanceof Float32Array && values.length >= LARGE) {
      this.addon.align({ array: values, count: values.length });
    }
    return super.write(values, shape, dtype);
  }

  /** The values of a tensor in the array they are kept in: no copy. */
  floats(info: TensorInfo): Float32Array {
    return this.data.get(info.dataId).values as Float32Array;
  }

  integers(info: TensorInfo): Int32Array {
    return this.data.get(info.dataId).values as Int32Array;
  }

  floatTensor(shape: number[], values: Float32Array): TensorInfo {
    return this.makeTensorInfo(shape, "float32", values);
  }

  /** A tensor `[time, batch, features]` kept in panels. */
  panelTensor(shape: number[], panels: Panels): TensorInfo {
    const info = this.#lazyTensor(shape, () => inRows(panels, shape));
    this.#panels.set(info.dataId, panels);
    return info;
  }

  /** Where a tensor is kept in panels; undefined when it is not. */
  panelsOf(info: TensorInfo): Panels | undefined {
    return this.#panels.get(info.dataId);
  }

  maskTensor({ shape, rate, key: [key0, key1] }: DropoutMaskAttributes): TensorInfo {
    const source = { rate, key0, key1 };
    const info = this.#lazyTensor([...shape], (count) => {
      const mask = new Float32Array(count);
      this.addon.writeMask({ ...source, mask, count });
      return mask;
    });
    this.#masks.set(info.dataId, source);
    return info;
  }

  /** What a mask is made from, or its values when it is a tensor like others. */
  maskArgument(info: TensorInfo): MaskArgument {
    return this.#masks.get(info.dataId) ?? { values: this.floats(info) };
  }

  /** Scratch memory for the addon. */
  scratch(workspace: Workspace, length: number): Float32Array {
    return workspace.made("native", length, (size) => {
      const array = new Float32Array(size + FLOATS_TO_ALIGN);
      const skipped = this.addon.align({ array, count: array.length });
      return array.subarray(skipped, skipped + size);
    });
  }

  #lazyTensor(shape: number[], make: (count: number) => Float32Array): TensorInfo {
    const info = this.floatTensor(shape, new Float32Array(0));
    Object.defineProperty(this.data.get(info.dataId), "values", {
      get: () => make(shape.reduce((size, length) => size * length, 1)),
    });
    return info;
  }
}

function inRows({ data, offset, stride }: Panels, shape: readonly number[]): Float32Array {
  const columns = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce((size, length) => size * length, 1);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const panel = offset + Math.floor(column / LANES) * stride;
      values[row * columns + column] = data[panel + row * LANES + (column % LANES)];
    }
  }
  return values;
}
