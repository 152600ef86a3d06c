import { areFinite, readHeader, refuseTooLarge } from "../checkpoint/checkpoint.js";
import { checksumInParts } from "../checkpoint/checksum.js";
import { decodeHeader, LENGTH_BYTES, refuseBigEndian } from "../checkpoint/safetensors.js";
import type { ModelConfig } from "../config/model.js";
import { parameterShapes, sizeOf } from "../config/parameters.js";
import { CharnnError, shortened } from "../errors.js";
import { type FileKind, type ReadableFile, withFile } from "../files/readable-file.js";
import { parameterBytes } from "../model/memory-need.js";
import { inTurns } from "../turns.js";
import { FLOAT_TYPES, singlePrecision } from "./element-types.js";
import { modelOf } from "./model-shape.js";
import { type NameMap, unwrapped } from "./tensor-names.js";

const FILE: FileKind = { noun: "file" };
const AS_SAFETENSORS =
  "Save the state_dict as safetensors first: docs/checkpoint-format.md has the lines of Python for that.";

/** How files begin that are taken for weights, and what they are. */
const OTHER_FILES: readonly (readonly [start: readonly number[], what: string])[] = [
  [[0x50, 0x4b], "a zip file, as torch.save and Keras write it"],
  [[0x80, 0x02], "a pickle file"],
  [[0x80, 0x04], "a pickle file"],
  [[0x80, 0x05], "a pickle file"],
  [[0x89, 0x48, 0x44, 0x46], "an HDF5 file"],
];

/** The weights of a model of another program. */
export interface ForeignWeights {
  readonly model: ModelConfig;
  /** By charnn's names. */
  readonly parameters: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** JSON with the model's characters, where the metadata has it. */
  readonly vocabulary: string | undefined;
  /** SHA-256 of all weights. */
  readonly digest: string;
}

/**
 * Reads a PyTorch model from a safetensors file. Everything is checked before it is used, and nothing is executed.
 *
 * @throws CharnnError `NOT_FOUND`, `NOT_READABLE`, or `BAD_CHECKPOINT` that says which tensor does not fit; the
 *   reason of the signal once it is aborted
 */
export async function readWeights(
  path: string,
  names: NameMap,
  signal: AbortSignal | undefined,
): Promise<ForeignWeights> {
  return withFile(path, FILE, async (file) => {
    refuseBigEndian();
    await refuseOtherFile(file);
    const header = decodeHeader(await readHeader(file), file.size, FLOAT_TYPES);
    const { metadata, dataStart } = header;
    if (metadata.get("format")?.startsWith('"charnn-')) {
      throw bad(
        "it is a checkpoint of charnn, which needs no import",
        "Name it where a run is named: charnn sample FILE",
      );
    }
    const tensors = unwrapped(header.tensors);
    const { model, sources } = modelOf(tensors, names);
    refuseTooLarge(2 * parameterBytes(model));
    const parameters = new Map<string, Float32Array<ArrayBuffer>>();
    for (const [parameter, shape] of parameterShapes(model)) {
      const name = sources.get(parameter);
      const entry = name === undefined ? undefined : tensors.get(name);
      if (!entry) {
        parameters.set(parameter, new Float32Array(sizeOf(shape)));
        continue;
      }
      const bytes = new Uint8Array(entry.end - entry.start);
      await file.readInto(bytes, dataStart + entry.start, () => signal?.throwIfAborted());
      const numbers = await singlePrecision(entry.type, bytes, signal);
      if (!(await areFinite(numbers, signal))) {
        const orTooLarge = entry.type === "F64" ? ", or too large for single precision" : "";
        throw bad(
          `its tensor ${shortened(`${name}`)} has numbers that are not finite${orTooLarge}`,
        );
      }
      parameters.set(parameter, numbers);
    }
    const all = [...parameters.values()].map(({ buffer }) => new Uint8Array(buffer));
    const digest = await inTurns(checksumInParts(all), signal);
    return { model, parameters, vocabulary: metadata.get("vocabulary"), digest };
  });
}

/** Says of a file that is not safetensors what it is, and what to do. */
async function refuseOtherFile(file: ReadableFile): Promise<void> {
  const start = new Uint8Array(Math.min(file.size, LENGTH_BYTES));
  await file.readInto(start, 0);
  if (!isNoLength(start)) return;
  for (const [bytes, what] of OTHER_FILES) {
    if (bytes.every((byte, index) => start[index] === byte)) {
      throw bad(`it is ${what}, and charnn reads safetensors alone`, AS_SAFETENSORS);
    }
  }
  throw bad("it is not a safetensors file", AS_SAFETENSORS);
}

/** Whether the first bytes can't be the length of a header of safetensors. */
function isNoLength(start: Uint8Array): boolean {
  return start.subarray(4).some((byte) => byte !== 0);
}

function bad(message: string, hint?: string): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message, hint);
}
