import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Vocabulary } from "../data/vocabulary.js";
import { CharnnError, systemErrorCode } from "../errors.js";
import { CELLS } from "../model/cells.js";
import { LARGEST_SIZE, parameterShapes } from "../model/config.js";
import { checked } from "../settings.js";
import { notReadable } from "../system-errors.js";
import { MOMENT_NAMES, type MomentName } from "../training/moments.js";
import { parseBounded } from "./bounded-json.js";
import { writeDurably } from "./durable-file.js";
import { isAbsent } from "./folder-names.js";
import { type Progress, progressSchema, type RunConfig, runConfigSchema } from "./run-config.js";
import {
  checksumOf,
  decodeHeader,
  decodeSafetensors,
  encodeSafetensors,
  headerSize,
  type NamedTensor,
} from "./safetensors.js";

/** Changes when a reader of the format before could no longer make sense of a file. */
const FORMAT = "charnn-1";

/** The metadata that the checksum covers. */
const COVERED = ["format", "config", "vocabulary", "progress", "random"] as const;

/** More than any configuration and progress have; a vocabulary is a list of characters. */
const METADATA_BOUNDS = {
  config: { depth: 8, values: 2_048 },
  progress: { depth: 8, values: 2_048 },
  vocabulary: { depth: 1, values: 2 * LARGEST_SIZE },
};

/** What a checkpoint says, beside its tensors. */
export interface CheckpointFacts {
  readonly config: RunConfig;
  readonly vocabulary: Vocabulary;
  readonly progress: Progress;
}

/** A run between two steps: everything it needs to go on as if it had never stopped. */
export interface Checkpoint extends CheckpointFacts {
  /** Weights, optimizer moments and carried state, under the names of {@link tensorShapes}. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

export function momentName(parameter: string, moment: MomentName): string {
  return `optimizer.${parameter}.${moment}`;
}

/** The name of a parameter as it is trained, where the plain name has its average. */
export function trainingName(parameter: string): string {
  return `training.${parameter}`;
}

/** The name of a layer's carried hidden state, or of its cell state. */
export function stateName(layer: number, part: "hidden" | "cell"): string {
  return part === "hidden" ? `state.l${layer}` : `state.l${layer}.cell`;
}

/** Puts a checkpoint in the place of the one before, whole or not at all. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { config, vocabulary, progress, tensors } = checkpoint;
  const seed = config.training.randomSeed;
  const data = [...tensors.values()];
  const metadata = new Map([
    ["format", JSON.stringify(FORMAT)],
    // Checked, so that the same facts always come in the same order.
    ["config", JSON.stringify(checked(runConfigSchema, config))],
    ["vocabulary", JSON.stringify(vocabulary)],
    ["progress", JSON.stringify(checked(progressSchema, progress))],
    ["random", JSON.stringify({ generator: "philox4x32-10", seed })],
  ]);
  metadata.set("checksum", checksumFor(metadata, data));
  const encoded = encodeSafetensors(data, metadata);
  await writeDurably(path, [encoded.header, ...encoded.data]);
}

/**
 * Reads a checkpoint and checks all of it.
 *
 * @throws CharnnError `NOT_FOUND`, `BAD_CHECKPOINT` that says what is wrong with it, or `NOT_READABLE`
 *   where the system does not let it be read
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return withFile(path, async (handle, size) => {
    const file = decodeSafetensors(await readStart(handle, size));
    const facts = checkedFacts(file.metadata);
    const checksum = checksumFor(file.metadata, file.tensors.values());
    if (file.metadata.get("checksum") !== checksum) {
      throw new CharnnError("BAD_CHECKPOINT", "what it holds is not what was saved (checksum)");
    }
    checkTensors(facts.config, file.tensors);
    return { ...facts, tensors: file.tensors };
  });
}

/**
 * Reads only what a checkpoint says of itself; its tensors are not looked at.
 *
 * @throws CharnnError as {@link readCheckpoint} does
 */
export async function readCheckpointFacts(path: string): Promise<CheckpointFacts> {
  return withFile(path, async (file, size) => {
    const length = headerSize(await readStart(file, Math.min(size, 8)), size);
    return checkedFacts(decodeHeader(await readStart(file, length), size).metadata);
  });
}

/** The checksum of what a checkpoint says, in the order of {@link COVERED}, and of its tensors. */
function checksumFor(
  metadata: ReadonlyMap<string, string>,
  tensors: Iterable<NamedTensor>,
): string {
  const said = COVERED.map((key) => Buffer.from(metadata.get(key) ?? ""));
  return JSON.stringify(checksumOf([...said, ...Array.from(tensors, ({ data }) => bytesOf(data))]));
}

function checkedFacts(metadata: ReadonlyMap<string, string>): CheckpointFacts {
  if (metadata.get("format") !== JSON.stringify(FORMAT)) {
    throw new CharnnError(
      "BAD_CHECKPOINT",
      `it is a safetensors file, but not a checkpoint of charnn (format ${JSON.stringify(FORMAT)})`,
    );
  }
  const config = checked(runConfigSchema, jsonOf(metadata, "config"), "BAD_CHECKPOINT");
  const progress = checked(progressSchema, jsonOf(metadata, "progress"), "BAD_CHECKPOINT");
  const vocabulary = Vocabulary.fromJSON(jsonOf(metadata, "vocabulary"));
  if (vocabulary.size !== config.model.vocabularySize) {
    throw new CharnnError(
      "BAD_CHECKPOINT",
      `its vocabulary has ${vocabulary.size} characters, but its model is made for ` +
        `${config.model.vocabularySize}`,
    );
  }
  return { config, vocabulary, progress };
}

function jsonOf(metadata: ReadonlyMap<string, string>, key: "config" | "progress" | "vocabulary") {
  return parseBounded(metadata.get(key) ?? "", METADATA_BOUNDS[key], `its "${key}"`);
}

/** Holds the tensors to the names and shapes that the configuration asks for. */
function checkTensors(config: RunConfig, tensors: ReadonlyMap<string, NamedTensor>): void {
  const missing = new Map<string, readonly number[]>();
  for (const [name, shape] of parameterShapes(config.model)) {
    missing.set(name, shape);
    if (config.training.averageDecay > 0) missing.set(trainingName(name), shape);
    for (const moment of MOMENT_NAMES[config.training.optimizer]) {
      missing.set(momentName(name, moment), shape);
    }
  }
  for (let layer = 0; layer < config.model.layers; layer++) {
    const shape = [config.training.batchSize, config.model.hiddenSize];
    missing.set(stateName(layer, "hidden"), shape);
    if (CELLS[config.model.cell].hasCellState) missing.set(stateName(layer, "cell"), shape);
  }
  for (const { name, shape, data } of tensors.values()) {
    const expected = missing.get(name);
    missing.delete(name);
    if (expected === undefined) {
      throw new CharnnError("BAD_CHECKPOINT", `its tensor ${name} is none of this model's`);
    }
    if (shape.join() !== expected.join() || !(data instanceof Float32Array)) {
      throw new CharnnError(
        "BAD_CHECKPOINT",
        `its tensor ${name} should be F32 [${expected.join(", ")}], and is [${shape.join(", ")}]`,
      );
    }
    if (!data.every(Number.isFinite)) {
      throw new CharnnError("BAD_CHECKPOINT", `its tensor ${name} has numbers that are not finite`);
    }
  }
  for (const name of missing.keys()) {
    throw new CharnnError("BAD_CHECKPOINT", `its tensor ${name} is missing`);
  }
}

/** Runs `read` on a checkpoint file, and puts the path before what it finds wrong. */
async function withFile<Result>(
  path: string,
  read: (file: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  let file: FileHandle | undefined;
  try {
    // Opening a pipe would wait for somebody to write to it.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await file.stat();
    if (stats.isDirectory()) throw new CharnnError("BAD_CHECKPOINT", "it is a folder");
    if (!stats.isFile()) throw new CharnnError("BAD_CHECKPOINT", "it is not a regular file");
    return await read(file, stats.size);
  } catch (error) {
    throw await readingError(path, error);
  } finally {
    await file?.close();
  }
}

async function readingError(path: string, error: unknown): Promise<unknown> {
  const code = systemErrorCode(error) ?? "";
  if (code === "ENOENT" && (await isAbsent(path))) {
    const message = `There is no checkpoint ${path}.`;
    return new CharnnError("NOT_FOUND", message, undefined, { cause: error });
  }
  const reason =
    error instanceof CharnnError && error.code === "BAD_CHECKPOINT"
      ? error.message.replace(/\.$/, "")
      : NO_FILE.get(code);
  if (reason !== undefined) {
    return new CharnnError(
      "BAD_CHECKPOINT",
      `${path} can't be used: ${reason}.`,
      "A run has best.safetensors and last.safetensors: if one is damaged, the other may be whole.",
      { cause: error },
    );
  }
  return code ? notReadable(path, error) : error;
}

/** What shows that something other than a file has a checkpoint's name. */
const NO_FILE: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "it is a link to something that is not there"],
  ["ELOOP", "its links lead round in a circle"],
  ["EISDIR", "it is a folder"],
  // A socket.
  ["ENXIO", "it is not a regular file"],
]);

/** The first `length` bytes of a file. */
async function readStart(file: FileHandle, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, done);
    if (bytesRead === 0) throw new CharnnError("BAD_CHECKPOINT", `it ends after ${done} bytes`);
    done += bytesRead;
  }
  return bytes;
}

function bytesOf(data: NamedTensor["data"]): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
