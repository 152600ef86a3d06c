import { sizeOf } from "../../config/model.js";
import { unstoppable } from "../stop.js";
import {
  type BackendValues,
  type DataId,
  DataStorage,
  type DataType,
  engine,
  KernelBackend,
  type TensorInfo,
} from "../tfjs.js";
import { type TensorFlowBinding, type TensorValues, TYPES } from "./binding.js";
import { type Cudnn, tryCudnn } from "./cudnn-check.js";
import { Constants, type Id, Operations } from "./operations.js";

/** What is kept of a tensor: its values as they were given until TensorFlow needs them, then its number. */
interface Kept {
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
  refCount: number;
  values: TensorValues | undefined;
  id: Id | undefined;
  /** Where its numbers are those of others too. */
  link?: Link;
}

/** A whole and its parts, the same numbers; which of the two were written last. */
interface Link {
  readonly whole: Kept;
  readonly parts: readonly Kept[];
  newer: "whole" | "parts" | undefined;
}

/** What of TensorFlow computes. */
export interface TensorFlowFacts {
  readonly version: string;
  readonly device: "CPU" | "GPU";
  /** Recurrent layers go by cuDNN's operations. */
  readonly cudnn: boolean;
}

/** Tensors of TensorFlow's, for tfjs-core. Kernels read them by number, and write by new ones. */
export class TensorFlowBackend extends KernelBackend {
  readonly #kept: DataStorage<Kept>;
  readonly #constants: Constants;

  /** Whether layers go by it where they can. */
  readonly cudnn: Cudnn;

  constructor(readonly binding: TensorFlowBinding) {
    super();
    this.#kept = new DataStorage(this, engine());
    this.#constants = new Constants(binding);
    this.cudnn = this.run(tryCudnn);
  }

  describe(): TensorFlowFacts {
    return {
      version: this.binding.TF_Version,
      device: this.#constants.onGpu ? "GPU" : "CPU",
      cudnn: this.cudnn.usable,
    };
  }

  /** Runs operations, and frees what they made but for what was kept. */
  run<Result>(work: (ops: Operations) => Result): Result {
    const ops = new Operations(this.#constants);
    try {
      return work(ops);
    } finally {
      ops.free();
    }
  }

  /** Frees tensors that were kept of a run. */
  free(ids: Iterable<Id>): void {
    for (const id of ids) this.binding.deleteTensor(id);
  }

  /** The number of a tensor, to be read. */
  id({ dataId }: TensorInfo): Id {
    return this.#idOf(this.#kept.get(dataId));
  }

  /** A new tensor, which owns the number. */
  tensor(shape: number[], dtype: "float32" | "int32", id: Id): TensorInfo {
    return {
      dataId: this.#keep({ shape, dtype, refCount: 1, values: undefined, id }),
      shape,
      dtype,
    };
  }

  /** Overwrites a tensor's numbers by those of another, whose number it then owns. */
  overwrite({ dataId }: TensorInfo, id: Id): void {
    const kept = this.#kept.get(dataId);
    const { link } = kept;
    if (link) {
      const isWhole = kept === link.whole;
      // The other parts must have their numbers before the whole is old.
      if (!isWhole && link.newer === "whole") this.#renew(kept);
      link.newer = isWhole ? "whole" : "parts";
    }
    this.#replace(kept, id);
  }

  /** Overwrites a tensor's numbers by those of an array. */
  writeValues(info: TensorInfo, values: Float32Array): void {
    this.overwrite(info, this.binding.createTensor(info.shape, TYPES.float32, values.slice()));
  }

  /** Makes tensors the whole and the parts of the same numbers, which they must have. */
  link(whole: TensorInfo, parts: readonly TensorInfo[]): void {
    const [first, ...rest] = [whole, ...parts].map(({ dataId }) => this.#kept.get(dataId));
    const link: Link = { whole: first, parts: rest, newer: undefined };
    for (const kept of [first, ...rest]) kept.link = link;
  }

  #idOf(kept: Kept): Id {
    this.#renew(kept);
    if (kept.id === undefined) {
      const values = kept.values as TensorValues;
      kept.id = this.binding.createTensor(kept.shape, TYPES[kept.dtype], values);
      kept.values = undefined;
    }
    return kept.id;
  }

  #replace(kept: Kept, id: Id): void {
    if (kept.id !== undefined) this.binding.deleteTensor(kept.id);
    kept.id = id;
    kept.values = undefined;
  }

  /** Gives a tensor the numbers that were written to those linked with it. */
  #renew({ link }: Kept): void {
    if (!link?.newer) return;
    const { whole, parts, newer } = link;
    link.newer = undefined;
    unstoppable(() => this.run((ops) => this.#renewBy(ops, whole, parts, newer)));
  }

  #renewBy(ops: Operations, whole: Kept, parts: readonly Kept[], newer: "whole" | "parts"): void {
    if (newer === "parts") {
      const flat = parts.map((part) => ops.reshape(this.#idOf(part), -1));
      this.#replace(whole, ops.keep(ops.join(flat, 0)));
      return;
    }
    const sizes = parts.map(({ shape }) => sizeOf(shape));
    for (const [i, flat] of ops.splitInto(this.#idOf(whole), sizes, 0).entries()) {
      this.#replace(parts[i], ops.keep(ops.reshape(flat, ...parts[i].shape)));
    }
  }

  #keep(kept: Kept): DataId {
    const dataId = {};
    this.#kept.set(dataId, kept);
    return dataId;
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    return this.#keep({ ...this.#given(values, shape, dtype), refCount: 1 });
  }

  override move(
    dataId: DataId,
    values: BackendValues,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    this.#kept.set(dataId, { ...this.#given(values, shape, dtype), refCount });
  }

  #given(values: BackendValues, shape: number[], dtype: DataType) {
    if (dtype !== "float32" && dtype !== "int32") throw new Error(`No tensors of type ${dtype}.`);
    return { shape, dtype, values: values as TensorValues, id: undefined } as const;
  }

  override readSync(dataId: object): BackendValues {
    const kept = this.#kept.get(dataId);
    this.#renew(kept);
    return kept.values ?? this.binding.tensorDataSync(kept.id as Id);
  }

  override async read(dataId: object): Promise<BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.#kept.has(dataId)) return true;
    const kept = this.#kept.get(dataId);
    kept.refCount--;
    if (!force && kept.refCount > 0) return false;
    if (kept.id !== undefined) this.binding.deleteTensor(kept.id);
    this.#kept.delete(dataId);
    return true;
  }

  override refCount(dataId: DataId): number {
    return this.#kept.has(dataId) ? this.#kept.get(dataId).refCount : 0;
  }

  override incRef(dataId: DataId): void {
    this.#kept.get(dataId).refCount++;
  }

  override numDataIds(): number {
    return this.#kept.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}
}
