import { basename } from "node:path";
import { MAX_SIZE } from "../config/names.js";
import { parameterShapes } from "../config/parameters.js";
import { type Progress, progressSchema, type RunConfig, runConfigSchema } from "../config/run.js";
import { checked } from "../config/schema.js";
import { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import { parseBounded } from "../files/bounded-json.js";
import { writeDurably } from "../files/durable-file.js";
import { type FileKind, type ReadableFile, withFile } from "../files/readable-file.js";
import { memoryLeft } from "../memory.js";
import { parameterBytes } from "../model/memory-need.js";
import { isCheckpointName, ownFileKind } from "../run-files.js";
import { memorySize } from "../text.js";
import { inPieces, inTurns } from "../turns.js";
import { checkTensors, plainName, tensorShapes } from "./checkpoint-tensors.js";
import { checksumDigits, checksumInParts, FileChecksum, NO_CHECKSUM } from "./checksum.js";
import {
  decodeHeader,
  encodeSafetensors,
  headerSize,
  LENGTH_BYTES,
  type NamedTensor,
  refuseBigEndian,
  type SafetensorsHeader,
} from "./safetensors.js";

/** Changes when a reader of the previous format could no longer make sense of a file. */
const FORMAT = "charnn-1";

/** The metadata that the checksum of older files covers. */
const COVERED_BEFORE = ["format", "config", "vocabulary", "progress", "random"] as const;

const FILE: FileKind = {
  noun: "checkpoint",
  hint: "A run has best.safetensors and last.safetensors: if one is damaged, the other may be whole.",
};

/** Of a file that never was a checkpoint: another of the same run is of no help then. */
const NO_CHECKPOINT = "Name a run, its folder or a checkpoint in it, such as last.safetensors.";
const AT_BEGINNING = 1_024;

/** More than any configuration and progress take; a vocabulary is a list of characters. */
const METADATA_BOUNDS = {
  config: { depth: 8, values: 2_048 },
  progress: { depth: 8, values: 2_048 },
  vocabulary: { depth: 1, values: 2 * MAX_SIZE },
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

/**
 * Replaces the previous checkpoint, completely or not at all.
 *
 * @param beforeRename called when all is written, right before the replacement; throws to prevent it
 */
export async function writeCheckpoint(
  path: string,
  checkpoint: Checkpoint,
  beforeRename?: () => Promise<void>,
): Promise<void> {
  const { config, vocabulary, progress, tensors } = checkpoint;
  const seed = config.training.randomSeed;
  const metadata = new Map([
    ["format", JSON.stringify(FORMAT)],
    // Checked, so that the same facts always come in the same order.
    ["config", JSON.stringify(checked(runConfigSchema, config))],
    ["vocabulary", JSON.stringify(vocabulary)],
    ["progress", JSON.stringify(checked(progressSchema, progress))],
    ["random", JSON.stringify({ generator: "philox4x32-10", seed })],
    ["checksum", NO_CHECKSUM],
  ]);
  const { header, data } = encodeSafetensors(tensors.values(), metadata);
  // Its digits are still zeros.
  const checksum = await inTurns(checksumInParts([header, ...data]), undefined);
  checksumDigits(header)?.set(Buffer.from(checksum));
  await writeDurably(path, [header, ...data], undefined, { beforeRename });
}

/** How to read a checkpoint. */
interface CheckpointReading {
  /** The most bytes that are read at once. */
  readonly pieceBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with each tensor once it is read, before all of the file is checked; returns whether the result keeps
   * it. When left out, all are kept.
   */
  readonly onTensor?: ((tensor: NamedTensor, facts: CheckpointFacts) => boolean) | undefined;
}

/** For {@link CheckpointReading}: only the weights, without what is needed to go on training. */
export function isWeight({ name }: NamedTensor, { config }: CheckpointFacts): boolean {
  return parameterShapes(config.model).has(plainName(name));
}

/**
 * Reads a checkpoint and checks all of it. Each tensor is read into a separate array, so
 * the file is in memory only once.
 *
 * @throws CharnnError `NOT_FOUND`, `BAD_CHECKPOINT` that says what is wrong with it, or `NOT_READABLE`
 *   where the system does not let it be read; the reason of the signal once it is aborted
 */
export async function readCheckpoint(
  path: string,
  { pieceBytes, signal, onTensor }: CheckpointReading = {},
): Promise<Checkpoint> {
  return withFile(
    path,
    FILE,
    async (file) => {
      refuseBigEndian();
      await refuseOtherFile(path, file);
      const start = await readHeader(file);
      const header = decodeHeader(start, file.size);
      const facts = checkedFacts(header.metadata);
      // Before there is memory for any.
      checkTensors(facts.config, header.tensors);
      refuseTooLarge(onTensor ? parameterBytes(facts.config.model) : file.size);
      const checksum = new FileChecksum(start);
      const tensors = new Map<string, NamedTensor>();
      let wrong: string | undefined;
      for (const [name, { shape, start, end }] of header.tensors) {
        const bytes = new Uint8Array(end - start);
        await file.readInto(bytes, header.dataStart + start, (piece) => {
          signal?.throwIfAborted();
          checksum.add(piece);
        });
        const tensor = { name, shape, data: new Float32Array(bytes.buffer) };
        if (!(await areFinite(tensor.data, signal))) wrong ??= name;
        if (!onTensor || onTensor(tensor, facts)) tensors.set(name, tensor);
      }
      const said = header.metadata.get("checksum");
      const isWhole = said === JSON.stringify(checksum.digest());
      if (!isWhole && !(await isWholeAsBefore(file, header, facts.config, signal))) {
        throw bad("what it holds is not what was saved (checksum)");
      }
      if (wrong !== undefined) throw bad(`its tensor ${wrong} has numbers that are not finite`);
      return { ...facts, tensors };
    },
    pieceBytes,
  );
}

/**
 * Reads only what a checkpoint says of itself; its tensors are not looked at.
 *
 * @throws CharnnError as {@link readCheckpoint} does
 */
export async function readCheckpointFacts(path: string): Promise<CheckpointFacts> {
  return withFile(path, FILE, async (file) => {
    await refuseOtherFile(path, file);
    return checkedFacts(decodeHeader(await readHeader(file), file.size).metadata);
  });
}

/** Says of a file that is not safetensors, unless it has the name of a checkpoint and may be damaged, what it is. */
async function refuseOtherFile(path: string, file: ReadableFile): Promise<void> {
  if (file.size < LENGTH_BYTES || isCheckpointName(basename(path))) return;
  const start = new Uint8Array(Math.min(file.size, AT_BEGINNING));
  await file.readInto(start, 0);
  // A header of 16 MiB and more, which no checkpoint has.
  if (start.subarray(3, LENGTH_BYTES).every((byte) => byte === 0)) return;
  const kind = ownFileKind(new TextDecoder().decode(start));
  throw bad(kind ? `it is ${kind}, not a checkpoint` : "it is not a checkpoint", NO_CHECKPOINT);
}

/** Whether all numbers of a tensor are finite. */
export async function areFinite(data: NamedTensor["data"], signal?: AbortSignal): Promise<boolean> {
  let found = true;
  await inPieces(data.length, signal, (start, end) => {
    // Zero times NaN or infinity is NaN. A function call for each number would take several times as long.
    let zero = 0;
    for (let index = start; index < end; index++) zero += 0 * (data[index] as number);
    found = zero === 0;
    return found ? undefined : "stop";
  });
  return found;
}

/**
 * The bytes of a safetensors file before its data.
 *
 * @throws CharnnError `BAD_CHECKPOINT`
 */
export async function readHeader(file: ReadableFile): Promise<Uint8Array> {
  const length = new Uint8Array(Math.min(file.size, LENGTH_BYTES));
  await file.readInto(length, 0);
  const header = new Uint8Array(headerSize(length, file.size));
  await file.readInto(header, 0);
  return header;
}

/**
 * Whether a file has the checksum of older files, of the values of {@link COVERED_BEFORE} and the tensors'
 * bytes. It does not cover which bytes belong to which tensor; the tensors' order has to make up for that.
 *
 * A damaged file of the current format is not taken for an older one, since it states the other checksum.
 */
async function isWholeAsBefore(
  file: ReadableFile,
  { metadata, tensors, dataStart }: SafetensorsHeader,
  config: RunConfig,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const names = [...tensorShapes(config).keys()];
  if ([...tensors.keys()].some((name, index) => name !== names[index])) return false;
  const said = COVERED_BEFORE.map((key) => metadata.get(key) ?? "");
  const checksum = new FileChecksum(Buffer.from(said.join("")));
  // The tensors fill the file to its end, in order.
  await file.readThrough(dataStart, (piece) => {
    signal?.throwIfAborted();
    checksum.add(piece);
  });
  return metadata.get("checksum") === JSON.stringify(checksum.digest());
}

function checkedFacts(metadata: ReadonlyMap<string, string>): CheckpointFacts {
  if (metadata.get("format") !== JSON.stringify(FORMAT)) {
    throw bad(
      `it is a safetensors file, but not a checkpoint of charnn (format ${JSON.stringify(FORMAT)})`,
      "To make a run of a PyTorch model: charnn import FILE",
    );
  }
  const config = checked(runConfigSchema, jsonOf(metadata, "config"), "BAD_CHECKPOINT");
  const progress = checked(progressSchema, jsonOf(metadata, "progress"), "BAD_CHECKPOINT");
  const vocabulary = Vocabulary.fromJSON(jsonOf(metadata, "vocabulary"));
  if (vocabulary.size !== config.model.vocabularySize) {
    throw bad(
      `its vocabulary has ${vocabulary.size} characters, but its model is made for ` +
        `${config.model.vocabularySize}`,
    );
  }
  return { config, vocabulary, progress };
}

function jsonOf(metadata: ReadonlyMap<string, string>, key: "config" | "progress" | "vocabulary") {
  return parseBounded(metadata.get(key) ?? "", METADATA_BOUNDS[key], `its "${key}"`);
}

/**
 * Refuses what no memory can hold: a file may have holes, and be larger than the disk.
 *
 * @throws CharnnError `BAD_CHECKPOINT`
 */
export function refuseTooLarge(bytes: number): void {
  const left = memoryLeft();
  if (bytes <= left) return;
  throw bad(`it needs ${memorySize(bytes)} of memory, and there are ${memorySize(left)} for it`);
}

function bad(message: string, hint?: string): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message, hint);
}
