/** What a backend has beside its kernels: streams, and tensors that share their numbers. */
import { type ModelConfig, sizeOf } from "../config/model.js";
import { getBackend, type Tensor, tensor } from "./tfjs.js";

/** Several texts that a model reads side by side, one character of each at a time. */
export interface Streams {
  /**
   * Reads one more character of each.
   *
   * @param tokens `[streams]`
   * @returns the logits of the characters that follow, `[streams, vocabulary]`; the array is used
   *   again by the next call
   */
  read(tokens: Int32Array): Float32Array;
  dispose(): void;
}

/** A model, whose parameters must stay as they are while streams of it are open. */
export interface StreamsModel {
  readonly config: ModelConfig;
  /** By PyTorch name. */
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/** Opens streams, all from a state of zero. */
export type OpenStreams = (model: StreamsModel, streams: number) => Streams;

/** What a backend has beside its kernels. */
export interface Engine {
  /**
   * No kernel of tfjs's: a character is read in a few microseconds, of which its tensors would take
   * more than the reading.
   */
  readonly openStreams: OpenStreams;
  /** Where tensors do not share the arrays that they are made of. */
  readonly sharing?: Sharing;
}

interface Sharing {
  /** Makes tensors the whole and the parts of the same numbers, which they have. */
  link(whole: Tensor, parts: readonly Tensor[]): void;
  /** Overwrites a tensor's numbers. */
  writeValues(tensor: Tensor, values: Float32Array): void;
}

const engines = new Map<string, Engine>();

/** Says what a backend has beside its kernels. */
export function registerEngine(backendName: string, engine: Engine): void {
  engines.set(backendName, engine);
}

function activeEngine(): Engine {
  const engine = engines.get(getBackend());
  if (!engine) throw new Error(`The backend ${getBackend()} is none of charnn's.`);
  return engine;
}

/** Opens streams on the active backend. */
export const openStreams: OpenStreams = (model, streams) =>
  activeEngine().openStreams(model, streams);

/**
 * Tensors of the same numbers, on the active backend: a whole, and its parts, one after the other.
 * What is written to the one is seen in the other.
 *
 * @param values of the whole; what is written later may or may not be seen in them
 */
export function linkedTensors(
  values: Float32Array,
  shapes: Iterable<readonly number[]>,
): { whole: Tensor; parts: Tensor[] } {
  const whole = tensor(values, [values.length], "float32");
  let start = 0;
  const parts = Array.from(shapes, (shape) => {
    const end = start + sizeOf(shape);
    const part = tensor(values.subarray(start, end), [...shape], "float32");
    start = end;
    return part;
  });
  activeEngine().sharing?.link(whole, parts);
  return { whole, parts };
}

/** Overwrites the numbers of a tensor and of those that are linked with it. */
export function overwrite(tensor: Tensor, values: Float32Array): void {
  const { sharing } = activeEngine();
  if (sharing) sharing.writeValues(tensor, values);
  else tensor.dataSync<"float32">().set(values);
}
