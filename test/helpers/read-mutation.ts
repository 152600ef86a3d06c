import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import {
  type Checkpoint,
  readCheckpoint,
  readCheckpointFacts,
} from "#src/checkpoint/checkpoint.js";
import { CharnnError } from "#src/errors.js";
import { partsOf } from "./mutations.js";

const MAX_MESSAGE_LENGTH = 1_000;

/** Reads these bytes as a checkpoint; undefined where they are refused as they should be. */
export async function readOrRefused(
  file: string,
  bytes: Uint8Array,
): Promise<Checkpoint | undefined> {
  await writeFile(file, bytes);
  const refused = (error: unknown) => {
    if (!(error instanceof CharnnError) || error.code !== "BAD_CHECKPOINT") throw error;
    assert.ok(error.message.length < MAX_MESSAGE_LENGTH, error.message);
    return undefined;
  };
  await readCheckpointFacts(file).catch(refused);
  return readCheckpoint(file).catch(refused);
}

/** All values of a checkpoint, to be compared. */
export function valuesOf({ config, progress, vocabulary, tensors }: Checkpoint) {
  return { config, progress, vocabulary: vocabulary.toJSON(), tensors: [...tensors] };
}

/** Checks what was read against what the bytes say, which is read here in the plainest way. */
export function assertReadAsWritten(checkpoint: Checkpoint, bytes: Buffer): void {
  const { header, data } = partsOf(bytes);
  const { __metadata__: metadata, ...entries } = JSON.parse(header);
  const { tensors, ...facts } = valuesOf(checkpoint);
  for (const [name, value] of Object.entries(facts)) {
    assert.deepEqual(plain(value), plain(readFor(name, JSON.parse(metadata[name]))), name);
  }
  assert.deepEqual(tensors.map(([name]) => name).sort(), Object.keys(entries).sort());
  for (const [name, tensor] of tensors) {
    const { shape, data_offsets: offsets } = entries[name];
    const { buffer, byteOffset, byteLength } = tensor.data;
    assert.deepEqual([tensor.name, tensor.shape], [name, shape]);
    assert.ok(data.subarray(...offsets).equals(Buffer.from(buffer, byteOffset, byteLength)), name);
  }
}

/**
 * What is read for what a checkpoint says: earlier ones have no list of the times when the speed was measured
 * again, but one time at most.
 */
function readFor(name: string, facts: { replan?: unknown; limits?: { replan?: unknown } }) {
  if (name === "progress") return { ...facts, replan: [facts.replan ?? []].flat() };
  const { limits } = facts;
  if (limits?.replan === undefined) return facts;
  return { ...facts, limits: { ...limits, replan: [limits.replan].flat() } };
}

/** What is left of a value in JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
