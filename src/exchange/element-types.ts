/** The element types in which weights are kept, and how they become numbers of single precision. */
import { floatFromHalf } from "../half-float.js";
import { inPieces } from "../turns.js";

/** Bytes of an element, by the name that safetensors gives its type. */
export const FLOAT_TYPES: ReadonlyMap<string, number> = new Map([
  ["F32", 4],
  ["F16", 2],
  ["BF16", 2],
  ["F64", 8],
]);

/**
 * The numbers of a tensor in single precision. What is too large for it becomes infinite.
 *
 * @param type one of {@link FLOAT_TYPES}
 * @param bytes all of a buffer, little-endian as this machine is
 * @throws the signal's reason once it is aborted
 */
export async function singlePrecision(
  type: string,
  { buffer }: Uint8Array<ArrayBuffer>,
  signal: AbortSignal | undefined,
): Promise<Float32Array<ArrayBuffer>> {
  if (type === "F32") return new Float32Array(buffer);
  if (type === "F64") {
    const doubles = new Float64Array(buffer);
    return converted(doubles.length, (index) => doubles[index], signal);
  }
  const halves = new Uint16Array(buffer);
  const toNumber = type === "F16" ? floatFromHalf : fromBrain;
  return converted(halves.length, (index) => toNumber(halves[index]), signal);
}

async function converted(
  length: number,
  numberAt: (index: number) => number,
  signal: AbortSignal | undefined,
): Promise<Float32Array<ArrayBuffer>> {
  const numbers = new Float32Array(length);
  await inPieces(length, signal, (start, end) => {
    for (let index = start; index < end; index++) numbers[index] = numberAt(index);
  });
  return numbers;
}

const room = new DataView(new ArrayBuffer(4));

/** A bfloat16: the upper half of a number of single precision. */
function fromBrain(bits: number): number {
  room.setUint32(0, bits << 16);
  return room.getFloat32(0);
}
