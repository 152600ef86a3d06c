import { decodeHeader, type NamedTensor } from "#src/checkpoint/safetensors.js";

/** The metadata and tensors of a whole file. The tensors are copies, in the order of their data. */
export function decodeSafetensors(bytes: Uint8Array) {
  const { metadata, tensors, dataStart } = decodeHeader(bytes, bytes.length);
  const decoded = new Map<string, NamedTensor>();
  for (const [name, { shape, start, end }] of tensors) {
    const data = Uint8Array.from(bytes.subarray(dataStart + start, dataStart + end));
    decoded.set(name, { name, shape, data: new Float32Array(data.buffer) });
  }
  return { metadata, tensors: decoded };
}
