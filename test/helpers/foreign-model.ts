/** Files of weights as other programs write them. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import type { ImportSettings } from "#src/config/import.js";
import type { ModelConfig } from "#src/config/model.js";
import { parameterShapes, sizeOf } from "#src/config/parameters.js";
import { temporaryFolder } from "./folder.js";
import { Draw } from "./numbers.js";

/** A tensor of any element type. */
interface ForeignTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Uint16Array | Int32Array;
  /** That of `data` when left out; `F16` or `BF16` for halves. */
  readonly type?: string;
}

export type ForeignTensors = Readonly<Record<string, ForeignTensor>>;

/** A small model of 5 characters. */
export const SMALL_MODEL: ModelConfig = {
  cell: "gru",
  layers: 1,
  hiddenSize: 4,
  embeddingSize: 3,
  vocabularySize: 5,
};

/** Those of {@link SMALL_MODEL}. */
export const CHARACTERS = ["\n", "a", "b", "é", "😀"];

/** Random weights under PyTorch's names. */
export function foreignTensors(model: ModelConfig = SMALL_MODEL, seed = 1): ForeignTensors {
  const draw = new Draw(seed);
  return Object.fromEntries(
    [...parameterShapes(model)].map(([name, shape]) => [
      name,
      { shape, data: draw.floats(sizeOf(shape)) },
    ]),
  );
}

/** A whole file of safetensors. */
export function safetensorsOf(
  tensors: ForeignTensors,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const pieces: Buffer[] = [];
  let end = 0;
  for (const [name, { shape, data, type = typeOf(data) }] of Object.entries(tensors)) {
    const piece = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    header[name] = { dtype: type, shape, data_offsets: [end, end + piece.length] };
    end += piece.length;
    pieces.push(piece);
  }
  return fileWith(JSON.stringify(header), Buffer.concat(pieces));
}

/** A file with any header. */
export function fileWith(header: string, data: Uint8Array = new Uint8Array()): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** What is in a folder for an import, but for the weights. */
interface Beside {
  readonly vocabulary?: string | Uint8Array;
  readonly vocabularyFile?: string;
  readonly map?: string;
}

/** Writes files into a new folder; returns the settings of their import. */
export async function filesToImport(
  t: TestContext,
  weights: ForeignTensors | Uint8Array,
  { vocabulary = JSON.stringify(CHARACTERS), vocabularyFile = "chars.json", map }: Beside = {},
): Promise<ImportSettings & { readonly out: string }> {
  const folder = await temporaryFolder(t);
  const put = async (name: string, content: string | Uint8Array) => {
    await writeFile(path.join(folder, name), content);
    return path.join(folder, name);
  };
  return {
    weights: await put(
      "weights.safetensors",
      weights instanceof Uint8Array ? weights : safetensorsOf(weights),
    ),
    vocabulary: await put(vocabularyFile, vocabulary),
    ...(map !== undefined && { map: await put("names.json", map) }),
    name: "imported",
    out: path.join(folder, "runs"),
  };
}

export function renamed(tensors: ForeignTensors, rename: (name: string) => string): ForeignTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, it]) => [rename(name), it]));
}

export function without(tensors: ForeignTensors, ...names: string[]): ForeignTensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => !names.includes(name)));
}

function typeOf(data: ForeignTensor["data"]): string {
  if (data instanceof Float64Array) return "F64";
  if (data instanceof Int32Array) return "I32";
  return data instanceof Uint16Array ? "F16" : "F32";
}
