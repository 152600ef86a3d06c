import { type FileHandle, open } from "node:fs/promises";
import { Vocabulary } from "../data/vocabulary.js";
import { CharnnError, systemErrorCode } from "../errors.js";
import { CELLS } from "../model/cells.js";
import { parameterShapes } from "../model/config.js";
import { checked } from "../settings.js";
import { notReadable } from "../system-errors.js";
import { MOMENT_NAMES, type MomentName } from "../training/moments.js";
import { writeDurably } from "./durable-file.js";
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
 * @throws CharnnError `NOT_FOUND`, or `BAD_CHECKPOINT` that says what is wrong with it.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return atPath(path, async () => {
    const file = decodeSafetensors(await readWhole(path));
    const facts = checkedFacts(file.metadata);
    const checksum = checksumFor(file.metadata, file.tensors.values());
    if (file.metadata.get("checksum") !== checksum) {
      throw new CharnnError("BAD_CHECKPOINT", "what it holds is not what was saved (checksum)");
    }
    checkTensors(facts.config, file.tensors);
    return { ...facts, tensors: file.tensors };
  });
}

/** Reads only what a checkpoint says of itself; its tensors are not looked at. */
export async function readCheckpointFacts(path: string): Promise<CheckpointFacts> {
  return atPath(path, async () => {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const length = headerSize(await readStart(file, Math.min(size, 8)), size);
      return checkedFacts(decodeHeader(await readStart(file, length), size).metadata);
    } finally {
      await file.close();
    }
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

function jsonOf(metadata: ReadonlyMap<string, string>, key: string): unknown {
  try {
    return JSON.parse(metadata.get(key) ?? "");
  } catch (cause) {
    throw new CharnnError("BAD_CHECKPOINT", `its "${key}" is not JSON`, undefined, { cause });
  }
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

/** Runs `read` and puts the path before what it finds wrong. */
async function atPath<Result>(path: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CharnnError && error.code === "BAD_CHECKPOINT") {
      throw new CharnnError(
        "BAD_CHECKPOINT",
        `${path} can't be used: ${error.message.replace(/\.$/, "")}.`,
        "A run has best.safetensors and last.safetensors: if one is damaged, the other may be whole.",
        { cause: error },
      );
    }
    if (systemErrorCode(error) === "ENOENT") {
      throw new CharnnError("NOT_FOUND", `There is no checkpoint ${path}.`, undefined, {
        cause: error,
      });
    }
    throw systemErrorCode(error) === undefined ? error : notReadable(path, error);
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    return await readStart(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

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
