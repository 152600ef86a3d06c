import { decodeHeader, type NamedTensor } from "#src/checkpoint/safetensors.js";

/** The metadata and tensors of a whole file. The tensors are copies, in the order of their data. */
export function decodeSafetensors(bytes: Uint8Array) {
  const { metadata, tensors, dataStart } = decodeHeader(bytes, bytes.length);
  const data = bytes.slice(dataStart);
  const read = [...tensors].map(([name, { shape, start, end }]): [string, NamedTensor] => [
    name,
    {
      name,
      shape,
      data: new Float32Array(data.buffer, data.byteOffset + start, (end - start) / 4),
    },
  ]);
  return { metadata, tensors: new Map(read) };
}
